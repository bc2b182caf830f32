"""Where the parts of a badge come from that its issuer's web server has: the interface, so that checking stays pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from protocols.errors import NotNow

__all__ = ["BadgeSource", "NoBadges", "PublishedPart"]


@dataclass(frozen=True, slots=True)
class PublishedPart:
    """An object of Open Badges 2.0 as a server has it.

    Attributes:
        document: the object, or the text of a JWS.
        fetched_at: when the server last gave or confirmed it; timezone-aware.
    """

    document: dict[str, Any] | str
    fetched_at: datetime


class BadgeSource(Protocol):
    """Gives objects of Open Badges 2.0 by their URL."""

    async def get(self, url: str, *, refresh: bool = False) -> PublishedPart:
        """The object at ``url``.

        Args:
            refresh: ask the server even where a kept copy is fresh.

        Raises:
            NotNow: ``badge.unreachable``: it cannot be had and there is no copy.
            BadInput: ``badge.not_there``, ``badge.part``, or ``net.*`` where policy forbids to fetch it.
        """


class NoBadges:
    """A :class:`BadgeSource` that has nothing."""

    async def get(self, url: str, *, refresh: bool = False) -> PublishedPart:
        """Raises NotNow."""
        del url, refresh
        raise NotNow("badge.unreachable", "Nothing is fetched here.", "Verify with a node that may fetch it.")
