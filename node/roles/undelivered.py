"""Messages that did not arrive: what an operator has tried again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from node.runtime.delivery import Outbox
from node.runtime.world import World
from protocols.errors import WrongState
from storage import audit, outbox
from storage.engine import Store, Transaction
from storage.outbox import OutboxState, Outgoing

__all__ = ["Retried", "Undelivered"]

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Retried:
    """What is tried again.

    Attributes:
        given_up: how many messages had been given up and wait again, in the order in which they were put in.
        hastened: for how many peers a message waited for its next attempt, which is now.
    """

    given_up: int
    hastened: int


class Undelivered:
    """Tries messages again that were given up, and those that wait now instead of later."""

    def __init__(self, store: Store, outbox_: Outbox, world: World) -> None:
        self._store = store
        self._outbox = outbox_
        self._world = world

    async def retry(self, connection_id: str | None) -> Retried:
        """Try again all that did not reach a peer, or any."""
        given_up, after = 0, 0
        async with self._store.write() as tx:
            hastened = await self._outbox.hasten(tx, connection_id)
            await self._note(tx, () if connection_id is None else (connection_id,))
        while True:
            async with self._store.write() as tx:
                # What was put in again stands behind those that were there, and is not dead.
                dead = await outbox.page(tx, state=OutboxState.DEAD, lane=connection_id, after=after, limit=_AT_ONCE)
                for message in dead:
                    with suppress(WrongState):  # somebody else was quicker
                        await self._outbox.requeue(tx, message.id)
                        given_up += 1
            if len(dead) < _AT_ONCE:
                return Retried(given_up, hastened)
            after = dead[-1].sequence

    async def retry_one(self, message: Outgoing) -> Retried:
        """Try one message again; for one that waits behind others, the first of them.

        Raises:
            WrongState: ``outgoing_message.unknown`` where it has arrived meanwhile.
        """
        async with self._store.write() as tx:
            await self._note(tx, (message.id, message.lane))
            if message.state is OutboxState.QUEUED:
                return Retried(0, await self._outbox.hasten(tx, message.lane))
            await self._outbox.requeue(tx, message.id)
            return Retried(1, 0)

    async def _note(self, tx: Transaction, subjects: tuple[str, ...]) -> None:
        await audit.append(tx, at=self._world.clock(), event="messages.retried", actor="operator", subjects=subjects)
