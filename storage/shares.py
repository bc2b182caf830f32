"""What is shown by a link: who has the link may see it until it expires or is withdrawn.

Promises: the store has only a keyed hash of what the link ends with; what was withdrawn, or is of a record that was
erased, is gone from the store, and not only hidden; every view of what is shown is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query, bounded
from storage.values import from_micros, to_micros

__all__ = ["Content", "Share", "ShownEntry", "add", "delete", "find_by_prefix", "get", "naming", "of_record", "page",
           "view", "withdraw"]  # fmt: skip

_CONTENT = "shares.content"
_TOKEN = "shares.token"  # noqa: S105 - the name of a column


class ShownEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The learner's words about a record of the presentation, by its position there; whether it is an own statement."""

    text: str
    own: bool


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown.

    Attributes:
        presentation: as signed.
    """

    resume_id: str
    title: str
    text: str
    entries: tuple[ShownEntry, ...]
    presentation: msgspec.Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A link, without what it ends with.

    Attributes:
        content: None once it is withdrawn.
        record_ids: of the records that are shown.
    """

    id: str
    content: Content | None
    record_ids: tuple[str, ...]
    created: datetime
    expires: datetime
    withdrawn: datetime | None = None
    views: int = 0
    last_view: datetime | None = None

    def state(self, now: datetime) -> str:
        """``open``, ``expired`` or ``withdrawn``."""
        if self.withdrawn is not None:
            return "withdrawn"
        return "open" if now < self.expires else "expired"


async def add(tx: Transaction, share: Share, token: str) -> None:
    """Let who has the token see it; the token itself is not kept."""
    content = None if share.content is None else msgspec.json.encode(share.content)
    await tx.execute(
        "INSERT INTO shares (id, token_key, content, created, expires, views) VALUES (?, ?, ?, ?, ?, 0)",
        (
            share.id,
            tx.sealing.blind(_TOKEN, token),
            tx.sealing.seal(_CONTENT, share.id, content),
            to_micros(share.created),
            to_micros(share.expires),
        ),
    )
    await tx.execute_many(
        "INSERT INTO share_records (share_id, record_id) VALUES (?, ?)",
        [(share.id, record_id) for record_id in dict.fromkeys(share.record_ids)],
    )


async def view(tx: Transaction, token: str, now: datetime) -> Share | None:
    """What the token is for, counted as seen once more where it can be seen; None where it is for nothing."""
    row = await tx.one("SELECT * FROM shares WHERE token_key = ?", (tx.sealing.blind(_TOKEN, token),))
    if row is None:
        return None
    share = await _share(tx, row)
    if share.state(now) != "open":
        return share
    await tx.execute("UPDATE shares SET views = views + 1, last_view = ? WHERE id = ?", (to_micros(now), share.id))
    return replace(share, views=share.views + 1, last_view=now)


async def get(tx: Transaction, share_id: str) -> Share:
    """What is, or was, shown by a link.

    Raises:
        WrongState: ``share.unknown``.
    """
    row = await tx.one("SELECT * FROM shares WHERE id = ?", (share_id,))
    if row is None:
        raise unknown("share")
    return await _share(tx, row)


async def withdraw(tx: Transaction, share_id: str, now: datetime) -> bool:
    """Show it no longer, and forget what was shown; whether it was shown before."""
    changed = await tx.execute(
        "UPDATE shares SET content = NULL, withdrawn = ? WHERE id = ? AND withdrawn IS NULL",
        (to_micros(now), share_id),
    )
    return changed > 0


async def delete(tx: Transaction, share_id: str) -> None:
    """Forget that there was such a link.

    Raises:
        WrongState: ``share.unknown``.
    """
    await tx.execute("DELETE FROM share_records WHERE share_id = ?", (share_id,))
    if not await tx.execute("DELETE FROM shares WHERE id = ?", (share_id,)):
        raise unknown("share")


async def of_record(tx: Transaction, record_id: str) -> list[str]:
    """The ids of what shows a record, or did."""
    rows = await tx.all("SELECT share_id FROM share_records WHERE record_id = ? ORDER BY share_id", (record_id,))
    return [row["share_id"] for row in rows]


async def naming(tx: Transaction, names: Callable[[bytes], bool]) -> list[str]:
    """The ids of what is shown by a link and names who is meant."""
    rows = await tx.all("SELECT id, content FROM shares WHERE content IS NOT NULL ORDER BY id")
    return [row["id"] for row in rows if names(tx.sealing.open(_CONTENT, row["id"], row["content"]))]


async def find_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[Share]:
    """What is shown by links whose id starts so, in the order of their ids."""
    rows = await tx.all(*Query("SELECT * FROM shares").id_starting_with(prefix, limit))
    return [await _share(tx, row) for row in rows]


async def page(tx: Transaction, *, after: str | None = None, limit: int = 100) -> list[Share]:
    """What is, or was, shown by links, the newest first; ``after`` is the id of the last one of the page before."""
    query = Query("SELECT * FROM shares").newest_first("shares", "created", after, bounded(limit))
    return [await _share(tx, row) for row in await tx.all(*query)]


async def _share(tx: Transaction, row: Row) -> Share:
    rows: Sequence[Row] = await tx.all(
        "SELECT record_id FROM share_records WHERE share_id = ? ORDER BY record_id", (row["id"],)
    )
    content = tx.sealing.open(_CONTENT, row["id"], row["content"])
    return Share(
        id=row["id"],
        content=None if content is None else msgspec.json.decode(content, type=Content),
        record_ids=tuple(each["record_id"] for each in rows),
        created=from_micros(row["created"]),
        expires=from_micros(row["expires"]),
        withdrawn=from_micros(row["withdrawn"]),
        views=row["views"],
        last_view=from_micros(row["last_view"]),
    )
