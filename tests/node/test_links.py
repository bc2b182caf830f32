"""Offers and requests by a link: to somebody who was no peer before, to one who was, and to many."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import aiohttp
import pytest

from node.app import Node
from node.roles.issuer import Award
from node.roles.lifetime import Terms
from node.roles.peering import Invited
from node.runtime.world import World
from protocols import strict_json
from protocols.errors import BadInput
from storage import attached, connections, exchanges
from storage.exchanges import ExchangeRow
from tests.node.nodes import WELDING, Clock, Nodes, asks_for, connect, eventually, exchange_in, held, issued

ISSUING = "https://didcomm.org/issue-credential/2"
PROVING = "https://didcomm.org/present-proof/2"


async def waiting_in(node: Node, protocol: str) -> ExchangeRow:
    """What has come to a node with an invitation, and waits for a person."""

    async def probe(tx):  # type: ignore[no-untyped-def]
        found = await exchanges.page(tx)
        return next((row for row in found if row.protocol == protocol and row.waiting_for), None)

    return await eventually(node, probe)


async def begun_in(node: Node, protocol: str, count: int = 1) -> list[ExchangeRow]:
    async def probe(tx):  # type: ignore[no-untyped-def]
        found = [row for row in await exchanges.page(tx) if row.protocol == protocol]
        return found if len(found) >= count else None

    return await eventually(node, probe)


def short(node: Node, invited: Invited) -> str:
    return f"{node.config.node.endpoint}/i/{invited.id}"


@pytest.fixture
async def college(nodes: Nodes) -> Node:
    return await nodes.make("college", issuer=True)


@pytest.mark.parametrize("as_short_link", [True, False])
async def test_a_record_is_offered_by_a_link_to_who_was_no_peer_before(
    nodes: Nodes, college: Node, as_short_link: bool
) -> None:
    learner = await nodes.make("learner")
    invited = await college.links.offer(Award(achievement_id=WELDING, name="Ada"), Terms(comment="Well done"))
    await learner.peering.accept(short(college, invited) if as_short_link else invited.url)
    mine = await waiting_in(learner, ISSUING)
    assert (mine.state, mine.waiting_for) == ("offer-received", "accept-offer")
    (theirs,) = await begun_in(college, ISSUING)
    assert theirs.thid == mine.thid
    assert strict_json.loads_object(mine.data)["pthid"] == invited.id
    await learner.holder.accept_offer(mine.id)
    assert (await exchange_in(college, theirs.id)).state == "done"
    assert len(await held(learner)) == len(await issued(college)) == 1


async def test_one_invitation_is_one_record_however_many_answer_it(nodes: Nodes, college: Node) -> None:
    learners = [await nodes.make(f"learner-{n}", policy={"accept_offers": True}) for n in range(3)]
    invited = await college.links.offer(Award(achievement_id=WELDING), Terms())
    for learner in learners:
        await learner.peering.accept(invited.url)
    (theirs,) = await begun_in(college, ISSUING)
    assert (await exchange_in(college, theirs.id)).state == "done"

    async def refused(tx):  # type: ignore[no-untyped-def]
        return all(c.state in {"completed", "invitation-received"} for c in await connections.page(tx))

    for learner in learners:
        await eventually(learner, refused)
    assert sorted([len(await held(learner)) for learner in learners]) == [0, 0, 1]
    assert len(await issued(college)) == 1


async def test_a_peer_that_is_known_answers_over_the_connection_that_it_has(nodes: Nodes, college: Node) -> None:
    learner = await nodes.make("learner")
    lasting = await college.peering.invite(lasting=True)
    mine = await learner.peering.accept(lasting.url)
    async with college.store.write() as tx:
        invited = await college.peering.invite_in(
            tx, goal="g", goal_code="request-proof", expires_in=None, multi_use=True, lasting=True
        )
        await attached.add(
            tx,
            attached.AttachedMessage(
                invitation_id=invited.id,
                protocol=PROVING,
                content=strict_json.dumps({"definition": asks_for(), "comment": None, "expires_in": None}),
            ),
        )

    async def connected(tx):  # type: ignore[no-untyped-def]
        found = await connections.get(tx, mine.id)
        return found if found.state == "completed" else None

    await eventually(learner, connected)
    assert (await learner.peering.accept(invited.url)).id == mine.id
    asked = await waiting_in(learner, PROVING)
    assert asked.connection_id == mine.id


async def test_records_are_asked_for_by_a_link(nodes: Nodes, college: Node) -> None:
    did = "did:web:" + college.config.node.endpoint.removeprefix("http://").replace(":", "%3A")
    learner = await nodes.make("learner", policy={"accept_offers": True})
    employer = await nodes.make("employer", trust={"issuers": (did,)})
    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    await exchange_in(college, offered.id, "done")
    invited = await employer.links.request(asks_for(), Terms())
    await learner.peering.accept(invited.url)
    mine = await waiting_in(learner, PROVING)
    await learner.holder.present(mine.id)
    (theirs,) = await begun_in(employer, PROVING)
    assert (await exchange_in(employer, theirs.id)).state == "done"
    assert (await employer.verifier.verify_again(theirs.id)).verified


async def test_a_poster_asks_each_who_answers_by_itself(nodes: Nodes) -> None:
    employer = await nodes.make("employer")
    learners = [await nodes.make(f"learner-{n}") for n in range(3)]
    poster = await employer.links.request(asks_for(), Terms(), multi_use=True)
    await asyncio.gather(*(learner.peering.accept(short(employer, poster)) for learner in learners))
    asked = [strict_json.loads_object((await waiting_in(learner, PROVING)).data) for learner in learners]
    ours = await begun_in(employer, PROVING, 3)
    assert {value["thid"] for value in asked} == {row.thid for row in ours}
    assert len({value["challenge"] for value in asked}) == len({row.connection_id for row in ours}) == 3
    assert {value["pthid"] for value in asked} == {poster.id}


async def test_a_link_that_is_over_leads_nowhere(nodes: Nodes) -> None:
    clock = Clock()
    college = await nodes.make("college", issuer=True, world=replace(World(), clock=clock))
    learner = await nodes.make("learner")
    invited = await college.links.offer(Award(achievement_id=WELDING), Terms(expires_in=3600))
    clock.advance(hours=2)
    with pytest.raises(BadInput) as nowhere:
        await learner.peering.accept(short(college, invited))
    assert nowhere.value.code == "invitation.not_there"
    await learner.peering.accept(invited.url)

    async def over(tx):  # type: ignore[no-untyped-def]
        return all(c.state == "invitation-received" for c in await connections.page(tx))

    await eventually(learner, over)
    assert await held(learner) == await issued(college) == []


async def test_a_link_opened_in_a_browser_says_what_to_do(college: Node) -> None:
    invited = await college.links.offer(Award(achievement_id=WELDING), Terms())
    async with aiohttp.ClientSession() as browser:
        async with browser.get(short(college, invited), headers={"Accept": "text/html,*/*"}) as answer:
            page = await answer.text()
        assert "lernode accept" in page
        async with browser.get(short(college, invited), headers={"Accept": "application/json"}) as answer:
            assert (await answer.json())["@id"] == invited.id
        async with browser.get(f"{college.config.node.endpoint}/i/nothing") as answer:
            assert answer.status == 404


@pytest.mark.parametrize(
    "request_",
    [
        {"@type": "https://didcomm.org/issue-credential/2.0/offer-credential", "@id": "one"},
        {"@type": "https://didcomm.org/issue-credential/2.0/ack", "@id": "one", "~thread": {"thid": "two"}},
    ],
)
async def test_an_invitation_with_a_broken_message_is_refused_before_anything_is_done(
    nodes: Nodes, request_: dict[str, object]
) -> None:
    learner, other = await nodes.make("learner"), await nodes.make("other")
    message = {**(await other.peering.invite()).message}
    message["requests~attach"] = [{"@id": "request-0", "mime-type": "application/json", "data": {"json": request_}}]
    with pytest.raises(BadInput) as refused:
        await learner.peering.accept(strict_json.dumps(message).decode())
    assert refused.value.code == "invitation.request_unusable"
    async with learner.store.read() as tx:
        assert await connections.page(tx) == []
