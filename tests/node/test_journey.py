"""The whole way of a record between three nodes: connect, issue, present, verify, revoke."""

from __future__ import annotations

from uuid import UUID

import pytest

from node.roles.issuer import Award
from protocols import strict_json
from protocols.errors import BadInput, WrongState
from storage import verifications
from storage.verifications import Verification
from tests.node.conftest import Town
from tests.node.nodes import (
    CARPENTRY,
    WELDING,
    asks_for,
    check,
    exchange_in,
    give,
    held,
    issued,
    other_end,
)


async def verdict(town: Town, exchange_id: str) -> Verification:
    async with town.employer.store.read() as tx:
        found = await verifications.latest(tx, exchange_id)
    assert found is not None
    return found


async def shown(town: Town) -> str:
    """A record issued and presented by policy; the employer's exchange."""
    await give(town.college, town.college_to_learner.id)
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    assert (await exchange_in(town.employer, asked.id)).state == "done"
    return asked.id


async def test_a_record_goes_all_the_way_by_policy(town: Town) -> None:
    record = await give(town.college, town.college_to_learner.id)
    kept = await held(town.learner)
    assert [strict_json.loads_object(k.document) for k in kept] == [strict_json.loads_object(record.document)]
    assert kept[0].skills[0].code == "51-4121.00"
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    assert (await exchange_in(town.employer, asked.id)).state == "done"
    assert (await other_end(town.learner, asked, "done")).error_code is None
    result = await verdict(town, asked.id)
    assert result.verified
    assert {c["outcome"] for c in result.result["credentials"][0]["checks"]} == {"pass"}


async def test_each_request_has_a_challenge_of_its_own_in_the_one_form_that_acapy_reads(town: Town) -> None:
    challenges = []
    for _ in range(2):
        asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
        row = await exchange_in(town.employer, asked.id, "request-sent")
        challenges.append(UUID(strict_json.loads_object(row.data)["challenge"]))
    assert [challenge.version for challenge in challenges] == [4, 4]
    assert challenges[0] != challenges[1]


async def test_a_person_accepts_an_offer_and_nothing_is_signed_before(careful_town: Town) -> None:
    town = careful_town
    offered = await town.college.issuer.offer(town.college_to_learner.id, Award(achievement_id=WELDING))
    mine = await other_end(town.learner, offered, "offer-received")
    assert mine.waiting_for == "accept-offer"
    assert await issued(town.college) == []
    await town.learner.holder.accept_offer(mine.id)
    assert (await exchange_in(town.college, offered.id)).state == "done"
    assert len(await held(town.learner)) == len(await issued(town.college)) == 1
    with pytest.raises(WrongState, match="does not wait"):
        await town.learner.holder.accept_offer(mine.id)


async def test_a_declined_offer_ends_both_ends_without_a_record(careful_town: Town) -> None:
    town = careful_town
    offered = await town.college.issuer.offer(town.college_to_learner.id, Award(achievement_id=WELDING))
    mine = await other_end(town.learner, offered, "offer-received")
    await town.learner.threads.decline(mine.id, "not mine")
    assert (await exchange_in(town.college, offered.id)).state == "abandoned"
    assert await held(town.learner) == []
    assert await issued(town.college) == []


async def test_a_person_chooses_which_record_is_shown(careful_town: Town) -> None:
    town = careful_town
    for _ in range(2):
        offered = await town.college.issuer.offer(town.college_to_learner.id, Award(achievement_id=WELDING))
        await town.learner.holder.accept_offer((await other_end(town.learner, offered, "offer-received")).id)
        await exchange_in(town.college, offered.id, "done")
    first, second = await held(town.learner)
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    mine = await other_end(town.learner, asked, "request-received")
    found = await town.learner.holder.matches(mine.id)
    assert found.selection is not None
    ((descriptor, proposed),) = found.selection.pairs
    wanted = second if proposed == first.id else first
    await town.learner.holder.present(mine.id, {descriptor: wanted.id})
    assert (await exchange_in(town.employer, asked.id)).state == "done"
    exchange = town.employer.verifier  # what was presented is what was chosen
    again = await exchange.verify_again(asked.id)
    assert again.verified
    row = await exchange_in(town.employer, asked.id)
    shown_documents = strict_json.loads_object(row.data)["presentation"]["verifiableCredential"]
    shown_documents = shown_documents if isinstance(shown_documents, list) else [shown_documents]
    assert [d["id"] for d in shown_documents] == [wanted.credential_id]


async def test_a_record_that_does_not_fit_cannot_be_chosen(careful_town: Town) -> None:
    town = careful_town
    offered = await town.college.issuer.offer(town.college_to_learner.id, Award(achievement_id=CARPENTRY))
    await town.learner.holder.accept_offer((await other_end(town.learner, offered, "offer-received")).id)
    await exchange_in(town.college, offered.id, "done")
    (carpentry,) = await held(town.learner)
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    mine = await other_end(town.learner, asked, "request-received")
    with pytest.raises(BadInput, match=r".") as refused:
        await town.learner.holder.present(mine.id, {"skill": carpentry.id})
    assert refused.value.code.startswith("pex.")
    assert (await exchange_in(town.learner, mine.id, "request-received")).waiting_for == "share-records"


async def test_a_declined_request_ends_both_ends(careful_town: Town) -> None:
    town = careful_town
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    mine = await other_end(town.learner, asked, "request-received")
    await town.learner.threads.decline(mine.id, "no")
    ended = await exchange_in(town.employer, asked.id)
    assert ended.state == "abandoned"
    with pytest.raises(WrongState) as nothing:
        await town.employer.verifier.verify_again(asked.id)
    assert nothing.value.code == "exchange.nothing_presented"


async def test_policy_leaves_a_request_it_cannot_answer_to_the_person(town: Town) -> None:
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    mine = await other_end(town.learner, asked, "request-received")
    assert mine.waiting_for == "share-records"


async def test_an_issuer_nobody_trusts_is_not_believed(town: Town) -> None:
    stranger = await town.nodes.make("stranger")
    from tests.node.nodes import connect

    to_learner, _ = await connect(stranger, town.learner)
    await give(town.college, town.college_to_learner.id)
    asked = await stranger.verifier.request(to_learner.id, asks_for())
    ended = await exchange_in(stranger, asked.id)
    assert ended.state == "abandoned"
    mine = await other_end(town.learner, asked, "abandoned")
    assert mine.state == "abandoned"
    async with stranger.store.read() as tx:
        result = await verifications.latest(tx, asked.id)
    assert result is not None
    assert not result.verified
    assert check(result.result, "issuer-trusted")["outcome"] != "pass"


@pytest.mark.parametrize("purpose", ["revocation", "suspension"])
async def test_what_the_issuer_takes_back_does_not_verify_again(town: Town, purpose: str) -> None:
    exchange_id = await shown(town)
    (record,) = await issued(town.college)
    await town.college.issuer.set_status(record.id, purpose, True, "test")
    again = await town.employer.verifier.verify_again(exchange_id)
    assert not again.verified
    assert check(again.result, "status")["code"] == {"revocation": "status.revoked"}.get(purpose, "status.suspended")


async def test_a_reinstated_record_verifies_again(town: Town) -> None:
    exchange_id = await shown(town)
    (record,) = await issued(town.college)
    await town.college.issuer.set_status(record.id, "suspension", True, None)
    assert not (await town.employer.verifier.verify_again(exchange_id)).verified
    await town.college.issuer.set_status(record.id, "suspension", False, None)
    assert (await town.employer.verifier.verify_again(exchange_id)).verified


async def test_revocation_is_final(town: Town) -> None:
    await shown(town)
    (record,) = await issued(town.college)
    await town.college.issuer.set_status(record.id, "revocation", True, None)
    with pytest.raises(WrongState) as final:
        await town.college.issuer.set_status(record.id, "revocation", False, None)
    assert final.value.code == "issued_record.revoked"


async def test_a_holder_proposes_and_the_issuer_offers(careful_town: Town) -> None:
    town = careful_town
    mine = await other_end(town.learner, await _connection_thread(town), "completed")
    proposed = await town.learner.holder.propose_credential(mine.connection_id, WELDING)
    theirs = await other_end(town.college, proposed, "proposal-received")
    assert theirs.waiting_for == "answer-credential-proposal"
    await town.college.issuer.approve(theirs.id)
    await exchange_in(town.learner, proposed.id, "offer-received")
    await town.learner.holder.accept_offer(proposed.id)
    assert (await exchange_in(town.college, theirs.id)).state == "done"
    assert len(await held(town.learner)) == 1


async def test_a_holder_proposes_what_it_could_show(careful_town: Town) -> None:
    town = careful_town
    offered = await town.college.issuer.offer(town.college_to_learner.id, Award(achievement_id=WELDING))
    await town.learner.holder.accept_offer((await other_end(town.learner, offered, "offer-received")).id)
    await exchange_in(town.college, offered.id, "done")
    hiring = await other_end(town.learner, await _hiring_thread(town), "completed")
    proposed = await town.learner.holder.propose_presentation(hiring.connection_id, asks_for())
    theirs = await other_end(town.employer, proposed, "proposal-received")
    await town.employer.verifier.approve(theirs.id)
    await exchange_in(town.learner, proposed.id, "request-received")
    await town.learner.holder.present(proposed.id)
    assert (await exchange_in(town.employer, theirs.id)).state == "done"
    assert (await verdict(town, theirs.id)).verified


async def test_the_issuer_declines_a_proposal(careful_town: Town) -> None:
    town = careful_town
    mine = await other_end(town.learner, await _connection_thread(town), "completed")
    proposed = await town.learner.holder.propose_credential(mine.connection_id, WELDING)
    theirs = await other_end(town.college, proposed, "proposal-received")
    await town.college.threads.decline(theirs.id, "not yet")
    assert (await exchange_in(town.learner, proposed.id)).state == "abandoned"


async def _connection_thread(town: Town):  # type: ignore[no-untyped-def]
    from storage import exchanges

    async with town.college.store.read() as tx:
        return next(r for r in await exchanges.page(tx) if r.connection_id == town.college_to_learner.id)


async def _hiring_thread(town: Town):  # type: ignore[no-untyped-def]
    from storage import exchanges

    async with town.employer.store.read() as tx:
        return next(r for r in await exchanges.page(tx) if r.connection_id == town.employer_to_learner.id)
