"""What this process has in its memory of the documents of others, for a verification that must not wait."""

from __future__ import annotations

from node.net.did_resolver import NodeResolver
from node.net.status_fetch import StatusFetcher
from protocols.credentials.open_badges_2.source import PublishedPart
from protocols.did.document import DidDocument
from protocols.status.source import StatusListCopy

__all__ = ["BadgesAtHand", "DidsAtHand", "ListsAtHand", "NotAtHand", "ResourcesAtHand"]


class NotAtHand(Exception):
    """A verification wants something that would have to be fetched, or read from a disk."""


class DidsAtHand:
    """A :class:`protocols.did.resolver.RenewingResolver` that raises :class:`NotAtHand` instead of waiting."""

    def __init__(self, resolver: NodeResolver) -> None:
        self._resolver = resolver

    async def resolve(self, did: str) -> DidDocument:
        """The document of ``did``; raises BadInput ``did.*`` besides."""
        found = self._resolver.at_hand(did)
        if found is None:
            raise NotAtHand
        return found

    async def resolve_anew(self, did: str) -> DidDocument:
        """Nothing is new without asking for it."""
        raise NotAtHand


class ListsAtHand:
    """A :class:`protocols.status.source.StatusSource` that raises :class:`NotAtHand` instead of waiting."""

    def __init__(self, lists: StatusFetcher) -> None:
        self._lists = lists

    async def get(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        """The status list credential at ``url``."""
        return self._given(None if refresh else self._lists.at_hand(url))

    async def get_token(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        """The Status List Token at ``url``."""
        return self._given(None if refresh else self._lists.token_at_hand(url))

    def _given(self, found: StatusListCopy | None) -> StatusListCopy:
        if found is None:
            raise NotAtHand
        return found


class ResourcesAtHand:
    """A :class:`protocols.credentials.resources.ResourceSource` that has nothing, and says so by NotAtHand."""

    async def get(self, url: str) -> bytes:
        """Raises NotAtHand."""
        raise NotAtHand

    async def kept(self, url: str) -> bytes | None:
        """Raises NotAtHand."""
        raise NotAtHand


class BadgesAtHand:
    """A :class:`protocols.credentials.open_badges_2.source.BadgeSource` that has nothing, and says so by NotAtHand."""

    async def get(self, url: str, *, refresh: bool = False) -> PublishedPart:
        """Raises NotAtHand."""
        del url, refresh
        raise NotAtHand
