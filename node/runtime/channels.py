"""Channels that peers hold open: ways back to who cannot be reached otherwise (Aries RFC 0092, ``return_route``).

A channel is a WebSocket, or an HTTP request that waits for its response. It belongs to a connection only after an
authenticated message of that peer asked for it, and to no other. What is kept of a channel ends with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from protocols.didcomm.return_route import Return

__all__ = ["Channel", "Channels"]


class Channel(Protocol):
    """A way back."""

    @property
    def stays_open(self) -> bool:
        """Whether it can carry more than one message."""

    async def send(self, envelope: bytes, media_type: str) -> None:
        """Hand an envelope over; done once it left this process.

        Raises:
            NotNow: ``channel.closed``: it may not have left.
        """

    async def reply(self, envelope: bytes, media_type: str) -> None:
        """Likewise from within the handling of what came in over it, which must not wait for itself.

        Raises:
            NotNow: ``channel.closed``.
        """


Watch = Callable[[str, Channel], None]
"""Told of a connection and its channel."""


class Channels:
    """Which connections have one open.

    One connection has one that stays open, the newest, and beside it any number of requests that wait for a response,
    which do not replace it: a client in live mode may ask something else by plain HTTP meanwhile.
    """

    def __init__(self) -> None:
        self._open: dict[str, list[tuple[Channel, Return]]] = {}
        self._of: dict[int, set[str]] = {}
        self._opened: list[Watch] = []
        self._closed: list[Watch] = []

    def watch(self, *, opened: Watch | None = None, closed: Watch | None = None) -> None:
        """Be told of channels that open, and of those that close."""
        self._opened += [opened] if opened else []
        self._closed += [closed] if closed else []

    def open(self, connection_id: str, channel: Channel, returning: Return) -> None:
        """The peer of a connection asked that messages come back over ``channel``."""
        before = self._open.get(connection_id, [])
        replaced = [held for held, _ in before if channel.stays_open and held.stays_open and held is not channel]
        for held in replaced:
            self._of[id(held)].discard(connection_id)
        kept = [each for each in before if each[0] is not channel and each[0] not in replaced]
        self._open[connection_id] = [*kept, (channel, returning)]
        self._of.setdefault(id(channel), set()).add(connection_id)
        for held in replaced:
            self._tell(self._closed, connection_id, held)
        if all(held is not channel for held, _ in before):
            self._tell(self._opened, connection_id, channel)

    def close(self, channel: Channel) -> None:
        """The channel is no more."""
        for connection_id in self._of.pop(id(channel), set()):
            left = [each for each in self._open.pop(connection_id) if each[0] is not channel]
            if left:
                self._open[connection_id] = left
            self._tell(self._closed, connection_id, channel)

    def find(self, connection_id: str, thid: str) -> Channel | None:
        """The newest channel by which a message of this thread may go to the peer, or None."""
        newest = reversed(self._open.get(connection_id, []))
        return next((channel for channel, returning in newest if returning.covers(thid)), None)

    def takes(self, connection_id: str, thid: str, channel: Channel) -> bool:
        """Whether a message of this thread may go to the peer by this channel."""
        return any(held is channel and returning.covers(thid) for held, returning in self._open.get(connection_id, []))

    def connections_of(self, channel: Channel) -> frozenset[str]:
        """Whose channel it is."""
        return frozenset(self._of.get(id(channel), ()))

    def __len__(self) -> int:
        """How many connections have one."""
        return len(self._open)

    @staticmethod
    def _tell(watchers: list[Watch], connection_id: str, channel: Channel) -> None:
        for watcher in watchers:
            watcher(connection_id, channel)
