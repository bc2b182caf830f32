"""The end of a connection (Aries RFC 0794 §Hangup): records stay, messages stop, and nothing waits any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from node.events.emit import emit
from node.events.types import ConnectionChanged
from node.runtime.delivery import Outbox
from node.runtime.world import World
from protocols.did_rotate import machine
from protocols.did_rotate.messages import Hangup
from protocols.machine import Send
from storage import audit, connections, exchanges
from storage.connections import Connection
from storage.engine import Store, Transaction

__all__ = ["Ended", "Ending"]

Ended = Callable[[Transaction, Connection], Awaitable[None]]
"""Told of a connection that has ended."""


class Ending:
    """Ends connections, and hears of peers that do."""

    def __init__(self, store: Store, outbox: Outbox, world: World) -> None:
        self._store = store
        self._outbox = outbox
        self._world = world
        self._watchers: list[Ended] = []

    def when_ended(self, *watchers: Ended) -> None:
        """Say who has something to undo, in the unit of work in which a connection ends."""
        self._watchers += watchers

    async def end(self, connection_id: str) -> Connection:
        """End a connection for good and tell the peer; what was sent before is still delivered.

        Raises:
            WrongState: ``connection.unknown``, ``did_rotate.wrong_state``.
        """
        async with self._store.write() as tx:
            connection = await connections.get(tx, connection_id)
            step = machine.hang_up(connection.state, new_id=self._world.new_id)
            for effect in step.effects:
                if isinstance(effect, Send):
                    await self._outbox.put(tx, connection, effect.message)
            return await self._note(tx, connection, step.exchange, actor="operator")

    async def hear(self, tx: Transaction, connection: Connection, message: Hangup) -> Connection:
        """Note that the peer has ended it."""
        step = machine.receive_hangup(message)
        return await self._note(tx, connection, step.exchange, actor=connection.id)

    async def _note(self, tx: Transaction, connection: Connection, state: machine.State, *, actor: str) -> Connection:
        now = self._world.clock()
        ended = replace(connection, state=state.value, updated=now)
        await connections.save(tx, ended)
        await exchanges.stop_waiting(tx, connection.id, "connection.ended", now)
        for watcher in self._watchers:
            await watcher(tx, ended)
        await audit.append(tx, at=now, event="connection.ended", actor=actor, subjects=(connection.id,))
        await emit(tx, self._world, ConnectionChanged(connection_id=ended.id, role=ended.role, state=ended.state))
        return ended
