"""Endorsements of another issuer's record: signed, taken in by who holds the record, and shown with it."""

from __future__ import annotations

import asyncio
import json

import pytest

from node.http import admin_records
from node.http.admin_operation import Call, Nothing
from node.roles.issuer import Award
from node.roles.keeping import Kept
from protocols import strict_json
from protocols.errors import LernodeError
from tests.node.nodes import WELDING, Nodes, connect, give, held

ADA = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
COMMENT = "We hire on this certificate."


async def test_an_endorsement_is_taken_in_verified_and_shown_with_the_record(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    employer = await nodes.make("employer", issuer=True)
    issuers = tuple(
        "did:web:" + each.config.node.endpoint.removeprefix("http://").replace(":", "%3A")
        for each in (college, employer)
    )
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


async def test_what_its_issuer_did_not_sign_is_not_endorsed(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    made = await college.issuer.issue(Award(achievement_id=WELDING, subject_did=ADA))
    forged = strict_json.dumps(json.loads(made.document) | {"name": "Doctor of Everything"})
    with pytest.raises(LernodeError) as caught:
        await college.endorsements.give(forged, COMMENT)
    assert caught.value.code == "record.not_genuine"
