"""Receipts of consent: what the holder agreed to show, to whom, and why; kept as they were written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.engine import Row, Transaction
from storage.errors import already_stored, unknown
from storage.query import Query
from storage.values import from_micros, to_micros

__all__ = ["Receipt", "add", "find_by_prefix", "page"]

_DOCUMENT = "receipts.document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One receipt.

    Attributes:
        exchange_id: the exchange in which it was shown; None where it is shown by a link.
        document: what :mod:`node.roles.consents` makes.
    """

    id: str
    exchange_id: str | None
    document: Mapping[str, Any]
    at: datetime


async def add(tx: Transaction, receipt: Receipt) -> None:
    """Keep a receipt.

    Raises:
        WrongState: ``receipt.exists``.
    """
    inserted = await tx.execute(
        "INSERT INTO receipts (id, exchange_id, document, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            receipt.id,
            receipt.exchange_id,
            tx.sealing.seal_json(_DOCUMENT, receipt.id, receipt.document),
            to_micros(receipt.at),
        ),
    )
    if not inserted:
        raise already_stored("receipt")


async def find_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[Receipt]:
    """The receipts whose id starts so, in the order of their ids.

    Raises:
        WrongState: ``receipt.unknown`` where there is none.
    """
    query = Query("SELECT * FROM receipts").id_starting_with(prefix, limit)
    rows = await tx.all(*query)
    if not rows:
        raise unknown("receipt")
    return [_from_row(tx, row) for row in rows]


async def page(
    tx: Transaction, *, exchange_id: str | None = None, after: str | None = None, limit: int = 100
) -> list[Receipt]:
    """Receipts, the newest first; ``after`` is the id of the last one of the page before."""
    query = Query("SELECT * FROM receipts").equal("exchange_id", exchange_id)
    return [_from_row(tx, row) for row in await tx.all(*query.newest_first("receipts", "at", after, limit))]


def _from_row(tx: Transaction, row: Row) -> Receipt:
    return Receipt(
        id=row["id"],
        exchange_id=row["exchange_id"],
        document=tx.sealing.open_json(_DOCUMENT, row["id"], row["document"]),
        at=from_micros(row["at"]),
    )
