"""What a credential refers to by URL: schemas and related resources, and where a verifier gets their bytes from.

The interface keeps checking free of I/O. Whether the bytes are those that the issuer meant is for whoever compares
their digest (``digests.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from protocols.errors import NotNow

__all__ = ["GivenResources", "NoResources", "ResourceSource"]


class ResourceSource(Protocol):
    """Gives resources by their URL."""

    async def get(self, url: str) -> bytes:
        """The resource, fetched where it is not at hand.

        Raises:
            NotNow: ``resource.unreachable``: it cannot be had and there is no copy.
            BadInput: ``resource.not_found``, or ``net.*`` where policy forbids to fetch it.
        """

    async def kept(self, url: str) -> bytes | None:
        """The resource where it is at hand; nobody is asked for it."""


class NoResources:
    """A :class:`ResourceSource` that has nothing."""

    async def get(self, url: str) -> bytes:
        """Raises NotNow."""
        del url
        raise NotNow("resource.unreachable", "Nothing is fetched here.", "Verify with a node that may fetch it.")

    async def kept(self, url: str) -> bytes | None:
        """Nothing."""
        del url
        return None


class GivenResources:
    """Has some resources itself, and asks another source for the others.

    Args:
        given: the bytes by URL.
    """

    def __init__(self, given: Mapping[str, bytes], others: ResourceSource) -> None:
        self._given = given
        self._others = others

    async def get(self, url: str) -> bytes:
        """The given one, else as the other source."""
        given = self._given.get(url)
        return await self._others.get(url) if given is None else given

    async def kept(self, url: str) -> bytes | None:
        """The given one, else as the other source."""
        given = self._given.get(url)
        return await self._others.kept(url) if given is None else given
