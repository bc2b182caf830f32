"""The outbox at work: packs what waits for a peer and delivers it, in order, again and again until it arrives.

A message is enqueued in the same transaction as the step that sends it, so it is never lost; it is taken out once
the peer answered 2xx, so it is delivered at least once, and the peer's dedupe makes that once.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache, partial

import msgspec

from node.config import DeliveryConfig
from node.net.guarded_http import GuardedHttp, Response
from node.runtime.channels import Channel, Channels
from node.runtime.leases import Leases
from node.runtime.metrics import Metrics
from node.runtime.sealing import Sealed, Sealer
from node.runtime.tracing import Kind, Tracer
from node.runtime.wakeup import Crew, Work
from node.runtime.world import World
from protocols.did import peer4
from protocols.did.services import QUEUE_ENDPOINT
from protocols.didcomm import codec, return_route
from protocols.didcomm.envelope import is_accepted_media_type
from protocols.didcomm.message import PlainMessage, ProtocolMessage, Wire
from protocols.errors import LernodeError, NotNow
from storage import connections, mediators, outbox
from storage.connections import Connection
from storage.engine import Store, Transaction

__all__ = ["Outbox", "is_unreachable"]

_log = logging.getLogger("lernode.delivery")
_PARALLEL_LANES = 16
_MOST_EMPTY_LANES = 10_000
_CHANNEL = "outbox"
_PERMANENT = frozenset({400, 413, 415, 422})
_PERMANENT_ATTEMPTS = 6
_MOST_JITTER = 1.25


# What these wait for is not up to the peer, and comes with a channel or an answer that wakes the lane.
_PATIENT = frozenset({"delivery.no_endpoint", "delivery.route_unconfirmed"})

Returned = Callable[[bytes], Awaitable[object]]
"""Takes an envelope that came back over a channel of this node's."""


@dataclass(frozen=True, slots=True)
class _Addressed:
    """A message to deliver, and whom to.

    Attributes:
        waits: whether the peer's answers could not reach this node yet.
    """

    message: outbox.Letter
    connection: Connection | None
    waits: bool


class Outbox:
    """Takes messages in a unit of work and delivers them after it; one ordered lane a peer.

    A message goes over a channel that the peer holds open, where there is one, else to its endpoint. Where the peer can
    answer in no other way, because this node has no endpoint for it, the message asks for its answers to come back.
    """

    def __init__(
        self,
        store: Store,
        http: GuardedHttp,
        sealer: Sealer,
        channels: Channels,
        world: World,
        settings: DeliveryConfig,
        metrics: Metrics,
        tracer: Tracer,
        max_returned_bytes: int,
    ) -> None:
        self._store = store
        self._http = http
        self._sealer = sealer
        self._channels = channels
        self._max_returned_bytes = max_returned_bytes
        self._returned: Returned | None = None
        channels.watch(opened=lambda connection_id, _channel: self._expect(connection_id))
        self._world = world
        self._settings = settings
        # Processes whose clocks differ a little must not take what others have just put off.
        self._longest = timedelta(seconds=max(settings.max_retry_seconds * _MOST_JITTER, 60.0))
        self._metrics = metrics
        self._tracer = tracer
        self._leases = Leases(store, _CHANNEL, outbox.release)
        self._crew = Crew("outbox", world.clock, _PARALLEL_LANES, self._find)
        self._hastening: set[asyncio.Task[None]] = set()
        self._noting: set[asyncio.Task[bool]] = set()
        self._empty_lanes: set[str] = set()

    def give_returned_to(self, receive: Returned) -> None:
        """Say who takes what peers send back in their responses."""
        self._returned = receive

    async def put(
        self, tx: Transaction, connection: Connection, message: ProtocolMessage, *, to_verkey: str | None = None
    ) -> None:
        """Enqueue ``message`` for the peer of ``connection`` in this unit of work; nothing where that has ended.

        Args:
            to_verkey: in v1, a key of the peer that is not the connection's any more.
        """
        if connection.state == connections.ENDED:
            return
        plain = self._written(message, Wire(connection.wire))
        if is_unreachable(connection.my_did):
            plain = return_route.asking(plain)
        letter = await outbox.enqueue(
            tx,
            id=plain.id,
            connection_id=connection.id,
            lane=connection.id,
            message=codec.encode(plain),
            message_type=plain.type,
            thid=plain.thid,
            wire=plain.wire.value,
            my_verkey=connection.my_verkey,
            to_verkey=to_verkey,
            traceparent=self._tracer.current(),
            now=self._world.clock(),
        )
        addressed = None if self._store.shared else await _addressed(tx, letter, connection)
        tx.after_commit(partial(self._begin, connection.id, addressed))
        if self._crew.is_full:
            tx.notify(_CHANNEL)  # another process may have its hands free

    def _begin(self, lane: str, addressed: _Addressed | None) -> None:
        """Deliver what was just committed: at once where its lane was empty, else once it is found to be due."""
        if lane in self._empty_lanes and addressed is not None:
            self._empty_lanes.discard(lane)
            if self._crew.begin(lane, partial(self._deliver_lane, addressed)):
                return
        self._empty_lanes.discard(lane)
        # What is being delivered on a lane of this process only is followed by what came behind it.
        if self._store.shared or not self._crew.has_in_hand(lane):
            self._crew.wake()

    def _note_empty(self, lane: str) -> None:
        """Nothing of a lane is in the store, and so what is put in next is due at once."""
        if self._store.shared:
            return  # other processes put in, too
        if len(self._empty_lanes) >= _MOST_EMPTY_LANES:
            self._empty_lanes.clear()
        self._empty_lanes.add(lane)

    async def put_again(self, tx: Transaction, connection: Connection, message: ProtocolMessage) -> None:
        """As :meth:`put`, for a message that was put in before: where it still waits, it is not put in twice."""
        if not await outbox.forget_dead(tx, message.id):
            return
        await self.put(tx, connection, message)

    async def send_unstored(self, connection: Connection, message: ProtocolMessage, wire: Wire) -> None:
        """Try once to deliver a message that is not worth keeping, such as the answer to one that was refused.

        Args:
            wire: what the message that it answers came in.
        """
        plain = self._written(message, wire)
        try:
            await self._hand_over(connection, plain.thid, codec.encode(plain), plain.wire, connection.my_verkey)
        except LernodeError as error:
            _log.info("a message that is not kept was not delivered: %s", error.code)

    async def send_over(self, channel: Channel, connection: Connection, message: ProtocolMessage, wire: Wire) -> bool:
        """Send what is only true now, such as a status, over this channel and no other; whether it left."""
        plain = self._written(message, wire)
        try:
            sealed = await self._sealer.seal(
                connection, codec.encode(plain), wire=wire, my_verkey=connection.my_verkey, for_channel=True
            )
            await channel.reply(sealed.envelope, sealed.media_type)
        except LernodeError as error:
            _log.info("a channel did not take a message: %s", error.code)
            return False
        return True

    async def ask(self, connection: Connection, message: ProtocolMessage) -> None:
        """Send what is not kept and wants its answer at once; the answer is taken before this returns.

        Raises:
            LernodeError: it was not delivered.
        """
        plain = return_route.asking(self._written(message, Wire(connection.wire)))
        await self._hand_over(connection, plain.thid, codec.encode(plain), plain.wire, connection.my_verkey)

    async def hasten(self, tx: Transaction, connection_id: str | None) -> int:
        """Try again at once what waits for a peer, or for any; for how many peers something had to wait."""
        hastened = await outbox.hasten(tx, connection_id, self._world.clock())
        tx.after_commit(self._crew.wake)
        return hastened

    async def requeue(self, tx: Transaction, message_id: str) -> None:
        """Try a message again that was given up, behind what waits for its peer.

        Raises:
            WrongState: ``outgoing_message.unknown``, ``outgoing_message.not_dead``.
        """
        lane = await outbox.requeue(tx, message_id, self._world.clock())
        tx.after_commit(partial(self._begin, lane, None))

    def start(self) -> None:
        """Begin to deliver in the background."""
        self._store.listen(_CHANNEL, self._crew.wake)
        self._crew.start()

    async def finish(self) -> None:
        """Begin no more deliveries, and wait for those in hand."""
        await self._crew.finish()

    async def stop(self) -> None:
        """Stop; what was not confirmed is delivered again after the next start, or now by another process."""
        await self._crew.stop()
        await asyncio.gather(*self._hastening, *self._noting, return_exceptions=True)
        await self._leases.give_back()

    async def _find(self, busy: tuple[str, ...], room: int) -> tuple[dict[str, Work], datetime | None]:
        self._store.require_sound()
        now, found = self._world.clock(), dict[str, Work]()
        async with self._store.write() if self._store.shared else self._store.read() as tx:
            for message in await self._take(tx, now, room, skip_lanes=busy):
                self._empty_lanes.discard(message.lane)
                found[message.lane] = partial(self._deliver_lane, await _addressed(tx, message))
            following = await outbox.next_wake(tx, skip_lanes=(*busy, *found))
        if self._store.shared:
            # What another process has in hand is looked at again when its lease is over, and not before.
            lease = self._lease
            following = now + lease if following is None or following <= now else min(following, now + lease)
        return found, following

    @property
    def _lease(self) -> timedelta:
        return timedelta(seconds=self._settings.lease_seconds)

    async def _take(
        self, tx: Transaction, now: datetime, limit: int, *, lane: str | None = None, skip_lanes: tuple[str, ...] = ()
    ) -> list[outbox.Outgoing]:
        if self._store.shared:
            claimed = await outbox.claim(
                tx, now, self._lease, limit, lane=lane, skip_lanes=skip_lanes, longest=self._longest
            )
            self._leases.hold(tx, {message.id: message.lease for message in claimed})
            return claimed
        return await outbox.due(tx, now, limit, lane=lane, skip_lanes=skip_lanes, longest=self._longest)

    async def _deliver_lane(self, first: _Addressed) -> bool:
        """Deliver a message, and those that wait behind it while no other lane waits for this one to be done."""
        following: _Addressed | None = first
        noted: asyncio.Task[bool] | None = None
        while following is not None:
            message = following.message
            try:
                with self._tracer.span("deliver", Kind.PRODUCER, parent=message.traceparent) as span:
                    span.say("messaging.system", "didcomm")
                    span.say("lernode.message.type", message.message_type)
                    span.say("lernode.message.wire", message.wire)
                    span.say("lernode.attempt", message.attempts + 1)
                    span.say("messaging.message.envelope.size", await self._deliver(following))
            except LernodeError as error:
                await self._failed(message, error.code)
                if noted is not None:
                    await noted
                return True
            self._metrics.delivered.inc()
            behind: asyncio.Future[_Addressed | None] = asyncio.get_running_loop().create_future()
            noted = asyncio.create_task(self._note_delivered(message, behind, noted))
            self._noting.add(noted)
            noted.add_done_callback(self._noting.discard)
            following = await behind
        return noted is not None and await noted

    async def _note_delivered(
        self, message: outbox.Letter, behind: asyncio.Future[_Addressed | None], before: asyncio.Task[bool] | None
    ) -> bool:
        """Take a message out that arrived; whether more of its lane may be due.

        Args:
            behind: is given the next message of the lane as soon as that may be delivered: where no other process
                delivers, before the commit. Were that lost, the peer would get this message again, and know it.
            before: notes the message before.
        """
        following: _Addressed | None = None
        may_follow: _Addressed | None = None
        try:
            async with self._store.write() as tx:
                is_more = await outbox.mark_delivered(tx, message.id)
                if is_more and not self._crew.is_full:
                    for next_one in await self._take(tx, self._world.clock(), 1, lane=message.lane):
                        following = await _addressed(tx, next_one)
                if following is not None and not self._store.shared:
                    _give(behind, following)
                if following is not None or not is_more:
                    tx.can_wait()
                if not is_more:
                    tx.after_commit(partial(self._crew.let_go, message.lane))
                    tx.after_commit(partial(self._note_empty, message.lane))
            may_follow = following
        finally:
            _give(behind, may_follow)
        self._leases.end(message.id)
        if before is not None:
            await before
        return is_more

    async def _deliver(self, addressed: _Addressed) -> int:
        """Hand a message over; how long its envelope was."""
        message, connection = addressed.message, addressed.connection
        if addressed.waits:
            raise NotNow(
                "delivery.route_unconfirmed",
                "This node's mediator does not know yet that the answers are for it.",
                "It is sent as soon as the mediator has confirmed.",
            )
        if connection is None:
            raise NotNow("delivery.no_connection", "The message is for no connection.", "Report this as a bug.")
        if message.to_verkey is not None:
            connection = replace(connection, their_verkey=message.to_verkey)
        started = time.perf_counter()
        size = await self._hand_over(
            connection, message.thid, message.message, Wire(message.wire), _verkey(message, connection)
        )
        facts = {
            "id": message.id,
            "type": message.message_type,
            "connection": connection.id,
            "wire": message.wire,
            "bytes": size,
            "seconds": round(time.perf_counter() - started, 4),
        }
        _log.info("delivered", extra={"facts": facts})
        return size

    async def _hand_over(self, connection: Connection, thid: str, plaintext: bytes, wire: Wire, my_verkey: str) -> int:
        """Deliver a message over the peer's channel or to its endpoint; how long its envelope was."""
        channel = self._channels.find(connection.id, thid)
        sealed = await self._sealer.seal(
            connection, plaintext, wire=wire, my_verkey=my_verkey, for_channel=channel is not None
        )
        if channel is not None:
            await channel.send(sealed.envelope, sealed.media_type)
        elif sealed.endpoint is not None:
            await self._post(sealed, sealed.endpoint)
        return len(sealed.envelope)

    async def _post(self, sealed: Sealed, endpoint: str) -> None:
        response = await self._http.post(
            endpoint, sealed.envelope, sealed.media_type, max_bytes=self._max_returned_bytes
        )
        if not 200 <= response.status < 300:
            raise NotNow(f"delivery.http_{response.status}", "The peer did not take the message.", "It is tried again.")
        if response.body and self._returned is not None and is_accepted_media_type(_content_type(response)):
            # Before the message counts as delivered: what came back would not be sent again.
            with suppress(LernodeError):
                await self._returned(response.body)

    def _expect(self, connection_id: str) -> None:
        """A peer opened a channel: what waits for it goes now."""

        async def hasten() -> None:
            async with self._store.write() as tx:
                await self.hasten(tx, connection_id)

        task = asyncio.ensure_future(hasten())
        self._hastening.add(task)
        task.add_done_callback(self._hastening.discard)

    def _written(self, message: ProtocolMessage, wire: Wire) -> PlainMessage:
        plain = message.encode(wire)
        if plain.wire is Wire.V2:
            plain = msgspec.structs.replace(plain, created_time=int(self._world.clock().timestamp()))
        plain = self._tracer.told(plain)
        self._world.witness("sent", plain)
        return plain

    async def _failed(self, message: outbox.Letter, code: str) -> None:
        attempts = message.attempts + (code not in _PATIENT)
        # A refusal may be a message that came too early, so it is worth a few more tries, but not days of them.
        refused = code.removeprefix("delivery.http_") in {str(status) for status in _PERMANENT}
        limit = min(self._settings.max_attempts, _PERMANENT_ATTEMPTS) if refused else self._settings.max_attempts
        doubled = self._settings.first_retry_seconds * 2 ** min(max(attempts - 1, 0), 30)
        delay = self._settings.max_retry_seconds if code in _PATIENT else min(doubled, self._settings.max_retry_seconds)
        jitter = random.uniform(2 - _MOST_JITTER, _MOST_JITTER)  # noqa: S311 - spreads load, protects nothing
        when = self._world.clock() + timedelta(seconds=delay * jitter)
        async with self._store.write() as tx:
            state = await outbox.mark_failed(tx, message.id, code, when, attempts, max_attempts=limit)
        self._leases.end(message.id)
        self._metrics.delivery_failures.inc()
        _log.info("delivery failed (%s), attempt %d, now %s", code, attempts, state.value)


@lru_cache(maxsize=1024)
def is_unreachable(own_did: str) -> bool:
    """Whether the document of a DID of this node says that nobody can reach it, except over what it opens itself."""
    if not peer4.is_long_form(own_did):
        return False
    return any(service.endpoint == QUEUE_ENDPOINT for service in peer4.resolve(own_did).services)


async def _addressed(tx: Transaction, message: outbox.Letter, connection: Connection | None = None) -> _Addressed:
    connection = connection or await connections.find(tx, message.connection_id or "")
    waits = connection is not None and await mediators.unsettled(tx, [_verkey(message, connection)])
    return _Addressed(message, connection, waits)


def _give(behind: asyncio.Future[_Addressed | None], following: _Addressed | None) -> None:
    """Tell what follows, unless that was told, or nobody waits for it because deliveries are stopped."""
    if not behind.done():
        behind.set_result(following)


def _verkey(message: outbox.Letter, connection: Connection) -> str:
    return message.my_verkey or connection.my_verkey


def _content_type(response: Response) -> str:
    return response.headers.get("content-type", "")
