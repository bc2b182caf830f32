"""What one process knows of the messages that wait for one peer, and those that are under way to it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from storage.connections import Connection
from storage.outbox import Letter

__all__ = ["Addressed", "Flight", "Lane"]

_MOST_WAITING = 256
_MOST_WAITING_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Addressed:
    """A message to deliver, and whom to.

    Attributes:
        waits: whether the peer's answers could not reach this node yet.
    """

    message: Letter
    connection: Connection | None
    waits: bool


@dataclass(frozen=True, slots=True)
class Flight:
    """A message under way.

    Attributes:
        place: its name in the order of what is under way to the peer.
    """

    message: Letter
    place: str
    task: asyncio.Task[None]


@dataclass(slots=True, eq=False)
class Lane:
    """The messages of one peer that are due, in their order.

    Attributes:
        is_whole: whether all that waits for the peer is known here, so that the store need not be asked what follows.
        is_loading: whether the store is being asked, so that nothing may leave yet.
        waiting: what has not left yet, each with when it was learnt of, in seconds of the event loop.
        arrived: the ids of messages that the peer has, which the store does not know yet.
        noting: tells the store.
    """

    key: str
    is_whole: bool = False
    is_loading: bool = False
    waiting: deque[tuple[float, Addressed]] = field(default_factory=deque)
    flights: deque[Flight] = field(default_factory=deque)
    arrived: list[str] = field(default_factory=list)
    noting: asyncio.Task[bool] | None = None
    _known: set[str] = field(default_factory=set)
    _bytes: int = 0

    def add(self, addressed: Addressed, now: float) -> None:
        """Put a message behind the others, unless there is no room: then it is left to the store."""
        message = addressed.message
        if message.id in self._known or not self.is_whole:
            return
        if len(self.waiting) >= _MOST_WAITING or self._bytes + len(message.message) > _MOST_WAITING_BYTES:
            self.is_whole = False
            return
        self._known.add(message.id)
        self._bytes += len(message.message)
        self.waiting.append((now, addressed))

    def load(self, stored: Sequence[Addressed], now: float, *, is_all: bool) -> None:
        """Take what the store has, in its order, before what came while it was asked.

        Args:
            is_all: whether the store has no more.
        """
        came = [addressed for _, addressed in self.waiting]
        self.forget_waiting()
        self.is_whole = True
        for addressed in stored:
            self.add(addressed, now)
        self.is_whole &= is_all
        for addressed in came:
            self.add(addressed, now)
        self.is_loading = False

    def take(self) -> Addressed:
        """The first that waits."""
        _, addressed = self.waiting.popleft()
        self._bytes -= len(addressed.message.message)
        return addressed

    def forget_waiting(self) -> None:
        """Leave what waits to the store."""
        self.is_whole = False
        while self.waiting:
            self._known.discard(self.take().message.id)

    def noted(self, ids: Sequence[str]) -> None:
        """The store knows that these have arrived."""
        self._known.difference_update(ids)
