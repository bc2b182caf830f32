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
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any

import msgspec

from node.config import DeliveryConfig
from node.net import order
from node.net.guarded_http import GuardedHttp, Response
from node.runtime.channels import Channel, Channels
from node.runtime.lanes import Addressed, Flight, Lane
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
_MOST_IN_FLIGHT = 8
_MOST_LOADED = 64
_MOST_REMEMBERED = 10_000
_FRESH_SECONDS = 1.0  # for so long, what waits in memory is not compared with the store again
_CHANNEL = "outbox"
_PERMANENT = frozenset({400, 413, 415, 422})
_PERMANENT_ATTEMPTS = 6
_MOST_JITTER = 1.25


# What these wait for is not up to the peer, and comes with a channel or an answer that wakes the lane.
_PATIENT = frozenset({"delivery.no_endpoint", "delivery.route_unconfirmed"})

Returned = Callable[[bytes], Awaitable[object]]
"""Takes an envelope that came back over a channel of this node's."""


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
        self._tasks: set[asyncio.Task[Any]] = set()
        self._lanes: dict[str, Lane] = {}
        self._empty_lanes: set[str] = set()
        self._orderly: dict[str, str] = {}  # lane -> the endpoint that keeps to the order of what it is sent

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

    def _begin(self, key: str, addressed: Addressed | None) -> None:
        """Deliver what was just committed: at once where nothing is before it, else once it is found to be due."""
        lane = self._lanes.get(key)
        if lane is not None and addressed is None:
            lane.is_whole = False  # it is asked for when what is known has left
        elif lane is not None and addressed is not None:
            lane.add(addressed, _now())
            self._launch(lane)
            return
        if key in self._empty_lanes and addressed is not None and not self._crew.is_full:
            lane = Lane(key)
            lane.load([addressed], _now(), is_all=True)
            if self._crew.begin(key, partial(self._deliver_lane, lane)):
                self._lanes[key] = lane
                self._empty_lanes.discard(key)
                return
        self._empty_lanes.discard(key)
        # What is being delivered on a lane of this process only is followed by what came behind it.
        if self._store.shared or not self._crew.has_in_hand(key):
            self._crew.wake()

    def _note_empty(self, key: str) -> None:
        """Nothing of a lane is in the store, and so what is put in next is due at once."""
        if self._store.shared:
            return  # other processes put in, too
        if len(self._empty_lanes) >= _MOST_REMEMBERED:
            self._empty_lanes.clear()
        self._empty_lanes.add(key)

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
            await self._hand_over(
                connection, self._channel(connection, plain), codec.encode(plain), plain.wire, connection.my_verkey
            )
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
        await self._hand_over(
            connection, self._channel(connection, plain), codec.encode(plain), plain.wire, connection.my_verkey
        )

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
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._leases.give_back()

    async def _find(self, busy: tuple[str, ...], room: int) -> tuple[dict[str, Work], datetime | None]:
        self._store.require_sound()
        now, found = self._world.clock(), dict[str, Work]()
        async with self._store.write() if self._store.shared else self._store.read() as tx:
            for message in await self._take(tx, now, room, skip_lanes=busy):
                self._empty_lanes.discard(message.lane)
                lane = Lane(message.lane)
                lane.load([await _addressed(tx, message)], _now(), is_all=False)
                found[message.lane] = partial(self._deliver_lane, lane)
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

    async def _deliver_lane(self, lane: Lane) -> bool:
        """Deliver what is due of a lane while no other lane waits for this one to be done; whether more may be due."""
        if not self._store.shared:
            self._lanes[lane.key] = lane
        try:
            self._launch(lane, is_first=True)
            while lane.flights:
                flight = lane.flights[0]
                try:
                    await flight.task
                except LernodeError as error:
                    await self._break_off(lane, error.code)
                    return True
                lane.flights.popleft()
                lane.arrived.append(flight.message.id)
                self._metrics.delivered.inc()
                self._launch(lane)
                if lane.flights:
                    self._note_soon(lane)
                elif not await self._note(lane):
                    return False
                elif not lane.flights and not self._crew.is_full:
                    await self._load(lane)
                    self._launch(lane)
            return True
        finally:
            self._forget(lane)
            for flight in lane.flights:
                flight.task.cancel()

    def _launch(self, lane: Lane, *, is_first: bool = False) -> None:
        """Let messages leave: as many at once as their order allows, and no other lane waits for this one."""
        while lane.waiting and not lane.is_loading and (is_first or not self._crew.is_full):
            learnt, addressed = lane.waiting[0]
            if _now() - learnt > _FRESH_SECONDS:
                lane.forget_waiting()
                return
            message = addressed.message
            channel = self._channels.find(message.connection_id or "", message.thid)
            if lane.flights and (channel is not None or not self._keeps_order(lane)):
                return
            lane.take()
            place = order.Place(self._world.new_id(), lane.flights[-1].place if lane.flights else None)
            task = asyncio.create_task(self._fly(addressed, channel, place))
            self._keep(task)
            lane.flights.append(Flight(message, place.name, task))
            is_first = False

    def _keeps_order(self, lane: Lane) -> bool:
        """Whether a further message may be under way to the peer together with those that are."""
        return lane.key in self._orderly and len(lane.flights) < _MOST_IN_FLIGHT

    async def _fly(self, addressed: Addressed, channel: Channel | None, place: order.Place) -> None:
        message = addressed.message
        with self._tracer.span("deliver", Kind.PRODUCER, parent=message.traceparent) as span:
            span.say("messaging.system", "didcomm")
            span.say("lernode.message.type", message.message_type)
            span.say("lernode.message.wire", message.wire)
            span.say("lernode.attempt", message.attempts + 1)
            span.say("messaging.message.envelope.size", await self._deliver(addressed, channel, place))

    async def _load(self, lane: Lane) -> None:
        """Learn from the store what follows on a lane of this process only."""
        if self._store.shared:
            return
        lane.is_loading = lane.is_whole = True  # what is put in meanwhile is kept, too
        try:
            async with self._store.read() as tx:
                stored = await outbox.waiting(tx, lane.key, self._world.clock(), _MOST_LOADED, longest=self._longest)
                connection = await connections.find(tx, lane.key) if stored else None
                found = [await _addressed(tx, message, connection) for message in stored]
        except BaseException:
            lane.is_loading = False
            lane.forget_waiting()
            raise
        lane.load(found, _now(), is_all=len(found) < _MOST_LOADED)

    def _note_soon(self, lane: Lane) -> None:
        """Note in the background what has arrived, together with what arrives until then."""
        if lane.noting is not None and lane.noting.done():
            lane.noting.result()  # raises what it raised
            lane.noting = None
        if lane.noting is None:
            lane.noting = asyncio.create_task(self._note_arrived(lane))
            self._keep(lane.noting)

    async def _note(self, lane: Lane) -> bool:
        """Note all that has arrived; whether more of the lane may be due."""
        is_more = True
        if lane.noting is not None:
            is_more = await lane.noting
            lane.noting = None
        return await self._note_arrived(lane) if lane.arrived else is_more

    async def _note_arrived(self, lane: Lane) -> bool:
        ids, lane.arrived = lane.arrived, []
        following: list[Addressed] = []
        async with self._store.write() as tx:
            is_more = await outbox.mark_delivered(tx, lane.key, *ids)
            if is_more and self._store.shared and not self._crew.is_full:
                taken = await self._take(tx, self._world.clock(), 1, lane=lane.key)
                following = [await _addressed(tx, message) for message in taken]
            # Were this lost, the peer would get these again, and know them.
            if not is_more or lane.flights:
                tx.can_wait()
            if not is_more:
                tx.after_commit(partial(self._end, lane))
        for message_id in ids:
            self._leases.end(message_id)
        lane.noted(ids)
        if following:
            lane.load(following, _now(), is_all=False)
        return is_more

    def _keep(self, task: asyncio.Task[Any]) -> None:
        """Wait for a task when this stops; what it raised is told to who waits for it, if anybody does."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_went_well)

    def _end(self, lane: Lane) -> None:
        """Nothing of a lane is in the store any more: what is put in next begins anew."""
        if lane.flights or lane.waiting:
            return
        self._forget(lane)
        self._crew.let_go(lane.key)
        self._note_empty(lane.key)

    def _forget(self, lane: Lane) -> None:
        if self._lanes.get(lane.key) is lane:
            del self._lanes[lane.key]

    async def _break_off(self, lane: Lane, code: str) -> None:
        """Note that the first message under way did not arrive; what is under way behind it is refused, or arrives."""
        self._forget(lane)
        lane.forget_waiting()
        self._orderly.pop(lane.key, None)
        failed, *behind = lane.flights
        lane.flights.clear()
        if behind:
            await asyncio.wait([flight.task for flight in behind])
        lane.arrived += [flight.message.id for flight in behind if _went_well(flight.task)]
        await self._note(lane)
        await self._failed(failed.message, code)

    async def _deliver(self, addressed: Addressed, channel: Channel | None, place: order.Place) -> int:
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
            connection, channel, message.message, Wire(message.wire), _verkey(message, connection), place
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

    async def _hand_over(
        self,
        connection: Connection,
        channel: Channel | None,
        plaintext: bytes,
        wire: Wire,
        my_verkey: str,
        place: order.Place | None = None,
    ) -> int:
        """Deliver a message over the peer's channel or to its endpoint; how long its envelope was."""
        sealed = await self._sealer.seal(
            connection, plaintext, wire=wire, my_verkey=my_verkey, for_channel=channel is not None
        )
        if channel is not None:
            await channel.send(sealed.envelope, sealed.media_type)
        elif sealed.endpoint is not None:
            if place is not None and place.after is not None and self._orderly.get(connection.id) != sealed.endpoint:
                raise NotNow("delivery.order_unknown", "The peer has moved.", "What is before this is awaited.")
            response = await self._post(sealed, sealed.endpoint, place)
            if place is not None:
                self._note_order(connection.id, sealed.endpoint, response)
        return len(sealed.envelope)

    def _note_order(self, key: str, endpoint: str, response: Response) -> None:
        if response.headers.get(order.HEADER.lower()) != order.KEPT:
            self._orderly.pop(key, None)
            return
        if len(self._orderly) >= _MOST_REMEMBERED:
            self._orderly.clear()
        self._orderly[key] = endpoint

    async def _post(self, sealed: Sealed, endpoint: str, place: order.Place | None) -> Response:
        response = await self._http.post(
            endpoint,
            sealed.envelope,
            sealed.media_type,
            headers={} if place is None else {order.HEADER: str(place)},
            max_bytes=self._max_returned_bytes,
        )
        if not 200 <= response.status < 300:
            raise NotNow(f"delivery.http_{response.status}", "The peer did not take the message.", "It is tried again.")
        if response.body and self._returned is not None and is_accepted_media_type(_content_type(response)):
            # Before the message counts as delivered: what came back would not be sent again.
            with suppress(LernodeError):
                await self._returned(response.body)
        return response

    def _expect(self, connection_id: str) -> None:
        """A peer opened a channel: what waits for it goes now."""

        async def hasten() -> None:
            async with self._store.write() as tx:
                await self.hasten(tx, connection_id)

        self._keep(asyncio.create_task(hasten()))

    def _channel(self, connection: Connection, plain: PlainMessage) -> Channel | None:
        return self._channels.find(connection.id, plain.thid)

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


async def _addressed(tx: Transaction, message: outbox.Letter, connection: Connection | None = None) -> Addressed:
    connection = connection or await connections.find(tx, message.connection_id or "")
    waits = connection is not None and await mediators.unsettled(tx, [_verkey(message, connection)])
    return Addressed(message, connection, waits)


def _went_well(task: asyncio.Task[Any]) -> bool:
    return not task.cancelled() and task.exception() is None


def _now() -> float:
    return asyncio.get_running_loop().time()


def _verkey(message: outbox.Letter, connection: Connection) -> str:
    return message.my_verkey or connection.my_verkey


def _content_type(response: Response) -> str:
    return response.headers.get("content-type", "")
