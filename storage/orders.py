"""The issuing desk's lists: who is to get which record, who approved it, and what became of each row.

Promises: what is said of learners and staff is sealed. A row is sent by one process at a time: :func:`claim` gives it
to nobody else before its lease is over, and it comes back where that process died.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query, bounded
from storage.values import from_json, from_micros, to_json, to_micros

__all__ = [
    "Order",
    "OrderRow",
    "OrderState",
    "RowState",
    "add",
    "add_rows",
    "claim",
    "counts",
    "find_by_prefix",
    "get",
    "keep_mapping",
    "mapping",
    "mappings",
    "next_due",
    "page",
    "remove",
    "remove_mapping",
    "remove_rows",
    "rows",
    "rows_naming",
    "save",
    "save_row",
]

_CONTENT = "orders.content"
_ROW = "order_rows.content"


class OrderState(StrEnum):
    """Whether a list may be issued."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"


class RowState(StrEnum):
    """What became of a row: not begun, signed, an invitation to be sent, one that was sent, or nothing more to do."""

    READY = "ready"
    ISSUED = "issued"
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A list of learners for one achievement.

    Attributes:
        achievement_id: of the version that is awarded.
        by_mail: the records are offered by mail; else they are signed to be handed over.
        brought_by, decided_by: persons, as the admin API knows them.
        reason: why it was declined, or what the person who approved it noted.
        valid_from, valid_until: where a row has no date; ISO 8601.
    """

    id: str
    state: OrderState
    created: datetime
    achievement_id: str
    title: str
    by_mail: bool
    brought_by: str
    decided_by: str | None = None
    reason: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One learner of a list, or a line of it that could not be read.

    Attributes:
        date: when it was earned, ISO 8601.
        code, message: why it failed, or why the last attempt to send it did.
        link: of the invitation, while it is to be sent.
        issued_id: the record that was signed here.
        exchange_id: in which the learner takes the record.
        due: when the invitation is sent.
    """

    order_id: str
    line: int
    state: RowState = RowState.READY
    name: str = ""
    email: str | None = None
    did: str | None = None
    date: str | None = None
    result: str | None = None
    code: str | None = None
    message: str | None = None
    link: str | None = None
    issued_id: str | None = None
    exchange_id: str | None = None
    attempts: int = 0
    due: datetime | None = None

    @property
    def id(self) -> str:
        """By which it is known in this store."""
        return f"{self.order_id}/{self.line:06d}"


_SEALED_ORDER = (
    "achievement_id",
    "title",
    "by_mail",
    "brought_by",
    "decided_by",
    "reason",
    "valid_from",
    "valid_until",
)
_SEALED_ROW = ("name", "email", "did", "date", "result", "code", "message", "link")


async def add(tx: Transaction, order: Order) -> None:
    """Keep a new list."""
    await tx.execute(
        "INSERT INTO orders (id, state, content, created) VALUES (?, ?, ?, ?)",
        (order.id, order.state, _sealed_order(tx, order), to_micros(order.created)),
    )


async def save(tx: Transaction, order: Order) -> None:
    """Keep a list as it is now."""
    await tx.execute(
        "UPDATE orders SET state = ?, content = ? WHERE id = ?", (order.state, _sealed_order(tx, order), order.id)
    )


async def get(tx: Transaction, order_id: str, *, lock: bool = False) -> Order:
    """A list.

    Args:
        lock: let nobody else change it in this unit of work.

    Raises:
        WrongState: ``order.unknown``.
    """
    if lock:
        await tx.lock(f"order {order_id}")
    row = await tx.one("SELECT * FROM orders WHERE id = ?", (order_id,))
    if row is None:
        raise unknown("order")
    return _order(tx, row)


async def find_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[Order]:
    """The lists whose id starts so, in the order of their ids."""
    return [_order(tx, row) for row in await tx.all(*Query("SELECT * FROM orders").id_starting_with(prefix, limit))]


async def page(tx: Transaction, *, after: str | None = None, limit: int = 100) -> list[Order]:
    """The lists, the newest first."""
    query = Query("SELECT * FROM orders")
    return [_order(tx, row) for row in await tx.all(*query.newest_first("orders", "created", after, limit))]


async def remove(tx: Transaction, order_id: str) -> None:
    """Forget a list; the records that were issued to it stay.

    Raises:
        WrongState: ``order.unknown``.
    """
    await tx.execute("DELETE FROM order_rows WHERE order_id = ?", (order_id,), bulk=True)
    if not await tx.execute("DELETE FROM orders WHERE id = ?", (order_id,)):
        raise unknown("order")


async def add_rows(tx: Transaction, given: Sequence[OrderRow]) -> None:
    """Keep the rows of a new list."""
    await tx.execute_many(
        "INSERT INTO order_rows (id, order_id, line, state, content, attempts) VALUES (?, ?, ?, ?, ?, 0)",
        [(row.id, row.order_id, row.line, row.state, _sealed_row(tx, row)) for row in given],
    )


async def save_row(tx: Transaction, *changed: OrderRow) -> None:
    """Keep rows as they are now."""
    await tx.execute_many(
        "UPDATE order_rows SET state = ?, content = ?, issued_id = ?, exchange_id = ?, attempts = ?, due = ? "
        "WHERE id = ?",
        [
            (
                row.state,
                _sealed_row(tx, row),
                row.issued_id,
                row.exchange_id,
                row.attempts,
                to_micros(row.due) if row.due else None,
                row.id,
            )
            for row in changed
        ],
    )


async def rows(
    tx: Transaction, order_id: str, *, state: RowState | None = None, after: int = 0, limit: int = 500
) -> list[OrderRow]:
    """Rows of a list in the order of their lines, those after line ``after``."""
    query = Query("SELECT * FROM order_rows").where("order_id = ? AND line > ?", order_id, after).equal("state", state)
    return [_row(tx, row) for row in await tx.all(*query.end("ORDER BY line LIMIT ?", bounded(limit)))]


async def counts(tx: Transaction, order_id: str) -> dict[RowState, int]:
    """How many rows of a list are in each state."""
    found = await tx.all("SELECT state, COUNT(*) AS n FROM order_rows WHERE order_id = ? GROUP BY state", (order_id,))
    return {RowState(row["state"]): int(row["n"]) for row in found}


async def claim(tx: Transaction, now: datetime, lease: timedelta) -> OrderRow | None:
    """The row whose invitation is to be sent now, and which nobody else gets before ``lease`` is over."""
    await tx.lock("order mail")
    row = await tx.one("SELECT * FROM order_rows WHERE due <= ? ORDER BY due, id LIMIT 1", (to_micros(now),))
    if row is None:
        return None
    claimed = replace(_row(tx, row), due=now + lease)
    await save_row(tx, claimed)
    return claimed


async def next_due(tx: Transaction) -> datetime | None:
    """When the next invitation is to be sent."""
    row = await tx.one("SELECT MIN(due) AS due FROM order_rows WHERE due IS NOT NULL")
    return None if row is None else from_micros(row["due"])


async def rows_naming(tx: Transaction, names: Callable[[bytes], bool]) -> list[str]:
    """The ids of rows whose content names who is meant."""
    found: list[str] = []
    after = ""
    while page := await tx.all("SELECT id, content FROM order_rows WHERE id > ? ORDER BY id LIMIT 500", (after,)):
        found += [row["id"] for row in page if names(tx.sealing.open(_ROW, row["id"], row["content"]))]
        after = page[-1]["id"]
    return found


async def remove_rows(tx: Transaction, ids: Sequence[str]) -> None:
    """Forget rows."""
    await tx.execute_many("DELETE FROM order_rows WHERE id = ?", [(one,) for one in ids])


async def keep_mapping(tx: Transaction, name: str, columns: Mapping[str, Any]) -> None:
    """Keep by name which column of a student system is what."""
    await tx.execute(
        "INSERT INTO column_mappings (name, columns) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET columns = ?",
        (name, to_json(columns), to_json(columns)),
    )


async def mapping(tx: Transaction, name: str) -> dict[str, Any]:
    """Which column is what.

    Raises:
        WrongState: ``mapping.unknown``.
    """
    row = await tx.one("SELECT columns FROM column_mappings WHERE name = ?", (name,))
    if row is None:
        raise unknown("mapping")
    return dict(from_json(row["columns"]))


async def mappings(tx: Transaction) -> dict[str, dict[str, Any]]:
    """All that are kept, by name."""
    found = await tx.all("SELECT * FROM column_mappings ORDER BY name LIMIT 1000")
    return {row["name"]: from_json(row["columns"]) for row in found}


async def remove_mapping(tx: Transaction, name: str) -> None:
    """Forget a mapping.

    Raises:
        WrongState: ``mapping.unknown``.
    """
    if not await tx.execute("DELETE FROM column_mappings WHERE name = ?", (name,)):
        raise unknown("mapping")


def _sealed_order(tx: Transaction, order: Order) -> bytes:
    content = asdict(order)
    return tx.sealing.seal_json(_CONTENT, order.id, {name: content[name] for name in _SEALED_ORDER})


def _sealed_row(tx: Transaction, row: OrderRow) -> bytes:
    content = {name: getattr(row, name) for name in _SEALED_ROW}
    return tx.sealing.seal_json(_ROW, row.id, {name: value for name, value in content.items() if value is not None})


def _order(tx: Transaction, row: Row) -> Order:
    content = tx.sealing.open_json(_CONTENT, row["id"], row["content"])
    return Order(id=row["id"], state=OrderState(row["state"]), created=from_micros(row["created"]), **content)


def _row(tx: Transaction, row: Row) -> OrderRow:
    return OrderRow(
        order_id=row["order_id"],
        line=row["line"],
        state=RowState(row["state"]),
        issued_id=row["issued_id"],
        exchange_id=row["exchange_id"],
        attempts=row["attempts"],
        due=from_micros(row["due"]),
        **tx.sealing.open_json(_ROW, row["id"], row["content"]),
    )
