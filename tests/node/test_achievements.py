"""The catalogue of an issuer: versions, and what records keep of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from node.app import Node
from node.roles.issuer import Award
from node.roles.lifetime import Terms
from protocols import strict_json
from protocols.errors import LernodeError
from storage import achievements
from storage.achievements import Entry
from tests.node.nodes import CARPENTRY, CATALOGUE, WELDING, Nodes, achievement, issued
from tests.postgresql import new_store_url

ADA = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
SLUG = "structural-welding-level-1"


async def entry(node: Node, name: str) -> Entry:
    async with node.store.read() as tx:
        return await node.achievements.entry(tx, name)


async def said(node: Node, name: str = SLUG) -> dict[str, Any]:
    """What a new record says of an achievement."""
    made = await node.issuer.issue(Award(achievement_id=name, subject_did=ADA))
    return dict(json.loads(made.document)["credentialSubject"]["achievement"])


async def refused(node: Node, name: str = SLUG) -> str:
    with pytest.raises(LernodeError) as caught:
        await said(node, name)
    return caught.value.code


async def test_a_version_that_nobody_used_is_edited_in_place(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    changed = await college.achievements.edit(SLUG, CATALOGUE[0] | {"name": "Welding I"})
    assert (changed.number, changed.document["id"]) == (1, WELDING)
    assert await said(college) == CATALOGUE[0] | {"name": "Welding I"}
    assert await said(college, WELDING) == await said(college, f"{SLUG}@1")


async def test_records_keep_the_version_they_were_made_from_and_new_ones_have_the_new(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    assert await said(college) == CATALOGUE[0]
    changed = await college.achievements.edit(SLUG, CATALOGUE[0] | {"name": "Welding I"})
    assert changed.number == 2
    new = await said(college)
    assert (new["id"], new["name"]) == (f"{WELDING}#v2", "Welding I")
    assert new["related"] == [{"id": WELDING, "type": ["Related"], "version": "1"}]
    assert await said(college, f"{SLUG}@1") == await said(college, WELDING) == CATALOGUE[0]
    third = await college.achievements.edit(SLUG, new | {"name": "Welding One"})
    assert (third.number, third.document["id"]) == (3, f"{WELDING}#v3")
    assert [each["id"] for each in third.document["related"]] == [f"{WELDING}#v2", WELDING]
    documents = [json.loads(record.document) for record in await issued(college)]
    assert {d["credentialSubject"]["achievement"]["name"] for d in documents} == {CATALOGUE[0]["name"], "Welding I"}


async def test_what_is_offered_is_used(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    await college.links.offer(Award(achievement_id=SLUG), Terms())
    assert (await college.achievements.edit(SLUG, CATALOGUE[0] | {"name": "Welding I"})).number == 2


async def test_of_two_who_edit_at_a_time_the_second_is_told(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    await said(college)
    await college.achievements.edit(SLUG, CATALOGUE[0] | {"name": "One"}, based_on=1)
    with pytest.raises(LernodeError) as caught:
        await college.achievements.edit(SLUG, CATALOGUE[0] | {"name": "Two"}, based_on=1)
    assert caught.value.code == "catalogue.edited_meanwhile"


async def test_what_is_retired_is_awarded_no_more_until_it_is_taken_back(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    await college.achievements.retire(SLUG)
    assert await refused(college) == await refused(college, WELDING) == "catalogue.retired"
    async with college.store.read() as tx:
        assert [e.document["id"] for e in await achievements.entries(tx)] == [CARPENTRY]
        assert len(await achievements.entries(tx, retired=True)) == 2
    await college.achievements.retire(SLUG, undo=True)
    assert await said(college) == CATALOGUE[0]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (CATALOGUE[0], "catalogue.exists"),
        (CATALOGUE[0] | {"id": "urn:uuid:5d0c8b1e-0000-4000-8000-000000000000"}, "catalogue.exists"),
        ({"id": "urn:a:b", "type": ["Achievement"]}, "catalogue.invalid"),
    ],
)
async def test_what_cannot_be_added_adds_nothing(nodes: Nodes, document: dict[str, Any], code: str) -> None:
    college = await nodes.make("college", issuer=True)
    good = achievement("urn:x:good", "Good", "1", "Good")
    with pytest.raises(LernodeError) as caught:
        await college.achievements.add([good, document])
    assert caught.value.code == code
    assert await refused(college, "good") == "catalogue.unknown_achievement"


async def test_the_file_is_taken_in_again_only_where_it_changed(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    await college.achievements.edit(SLUG, CATALOGUE[0] | {"name": "By command"})
    await nodes.stop(college)
    college = await nodes.again(college)
    assert (await said(college))["name"] == "By command"
    await nodes.stop(college)
    file = [CATALOGUE[0] | {"name": "By file"}, CATALOGUE[1], achievement("urn:x:more", "More", "1", "More")]
    (college.home / "catalogue.json").write_bytes(strict_json.dumps(file))
    college = await nodes.again(college)
    assert ((await entry(college, SLUG)).number, (await said(college))["name"]) == (2, "By file")
    assert (await said(college, "more"))["id"] == "urn:x:more"
    assert (await entry(college, CARPENTRY)).number == 1
    await nodes.stop(college)
    college = await nodes.again(college)
    assert (await entry(college, SLUG)).number == 2


async def test_processes_of_one_node_share_the_catalogue(tmp_path: Path) -> None:
    nodes = Nodes(tmp_path, new_store_url)
    try:
        college = await nodes.make("college", issuer=True)
        other = await nodes.replica(college, "second")
        await other.achievements.edit(SLUG, CATALOGUE[0] | {"name": "By the other"})
        assert (await said(college))["name"] == "By the other"
    finally:
        await nodes.stop_all()
