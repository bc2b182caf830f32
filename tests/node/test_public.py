"""What the public sees over HTTP, and what peers get answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.policy import Policy
from protocols.credentials.verification import Check
from protocols.credentials.verify import verify
from protocols.didcomm.message import AckOn, PlainMessage
from protocols.jsonld.processor import DEFAULT
from storage import connections
from tests.node.conftest import Town, build_town
from tests.node.nodes import Clock, Nodes, asks_for, check, exchange_in, give, issued
from tests.node.wire_peer import WirePeer, new_id

PING = "https://didcomm.org/trust_ping/1.0/ping"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_status_list_is_signed_cacheable_and_conditional(town: Town, http: aiohttp.ClientSession) -> None:
    record = await give(town.college, town.college_to_learner.id)
    url = strict_json.loads_object(record.document)["credentialStatus"][0]["statusListCredential"]
    async with http.get(url) as answer:
        etag, body = answer.headers["ETag"], await answer.read()
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "max-age=300"
        assert answer.content_type == "application/vc"
    async with http.get(url, headers={"If-None-Match": etag}) as same:
        assert (same.status, await same.read()) == (304, b"")
    result = await verify(
        body,
        resolver=town.employer.resolver,
        statuses=town.employer.statuses,
        policy=Policy(required=frozenset({Check.PROOF, Check.CONTROLLER, Check.VALID_TIME})),
        now=town.employer.world.clock(),
    )
    assert result.verified
    await town.college.issuer.set_status(record.id, "revocation", True, None)
    async with http.get(url, headers={"If-None-Match": etag}) as changed:
        assert changed.status == 200
        assert changed.headers["ETag"] != etag
    async with http.get(url + "x") as absent:
        assert (absent.status, (await absent.json(content_type=None))["code"]) == (404, "status_list.unknown")


async def test_the_did_document_health_and_metrics(town: Town, http: aiohttp.ClientSession) -> None:
    base = town.college.config.node.endpoint
    async with http.get(f"{base}/.well-known/did.json") as answer:
        document = await answer.json(content_type=None)
    assert document["id"] == "did:web:" + base.removeprefix("http://").replace(":", "%3A")
    assert document["assertionMethod"]
    async with http.get(f"{town.learner.config.node.endpoint}/.well-known/did.json") as answer:
        assert answer.status == 404
    async with http.get(f"{base}/health") as answer:
        assert await answer.json() == {"status": "ok"}
    await give(town.college, town.college_to_learner.id)
    async with http.get(f"{base}/metrics") as answer:
        metrics = await answer.text()
    assert "lernode_records_issued_total 1.0" in metrics
    assert f"lernode_jsonld_fallbacks {float(DEFAULT.fallbacks)}" in metrics


async def test_an_invitation_opened_in_a_browser_explains_itself(town: Town, http: aiohttp.ClientSession) -> None:
    async with http.get((await town.college.peering.invite()).url) as answer:
        page = await answer.text()
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Invitation from college" in page
    assert "<svg" in page
    async with http.get(f"{town.college.config.node.endpoint}/") as answer:
        assert answer.status == 404


@pytest.mark.parametrize(("days", "verified"), [(1, True), (8, False)])
async def test_a_verifier_whose_issuer_is_away_goes_by_the_age_of_its_list(
    nodes: Nodes, days: int, verified: bool
) -> None:
    town = await build_town(nodes, automatic=True)
    clock = Clock()
    await give(town.college, town.college_to_learner.id)
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    assert (await exchange_in(town.employer, asked.id)).state == "done"
    assert len(await issued(town.college)) == 1
    await nodes.stop(town.college)
    await nodes.stop(town.employer)
    clock.advance(days=days)
    town.employer.world = World(clock=clock)
    employer = await nodes.again(town.employer)
    again = await employer.verifier.verify_again(asked.id)
    status = check(again.result, "status")
    assert status["details"]["statusListAge"] >= timedelta(days=days).total_seconds()
    assert status["details"]["fromCache"] is True
    assert again.verified is verified
    assert status["code"] == ("ok" if verified else "status.stale")


async def test_a_ping_is_answered(town: Town, peer: WirePeer) -> None:
    await peer.connect(town.college)
    ping = PlainMessage(PING, new_id(), new_id(), None, {"response_requested": True})
    assert (await peer.say(town.college, ping)).status == 202
    assert (await peer.hear("ping_response")).thid == ping.thid


async def test_a_receipt_is_given_where_it_is_asked_for(town: Town, peer: WirePeer) -> None:
    await peer.connect(town.college)
    message_id = new_id()
    quiet = PlainMessage(
        PING, message_id, message_id, None, {"response_requested": False}, please_ack=frozenset({AckOn.RECEIPT})
    )
    assert (await peer.say(town.college, quiet)).status == 202
    assert (await peer.hear("ack")).thid == message_id


async def test_a_peer_reuses_its_connection_for_another_invitation(town: Town, peer: WirePeer) -> None:
    await peer.connect(town.college)
    invited = await town.college.peering.invite()
    reuse = "https://didcomm.org/out-of-band/1.1/handshake-reuse"
    message_id = new_id()
    assert (await peer.say(town.college, PlainMessage(reuse, message_id, message_id, invited.id))).status == 202
    assert (await peer.hear("handshake-reuse-accepted")).pthid == invited.id
    again = new_id()
    refused = await peer.say(town.college, PlainMessage(reuse, again, again, invited.id))
    assert refused.code == "out_of_band.wrong_invitation"


async def test_one_invitation_accepted_twice_is_one_connection(town: Town) -> None:
    invited = await town.college.peering.invite()
    first = await town.employer.peering.accept(invited.url)
    second = await town.employer.peering.accept(invited.url)
    assert first.id == second.id


async def test_a_used_or_expired_invitation_lets_nobody_else_in(town: Town, peer: WirePeer) -> None:
    from protocols.out_of_band import link

    used = await town.college.peering.invite()
    assert (await town.employer.peering.accept(used.url)).invitation_id == used.id
    short = await town.college.peering.invite(expires_in=timedelta(microseconds=1))
    from storage import invitations
    from tests.node.nodes import eventually

    async def is_used(tx):  # type: ignore[no-untyped-def]
        return (await invitations.get(tx, used.id)).state != "open"

    await eventually(town.college, is_used)
    for invited in (used, short):
        key = link.from_text(invited.url).services[0].recipient_keys[0]  # type: ignore[union-attr]
        request, _ = await peer.request_for(town.college, pthid=invited.id)
        assert (await peer.say(town.college, request, to=key)).code == "invitation.closed"


async def test_an_invitation_for_many_lets_many_in(town: Town) -> None:
    invited = await town.college.peering.invite(multi_use=True)
    for node in (town.learner, town.employer):
        made = await node.peering.accept(invited.url)
        from tests.node.nodes import connection_in

        await connection_in(node, made.id)
    async with town.college.store.read() as tx:
        assert len(await connections.find_by_invitation(tx, invited.id)) == 2
