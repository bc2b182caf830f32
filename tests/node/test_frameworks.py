"""Imported frameworks where they count: what a verifier knows of a record's skills, before and after new versions."""

from __future__ import annotations

import tempfile
from pathlib import Path

from node.app import Node
from node.roles.frameworks import HowToImport
from tests.node.nodes import Nodes

URL = "https://skills.example/basket-weaving"


async def import_csv(node: Node, text: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "crafts.csv")
        path.write_text(text)
        return (await node.frameworks.import_file(path, HowToImport(), stem="crafts")).version.number


async def test_a_skill_stays_known_when_a_new_version_leaves_it_out(nodes: Nodes) -> None:
    node = await nodes.make("college")
    policy = node.verifier._checker.policies.verifier()  # the one that every verification of this node takes
    assert policy.known_skills is not None
    assert await policy.known_skills(frozenset({URL})) == frozenset()
    assert await import_csv(node, f"name,url\nBasket weaving,{URL}\n") == 1
    assert await policy.known_skills(frozenset({URL})) == {URL}
    assert await import_csv(node, f"name,url\nPottery,{URL}-not\n") == 2
    assert await policy.known_skills(frozenset({URL, f"{URL}-not", "https://x.example"})) == {URL, f"{URL}-not"}
