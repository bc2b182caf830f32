"""The order of one sender's requests that are under way at once, of which HTTP says nothing.

A node says of each envelope that it posts which place it has, and behind which it comes: ``Lernode-Order: b; after=a``.
The names of places are random, and mean something only until the requests are over. A receiver that was told a place
and keeps to it says so (``Lernode-Order: kept``), and only to such a one is a message sent while another is under way.
Whoever does not know the header, or does not see it, is sent one message after the other.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from protocols.errors import BadInput, NotNow

__all__ = ["HEADER", "KEPT", "Arrivals", "Place"]

HEADER = "Lernode-Order"
KEPT = "kept"
_WRITTEN = re.compile(r"([0-9A-Za-z-]{16,64})(?:; after=([0-9A-Za-z-]{16,64}))?")
_MOST_KNOWN = 10_000
_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Place:
    """A request's own place, and the one behind which it comes; None where nothing before it is under way."""

    name: str
    after: str | None

    def __str__(self) -> str:
        return self.name if self.after is None else f"{self.name}; after={self.after}"

    @classmethod
    def read(cls, header: str) -> Place:
        """What a header says.

        Raises:
            BadInput: ``http.order_malformed``.
        """
        found = _WRITTEN.fullmatch(header)
        if found is None:
            raise BadInput("http.order_malformed", f"The header {HEADER} cannot be read.", "Leave it out.")
        return cls(found[1], found[2])


class Arrivals:
    """Carries out requests in the order of their places."""

    def __init__(self, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        """
        Args:
            patience_seconds: how long a request waits for one before it that has not come yet.
        """
        self._patience = patience_seconds
        self._known: OrderedDict[str, asyncio.Future[bool]] = OrderedDict()

    @asynccontextmanager
    async def take(self, place: Place) -> AsyncIterator[None]:
        """Carry a request out in the block, once the one before it was carried out well.

        Raises:
            NotNow: ``http.out_of_order``: the one before it failed, or did not come.
        """
        own = self._find(place.name)
        well = False
        try:
            if place.after is not None and not await self._went_well(place.after):
                raise NotNow("http.out_of_order", "What was to be carried out before this was not.", "Send that first.")
            yield
            well = True
        finally:
            if not own.done():
                own.set_result(well)

    async def _went_well(self, name: str) -> bool:
        before = self._find(name)
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.shield(before)
        except TimeoutError:
            return False

    def _find(self, name: str) -> asyncio.Future[bool]:
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = asyncio.get_running_loop().create_future()
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return found
