"""The invitations that this node gave out (Aries RFC 0434)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storage.engine import Row, Transaction
from storage.errors import already_stored, unknown
from storage.query import Query
from storage.values import from_micros, to_micros

__all__ = ["Invitation", "InvitationState", "add", "close", "find", "get", "mark_used", "page"]

_MESSAGE = "invitations.message"


class InvitationState(StrEnum):
    """Whether an invitation still opens the door; one for many uses stays open."""

    OPEN = "open"
    USED = "used"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An invitation of this node.

    Attributes:
        id: the ``@id`` of the message, which answers name as their parent thread.
        message: the invitation exactly as given out, JSON.
        verkey: the key that it names; answers must be encrypted to it.
        expires: when it closes by itself, or None.
    """

    id: str
    message: bytes
    verkey: str
    multi_use: bool
    state: InvitationState = InvitationState.OPEN
    created: datetime
    expires: datetime | None = None

    def is_open_at(self, now: datetime) -> bool:
        """Whether it can be answered."""
        return self.state is InvitationState.OPEN and (self.expires is None or self.expires > now)


async def add(tx: Transaction, invitation: Invitation) -> None:
    """Keep an invitation.

    Raises:
        WrongState: ``invitation.exists``.
    """
    inserted = await tx.execute(
        "INSERT INTO invitations (id, message, verkey, multi_use, state, created, expires) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            invitation.id,
            tx.sealing.seal(_MESSAGE, invitation.id, invitation.message),
            invitation.verkey,
            int(invitation.multi_use),
            invitation.state.value,
            to_micros(invitation.created),
            to_micros(invitation.expires),
        ),
    )
    if not inserted:
        raise already_stored("invitation")


async def get(tx: Transaction, invitation_id: str) -> Invitation:
    """An invitation.

    Raises:
        WrongState: ``invitation.unknown``.
    """
    found = await find(tx, invitation_id)
    if found is None:
        raise unknown("invitation")
    return found


async def find(tx: Transaction, invitation_id: str) -> Invitation | None:
    """As :func:`get`, or None."""
    row = await tx.one("SELECT * FROM invitations WHERE id = ?", (invitation_id,))
    return None if row is None else _from_row(tx, row)


async def page(
    tx: Transaction, *, state: InvitationState | None = None, after: str | None = None, limit: int = 100
) -> list[Invitation]:
    """Invitations, the newest first; ``after`` is the id of the last one of the page before."""
    query = Query("SELECT * FROM invitations").equal("state", state)
    return [_from_row(tx, row) for row in await tx.all(*query.newest_first("invitations", "created", after, limit))]


async def mark_used(tx: Transaction, invitation_id: str, now: datetime) -> bool:
    """Use the invitation; whether that was still possible.

    A single-use invitation says yes once, however many ask at the same time; one that expired or was closed says no.
    """
    changed = await tx.execute(
        "UPDATE invitations SET state = CASE multi_use WHEN 1 THEN 'open' ELSE 'used' END "
        "WHERE id = ? AND state = 'open' AND (expires IS NULL OR expires > ?)",
        (invitation_id, to_micros(now)),
    )
    return changed == 1


async def close(tx: Transaction, invitation_id: str) -> None:
    """Let nobody else in with this invitation.

    Raises:
        WrongState: ``invitation.unknown``.
    """
    if not await tx.execute("UPDATE invitations SET state = 'closed' WHERE id = ?", (invitation_id,)):
        raise unknown("invitation")


def _from_row(tx: Transaction, row: Row) -> Invitation:
    return Invitation(
        id=row["id"],
        message=tx.sealing.open(_MESSAGE, row["id"], row["message"]),
        verkey=row["verkey"],
        multi_use=bool(row["multi_use"]),
        state=InvitationState(row["state"]),
        created=from_micros(row["created"]),
        expires=from_micros(row["expires"]),
    )
