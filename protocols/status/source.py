"""Where a verifier gets status lists from: the interface, so that checking them stays free of I/O.

Leaves the proof of the list, its issuer and whether it is fresh enough to the verification, which is told when the
copy was last known to be current.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

__all__ = ["PublishedDocument", "StatusListCopy", "StatusSource"]

PublishedDocument = dict[str, Any] | str
"""A status list as it was published: a credential with its proof inside, or the compact text that secures it."""


@dataclass(frozen=True, slots=True)
class StatusListCopy:
    """A status list as its issuer published it.

    Attributes:
        document: the list, not verified.
        fetched_at: when the issuer's server last gave or confirmed it; timezone-aware.
        from_cache: whether the server was not asked, or did not answer, this time.
    """

    document: PublishedDocument
    fetched_at: datetime
    from_cache: bool


class StatusSource(Protocol):
    """Gives status lists by their URL."""

    async def get(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        """The status list credential at ``url`` (Bitstring Status List 1.0 §3.2).

        Args:
            refresh: ask the issuer's server even where a kept copy is within its ttl.

        Raises:
            NotNow: ``status.unreachable``: it cannot be had and there is no copy.
            BadInput: ``status.*``: what is there is no status list.
        """

    async def get_token(self, url: str, *, refresh: bool = False) -> StatusListCopy:
        """The Status List Token at ``url`` (draft-ietf-oauth-status-list-20 §8.1), a JWT.

        Args, raises: as :meth:`get`.
        """
