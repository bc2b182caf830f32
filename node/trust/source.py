"""What this node knows of whom to trust, for a verification: what its store holds."""

from __future__ import annotations

from protocols.credentials.trust.grants import Known, TrustSource
from storage import trust, trust_lists
from storage.engine import Store

__all__ = ["KnownOnce", "StoredTrust"]

_MAX_KNOWN = 1024


class StoredTrust:
    """A :class:`~protocols.credentials.trust.grants.TrustSource` over a node's store.

    Args:
        store: ``None`` where there is no node, so that nothing is known.
    """

    def __init__(self, store: Store | None) -> None:
        self._store = store

    async def about(self, did: str) -> Known:
        """What is known of a DID."""
        if self._store is None:
            return Known()
        async with self._store.read() as tx:
            rules = [rule.grant for rule in await trust.rules_about(tx, did)]
            listed = await trust_lists.grants_about(tx, did)
            return Known((*rules, *listed), tuple(await trust_lists.accreditations_about(tx, did)))

    async def is_empty(self) -> bool:
        """Whether nobody has said whom to trust."""
        if self._store is None:
            return True
        async with self._store.read() as tx:
            return not (await trust.has_any(tx) or await trust_lists.has_any(tx))


class KnownOnce:
    """A source that asks another one for each DID once, for many verifications as of one moment."""

    def __init__(self, source: TrustSource) -> None:
        self._source = source
        self._known: dict[str, Known] = {}
        self._is_empty: bool | None = None

    async def about(self, did: str) -> Known:
        """What is known of a DID."""
        if did not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[did] = await self._source.about(did)
        return self._known[did]

    async def is_empty(self) -> bool:
        """Whether nobody has said whom to trust."""
        if self._is_empty is None:
            self._is_empty = await self._source.is_empty()
        return self._is_empty
