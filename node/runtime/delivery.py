"""The outbox at work: packs what waits for a peer and delivers it, in order, again and again until it arrives.

A message is enqueued in the same transaction as the step that sends it, so it is never lost; it is taken out once
the peer answered 2xx, so it is delivered at least once, and the peer's dedupe makes that once.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from node.config import DeliveryConfig
from node.net.guarded_http import GuardedHttp
from node.runtime.metrics import Metrics
from node.runtime.sealing import Sealer
from node.runtime.wakeup import Crew, Work
from node.runtime.world import World
from protocols.didcomm import codec
from protocols.didcomm.message import PlainMessage, ProtocolMessage, Wire
from protocols.errors import LernodeError, NotNow
from storage import connections, outbox
from storage.connections import Connection
from storage.engine import Store, Transaction

__all__ = ["Outbox"]

_log = logging.getLogger("lernode.delivery")
_PARALLEL_LANES = 16
_PERMANENT = frozenset({400, 413, 415, 422})
_PERMANENT_ATTEMPTS = 6


class Outbox:
    """Takes messages in a unit of work and delivers them after it; one ordered lane a peer."""

    def __init__(
        self,
        store: Store,
        http: GuardedHttp,
        sealer: Sealer,
        world: World,
        settings: DeliveryConfig,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._http = http
        self._sealer = sealer
        self._world = world
        self._settings = settings
        self._metrics = metrics
        self._crew = Crew("outbox", world.clock, _PARALLEL_LANES, self._find)

    async def put(self, tx: Transaction, connection: Connection, message: ProtocolMessage) -> None:
        """Enqueue ``message`` for the peer of ``connection`` in this unit of work; nothing where that has ended."""
        if connection.state == connections.ENDED:
            return
        plain = self._written(message, Wire(connection.wire))
        await outbox.enqueue(
            tx,
            id=plain.id,
            connection_id=connection.id,
            lane=connection.id,
            message=codec.encode(plain),
            message_type=plain.type,
            thid=plain.thid,
            wire=plain.wire.value,
            my_verkey=connection.my_verkey,
            now=self._world.clock(),
        )
        tx.after_commit(self._crew.wake)

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
            sealed = await self._sealer.seal(
                connection, codec.encode(plain), wire=plain.wire, my_verkey=connection.my_verkey
            )
            await self._http.post(sealed.endpoint, sealed.envelope, sealed.media_type)
        except LernodeError as error:
            _log.info("a problem report was not delivered: %s", error.code)

    def start(self) -> None:
        """Begin to deliver in the background."""
        self._crew.start()

    async def stop(self) -> None:
        """Stop; what was not confirmed is delivered again after the next start."""
        await self._crew.stop()

    async def _find(self, busy: tuple[str, ...], room: int) -> tuple[dict[str, Work], datetime | None]:
        async with self._store.read() as tx:
            ready = await outbox.due(tx, self._world.clock(), room, skip_lanes=busy)
            taken = (*busy, *(message.lane for message in ready))
            following = await outbox.next_wake(tx, skip_lanes=taken)
        return {message.lane: partial(self._deliver_lane, message) for message in ready}, following

    async def _deliver_lane(self, message: outbox.Outgoing) -> None:
        async with self._store.read() as tx:
            connection = await connections.find(tx, message.connection_id or "")
        try:
            await self._deliver(connection, message)
        except LernodeError as error:
            await self._failed(message, error.code)
            return
        async with self._store.write() as tx:
            await outbox.mark_delivered(tx, message.id)
        self._metrics.delivered.inc()

    async def _deliver(self, connection: Connection | None, message: outbox.Outgoing) -> None:
        if connection is None:
            raise NotNow("delivery.no_connection", "The message is for no connection.", "Report this as a bug.")
        sealed = await self._sealer.seal(
            connection, message.message, wire=Wire(message.wire), my_verkey=message.my_verkey or connection.my_verkey
        )
        started = time.perf_counter()
        response = await self._http.post(sealed.endpoint, sealed.envelope, sealed.media_type)
        if not 200 <= response.status < 300:
            raise NotNow(f"delivery.http_{response.status}", "The peer did not take the message.", "It is tried again.")
        facts = {
            "type": message.message_type,
            "connection": connection.id,
            "wire": message.wire,
            "bytes": len(sealed.envelope),
            "seconds": round(time.perf_counter() - started, 4),
        }
        _log.info("delivered", extra={"facts": facts})

    def _written(self, message: ProtocolMessage, wire: Wire) -> PlainMessage:
        plain = message.encode(wire)
        if plain.wire is Wire.V2:
            plain = replace(plain, created_time=int(self._world.clock().timestamp()))
        return plain

    async def _failed(self, message: outbox.Outgoing, code: str) -> None:
        attempts = message.attempts + 1
        # A refusal may be a message that came too early, so it is worth a few more tries, but not days of them.
        refused = code.removeprefix("delivery.http_") in {str(status) for status in _PERMANENT}
        limit = min(self._settings.max_attempts, _PERMANENT_ATTEMPTS) if refused else self._settings.max_attempts
        delay = min(self._settings.first_retry_seconds * 2 ** min(attempts - 1, 30), self._settings.max_retry_seconds)
        jitter = random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, protects nothing
        when = self._world.clock() + timedelta(seconds=delay * jitter)
        async with self._store.write() as tx:
            state = await outbox.mark_failed(tx, message.id, code, when, attempts, max_attempts=limit)
        self._metrics.delivery_failures.inc()
        _log.info("delivery failed (%s), attempt %d, now %s", code, attempts, state.value)
