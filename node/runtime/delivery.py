"""The outbox at work: packs what waits for a peer and delivers it, in order, again and again until it arrives.

A message is enqueued in the same transaction as the step that sends it, so it is never lost; it is taken out once
the peer answered 2xx, so it is delivered at least once, and the peer's dedupe makes that once.
"""

from __future__ import annotations

import logging
import random
import time
from datetime import datetime, timedelta
from functools import partial

from node.config import DeliveryConfig
from node.net.guarded_http import GuardedHttp
from node.runtime.keyring import Keyring
from node.runtime.metrics import Metrics
from node.runtime.wakeup import Crew, Work
from node.runtime.world import World
from protocols.didcomm import codec
from protocols.didcomm.envelope_v1 import MEDIA_TYPE, pack, wrap_for_routing
from protocols.didcomm.message import ProtocolMessage, Wire
from protocols.errors import LernodeError, NotNow
from storage import connections, outbox
from storage.connections import Connection
from storage.engine import Store, Transaction

__all__ = ["Outbox", "seal"]

_log = logging.getLogger("lernode.delivery")
_PARALLEL_LANES = 16
_PERMANENT = frozenset({400, 413, 415, 422})
_PERMANENT_ATTEMPTS = 6


def seal(connection: Connection, plaintext: bytes, keyring: Keyring, world: World) -> bytes:
    """The envelope that carries ``plaintext`` to the peer of ``connection``, wrapped for its mediators.

    Raises:
        NotNow: ``connection.no_key`` while the peer's key is not known.
    """
    if connection.their_verkey is None:
        raise NotNow("connection.no_key", "The peer's key is not known yet.", "Wait for its answer.")
    sender = keyring.get(connection.my_verkey)
    envelope = pack(plaintext, to=[connection.their_verkey], sender=sender, entropy=world.entropy)
    return wrap_for_routing(
        envelope,
        to=connection.their_verkey,
        routing_keys=connection.their_routing_keys,
        new_id=world.new_id,
        entropy=world.entropy,
    )


class Outbox:
    """Takes messages in a unit of work and delivers them after it; one ordered lane a peer."""

    def __init__(
        self,
        store: Store,
        http: GuardedHttp,
        keyring: Keyring,
        world: World,
        settings: DeliveryConfig,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._http = http
        self._keyring = keyring
        self._world = world
        self._settings = settings
        self._metrics = metrics
        self._crew = Crew("outbox", world.clock, _PARALLEL_LANES, self._find)

    async def put(self, tx: Transaction, connection: Connection, message: ProtocolMessage) -> None:
        """Enqueue ``message`` for the peer of ``connection`` in this unit of work; nothing where that has ended."""
        if connection.state == connections.ENDED:
            return
        plain = message.encode(Wire(connection.wire))
        await outbox.enqueue(
            tx,
            id=plain.id,
            connection_id=connection.id,
            lane=connection.id,
            message=codec.encode(plain),
            message_type=plain.type,
            thid=plain.thid,
            now=self._world.clock(),
        )
        tx.after_commit(self._crew.wake)

    async def put_again(self, tx: Transaction, connection: Connection, message: ProtocolMessage) -> None:
        """As :meth:`put`, for a message that was put in before: where it still waits, it is not put in twice."""
        if not await outbox.forget_dead(tx, message.id):
            return
        await self.put(tx, connection, message)

    async def send_unstored(self, connection: Connection, message: ProtocolMessage) -> None:
        """Try once to deliver a message that is not worth keeping, such as the answer to one that was refused."""
        if connection.their_endpoint is None:
            return
        try:
            plaintext = codec.encode(message.encode(Wire(connection.wire)))
            envelope = seal(connection, plaintext, self._keyring, self._world)
            await self._http.post(connection.their_endpoint, envelope, MEDIA_TYPE)
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
        if connection is None or connection.their_endpoint is None:
            raise NotNow("delivery.no_endpoint", "The peer has no endpoint.", "Wait until it comes for its messages.")
        envelope = seal(connection, message.message, self._keyring, self._world)
        started = time.perf_counter()
        response = await self._http.post(connection.their_endpoint, envelope, MEDIA_TYPE)
        if not 200 <= response.status < 300:
            raise NotNow(f"delivery.http_{response.status}", "The peer did not take the message.", "It is tried again.")
        facts = {
            "type": message.message_type,
            "connection": connection.id,
            "bytes": len(envelope),
            "seconds": round(time.perf_counter() - started, 4),
        }
        _log.info("delivered", extra={"facts": facts})

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
