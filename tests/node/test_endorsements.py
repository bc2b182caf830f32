"""Endorsements of another issuer's record: signed, taken in by who holds the record, and shown with it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from node.app import Node
from node.http import admin_records
from node.http.admin_operation import Call, Nothing
from node.roles.issuer import Award
from node.roles.keeping import Kept
from node.roles.lifetime import Terms
from protocols import strict_json
from protocols.errors import LernodeError
from storage import credentials, receipts, verifications
from storage.credentials import HeldCredential
from storage.engine import Transaction
from storage.resumes import Entry, Resume
from tests.node.nodes import WELDING, Nodes, asks_for, connect, eventually, exchange_in, give, held, other_end

ADA = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
COMMENT = "We hire on this certificate."


def did_of(node: Node) -> str:
    return "did:web:" + node.config.node.endpoint.removeprefix("http://").replace(":", "%3A")


async def record_and_endorsement(learner: Node) -> tuple[HeldCredential, HeldCredential]:
    """The record and the endorsement that the learner holds, once both are there."""

    async def probe(tx: Transaction) -> list[HeldCredential] | None:
        found = await credentials.list_held(tx)
        return found if len(found) == 2 else None

    endorsement, record = await eventually(learner, probe)
    return record, endorsement


async def test_an_endorsement_is_taken_in_verified_and_shown_with_the_record(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    employer = await nodes.make("employer", issuer=True)
    issuers = (did_of(college), did_of(employer))
    learner = await nodes.make("learner", policy={"accept_offers": True}, trust={"issuers": issuers})
    to_learner, _ = await connect(college, learner)
    record = await give(college, to_learner.id)
    endorsement = await employer.endorsements.give(record.document, COMMENT)
    said = json.loads(endorsement.document)
    assert said["credentialSubject"]["id"] == record.credential_id
    assert "credentialStatus" in said
    (kept,) = await learner.keeping.take(endorsement.document)
    assert isinstance(kept, Kept)
    assert kept.record.unverified is None
    (mine,) = [each for each in await held(learner) if each.credential_id == record.credential_id]
    shown = await admin_records.record(learner, Call(mine.id, Nothing(), Nothing(), asyncio.Event()))
    assert [(each.issuer, each.comment) for each in shown.endorsements] == [(issuers[1], COMMENT)]
    entries = tuple(Entry(record_id=each.id) for each in (mine, kept.record))
    resume = Resume(id=learner.world.new_id(), title="Welding", entries=entries, updated=learner.world.clock())
    share, _ = await learner.portfolio.share(await learner.portfolio.save(resume), timedelta(days=1))
    _, result = await learner.portfolio.checked(share)
    assert result.verified
    assert [each.endorses for each in result.credentials] == [(), (record.credential_id,)]


async def test_what_its_issuer_did_not_sign_is_not_endorsed(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    made = await college.issuer.issue(Award(achievement_id=WELDING, subject_did=ADA))
    forged = strict_json.dumps(json.loads(made.document) | {"name": "Doctor of Everything"})
    with pytest.raises(LernodeError) as caught:
        await college.endorsements.give(forged, COMMENT)
    assert caught.value.code == "record.not_genuine"


async def test_an_endorsement_is_offered_taken_and_presented_with_its_record(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    employer = await nodes.make("employer", issuer=True)
    believed = tuple(did_of(each) for each in (college, employer))
    learner = await nodes.make("learner", policy={"accept_offers": True}, trust={"issuers": believed})
    verifier = await nodes.make("verifier", trust={"issuers": believed[:1]})
    to_learner, _ = await connect(college, learner)
    record = await give(college, to_learner.id)
    theirs, _ = await connect(employer, learner)
    offered = await employer.endorsements.offer(theirs.id, record.document, COMMENT, Terms())
    assert (await exchange_in(employer, offered.id)).state == "done"
    mine, endorsement = await record_and_endorsement(learner)
    assert endorsement.unverified is None
    assert json.loads(endorsement.document)["credentialSubject"]["endorsementComment"] == COMMENT

    asking, _ = await connect(verifier, learner)
    request = await verifier.verifier.request(asking.id, asks_for())
    there = await other_end(learner, request, "request-received")
    found = await learner.holder.preview(there.id)
    assert [[each.record.id for each in found.leaving], [each.id for each in found.along]] == [
        [mine.id],
        [endorsement.id],
    ]
    with pytest.raises(LernodeError) as caught:
        await learner.holder.present(there.id, along=[mine.id])
    assert caught.value.code == "present.not_along"
    await learner.holder.present(there.id, along=[endorsement.id])
    assert (await exchange_in(verifier, request.id)).state == "done"
    result = (await verifier.verifier.verify_again(request.id)).result
    assert result["verified"]
    of_record, of_endorsement = result["credentials"]
    assert of_endorsement["endorses"] == [record.credential_id]
    trust = next(each for each in of_endorsement["checks"] if each["check"] == "issuer-trusted")
    assert (trust["outcome"], trust["code"], of_endorsement["verified"]) == ("not-checked", "trust.endorser", True)
    assert "endorses" not in of_record
    async with learner.store.read() as tx:
        (receipt,) = await receipts.page(tx)
    assert len(receipt.document["presentation"]["records"]) == 2
    async with employer.store.read() as tx:
        (given,) = await credentials.issued_of_exchange(tx, offered.id)
    await employer.issuer.set_status(given.id, "revocation", True, None)
    again = await verifier.verifier.verify_again(request.id)
    of_record, of_endorsement = again.result["credentials"]
    assert (again.verified, of_record["verified"], of_endorsement["verified"]) == (True, True, False)
    assert "status.revoked" in {each["code"] for each in of_endorsement["checks"]}


async def test_an_endorsement_that_is_asked_for_has_to_hold_and_its_issuer_need_not_be_trusted(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    employer = await nodes.make("employer", issuer=True)
    believed = tuple(did_of(each) for each in (college, employer))
    learner = await nodes.make("learner", policy={"accept_offers": True}, trust={"issuers": believed})
    verifier = await nodes.make("verifier", trust={"issuers": believed[:1]})
    to_learner, _ = await connect(college, learner)
    asking, _ = await connect(verifier, learner)
    record = await give(college, to_learner.id)
    given = await employer.endorsements.give(record.document, COMMENT)
    await learner.keeping.take(given.document)
    of_type = {"path": ["$.type"], "filter": {"type": "array", "contains": {"const": "EndorsementCredential"}}}
    of_skill = {name: value for name, value in asks_for()["input_descriptors"][-1].items() if name != "group"}
    wanted = {
        "id": "both",
        "input_descriptors": [of_skill, {"id": "endorsement", "constraints": {"fields": [of_type]}}],
    }

    async def asked() -> tuple[bool, str, str]:
        request = await verifier.verifier.request(asking.id, wanted)
        there = await other_end(learner, request, "request-received")
        await learner.holder.present(there.id)
        await exchange_in(verifier, request.id)
        async with verifier.store.read() as tx:
            kept = await verifications.latest(tx, request.id)
        assert kept is not None
        of_query = next(each for each in kept.result["checks"] if each["check"] == "query")
        return kept.verified, of_query["code"], request.id

    verified, code, request_id = await asked()
    assert (verified, code) == (True, "ok")
    await employer.issuer.set_status(given.id, "revocation", True, None)
    await verifier.verifier.verify_again(request_id)  # has the last status list fetched
    assert (await asked())[:2] == (False, "query.endorsement")
