"""What this process has claimed of the work that replicas share, so that it can give it back before time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from storage.engine import Store, Transaction

__all__ = ["Leases"]


class Leases:
    """The claims on one kind of work.

    Args:
        channel: on which others listen for such work.
        release: ends claims in a unit of work, given the lease of each by id.
    """

    def __init__(
        self, store: Store, channel: str, release: Callable[[Transaction, Mapping[str, int]], Awaitable[None]]
    ) -> None:
        self._store = store
        self._channel = channel
        self._release = release
        self._held: dict[str, int] = {}

    def hold(self, tx: Transaction, leases: Mapping[str, int]) -> None:
        """These are claimed in this unit of work."""
        # Also where its task is cancelled during the commit: the claim stands then, and is to be given back.
        tx.after_commit(lambda: self._held.update(leases))

    def end(self, work_id: str) -> None:
        """A piece of work was concluded, and its claim with it."""
        self._held.pop(work_id, None)

    async def give_back(self) -> None:
        """Let others take at once what was claimed and not concluded.

        Raises:
            LernodeError: see ``storage/errors.py``.
        """
        held, self._held = self._held, {}
        if not held:
            return
        async with self._store.write() as tx:
            await self._release(tx, held)
            tx.notify(self._channel)
