"""The DIDs that this node speaks as."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storage.engine import Row, Transaction
from storage.errors import already_stored, unknown
from storage.query import Query
from storage.values import from_micros, to_micros

__all__ = ["DidPurpose", "DidState", "OwnDid", "add", "default", "find", "get", "page", "set_state"]


class DidPurpose(StrEnum):
    """What a DID is used for; one DID has one purpose, so that peers cannot link what should stay apart."""

    ISSUER = "issuer"
    HOLDER = "holder"
    CONNECTION = "connection"
    INVITATION = "invitation"


class DidState(StrEnum):
    """Whether a DID is still offered for new things."""

    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDid:
    """A DID of this node.

    Attributes:
        did: as it is first told to a peer; for did:peer:4 the long form.
        short_form: the form that did:peer:4 uses afterwards; None for other methods.
        method: e.g. ``"web"``, ``"key"``, ``"peer:4"``.
        verkey: its Ed25519 key, which must be stored too.
    """

    did: str
    short_form: str | None = None
    method: str
    purpose: DidPurpose
    verkey: str
    state: DidState = DidState.ACTIVE
    created: datetime


async def add(tx: Transaction, did: OwnDid) -> None:
    """Keep a DID.

    Raises:
        WrongState: ``did.exists``.
    """
    inserted = await tx.execute(
        "INSERT INTO dids (did, short_form, method, purpose, verkey, state, created) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (
            did.did,
            did.short_form,
            did.method,
            did.purpose.value,
            did.verkey,
            did.state.value,
            to_micros(did.created),
        ),
    )
    if not inserted:
        raise already_stored("did")


async def get(tx: Transaction, did: str) -> OwnDid:
    """A DID by its long or short form.

    Raises:
        WrongState: ``did.unknown``.
    """
    found = await find(tx, did)
    if found is None:
        raise unknown("did")
    return found


async def find(tx: Transaction, did: str) -> OwnDid | None:
    """As :func:`get`, or None."""
    row = await tx.one("SELECT * FROM dids WHERE did = ? OR short_form = ? ORDER BY did LIMIT 1", (did, did))
    return None if row is None else _from_row(row)


async def page(tx: Transaction, *, purpose: DidPurpose | None = None, state: DidState | None = None) -> list[OwnDid]:
    """The DIDs with this purpose and state, the oldest first."""
    query = Query("SELECT * FROM dids").equal("purpose", purpose).equal("state", state)
    return [_from_row(row) for row in await tx.all(*query.end("ORDER BY created, did"))]


async def default(tx: Transaction, purpose: DidPurpose) -> OwnDid | None:
    """The DID to use where none is named: the oldest active one, so that it does not change by itself."""
    query = Query("SELECT * FROM dids").equal("purpose", purpose).equal("state", DidState.ACTIVE)
    row = await tx.one(*query.end("ORDER BY created, did LIMIT 1"))
    return None if row is None else _from_row(row)


async def set_state(tx: Transaction, did: str, state: DidState) -> None:
    """Retire a DID, or take it up again.

    Raises:
        WrongState: ``did.unknown``.
    """
    if not await tx.execute("UPDATE dids SET state = ? WHERE did = ?", (state.value, did)):
        raise unknown("did")


def _from_row(row: Row) -> OwnDid:
    return OwnDid(
        did=row["did"],
        short_form=row["short_form"],
        method=row["method"],
        purpose=DidPurpose(row["purpose"]),
        verkey=row["verkey"],
        state=DidState(row["state"]),
        created=from_micros(row["created"]),
    )
