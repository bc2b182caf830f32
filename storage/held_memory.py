"""The newest held records, opened and read, kept in memory between one look through all of them and the next.

A look asks the store every time which records there are, and for their whole rows; only opening and reading what is
sealed is spared. Promises: what is given is what the rows say now, for what was opened is used only while its row is,
byte for byte, the one that it was opened from. What was deleted is forgotten as soon as that is committed, by this
process or by another one on the same store. It is bounded in records and in bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from storage.credentials import HELD_REMOVED, HeldCredential, held_in
from storage.engine import Row, Store, Transaction
from storage.query import Query

__all__ = ["HeldMemory", "OpenHeld"]

_PAGE = 500

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class OpenHeld(Generic[Content]):
    """A held record and what was read from its document, which is shared: nobody may change it."""

    record: HeldCredential
    content: Content


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Content]):
    row: tuple[Any, ...]
    opened: OpenHeld[Content]


class HeldMemory(Generic[Content]):
    """Looks through the held records of a store.

    Args:
        read: gives what a document says; it is called once for as long as the record is kept.
        max_records: how many are kept at most.
        max_bytes: how long their documents are at most, together.
    """

    def __init__(
        self,
        store: Store,
        read: Callable[[bytes], Content],
        *,
        max_records: int = 1000,
        max_bytes: int = 4 << 20,
    ) -> None:
        self._read = read
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._kept: dict[str, _Kept[Content]] = {}
        self._forgotten = 0
        store.listen(HELD_REMOVED, self.forget)

    def __len__(self) -> int:
        return len(self._kept)

    def forget(self) -> None:
        """Keep nothing of what was opened so far."""
        self._kept = {}
        self._forgotten += 1

    async def newest(self, tx: Transaction, limit: int) -> list[OpenHeld[Content]]:
        """The newest held records, at most ``limit``, the newest first.

        Raises:
            LernodeError: ``store.content_altered``, and what reading a document raises.
        """
        forgotten, found = self._forgotten, list[OpenHeld[Content]]()
        keep: dict[str, _Kept[Content]] = {}
        room = self._max_bytes
        after: str | None = None
        while len(found) < limit:
            query = Query("SELECT * FROM held_credentials")
            count = min(_PAGE, limit - len(found))
            rows = await tx.all(*query.newest_first("held_credentials", "stored_at", after, count))
            for row in rows:
                entry = self._entry(tx, row)
                found.append(entry.opened)
                room -= len(entry.opened.record.document)
                if room >= 0 and len(keep) < self._max_records:
                    keep[row["id"]] = entry
            if len(rows) < count:
                break
            after = rows[-1]["id"]
        # A snapshot may still show what was deleted since. A unit of work cannot, except where it is told meanwhile.
        if tx.writable and forgotten == self._forgotten:
            self._kept = keep
        return found

    def _entry(self, tx: Transaction, row: Row) -> _Kept[Content]:
        values, kept = tuple(row), self._kept.get(row["id"])
        if kept is not None and kept.row == values:
            return kept
        record = held_in(tx, row)
        return _Kept(values, OpenHeld(record, self._read(record.document)))
