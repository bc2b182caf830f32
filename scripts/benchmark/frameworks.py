"""A framework of 14,000 skills imported with one command, as ESCO's CSV files, a CASE package and SKOS in Turtle.

Each skill has a description, two further names and a place in the tree, as those of ESCO have. The node runs; time is
that of the command from its start to its end, memory is the node's.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.lists import Taken, run_command
from scripts.benchmark.processes import NodeProcess, free_ports
from scripts.benchmark.timing import Plan, progress, spread

__all__ = ["measure"]

_SKILLS = 14_000
_SECONDS = Target(10.0)
_MEMORY = Target(200.0)
_LOOK_EVERY_SECONDS = 0.05
_URL = "http://data.europa.eu/esco/skill/"


def measure(plan: Plan) -> list[Figure]:
    """The figures of imports."""
    del plan
    progress(f"frameworks: import {_SKILLS:,} skills in three formats ...")
    with tempfile.TemporaryDirectory(prefix="lernode-bench-") as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[Figure]:
    node = NodeProcess(folder / "college", free_ports(1), issuer=False)
    await node.make()
    await node.start()
    figures = []
    try:
        for name, file in (("esco-csv", _esco(folder)), ("case-package", _case(folder)), ("skos", _skos(folder))):
            sizes: list[float] = []
            watching = asyncio.create_task(_watch(node, sizes))
            took = await run_command(node, "framework", "import", str(file), "--name", name)
            watching.cancel()
            figures += _of(name, took, sizes)
    finally:
        await node.stop()
    return figures


async def _watch(node: NodeProcess, sizes: list[float]) -> None:
    while True:
        size = node.resident_mib()
        sizes += [] if size is None else [size]
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _of(name: str, took: Taken, sizes: list[float]) -> list[Figure]:
    about = f"import {_SKILLS:,} skills, {name}"
    return [
        Figure(f"frameworks.{name}", about, took.seconds, "s", (took.seconds, took.seconds), target=_SECONDS),
        Figure(f"frameworks.{name}.memory", f"{about}: memory", max(sizes), "MiB", spread(sizes), target=_MEMORY),
    ]


def _skills() -> Iterator[tuple[str, str, str, str]]:
    """URL, name, description, URL of what it stands under."""
    for number in range(_SKILLS):
        about = f"Carry out task {number} with care, keep records of it, and tell others of what was found. " * 2
        yield f"{_URL}{number:08x}", f"carry out task {number}", about, f"{_URL}{number // 10:08x}"


def _esco(folder: Path) -> Path:
    skills = ["conceptType,conceptUri,skillType,preferredLabel,altLabels,description\n"]
    broader = ["conceptType,conceptUri,broaderType,broaderUri\n"]
    for url, name, about, above in _skills():
        skills.append(f'KnowledgeSkillCompetence,{url},skill,{name},"do {name}\nperform {name}","{about}"\n')
        broader.append(f"KnowledgeSkillCompetence,{url},Skill,{above}\n")
    path = folder / "esco.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("skills_en.csv", "".join(skills))
        packed.writestr("broaderRelationsSkillPillar_en.csv", "".join(broader))
    return path


def _case(folder: Path) -> Path:
    items, associations = [], []
    for url, name, about, above in _skills():
        code = url.rpartition("/")[2]
        item = {"identifier": code, "uri": url, "fullStatement": name, "humanCodingScheme": code, "notes": about}
        items.append({**item, "conceptKeywords": [f"do {name}", f"perform {name}"]})
        ends = {"originNodeURI": {"uri": url}, "destinationNodeURI": {"uri": above}}
        associations.append({"identifier": f"a{code}", "associationType": "isChildOf", **ends})
    package = {"CFDocument": {"identifier": "d", "title": "Tasks"}, "CFItems": items, "CFAssociations": associations}
    path = folder / "case.json"
    path.write_text(json.dumps(package))
    return path


def _skos(folder: Path) -> Path:
    path = folder / "skos.ttl"
    with path.open("w") as file:
        file.write("@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n")
        for url, name, about, above in _skills():
            file.write(
                f'<{url}> a skos:Concept ; skos:prefLabel "{name}"@en ; skos:altLabel "do {name}"@en, '
                f'"perform {name}"@en ; skos:definition "{about}"@en ; skos:broader <{above}> .\n'
            )
    return path
