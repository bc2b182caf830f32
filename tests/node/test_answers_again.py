"""A peer that repeats a message, for it lost the answer or was restored from a backup, gets it again; once is done."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from node.app import Node
from node.roles.issuer import Award
from node.runtime.inbound import REPEAT_PAUSE
from node.runtime.world import World
from protocols.coordinate_mediation.messages import MediateRequest
from protocols.credentials.data_integrity import add_proof
from protocols.did import peer4
from protocols.did.services import DIDCOMM_V1_TYPES, Service
from protocols.did_exchange.messages import Response, protocol
from protocols.did_exchange.provenance import sign_rotation
from protocols.did_rotate.messages import Rotate
from protocols.didcomm.ack import Ack
from protocols.didcomm.message import AckOn, PlainMessage, ProtocolMessage, Wire
from protocols.didcomm.problem_report import ProblemReport
from protocols.discover_features.messages import Queries, Query
from protocols.exchange.presentation_exchange import for_type
from protocols.issue_credential.messages import PROTOCOL as ISSUE
from protocols.issue_credential.messages import (
    IssueCredentialMessage,
    OfferCredential,
    ProposeCredential,
    RequestCredential,
    decode,
)
from protocols.keys import KeyPair
from protocols.out_of_band import link
from protocols.out_of_band.messages import HandshakeReuse, Invitation
from protocols.present_proof.messages import PROTOCOL as PROVE
from protocols.present_proof.messages import Presentation, RequestPresentation
from protocols.trust_ping.messages import Ping
from storage import connections, exchanges, outbox
from storage.connections import Connection
from storage.engine import Transaction
from tests.node.message_samples import addressed
from tests.node.nodes import (
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
from tests.node.records import detail, unsigned
from tests.node.wire_peer import WirePeer, new_id
from tests.node.wire_peer_v2 import WirePeerV2, altered
from tests.postgresql import new_store_url
from tests.present_proof.samples import presentation

A_WHILE = REPEAT_PAUSE + timedelta(seconds=1)


@pytest.fixture(params=["sqlite", "postgresql"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Nodes]:
    made = Nodes(tmp_path, new_store_url if request.param == "postgresql" else None)
    yield made
    await made.stop_all()


@dataclass
class Forgetful:
    """A peer of a node, on one wire, that says everything as often as it likes."""

    wire: Wire
    node: Node
    peer: WirePeer
    clock: Clock

    async def say(self, message: ProtocolMessage | PlainMessage, **how: Any) -> None:
        plain = message if isinstance(message, PlainMessage) else message.encode(self.wire)
        if isinstance(self.peer, WirePeerV2) and self.wire is Wire.V2:
            sample = self.peer.message(plain.type)
            answer = await self.peer.tell(self.node, addressed(plain, sample.from_ or "", sample.to[0]))
        else:
            answer = await self.peer.say(self.node, plain, **how)
        assert answer.status == 202

    async def repeat(self, message: ProtocolMessage | PlainMessage, **how: Any) -> list[PlainMessage]:
        """What comes of saying it again, and again at once, after a while; what answered it first has left by then."""
        await settled(self.node)
        self.clock.ahead += A_WHILE
        await self.say(message, **how)
        await self.say(message, **how)
        await settled(self.node)
        return self.peer.heard()

    async def connection(self) -> Connection:
        async with self.node.store.read() as tx:
            (found,) = [c for c in await connections.page(tx) if c.their_did == self.peer.did]
        return found


@pytest.fixture(params=list(Wire), ids=lambda wire: wire.name)
async def scene(nodes: Nodes, request: pytest.FixtureRequest) -> AsyncIterator[Forgetful]:
    clock, wire = Clock(), request.param
    node = await nodes.make(
        "node",
        issuer=True,
        policy={"accept_offers": True, "share_records": True},
        mediation={"enabled": True, "grant": "invited"},
        world=replace(World(), clock=clock),
    )
    peer = WirePeer() if wire is Wire.V1 else WirePeerV2()
    await peer.start()
    await peer.connect(node)
    await settled(node)
    yield Forgetful(wire, node, peer, clock)
    await peer.stop()


def one(found: list[PlainMessage]) -> PlainMessage:
    (message,) = found
    return message


async def rows_but_the_outbox(node: Node) -> list[str]:
    """Exchanges, records, events and the audit trail."""
    async with node.store.read() as tx:
        return [
            repr(sorted(tuple(row) for row in await tx.all(f"SELECT * FROM {table}")))
            for table in ("exchanges", "issued_credentials", "held_credentials", "events", "audit", "connections")
        ]


async def test_an_issued_credential_comes_again_until_and_after_its_ack_and_is_one(scene: Forgetful) -> None:
    mine = await scene.connection()
    await scene.node.issuer.offer(mine.id, Award(achievement_id=WELDING))
    offered: Any = decode(await scene.peer.hear("offer-credential"))
    request = RequestCredential(id=new_id(), thid=offered.thid, details=offered.details)
    await scene.say(request)
    given = await scene.peer.hear("issue-credential")
    await settled(scene.node)
    before = await rows_but_the_outbox(scene.node)

    await scene.say(request)
    await settled(scene.node)
    assert scene.peer.heard() == [], "the answer went out a moment ago"
    for _ in range(2):
        again = one(await scene.repeat(request))
        assert (again.id, again.thid, again.body) == (given.id, given.thid, given.body)
    assert await rows_but_the_outbox(scene.node) == before

    confirmed = Ack(new_id(), offered.thid, protocol=ISSUE)
    await scene.say(confirmed)
    again = one(await scene.repeat(request))
    assert (again.id, again.body) == (given.id, given.body), "as a holder restored from a backup needs it"
    assert await scene.repeat(confirmed) == []
    assert len(await issued(scene.node)) == 1


def offer_of(peer: WirePeer) -> OfferCredential:
    thid = new_id()
    return OfferCredential(id=thid, thid=thid, details=(detail(unsigned(peer.did_key)),))


def issuance_for(peer: WirePeer, asked: PlainMessage) -> IssueCredentialMessage:
    requested: Any = decode(asked)
    (wanted,) = requested.details
    signed = add_proof(wanted.credential, suite="eddsa-jcs-2022", signer=peer.signer, created=datetime.now(UTC))
    return IssueCredentialMessage(id=new_id(), thid=asked.thid, credentials=(signed,))


async def test_each_answer_of_a_holder_comes_again_while_the_exchange_has_not_gone_on(scene: Forgetful) -> None:
    offer = offer_of(scene.peer)
    await scene.say(offer)
    asked = await scene.peer.hear("request-credential")
    again = one(await scene.repeat(offer))
    assert (again.id, again.body) == (asked.id, asked.body)

    given = issuance_for(scene.peer, asked)
    await scene.say(given)
    confirmed = await scene.peer.hear("ack")
    before = await rows_but_the_outbox(scene.node)
    assert one(await scene.repeat(given)).id == confirmed.id
    assert await scene.repeat(offer) == [], "the credential shows that the request came"
    assert await rows_but_the_outbox(scene.node) == before
    assert len(await held(scene.node)) == 1


async def test_a_presentation_comes_again_until_it_is_confirmed(scene: Forgetful) -> None:
    await scene.say(offer_of(scene.peer))
    await scene.say(issuance_for(scene.peer, await scene.peer.hear("request-credential")))
    await scene.peer.hear("ack")
    wanted = for_type(["OpenBadgeCredential"], name="A badge", purpose="Any", definition_id="badge")
    for will_confirm in (True, False):
        thid = new_id()
        bound = {"challenge": new_id(), "domain": "employer.example", "will_confirm": will_confirm}
        request = RequestPresentation(id=thid, thid=thid, definition=wanted, **bound)
        await scene.say(request)
        shown = await scene.peer.hear("presentation")
        again = one(await scene.repeat(request))
        assert (again.id, again.body) == (shown.id, shown.body)
        await scene.say(Ack(new_id(), thid, protocol=PROVE))
        assert len(await scene.repeat(request)) == (not will_confirm)


async def test_a_refusal_comes_again_and_a_report_of_the_peer_is_never_answered(scene: Forgetful) -> None:
    thid = new_id()
    wish = ProposeCredential(id=thid, thid=thid, details=(detail(unsigned(scene.peer.did_key)),))
    await scene.say(wish)
    mine = await eventually(scene.node, partial(exchange_of, thid=thid))
    assert await scene.repeat(wish) == [], "a person has still to decide"
    await scene.node.threads.decline(mine.id, "never heard of you")
    refused = await scene.peer.hear("problem-report")
    again = one(await scene.repeat(wish))
    assert (again.id, again.body) == (refused.id, refused.body)

    asked = await scene.node.verifier.request((await scene.connection()).id, asks_for())
    await scene.peer.hear("request-presentation")
    shown = Presentation(id=new_id(), thid=asked.thid, document=presentation())
    await scene.say(shown)
    refused = await scene.peer.hear("problem-report")
    again = one(await scene.repeat(shown))
    assert (again.id, again.body) == (refused.id, refused.body)

    offered = await scene.node.issuer.offer((await scene.connection()).id, Award(achievement_id=WELDING))
    await scene.peer.hear("offer-credential")
    report = ProblemReport(new_id(), offered.thid, "abandoned", protocol=ISSUE, pthid=offered.thid)
    await scene.say(report)
    assert (await exchange_in(scene.node, offered.id)).state == "abandoned"
    assert await scene.repeat(report) == []


async def exchange_of(tx: Transaction, thid: str) -> Any:
    return next((row for row in await exchanges.page(tx) if row.thid == thid), None)


async def test_what_a_question_is_answered_with_is_said_again_until_the_connection_ends(scene: Forgetful) -> None:
    major = 1 if scene.wire is Wire.V1 else 3
    ids = [new_id() for _ in range(3)]
    questions: tuple[ProtocolMessage, ...] = (
        Ping(ids[0], ids[0]),
        Queries(ids[1], ids[1], (Query("protocol", "*"),)),
        MediateRequest(ids[2], ids[2], major),
    )
    for question in questions:
        await scene.say(question)
        await settled(scene.node)
        answer = one(scene.peer.heard())
        before = await rows_but_the_outbox(scene.node)
        again = one(await scene.repeat(question))
        assert (again.type, again.thid, again.body) == (answer.type, answer.thid, answer.body)
        assert await rows_but_the_outbox(scene.node) == before
    await scene.node.ending.end((await scene.connection()).id)
    await settled(scene.node)
    scene.peer.heard()
    assert await scene.repeat(questions[0]) == []


@pytest.mark.parametrize("attempts", [1, 24], ids=["given-up", "waiting"])
async def test_an_answer_that_did_not_arrive_is_never_there_twice(nodes: Nodes, attempts: int) -> None:
    clock, peer = Clock(), Deaf()
    slow = {"first_retry_seconds": 3600, "max_retry_seconds": 7200, "max_attempts": attempts}
    node = await nodes.make("node", policy={"accept_offers": True}, world=replace(World(), clock=clock), delivery=slow)
    await peer.start()
    await peer.connect(node)
    await settled(node)
    scene, offer, peer.is_deaf = Forgetful(Wire.V1, node, peer, clock), offer_of(peer), True
    await scene.say(offer)
    tried = await eventually(node, tried_once)
    assert tried.state is (outbox.OutboxState.DEAD if attempts == 1 else outbox.OutboxState.QUEUED)
    peer.is_deaf = False
    clock.ahead += A_WHILE
    for _ in range(2):
        await scene.say(offer)
    if tried.state is outbox.OutboxState.DEAD:
        assert (await peer.hear("request-credential")).id == tried.id
        await settled(node)
    async with node.store.read() as tx:
        assert [m.id for m in await outbox.page(tx)] == ([] if tried.state is outbox.OutboxState.DEAD else [tried.id])
    assert peer.heard() == []
    await peer.stop()


class Deaf(WirePeer):
    """A peer whose endpoint is out of order now and then."""

    is_deaf = False

    async def _take(self, request: web.Request) -> web.Response:
        return web.Response(status=503) if self.is_deaf else await super()._take(request)


async def tried_once(tx: Transaction) -> outbox.Outgoing | None:
    return next((message for message in await outbox.page(tx) if message.attempts), None)


async def test_a_receipt_is_given_again(nodes: Nodes, modern: WirePeerV2) -> None:
    clock = Clock()
    node = await nodes.make("node", world=replace(World(), clock=clock))
    await modern.connect(node)
    scene = Forgetful(Wire.V2, node, modern, clock)
    quiet = modern.message("https://didcomm.org/trust-ping/2.0/ping", {"response_requested": False})
    asking = altered(quiet, please_ack=frozenset({AckOn.RECEIPT}))
    await scene.say(asking)
    assert (await modern.hear("empty")).ack == (asking.id,)
    assert one(await scene.repeat(asking)).ack == (asking.id,)


async def test_a_peer_that_lost_the_response_or_the_refusal_gets_it_by_asking_again(
    stores: Nodes, peer: WirePeer
) -> None:
    clock = Clock()
    node = await stores.make("node", world=replace(World(), clock=clock), policy={"accept_connections": False})
    scene = Forgetful(Wire.V1, node, peer, clock)
    for accepts in (False, True):
        request, key = await peer.request_for(node)
        await scene.say(request, to=key)
        waiting = await eventually(node, partial(exchange_of, thid=request.thid))
        assert await scene.repeat(request, to=key) == [], "a person has still to decide"
        if accepts:
            await node.peering.accept_connection(waiting.id)
        else:
            await node.peering.decline_connection(waiting.id, "not today")
        answer = await peer.hear("response" if accepts else "problem_report")
        again = one(await scene.repeat(request, to=key))
        assert (again.id, again.body) == (answer.id, answer.body)


async def test_a_peer_that_lost_the_end_of_the_handshake_gets_it_by_answering_again(
    nodes: Nodes, peer: WirePeer
) -> None:
    clock = Clock()
    node = await nodes.make("node", world=replace(World(), clock=clock))
    scene = Forgetful(Wire.V1, node, peer, clock)
    service = Service("#inline", DIDCOMM_V1_TYPES[0], f"{peer.url}/in", (peer.pair.verkey,), (), (), 0)
    invitation = Invitation(new_id(), (service,), label="peer", handshake_protocols=(protocol(1),))
    await node.peering.accept(link.to_link(invitation, "https://peer.example/"))
    request = await peer.hear("request")
    peer.their_did = request.body["did"]
    (peer.their_verkey,) = peer4.resolve(peer.their_did).didcomm_service().recipient_keys
    proof = sign_rotation(peer.did, peer.pair, attachment_id="rotation")
    response = Response(new_id(), request.thid, peer.did, pthid=invitation.id, did_rotate=proof)
    await scene.say(response)
    complete = await peer.hear("complete")
    assert one(await scene.repeat(response)).id == complete.id


async def test_a_connection_is_used_again_once_however_often_it_is_asked(nodes: Nodes, peer: WirePeer) -> None:
    clock = Clock()
    node = await nodes.make("node", world=replace(World(), clock=clock))
    scene = Forgetful(Wire.V1, node, peer, clock)
    await peer.connect(node)
    reuse = HandshakeReuse(new_id(), (await node.peering.invite(lasting=True)).id)
    await scene.say(reuse)
    accepted = await peer.hear("handshake-reuse-accepted")
    before = await rows_but_the_outbox(node)
    again = one(await scene.repeat(reuse))
    assert (again.thid, again.pthid) == (accepted.thid, accepted.pthid)
    assert await rows_but_the_outbox(node) == before


async def test_a_new_did_is_acknowledged_again_to_the_old_key(nodes: Nodes, peer: WirePeer) -> None:
    clock = Clock()
    node = await nodes.make("node", world=replace(World(), clock=clock))
    scene = Forgetful(Wire.V1, node, peer, clock)
    await peer.connect(node)
    moved = KeyPair.from_seed(os.urandom(32))
    message_id = new_id()
    rotate = Rotate(message_id, message_id, peer4.create(moved.public, endpoint=f"{peer.url}/in"))
    await scene.say(rotate)
    await peer.hear("ack")
    assert one(await scene.repeat(rotate)).thid == message_id


async def test_a_learner_restored_from_a_copy_gets_the_record_that_it_was_issued_since(
    nodes: Nodes, tmp_path: Path
) -> None:
    clock = Clock()
    college = await nodes.make(
        "college", issuer=True, policy={"issue_on_request": False}, world=replace(World(), clock=clock)
    )
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    await exchange_in(college, offered.id, "request-received")
    mine = await other_end(learner, offered, "request-sent")
    await settled(learner)
    await nodes.stop(learner)
    shutil.copytree(learner.home, tmp_path / "copy")
    learner = await nodes.again(learner)
    await college.issuer.approve(offered.id)
    await exchange_in(college, offered.id, "done")
    (record,) = await held(learner)
    await nodes.stop(learner)
    shutil.rmtree(learner.home)
    shutil.copytree(tmp_path / "copy", learner.home)

    learner = await nodes.again(learner)
    assert await held(learner) == []
    clock.ahead += A_WHILE
    await learner.threads.resend(mine.id)
    assert (await exchange_in(learner, mine.id)).state == "done"
    assert [one.document for one in await held(learner)] == [record.document]
    assert len(await issued(college)) == 1
