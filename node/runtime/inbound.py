"""What happens to a message that arrives: unpack, find the peer, and one unit of work.

The unit of work holds the note that the message was seen, the exchange's new state, the records it stores and the
messages it sends. So a crash leaves the message either untouched (the sender delivers again) or done, and a repeated
delivery changes nothing: it only lets the sender have the answer once more, in case that was lost. A message that
breaks its protocol changes nothing either; its sender gets a problem report.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from node.runtime.channels import Channel, Channels
from node.runtime.delivery import Outbox
from node.runtime.keyring import Keyring
from node.runtime.metrics import Metrics
from node.runtime.tracing import Kind, Span, Tracer
from node.runtime.world import World
from protocols.did import peer4
from protocols.did.document import DidDocument
from protocols.did.resolver import Resolver
from protocols.did.syntax import did_of
from protocols.didcomm import ack, problem_report, return_route
from protocols.didcomm.envelope import Opened, open_envelope
from protocols.didcomm.from_prior import read_from_prior
from protocols.didcomm.message import AckOn, PlainMessage, ProtocolMessage, Wire
from protocols.didcomm.return_route import ReturnRoute
from protocols.errors import LernodeError, PeerFault
from storage import connections, inbox, outbox
from storage.connections import Connection
from storage.engine import Store, Transaction

__all__ = ["REPEAT_PAUSE", "Anonymous", "Handler", "Inbound", "Incoming", "Introduction", "Received", "find_peer"]

_log = logging.getLogger("lernode.inbound")

_FORMER_NAMES_COUNT = timedelta(hours=24)
"""How long a peer may still be heard under a DID that it has left: as long as a message may be under way."""

REPEAT_PAUSE = timedelta(minutes=1)
"""How long after a message was taken, or answered once more, repeating it has no answer: nobody makes work by that."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An authenticated message of a peer.

    Attributes:
        sender: what the envelope proves it to be from: in v1 a verkey, in v2 a DID; of a did:peer:4 the short form.
        recipient: the verkey of this node's key that it was encrypted for, whatever the wire.
        channel: what it came in by, where that can carry answers back.
    """

    message: PlainMessage
    sender: str
    recipient: str
    channel: Channel | None = None
    _replies: list[ProtocolMessage] = field(default_factory=list)

    @property
    def wire(self) -> Wire:
        """The wire version that it came in."""
        return self.message.wire

    def reply(self, message: ProtocolMessage) -> None:
        """Answer, once this is carried out, with what is true only now: over the channel, or never."""
        self._replies.append(message)

    @property
    def replies(self) -> tuple[ProtocolMessage, ...]:
        """The answers so far."""
        return tuple(self._replies)


@dataclass(frozen=True, slots=True)
class Anonymous:
    """A message whose sender need not be known.

    Attributes:
        recipient: the key of this node that it was encrypted for: verkey in v1, DID URL in v2.
    """

    message: PlainMessage
    recipient: str


HandleAnonymous = Callable[[Transaction, Anonymous], Awaitable[None]]
"""Carries out one message of a protocol that takes them from anybody."""

Handler = Callable[[Transaction, Connection, Incoming], Awaitable[None]]
"""Carries out one message of a protocol in the given unit of work."""

Admit = Callable[[Transaction], Awaitable[Connection]]


@dataclass(frozen=True, slots=True)
class Introduction:
    """A message whose sender is not known yet, looked at by who may introduce strangers.

    Attributes:
        admit: carries the message out in a unit of work; raises :class:`PeerFault` where it is refused.
        reply_to: a connection to answer a refusal on; not stored.
        refusal: the protocol's own way to tell of one, where it is better than a plain problem report.
        goes_on: whether the message is then carried out like any other of the peer that was admitted.
        answer_again: sends the answer once more, where the message was carried out before.
    """

    admit: Admit
    reply_to: Connection | None = None
    refusal: Callable[[LernodeError], ProtocolMessage] | None = None
    goes_on: bool = False
    answer_again: Callable[[Transaction], Awaitable[None]] | None = None


Greet = Callable[[Transaction, Connection, Incoming], Awaitable[Connection]]
"""Notes that a known peer was heard of, before its message is carried out; the connection as it is then."""

Introduce = Callable[[Incoming], Awaitable[Introduction]]

Follow = Callable[[Transaction, Connection, Incoming, DidDocument], Awaitable[Connection]]
"""Notes that a peer goes by the DID of this message, with that document, from now on; the connection as it is then."""


class Received(Enum):
    """How a message was taken."""

    DONE = "done"
    DUPLICATE = "duplicate"


class Inbound:
    """Takes envelopes; knows protocols only by the handlers it was given."""

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        resolver: Resolver,
        outbox: Outbox,
        channels: Channels,
        world: World,
        metrics: Metrics,
        tracer: Tracer,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._resolver = resolver
        self._outbox = outbox
        self._channels = channels
        self._world = world
        self._metrics = metrics
        self._tracer = tracer
        self._handlers: dict[str, Handler] = {}
        self._answer_again: dict[str, Handler] = {}
        self._introduce: dict[str, Introduce] = {}
        self._anonymous: dict[str, HandleAnonymous] = {}
        self._greet: Greet | None = None
        self._welcome: Introduce | None = None
        self._follow: Follow | None = None

    def register(
        self,
        handlers: Mapping[str, Handler],
        introduce: Mapping[str, Introduce] | None = None,
        greet: Greet | None = None,
        welcome: Introduce | None = None,
        follow: Follow | None = None,
        answer_again: Mapping[str, Handler] | None = None,
    ) -> None:
        """Say who handles a protocol (URI with major version), and which may come from strangers.

        Args:
            greet: is told of each message of a peer before it is carried out.
            welcome: looks at the messages of v2, of any protocol, that come from strangers.
            follow: is told of peers of v2 that have changed their DID.
            answer_again: by protocol, sends what answered a message that was carried out before, and does nothing else;
                for peers that repeat one because the answer was lost, or they were restored from a backup.
        """
        self._handlers |= handlers
        self._answer_again |= answer_again or {}
        self._introduce |= introduce or {}
        self._greet = greet or self._greet
        self._welcome = welcome or self._welcome
        self._follow = follow or self._follow

    def register_anonymous(self, handlers: Mapping[str, HandleAnonymous]) -> None:
        """Say who handles a protocol (URI with major version) whose messages come from anybody."""
        self._anonymous |= handlers

    @property
    def protocols(self) -> frozenset[str]:
        """The protocols whose messages are taken, each as a URI with its major version."""
        return frozenset(self._handlers) | frozenset(self._introduce) | frozenset(self._anonymous)

    async def receive(self, envelope: bytes, channel: Channel | None = None) -> Received:
        """Take one envelope and do what it says, once.

        Args:
            channel: what it came in by, where that can carry answers back; used only where the message asks for it.

        Raises:
            LernodeError: the message is refused; nothing was stored.
        """
        try:
            since = time.time_ns()
            opened = await self._open(envelope)
            parent = self._tracer.believed(opened.message)
            with self._tracer.span("receive", Kind.CONSUMER, parent=parent, since=since) as span:
                self._describe(span, opened.message)
                received = await self._receive(opened, channel)
                span.say("lernode.message.seen_before", received is Received.DUPLICATE)
                return received
        except LernodeError as error:
            self._metrics.refused.labels(error.code).inc()
            _log.warning("message refused: %s", error.code)
            raise

    async def _open(self, envelope: bytes) -> Opened:
        try:
            return await open_envelope(envelope, self._keyring, self._resolver)
        except PeerFault as error:
            if error.code != "envelope.not_for_us" or not self._store.shared:
                raise
        # It may be for a key that another process of this node has made a moment ago.
        await self._keyring.refresh(self._store)
        return await open_envelope(envelope, self._keyring, self._resolver)

    def _describe(self, span: Span, message: PlainMessage) -> None:
        span.say("messaging.system", "didcomm")
        span.say("lernode.message.wire", message.wire.value)
        # Not its whole type: a stranger may call a message anything, the name of a person included.
        protocol = message.protocol
        if protocol in self._handlers or protocol in self._introduce or protocol in self._anonymous:
            span.say("lernode.protocol", protocol)

    async def _receive(self, opened: Opened, channel: Channel | None) -> Received:
        if opened.recipient is not None and opened.message.protocol in self._anonymous:
            async with self._store.write() as tx:
                await self._anonymous[opened.message.protocol](tx, Anonymous(opened.message, opened.recipient))
            self._metrics.received.inc()
            return Received.DONE
        incoming = self._authenticated(opened, channel)
        message = incoming.message
        self._world.witness("received", message)
        async with self._store.read() as tx:
            peer = await find_peer(tx, incoming, self._world.clock())
        introduction: Introduction | None = None
        moved: DidDocument | None = None
        try:
            if peer is None and message.from_prior is not None:
                peer, moved = await self._moved(incoming)
            if peer is not None and peer.state == connections.ENDED:
                pass  # whether it is a repeated delivery is seen in its unit of work; anything else is refused there
            elif peer is None or message.protocol in self._introduce:
                introduction = await self._introduction(incoming, peer)
            elif message.protocol not in self._handlers:
                raise _unknown_type()
            if introduction is not None and introduction.goes_on and message.protocol not in self._handlers:
                raise _unknown_type()
            return await self._carry_out(incoming, peer, introduction, moved)
        except PeerFault as error:
            if error.code == "message.connection_ended":
                raise
            reply_to = peer or (introduction.reply_to if introduction else None)
            if peer is not None and channel is not None and channel.stays_open:
                # Not the response to a request: that is the refusal, and a report in it would wait for itself.
                self._open_channel(peer, incoming)
            if reply_to is not None and introduction is not None and introduction.refusal is not None:
                await self._outbox.send_unstored(reply_to, introduction.refusal(error), message.wire)
            elif reply_to is not None:
                await self._report(reply_to, message, error)
            raise

    async def _introduction(self, incoming: Incoming, peer: Connection | None) -> Introduction | None:
        introduce = self._introduce.get(incoming.message.protocol)
        if introduce is not None:
            return await introduce(incoming)
        if peer is None and incoming.wire is Wire.V2 and self._welcome is not None:
            return await self._welcome(incoming)
        if peer is None:
            raise PeerFault("message.unknown_sender", "There is no connection with that sender.", "Connect first.")
        return None

    async def _moved(self, incoming: Incoming) -> tuple[Connection | None, DidDocument | None]:
        """The connection with the DID that the sender says to have had before (DIDComm 2.1 §DID Rotation)."""
        rotation = await read_from_prior(incoming.message, self._resolver, now=self._world.clock())
        if rotation is None or rotation.new is None:
            return None, None
        before = replace(incoming, sender=peer4.shortest(rotation.prior))
        async with self._store.read() as tx:
            peer = await find_peer(tx, before, self._world.clock())
        if peer is None or peer4.shortest(peer.their_did or "") != before.sender:
            return None, None  # from a DID that the peer has gone on from nobody is led on: its key may be why
        return peer, await self._resolver.resolve(rotation.new)

    async def _carry_out(
        self,
        incoming: Incoming,
        peer: Connection | None,
        introduction: Introduction | None,
        moved: DidDocument | None,
    ) -> Received:
        message = incoming.message
        async with self._store.write() as tx:
            if await inbox.seen(tx, incoming.sender, message.id, self._world.clock()):
                self._metrics.duplicates.inc()
                if peer is not None:
                    self._open_channel(peer, incoming)
                await self._repeated(tx, incoming, peer, introduction)
                return Received.DUPLICATE
            if message.expires_time is not None and message.expires_time <= self._world.clock().timestamp():
                raise PeerFault("message.expired", "The message came after the time that it names.", "Send a new one.")
            if peer is not None:
                peer = await connections.get(tx, peer.id, lock=True)
                if peer.state == connections.ENDED:
                    raise PeerFault("message.connection_ended", "That connection has ended.", "Connect anew.")
                if moved is not None and self._follow is not None:
                    peer = await self._follow(tx, peer, incoming, moved)
            if introduction is not None:
                peer = await introduction.admit(tx)
            if peer is not None and (introduction is None or introduction.goes_on):
                peer = await self._greet(tx, peer, incoming) if self._greet else peer
                await self._handlers[message.protocol](tx, peer, incoming)
            if peer is not None and AckOn.RECEIPT in message.please_ack:
                await self._acknowledge(tx, peer, message)
            if peer is not None:
                # Before the commit, from which on what it sends is seen and delivered.
                self._open_channel(peer, incoming)
        self._metrics.received.inc()
        if peer is not None:
            await self._reply(peer, incoming)
        return Received.DONE

    async def _repeated(
        self, tx: Transaction, incoming: Incoming, peer: Connection | None, introduction: Introduction | None
    ) -> None:
        """A message that was carried out before came again: its sender may lack the answer."""
        message, now = incoming.message, self._world.clock()
        introduced = introduction.answer_again if introduction else None
        handler = self._answer_again.get(message.protocol)
        wants_receipt = AckOn.RECEIPT in message.please_ack
        if problem_report.is_problem_report(message) or ack.is_ack(message):
            return
        if introduced is not None:
            if await inbox.take_repeat(tx, incoming.sender, message.id, now, REPEAT_PAUSE):
                await introduced(tx)
        elif peer is not None and (handler is not None or wants_receipt):
            peer = await connections.get(tx, peer.id, lock=True)
            if peer.state == connections.ENDED or await outbox.has_queued(tx, peer.id, thid=message.thid):
                return
            if not await inbox.take_repeat(tx, incoming.sender, message.id, now, REPEAT_PAUSE):
                return
            if handler is not None:
                await handler(tx, peer, incoming)
            if wants_receipt:
                await self._acknowledge(tx, peer, message)

    async def _acknowledge(self, tx: Transaction, peer: Connection, message: PlainMessage) -> None:
        received = ack.Ack(self._world.new_id(), message.thid, pthid=message.pthid, message_id=message.id)
        await self._outbox.put(tx, peer, received)

    def _open_channel(self, peer: Connection, incoming: Incoming) -> None:
        returning = return_route.asked(incoming.message)
        if incoming.channel is not None and returning.route is not ReturnRoute.NONE:
            self._channels.open(peer.id, incoming.channel, returning)

    async def _reply(self, peer: Connection, incoming: Incoming) -> None:
        for message in incoming.replies:
            channel = incoming.channel
            if channel is not None and self._channels.takes(peer.id, incoming.message.thid, channel):
                await self._outbox.send_over(channel, peer, message, incoming.wire)
            else:
                await self._outbox.send_unstored(peer, message, incoming.wire)

    async def _report(self, peer: Connection, message: PlainMessage, error: LernodeError) -> None:
        """Tell the peer why; never in answer to a report or an ack, so that two nodes cannot quarrel for ever."""
        if problem_report.is_problem_report(message) or ack.is_ack(message):
            return
        report = problem_report.ProblemReport(
            self._world.new_id(), message.thid, error.code, explain=error.message, pthid=message.pthid
        )
        await self._outbox.send_unstored(peer, report, message.wire)

    def _authenticated(self, opened: Opened, channel: Channel | None) -> Incoming:
        """The message with who sent it and for whom.

        Raises:
            PeerFault: ``message.anonymous``, ``message.unencrypted``.
        """
        message, sender, recipient = opened.message, opened.sender, opened.recipient
        if recipient is None:
            raise PeerFault("message.unencrypted", "The message is signed, not encrypted.", "Encrypt it for this node.")
        if sender is None:
            raise PeerFault("message.anonymous", "The message does not say who sent it.", "Use an authcrypt envelope.")
        if message.wire is Wire.V1:
            return Incoming(message, sender, recipient, channel)
        return Incoming(message, peer4.shortest(did_of(sender)), self._keyring.verkey_named(recipient), channel)


def _unknown_type() -> PeerFault:
    return PeerFault("message.unknown_type", "This node does not speak that protocol.", "Ask for its features.")


async def find_peer(tx: Transaction, incoming: Incoming, now: datetime) -> Connection | None:
    """The connection that a message belongs to, which may be under way to a name that one of the two had before."""
    mine, theirs = incoming.recipient, incoming.sender
    since = now - _FORMER_NAMES_COUNT
    if incoming.wire is Wire.V1:
        found = await connections.find_by_verkeys(tx, mine, theirs)
        return found or await connections.find_former(tx, mine, their_verkey=theirs, since=since)
    found = await connections.find_by_did(tx, mine, theirs)
    return found or await connections.find_former(tx, mine, their_did=theirs, since=since)
