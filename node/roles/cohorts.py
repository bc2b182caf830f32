"""What an issuer can say about its learners together: exactly for itself, and in counts with noise for others."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from node.runtime.world import World
from node.skills.cohort import Learner, Tally
from protocols.credentials.reading import stated
from storage import issued_by_learner
from storage.engine import Store
from storage.issued_by_learner import Issued, Which

__all__ = ["Cohorts"]

_ROWS_AT_ONCE = 200


class Cohorts:
    """Counts what the learners of this node's records have; reads page by page, however many there are."""

    def __init__(self, store: Store, world: World) -> None:
        self._store = store
        self._world = world

    async def learners(self, which: Which, *, after: bytes | None = None) -> AsyncGenerator[Learner, None]:
        """The learners with a record that counts, one after the other; ``after`` is the place of one of them."""
        now = self._world.clock()
        learner: Learner | None = None
        async for row in self._issued(which, after):
            if learner is None or learner.place != row.learner:
                if learner is not None and learner.records:
                    yield learner
                learner = Learner(row.learner, row.subject)
            learner.add(stated(row.document), now)
        if learner is not None and learner.records:
            yield learner

    async def tally(self, which: Which) -> Tally:
        """How many learners have which skill, exactly: for the issuer's own eyes."""
        found = Tally()
        async for learner in self.learners(which):
            found.add(learner)
        return found

    async def _issued(self, which: Which, after: bytes | None) -> AsyncGenerator[Issued, None]:
        last: Issued | None = None
        while True:
            async with self._store.read() as tx:
                rows = await issued_by_learner.page(tx, which, after=last, after_learner=after, limit=_ROWS_AT_ONCE)
            for row in rows:
                yield row
            if len(rows) < _ROWS_AT_ONCE:
                return
            last = rows[-1]
