"""First messages of other protocols that go with an invitation (Aries RFC 0434, ``requests~attach``)."""

from __future__ import annotations

from dataclasses import dataclass

from storage.engine import Row, Transaction
from storage.errors import already_stored

__all__ = ["AttachedMessage", "add", "find", "of_connection", "page", "remove"]

_CONTENT = "attached_messages.content"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedMessage:
    """What goes with an invitation.

    Attributes:
        connection_id: with who invited; None where this node did.
        exchange_id: that the exchange will have, where it is known before.
        protocol: URI with major version.
        content: of an own invitation, what its exchanges begin with; of a peer's, the message; JSON.
    """

    invitation_id: str
    connection_id: str | None = None
    exchange_id: str | None = None
    protocol: str
    content: bytes


async def add(tx: Transaction, message: AttachedMessage) -> None:
    """Keep a message.

    Raises:
        WrongState: ``attached_message.exists``.
    """
    inserted = await tx.execute(
        "INSERT INTO attached_messages (invitation_id, connection_id, exchange_id, protocol, content) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            message.invitation_id,
            message.connection_id,
            message.exchange_id,
            message.protocol,
            tx.sealing.seal(_CONTENT, message.invitation_id, message.content),
        ),
    )
    if not inserted:
        raise already_stored("attached message")


async def find(tx: Transaction, invitation_id: str) -> AttachedMessage | None:
    """What goes with the invitation, or None."""
    row = await tx.one("SELECT * FROM attached_messages WHERE invitation_id = ?", (invitation_id,))
    return None if row is None else _from_row(tx, row)


async def of_connection(tx: Transaction, connection_id: str) -> list[AttachedMessage]:
    """What came with invitations of this peer and waits for the connection."""
    rows = await tx.all(
        "SELECT * FROM attached_messages WHERE connection_id = ? ORDER BY invitation_id", (connection_id,)
    )
    return [_from_row(tx, row) for row in rows]


async def page(tx: Transaction, *, after: str = "", limit: int = 100) -> list[AttachedMessage]:
    """What goes with invitations of either side; ``after`` is the last invitation of the page before."""
    sql = "SELECT * FROM attached_messages WHERE invitation_id > ? ORDER BY invitation_id LIMIT ?"
    return [_from_row(tx, row) for row in await tx.all(sql, (after, limit))]


async def remove(tx: Transaction, invitation_id: str) -> None:
    """Forget what went with the invitation."""
    await tx.execute("DELETE FROM attached_messages WHERE invitation_id = ?", (invitation_id,))


def _from_row(tx: Transaction, row: Row) -> AttachedMessage:
    return AttachedMessage(
        invitation_id=row["invitation_id"],
        connection_id=row["connection_id"],
        exchange_id=row["exchange_id"],
        protocol=row["protocol"],
        content=tx.sealing.open(_CONTENT, row["invitation_id"], row["content"]),
    )
