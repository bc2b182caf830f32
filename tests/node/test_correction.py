"""A record that is replaced by a correct one: both name each other, and the holder sees one history."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from node.app import Node
from node.http import admin_records
from node.http.admin_operation import Call, Nothing
from node.http.schemas import HeldDetail, IssuedDetail
from node.roles.issuer import Award, Correction
from protocols.errors import LernodeError
from storage.credentials import IssuedState
from tests.node.nodes import CATALOGUE, DEADLINE_SECONDS, WELDING, Nodes, connect, exchange_in, give, held, issued

GRADES = [{"id": "urn:x:grade", "type": ["ResultDescription"], "name": "Grade", "resultType": "LetterGrade",
           "allowedValue": ["C", "B", "A"]}]  # fmt: skip


async def graded(nodes: Nodes) -> Node:
    college = await nodes.make("college", issuer=True)
    await college.achievements.edit(WELDING, CATALOGUE[0] | {"resultDescription": GRADES})
    return college


async def shown(node: Node, record_id: str) -> IssuedDetail:
    return await admin_records.issued_record(node, Call(record_id, Nothing(), Nothing(), asyncio.Event()))


async def shown_held(node: Node, record_id: str) -> HeldDetail:
    return await admin_records.record(node, Call(record_id, Nothing(), Nothing(), asyncio.Event()))


def subject(document: bytes) -> dict[str, Any]:
    return dict(json.loads(document)["credentialSubject"])


async def test_what_is_not_changed_stays_as_it_was_also_a_hashed_address(nodes: Nodes) -> None:
    college = await graded(nodes)
    award = Award(achievement_id=WELDING, email="ada@example.org", name="Ada Byron", result="B")
    former = await college.issuer.issue(award)
    done = await college.issuer.correct(former.id, Correction(result="A"), "the second mark")
    assert done.record is not None
    before, after = subject(former.document), subject(done.record.document)
    assert after["identifier"] == before["identifier"]
    assert (before["result"][0]["value"], after["result"][0]["value"]) == ("B", "A")
    assert after["achievement"] == before["achievement"]
    assert json.loads(done.record.document)["validFrom"] == json.loads(former.document)["validFrom"]
    assert done.former.state is IssuedState.REVOKED
    old, new = await shown(college, former.id), await shown(college, done.record.id)
    assert (old.replaces, old.replaced_by) == (None, done.credential_id)
    assert (new.replaces, new.replaced_by) == (former.credential_id, None)


async def test_another_name_leaves_the_hashed_address(nodes: Nodes) -> None:
    college = await graded(nodes)
    former = await college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org", name="Ada Byron"))
    done = await college.issuer.correct(former.id, Correction(name="Ada King"), None)
    assert done.record is not None
    (address, _name), (kept, name) = (subject(d)["identifier"] for d in (former.document, done.record.document))
    assert (kept, name["identityHash"]) == (address, "Ada King")


async def test_a_replacement_can_be_replaced_and_names_only_the_last_one(nodes: Nodes) -> None:
    college = await graded(nodes)
    former = await college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org", result="C"))
    second = (await college.issuer.correct(former.id, Correction(result="B"), None)).record
    assert second is not None
    third = (await college.issuer.correct(second.id, Correction(result="A"), None)).record
    assert third is not None
    assert (await shown(college, third.id)).replaces == second.credential_id
    assert len(json.loads(third.document)["evidence"]) == 1


async def test_the_holder_is_told_offered_the_new_one_and_sees_one_history(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    former = await give(college, to_learner.id)
    done = await college.issuer.correct(former.id, Correction(name="Ada King"), "married")
    assert done.exchange is not None
    assert (await exchange_in(college, done.exchange.id)).state == "done"
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(found := await held(learner)) < 2 or all(each.state is IssuedState.ACTIVE for each in found):
            await asyncio.sleep(0.02)
    new, old = found
    assert (old.state, new.state) == (IssuedState.REVOKED, IssuedState.ACTIVE)
    assert (await shown_held(learner, new.id)).replaces == old.credential_id == former.credential_id
    assert (await shown_held(learner, old.id)).replaced_by == new.credential_id == done.credential_id


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (Correction(), "correction.nothing"),
        (Correction(result="Z"), "result.not_allowed"),
        (Correction(achievement="nothing"), "catalogue.unknown_achievement"),
    ],
)
async def test_what_cannot_be_corrected_leaves_the_record_as_it_is(
    nodes: Nodes, changes: Correction, code: str
) -> None:
    college = await graded(nodes)
    former = await college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org", result="B"))
    with pytest.raises(LernodeError) as caught:
        await college.issuer.correct(former.id, changes, None)
    assert caught.value.code == code
    assert [record.state for record in await issued(college)] == [IssuedState.ACTIVE]


async def test_a_revoked_record_is_not_replaced(nodes: Nodes) -> None:
    college = await graded(nodes)
    former = await college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org", result="B"))
    await college.issuer.correct(former.id, Correction(result="A"), None)
    with pytest.raises(LernodeError) as caught:
        await college.issuer.correct(former.id, Correction(result="C"), None)
    assert caught.value.code == "issued_record.revoked"
    assert len(await issued(college)) == 2
