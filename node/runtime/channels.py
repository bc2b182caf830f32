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
    """Which connections have one open. One connection has one: the newest."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Channel, Return]] = {}
        self._of: dict[int, set[str]] = {}
        self._opened: list[Watch] = []
        self._closed: list[Watch] = []

    def watch(self, *, opened: Watch | None = None, closed: Watch | None = None) -> None:
        """Be told of channels that open, and of those that close."""
        self._opened += [opened] if opened else []
        self._closed += [closed] if closed else []

    def open(self, connection_id: str, channel: Channel, returning: Return) -> None:
        """The peer of a connection asked that messages come back over ``channel``."""
        before = self._open.get(connection_id)
        self._open[connection_id] = (channel, returning)
        self._of.setdefault(id(channel), set()).add(connection_id)
        if before is not None and before[0] is not channel:
            self._of[id(before[0])].discard(connection_id)
            self._tell(self._closed, connection_id, before[0])
        if before is None or before[0] is not channel:
            self._tell(self._opened, connection_id, channel)

    def close(self, channel: Channel) -> None:
        """The channel is no more."""
        for connection_id in self._of.pop(id(channel), set()):
            del self._open[connection_id]
            self._tell(self._closed, connection_id, channel)

    def find(self, connection_id: str, thid: str) -> Channel | None:
        """The channel by which a message of this thread may go to the peer, or None."""
        channel, returning = self._open.get(connection_id, (None, None))
        return channel if returning is not None and returning.covers(thid) else None

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
