"""Proposals, counter-offers, reasons, deadlines and repeated messages between nodes that run."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from node.app import Node
from node.roles.issuer import Award
from node.roles.lifetime import Terms
from node.roles.threads import negotiation
from node.runtime.world import World
from protocols.errors import WrongState
from protocols.exchange.presentation_exchange import for_type
from storage import exchanges
from storage.exchanges import ExchangeRow
from tests.node.conftest import Town
from tests.node.nodes import (
    CARPENTRY,
    WELDING,
    Clock,
    Nodes,
    asks_for,
    connect,
    eventually,
    exchange_in,
    held,
    issued,
    other_end,
    settled,
)


async def offer_to_learner(town: Town, terms: Terms = Terms()) -> tuple[ExchangeRow, ExchangeRow]:  # noqa: B008
    """The college's end and the learner's."""
    offered = await town.college.issuer.offer(town.college_to_learner.id, Award(achievement_id=WELDING), terms)
    return offered, await other_end(town.learner, offered, "offer-received")


async def give_in_person(town: Town, achievement_id: str = WELDING) -> None:
    offered = await town.college.issuer.offer(town.college_to_learner.id, Award(achievement_id=achievement_id))
    await town.learner.holder.accept_offer((await other_end(town.learner, offered, "offer-received")).id)
    await exchange_in(town.college, offered.id, "done")


async def said(node: Node, exchange_id: str) -> Any:
    async with node.store.read() as tx:
        return negotiation(await exchanges.get(tx, exchange_id))


async def test_a_holder_answers_an_offer_with_a_wish_and_gets_another_offer(careful_town: Town) -> None:
    town = careful_town
    offered, mine = await offer_to_learner(town, Terms(comment="Congratulations"))
    assert (await said(town.learner, mine.id)).comment == "Congratulations"
    await town.learner.holder.propose_credential_instead(mine.id, CARPENTRY, comment="I did carpentry")
    theirs = await exchange_in(town.college, offered.id, "proposal-received")
    assert theirs.waiting_for == "answer-credential-proposal"
    assert (await said(town.college, offered.id)).comment == "I did carpentry"
    await town.college.issuer.offer_instead(theirs.id, Award(achievement_id=CARPENTRY), Terms(comment="True"))
    await exchange_in(town.learner, mine.id, "offer-received")
    await town.learner.holder.accept_offer(mine.id)
    assert (await exchange_in(town.college, offered.id)).state == "done"
    (record,) = await held(town.learner)
    assert record.name == "Carpentry, Level 1"
    assert [one.achievement_id for one in await issued(town.college)] == [CARPENTRY]


async def test_a_holder_answers_a_request_with_what_it_would_rather_show(careful_town: Town) -> None:
    town = careful_town
    await give_in_person(town)
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for("47-2031.00"))
    mine = await other_end(town.learner, asked, "request-received")
    wish = for_type(["OpenBadgeCredential"], name="A badge", purpose="Instead", definition_id="wish")
    await town.learner.holder.propose_presentation_instead(mine.id, wish, comment="I weld")
    await exchange_in(town.employer, asked.id, "proposal-received")
    assert (await said(town.employer, asked.id)).comment == "I weld"
    await town.employer.verifier.request_instead(asked.id, asks_for(), Terms(comment="Then show that"))
    await exchange_in(town.learner, mine.id, "request-received")
    await town.learner.holder.present(mine.id)
    assert (await exchange_in(town.employer, asked.id)).state == "done"


async def test_only_what_waits_can_be_answered_otherwise(careful_town: Town) -> None:
    town = careful_town
    offered, mine = await offer_to_learner(town)
    with pytest.raises(WrongState) as refused:
        await town.college.issuer.offer_instead(offered.id, Award(achievement_id=CARPENTRY))
    assert refused.value.code == "exchange.not_waiting"
    await town.learner.holder.accept_offer(mine.id)
    with pytest.raises(WrongState):
        await town.learner.holder.propose_credential_instead(mine.id, CARPENTRY)


async def test_the_reason_of_a_no_is_shown_on_both_sides(careful_town: Town) -> None:
    town = careful_town
    offered, mine = await offer_to_learner(town)
    await town.learner.threads.decline(mine.id, "I never took that course")
    ended = await exchange_in(town.college, offered.id, "abandoned")
    assert (await said(town.college, offered.id)).explain == "I never took that course"
    assert (await said(town.learner, mine.id)).explain == "I never took that course"
    assert ended.error_code is not None


async def test_an_issuer_takes_an_unanswered_offer_back(careful_town: Town) -> None:
    town = careful_town
    offered, mine = await offer_to_learner(town)
    await town.college.threads.decline(offered.id, "sent by mistake")
    assert (await exchange_in(town.learner, mine.id)).state == "abandoned"
    assert (await said(town.learner, mine.id)).explain == "sent by mistake"
    with pytest.raises(WrongState):
        await town.learner.holder.accept_offer(mine.id)


async def test_an_offer_that_nobody_answers_ends_by_itself_on_both_sides(careful_town: Town) -> None:
    town = careful_town
    offered, mine = await offer_to_learner(town, Terms(expires_in=2))
    assert offered.expires is not None
    assert mine.expires == offered.expires
    ours = await exchange_in(town.college, offered.id)
    theirs = await exchange_in(town.learner, mine.id)
    assert (ours.state, theirs.state) == ("abandoned", "abandoned")
    assert "issue_credential.expired" in {ours.error_code, theirs.error_code}
    assert ours.expires is theirs.expires is None
    assert await held(town.learner) == await issued(town.college) == []


async def test_a_request_for_records_ends_by_itself_also_where_the_node_was_down(careful_town: Town) -> None:
    town = careful_town
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for(), Terms(expires_in=1))
    await town.nodes.stop(town.employer)
    again = await town.nodes.again(town.employer)
    assert (await exchange_in(again, asked.id)).error_code == "present_proof.expired"


async def test_an_answer_that_comes_too_late_is_refused(nodes: Nodes) -> None:
    clock = Clock()
    college = await nodes.make("college", issuer=True, world=replace(World(), clock=clock))
    learner = await nodes.make("learner")
    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING), Terms(expires_in=3600))
    mine = await other_end(learner, offered, "offer-received")
    clock.advance(hours=2)
    await learner.holder.accept_offer(mine.id)
    ended = await exchange_in(college, offered.id)
    assert (ended.state, ended.error_code) == ("abandoned", "issue_credential.expired")
    assert (await exchange_in(learner, mine.id)).state == "abandoned"
    assert await held(learner) == await issued(college) == []


async def test_nobody_can_say_yes_after_the_time(nodes: Nodes) -> None:
    clock = Clock()
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", world=replace(World(), clock=clock))
    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING), Terms(expires_in=3600))
    mine = await other_end(learner, offered, "offer-received")
    clock.advance(hours=2)
    with pytest.raises(WrongState):
        await learner.holder.accept_offer(mine.id)
    assert await held(learner) == []


async def test_an_exchange_that_goes_on_does_not_end_by_itself(careful_town: Town) -> None:
    town = careful_town
    offered, mine = await offer_to_learner(town, Terms(expires_in=3600))
    await town.learner.holder.accept_offer(mine.id)
    assert (await exchange_in(town.college, offered.id)).expires is None
    assert (await exchange_in(town.learner, mine.id)).expires is None


async def test_the_configuration_says_how_long_offers_hold(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True, policy={"lifetime_seconds": 0})
    learner = await nodes.make("learner")
    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    assert offered.expires is None


async def test_what_is_sent_again_changes_nothing_for_who_has_it(careful_town: Town) -> None:
    town = careful_town
    offered, mine = await offer_to_learner(town)
    await settled(town.college)
    duplicates = town.learner.metrics.duplicates
    before = duplicates._value.get()
    again = await town.college.threads.resend(offered.id)
    assert again.state == "offer-sent"

    async def arrived(_tx: object) -> bool:
        return duplicates._value.get() > before

    await eventually(town.learner, arrived)
    async with town.learner.store.read() as tx:
        assert (await exchanges.get(tx, mine.id)).version == mine.version
    await town.learner.holder.accept_offer(mine.id)
    assert (await exchange_in(town.college, offered.id)).state == "done"
    assert len(await held(town.learner)) == len(await issued(town.college)) == 1


async def test_what_got_lost_is_sent_again(careful_town: Town) -> None:
    town = careful_town
    offered, mine = await offer_to_learner(town)
    await settled(town.college)
    async with town.learner.store.write() as tx:  # as if an old backup had been brought back
        await tx.execute("DELETE FROM inbox", ())
        await tx.execute("DELETE FROM exchanges WHERE id = ?", (mine.id,))
    await town.college.threads.resend(offered.id)
    found = await other_end(town.learner, offered, "offer-received")
    await town.learner.holder.accept_offer(found.id)
    assert (await exchange_in(town.college, offered.id)).state == "done"


async def test_who_owes_the_answer_has_nothing_to_send_again(careful_town: Town) -> None:
    town = careful_town
    _, mine = await offer_to_learner(town)
    with pytest.raises(WrongState) as refused:
        await town.learner.threads.resend(mine.id)
    assert refused.value.code == "issue_credential.wrong_state"


async def test_sixteen_exchanges_go_on_at_once_on_a_connection(careful_town: Town) -> None:
    town = careful_town
    achievements = [WELDING, CARPENTRY] * 4
    offered = await asyncio.gather(
        *(town.college.issuer.offer(town.college_to_learner.id, Award(achievement_id=one)) for one in achievements)
    )
    theirs = await asyncio.gather(*(other_end(town.learner, row, "offer-received") for row in offered))
    connection_id = theirs[0].connection_id
    proposed = await asyncio.gather(
        *(town.learner.holder.propose_credential(connection_id, one) for one in achievements)
    )
    answered = await asyncio.gather(*(other_end(town.college, row, "proposal-received") for row in proposed))
    # Some accept, some decline, some go another round, all in one breath and in no order.
    await asyncio.gather(
        *(town.learner.holder.accept_offer(row.id) for row in theirs[:4]),
        *(town.learner.threads.decline(row.id, "no") for row in theirs[4:6]),
        *(town.learner.holder.propose_credential_instead(row.id, CARPENTRY) for row in theirs[6:]),
        *(town.college.issuer.approve(row.id) for row in answered[:6]),
        *(town.college.threads.decline(row.id, "no") for row in answered[6:]),
    )
    for row in offered[6:]:
        await exchange_in(town.college, row.id, "proposal-received")
        await town.college.issuer.approve(row.id)
    for row in (*theirs[6:], *proposed[:6]):
        await exchange_in(town.learner, row.id, "offer-received")
        await town.learner.holder.accept_offer(row.id)
    ends = [await exchange_in(town.college, row.id) for row in (*offered, *answered)]
    states = [row.state for row in ends]
    assert states == ["done"] * 4 + ["abandoned"] * 2 + ["done"] * 2 + ["done"] * 6 + ["abandoned"] * 2
    await asyncio.gather(*(exchange_in(town.learner, row.id) for row in (*theirs, *proposed)))
    kept = await held(town.learner)
    assert len(kept) == len(await issued(town.college)) == 12
    assert len({record.credential_id for record in kept}) == len({record.exchange_id for record in kept}) == 12
