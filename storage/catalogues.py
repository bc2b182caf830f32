"""Signed catalogues: that of this node, as it was published last, and those that were taken from others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.values import from_micros, to_micros

__all__ = ["SignedCatalogue", "every", "find", "own", "put", "remove"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCatalogue:
    """One catalogue.

    Attributes:
        issuer: the DID that has signed it.
        own: whether it is of this node.
        sequence: grows with every edition.
        document: as signed.
    """

    issuer: str
    own: bool
    name: str
    source: str | None
    sequence: int
    document: bytes
    valid_until: datetime
    taken: datetime


async def put(tx: Transaction, catalogue: SignedCatalogue) -> None:
    """Keep a catalogue, instead of an earlier edition."""
    values = (
        int(catalogue.own),
        catalogue.name,
        catalogue.source,
        catalogue.sequence,
        catalogue.document,
        to_micros(catalogue.valid_until),
        to_micros(catalogue.taken),
    )
    await tx.execute(
        "INSERT INTO catalogues (issuer, own, name, source, sequence, document, valid_until, taken) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (issuer) DO UPDATE SET own = ?, name = ?, source = ?, "
        "sequence = ?, document = ?, valid_until = ?, taken = ?",
        (catalogue.issuer, *values, *values),
    )


async def find(tx: Transaction, issuer: str) -> SignedCatalogue | None:
    """The catalogue of an issuer, or None."""
    row = await tx.one("SELECT * FROM catalogues WHERE issuer = ?", (issuer,))
    return None if row is None else _catalogue(row)


async def own(tx: Transaction) -> SignedCatalogue | None:
    """That of this node, as it was published last; or None."""
    row = await tx.one("SELECT * FROM catalogues WHERE own = 1 ORDER BY taken DESC LIMIT 1")
    return None if row is None else _catalogue(row)


async def every(tx: Transaction) -> list[SignedCatalogue]:
    """All of them, by issuer; at most a thousand."""
    return [_catalogue(row) for row in await tx.all("SELECT * FROM catalogues ORDER BY issuer LIMIT 1000")]


async def remove(tx: Transaction, issuer: str) -> SignedCatalogue:
    """Forget the catalogue of an issuer; what it was.

    Raises:
        WrongState: ``catalogue.unknown``.
    """
    found = await find(tx, issuer)
    if found is None:
        raise unknown("catalogue")
    await tx.execute("DELETE FROM catalogues WHERE issuer = ?", (issuer,))
    return found


def _catalogue(row: Row) -> SignedCatalogue:
    return SignedCatalogue(
        issuer=row["issuer"],
        own=bool(row["own"]),
        name=row["name"],
        source=row["source"],
        sequence=row["sequence"],
        document=row["document"],
        valid_until=from_micros(row["valid_until"]),
        taken=from_micros(row["taken"]),
    )
