"""Comprehensive Learner Records that a node issues: what goes in, what is left out, and that they verify."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from node.app import Node
from node.http import admin_records
from node.http.admin_operation import Call, Nothing
from node.records.learner_record import Association
from node.roles.issuer import Award
from node.roles.keeping import Kept
from node.roles.learner_records import Gathering
from node.roles.lifetime import Terms
from node.runtime.world import World
from protocols.credentials.checks.recipient import check_recipient
from protocols.credentials.enveloped import envelope
from protocols.credentials.model import Version
from protocols.credentials.reading import stated
from protocols.credentials.verification import Outcome, VerificationResult
from protocols.errors import LernodeError
from protocols.multiformats import Multicodec
from storage import credentials
from storage.credentials import HeldCredential, IssuedCredential
from storage.dids import DidPurpose
from storage.engine import Transaction
from tests.node.nodes import CARPENTRY, WELDING, Clock, Nodes, connect, eventually, exchange_in, free_port, give

ADA = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
GRACE = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"
ADDRESS = "ada@example.org"


async def award(college: Node, achievement: str = WELDING, to: str | None = ADA, **more: Any) -> IssuedCredential:
    return await college.issuer.issue(Award(achievement_id=achievement, subject_did=to, **more))


async def verified_by(node: Node, document: bytes, issuer: str) -> VerificationResult:
    return await node.verifier.verify_document(document, trust=[issuer])


def inside(document: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stated(document)["credentialSubject"]["verifiableCredential"]
    return found


async def refused(college: Node, **wanted: Any) -> str:
    with pytest.raises(LernodeError) as caught:
        await college.learner_records.give(Gathering(**wanted))
    return caught.value.code


async def test_a_learner_is_offered_its_records_in_one_keeps_it_and_sees_its_outline(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer={"securing": "vc+jwt"})
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    given = [await give(college, to_learner.id, each) for each in (WELDING, CARPENTRY)]
    token = await award(college, to=given[0].subject)
    part = Association(WELDING, "isPartOf", "carpentry-level-1")
    row, gathered = await college.learner_records.offer(to_learner.id, Gathering(associations=[part]), Terms())
    assert (gathered.is_partial, gathered.left_out) == (False, [])
    assert (await exchange_in(college, row.id)).state == "done"

    async def probe(tx: Transaction) -> HeldCredential | None:
        found = await credentials.list_held(tx)
        return next((each for each in found if "ClrCredential" in each.types), None)

    kept = await eventually(learner, probe)
    enveloped = envelope(token.document.decode(), "application/vc+jwt")
    assert inside(kept.document) == [*(json.loads(each.document) for each in given), enveloped]
    shown = await admin_records.record(learner, Call(kept.id, Nothing(), Nothing(), asyncio.Event()))
    assert [(line.depth, line.id) for line in shown.outline] == [(0, CARPENTRY), (1, WELDING)]
    result = await verified_by(learner, kept.document, kept.issuer)
    assert result.verified, result
    assert [each.verified for each in result.credentials] == [True, True, True]

    await college.issuer.set_status(given[0].id, "revocation", True, None)
    assert not (await verified_by(college, kept.document, kept.issuer)).verified


async def test_who_imports_one_holds_the_records_in_it_by_themselves_too(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    issuer = (await award(college)).document
    await award(college, CARPENTRY)
    made, _ = await college.learner_records.give(Gathering(learner=ADA, name="Transcript"))
    learner = await nodes.make("learner", trust={"issuers": [stated(issuer)["issuer"]["id"]]})
    outcomes = await learner.keeping.take(made.document)
    assert [type(each).__name__ for each in outcomes] == ["Kept"] * 3
    async with learner.store.read() as tx:
        found = await credentials.list_held(tx)
    assert sorted(len(each.skills) > 0 for each in found) == [False, True, True]
    assert [each.is_new for each in await learner.keeping.take(made.document) if isinstance(each, Kept)] == [False] * 3
    changed = json.loads(made.document)
    changed["credentialSubject"]["verifiableCredential"][0]["name"] = "Doctor of Everything"
    with pytest.raises(LernodeError) as caught:
        await learner.keeping.take(json.dumps(changed).encode())
    assert caught.value.code == "record.not_genuine"


async def test_what_does_not_hold_now_is_left_out_and_told(nodes: Nodes) -> None:
    clock = Clock()
    college = await nodes.make("college", issuer=True, world=World(clock=clock))
    good = await award(college)
    revoked, suspended = await award(college), await award(college)
    over = await award(college, valid_until=clock() + timedelta(hours=1))
    other = await award(college, data_model=Version.V1_1)
    await college.issuer.set_status(revoked.id, "revocation", True, None)
    await college.issuer.set_status(suspended.id, "suspension", True, None)
    clock.advance(hours=2)
    made, gathered = await college.learner_records.give(Gathering(learner=ADA, name="Transcript"))
    assert inside(made.document) == [json.loads(good.document)]
    assert {each.record.id: each.code for each in gathered.left_out} == {
        revoked.id: "status.revoked",
        suspended.id: "status.suspended",
        over.id: "time.expired",
        other.id: "clr.data_model",
    }
    said = stated(made.document)
    assert (said["name"], said["partial"], said["credentialStatus"]["statusPurpose"]) == (
        "Transcript",
        True,
        "revocation",
    )
    assert await refused(college, records=[revoked.id]) == "clr.nothing"


async def test_what_a_withdrawn_key_signed_is_left_out_also_where_no_server_answers(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True, node={"endpoint": f"http://localhost:{free_port()}"})
    former = await award(college)
    async with college.store.write() as tx:
        own = await college.identity.default(tx, DidPurpose.ISSUER)
        await college.identity.rotate_key(tx, own.did, None, compromised=True)
    good = await award(college)
    _, gathered = await college.learner_records.give(Gathering(learner=ADA))
    assert [each.id for each in gathered.included] == [good.id]
    assert [each.record.id for each in gathered.left_out] == [former.id]


async def test_it_is_partial_where_a_record_that_stands_was_not_named(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    one, two = await award(college), await award(college, CARPENTRY)
    gone = await award(college)
    await college.issuer.set_status(gone.id, "revocation", True, None)
    for named, partial in (([one.id], True), ([one.id, two.id], False)):
        _, gathered = await college.learner_records.give(Gathering(records=named))
        assert gathered.is_partial is partial


async def test_records_of_two_learners_never_come_into_one(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    adas, graces = await award(college), await award(college, to=GRACE)
    hashed = await award(college, to=None, email=ADDRESS)
    await award(college, to=None, email="grace@example.org")
    assert await refused(college, records=[adas.id, graces.id]) == "clr.several_learners"
    assert await refused(college, learner=ADA, records=[graces.id]) == "clr.several_learners"
    assert await refused(college, learner="grace@example.org", records=[hashed.id]) == "clr.several_learners"
    assert await refused(college, records=[hashed.id]) == "clr.no_learner"
    assert await refused(college) == "clr.no_learner"
    assert await refused(college, learner="Ada") == "record.email"
    assert await refused(college, learner="did:example:nobody") == "clr.nothing"
    made, _ = await college.learner_records.give(Gathering(learner=ADDRESS))
    assert inside(made.document) == [json.loads(hashed.document)]
    assert check_recipient(stated(made.document), ADDRESS).outcome is Outcome.PASS
    assert ADDRESS.encode() not in made.document
    whole, _ = await college.learner_records.give(Gathering(learner=ADA))
    assert await refused(college, records=[whole.id]) == "clr.no_award"
    _, again = await college.learner_records.give(Gathering(learner=ADA))
    assert [each.id for each in again.included] == [adas.id]


@pytest.mark.parametrize("securing", ["ecdsa-sd-2023", "vc+jwt", "vc+sd-jwt"])
async def test_records_of_each_kind_verify_in_it_whole(nodes: Nodes, securing: str) -> None:
    college = await nodes.make("college", issuer={"securing": securing})
    async with college.store.write() as tx:
        own = await college.identity.default(tx, DidPurpose.ISSUER)
        await college.identity.add_key(tx, own.did, Multicodec.P256_PUB)
    record = await award(college, name="Ada Byron")
    made, gathered = await college.learner_records.give(Gathering(learner=ADA))
    result = await verified_by(college, made.document, own.did)
    assert result.verified, [gathered.left_out, result]
    (each,) = result.credentials
    assert each.securing == securing
    (found,) = inside(made.document)
    without = {name: value for name, value in stated(json.dumps(found)).items() if name != "proof"}
    assert without == {name: value for name, value in stated(record.document).items() if name != "proof"}


async def test_the_catalogue_tells_which_version_replaces_which(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    await award(college)
    async with college.store.read() as tx:
        entry = await college.achievements.entry(tx, WELDING)
    edited = await college.achievements.edit(entry.slug, {**entry.document, "name": "Welding 1, revised"})
    await award(college, entry.slug)
    made, _ = await college.learner_records.give(Gathering(learner=ADA))
    assert stated(made.document)["credentialSubject"]["association"] == [
        Association(WELDING, "replacedBy", edited.document["id"]).document
    ]
    unknown = Association(WELDING, "precedes", "carpentry-level-1")
    assert await refused(college, learner=ADA, associations=[unknown]) == "clr.not_awarded"


async def test_what_is_too_large_for_a_message_is_refused(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    await award(college, name="A" * 700_000)
    assert await refused(college, learner=ADA) == "clr.too_large"


async def test_more_records_than_are_verified_are_refused(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    rows = {str(row): Award(achievement_id=WELDING, subject_did=ADA) for row in range(201)}
    await college.issuer.issue_rows("class", WELDING, rows)
    assert await refused(college, learner=ADA) == "clr.too_many"
