"""An accreditor, a college and an employer that has never heard of the college: accreditations between real nodes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from node.app import Node
from node.roles.accreditations import ToAccredit
from node.roles.keeping import Accept
from node.roles.trust import NewRule
from node.roles.trust_lists import ToFollow
from protocols import strict_json
from protocols.credentials.trust.grants import Action
from protocols.credentials.trust.scope import Scope
from protocols.errors import LernodeError
from storage import credentials, dids, trust_lists
from storage.trust_lists import KeptAccreditation
from tests.node.nodes import Nodes, asks_for, check, connect, exchange_in, give, other_end

ADA = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


async def did_of(node: Node) -> str:
    async with node.store.read() as tx:
        found = await dids.default(tx, dids.DidPurpose.ISSUER)
    assert found is not None
    return found.did


def scope(*types: str) -> Scope:
    return Scope(achievement_types=frozenset(types))


async def presented(nodes: Nodes, college: Node, employer: Node) -> str:
    """The exchange in which a learner has shown the college's record to the employer."""
    learner = await nodes.make("learner", policy={"accept_offers": True, "share_records": True})
    to_learner, _ = await connect(college, learner)
    hiring, _ = await connect(employer, learner)
    await give(college, to_learner.id)
    asked = await employer.verifier.request(hiring.id, asks_for())
    await exchange_in(employer, asked.id)
    return asked.id


async def trusted(employer: Node, exchange: str) -> dict[str, Any]:
    return check((await employer.verifier.verify_again(exchange)).result, "issuer-trusted")


async def test_an_employer_believes_a_college_by_its_accreditation_until_that_is_revoked(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    quality = await nodes.make("quality", issuer=True)
    employer = await nodes.make("employer")
    await employer.trust.add(NewRule(did=await did_of(quality), action=Action.RECOGNIZE, scope=scope("Certificate")))
    early = quality.world.clock() - timedelta(days=1)
    wanted = ToAccredit(did=await did_of(college), scope=scope("Certificate"), start=early)
    given = await quality.accreditations.give(wanted)
    exchange = await presented(nodes, college, employer)
    assert (await trusted(employer, exchange))["code"] == "trust.issuer_untrusted"

    kept = await employer.accreditations.keep(given.document, None)
    assert kept.dids == (await did_of(college),)
    told = await trusted(employer, exchange)
    assert [link["by"] for link in told["details"]["because"]] == ["accreditation", "rule"]
    assert (await employer.verifier.verify_again(exchange)).verified

    await quality.issuer.set_status(given.id, "revocation", True, None)
    assert (await trusted(employer, exchange))["code"] == "trust.accreditation_revoked"
    await employer.accreditations.forget(kept)
    assert (await trusted(employer, exchange))["code"] == "trust.issuer_untrusted"


async def test_a_holder_sends_the_accreditation_of_the_college_along_with_the_record(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    quality = await nodes.make("quality", issuer=True)
    employer = await nodes.make("employer")
    learner = await nodes.make("learner", policy={"accept_offers": True})
    await employer.trust.add(NewRule(did=await did_of(quality), action=Action.RECOGNIZE))
    early = quality.world.clock() - timedelta(days=1)
    given = await quality.accreditations.give(ToAccredit(did=await did_of(college), start=early))
    to_learner, _ = await connect(college, learner)
    hiring, _ = await connect(employer, learner)
    await give(college, to_learner.id)
    held = (await learner.keeping.keep(given.document, Accept.ANY)).record
    asked = await employer.verifier.request(hiring.id, asks_for())
    there = await other_end(learner, asked, "request-received")
    assert [each.id for each in (await learner.holder.preview(there.id)).along] == [held.id]
    await learner.holder.present(there.id, along=[held.id])
    assert (await exchange_in(employer, asked.id)).state == "done"
    assert [link["by"] for link in (await trusted(employer, asked.id))["details"]["because"]] == [
        "accreditation",
        "rule",
    ]


async def test_a_college_sends_its_accreditations_with_its_records_and_a_learner_keeps_those_that_are_genuine(
    nodes: Nodes,
) -> None:
    college = await nodes.make("college", issuer=True)
    quality = await nodes.make("quality", issuer=True)
    employer = await nodes.make("employer")
    learner = await nodes.make("learner", policy={"accept_offers": True})
    await employer.trust.add(NewRule(did=await did_of(quality), action=Action.RECOGNIZE))
    early = quality.world.clock() - timedelta(days=1)
    given = await quality.accreditations.give(ToAccredit(did=await did_of(college), start=early))
    of_others = await quality.accreditations.give(ToAccredit(did=await did_of(quality), start=early))
    forged = strict_json.dumps(strict_json.loads_object(given.document) | {"name": "By the ministry"})
    await college.accreditations.keep(given.document, None)
    async with college.store.write() as tx:
        for number, document in enumerate((forged, of_others.document)):
            wrong = KeptAccreditation(
                id=f"{number}" * 32, dids=(await did_of(college),), accreditor=ADA, kept=college.world.clock()
            )
            await trust_lists.keep_accreditation(tx, wrong, document)
    to_learner, _ = await connect(college, learner)
    hiring, _ = await connect(employer, learner)
    await give(college, to_learner.id)
    await give(college, to_learner.id)
    async with learner.store.read() as tx:
        found = await credentials.list_held(tx)
    (accreditation,) = [each for each in found if "VerifiableRecognitionCredential" in each.types]
    assert (len(found), accreditation.document, accreditation.exchange_id) == (3, given.document, None)

    asked = await employer.verifier.request(hiring.id, asks_for())
    there = await other_end(learner, asked, "request-received")
    assert [each.id for each in (await learner.holder.preview(there.id)).along] == [accreditation.id]
    await learner.holder.present(there.id, along=[accreditation.id])
    assert (await exchange_in(employer, asked.id)).state == "done"
    assert (await employer.verifier.verify_again(asked.id)).verified


async def test_a_list_of_accreditors_is_enough_where_its_follower_wants_that(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    quality = await nodes.make("quality", issuer=True)
    ministry = await nodes.make("ministry", issuer=True)
    employer = await nodes.make("employer")
    await ministry.trust.add(NewRule(did=await did_of(quality), action=Action.RECOGNIZE))
    await ministry.trust_lists.publish("accreditors", title="Accreditors", days=30)
    early = quality.world.clock() - timedelta(days=1)
    given = await quality.accreditations.give(ToAccredit(did=await did_of(college), start=early))
    await employer.accreditations.keep(given.document, None)
    exchange = await presented(nodes, college, employer)
    url = ministry.trust_lists.url("accreditors")
    await employer.trust_lists.follow(ToFollow(url=url))
    assert (await trusted(employer, exchange))["outcome"] == "fail"
    await employer.trust_lists.follow(ToFollow(url=url, accreditors=True))
    told = await trusted(employer, exchange)
    assert [link["by"] for link in told["details"]["because"]] == ["accreditation", "list"]


async def test_what_is_no_genuine_accreditation_is_not_kept(nodes: Nodes) -> None:
    quality = await nodes.make("quality", issuer=True)
    given = await quality.accreditations.give(ToAccredit(did="did:web:college.example"))
    changed = strict_json.loads_object(given.document)
    changed["credentialSubject"][0]["id"] = "did:web:evil.example"
    await quality.trust.add(NewRule(did="did:web:college.example"))
    edition = await quality.trust_lists.publish("list", title="List", days=30)
    for wrong in (b"", b"{}", b"[]", b"\xff", strict_json.dumps(changed), edition.document):
        with pytest.raises(LernodeError):
            await quality.accreditations.keep(wrong, None)
    async with quality.store.read() as tx:
        assert await trust_lists.accreditations(tx) == []
