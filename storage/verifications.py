"""What was verified, when, and how each check ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.engine import Row, Transaction
from storage.errors import already_stored, unknown
from storage.query import Query
from storage.values import from_micros, to_micros

__all__ = ["Verification", "add", "get", "latest", "page"]

_DOCUMENT, _RESULT = "verifications.document", "verifications.result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """One verification.

    Attributes:
        exchange_id: the exchange that brought the document; None for a file.
        document_digest: SHA-256 of the document, hex.
        document: the document itself, where it is kept.
        result: :meth:`protocols.credentials.verification.VerificationResult.to_json`.
    """

    id: str
    exchange_id: str | None
    document_digest: str
    document: bytes | None
    result: Mapping[str, Any]
    verified: bool
    at: datetime


async def add(tx: Transaction, verification: Verification) -> None:
    """Keep a result; an exchange may be verified again later and then has several.

    Raises:
        WrongState: ``verification.exists``.
    """
    result = {"digest": verification.document_digest, "result": verification.result}
    inserted = await tx.execute(
        "INSERT INTO verifications (id, exchange_id, document, result, verified, at) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (
            verification.id,
            verification.exchange_id,
            tx.sealing.seal(_DOCUMENT, verification.id, verification.document),
            tx.sealing.seal_json(_RESULT, verification.id, result),
            int(verification.verified),
            to_micros(verification.at),
        ),
    )
    if not inserted:
        raise already_stored("verification")


async def get(tx: Transaction, verification_id: str) -> Verification:
    """A result.

    Raises:
        WrongState: ``verification.unknown``.
    """
    row = await tx.one("SELECT * FROM verifications WHERE id = ?", (verification_id,))
    if row is None:
        raise unknown("verification")
    return _from_row(tx, row)


async def latest(tx: Transaction, exchange_id: str) -> Verification | None:
    """The last result for what an exchange brought, or None."""
    row = await tx.one(
        "SELECT * FROM verifications WHERE exchange_id = ? ORDER BY at DESC, id DESC LIMIT 1", (exchange_id,)
    )
    return None if row is None else _from_row(tx, row)


async def page(
    tx: Transaction, *, exchange_id: str | None = None, after: str | None = None, limit: int = 100
) -> list[Verification]:
    """Results, the newest first; ``after`` is the id of the last one of the page before."""
    query = Query("SELECT * FROM verifications").equal("exchange_id", exchange_id)
    return [_from_row(tx, row) for row in await tx.all(*query.newest_first("verifications", "at", after, limit))]


def _from_row(tx: Transaction, row: Row) -> Verification:
    result = tx.sealing.open_json(_RESULT, row["id"], row["result"])
    return Verification(
        id=row["id"],
        exchange_id=row["exchange_id"],
        document_digest=result["digest"],
        document=tx.sealing.open(_DOCUMENT, row["id"], row["document"]),
        result=result["result"],
        verified=bool(row["verified"]),
        at=from_micros(row["at"]),
    )
