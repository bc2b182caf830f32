"""Connections: who the peers are, and which keys belong to them.

Promises: two keys that speak with each other name one connection, and one request thread makes one connection,
however many messages arrive at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from protocols.did import peer4
from storage.engine import Parameter, Row, Transaction
from storage.errors import already_stored, unknown
from storage.query import Query, bounded, placeholders
from storage.sealing import Sealing
from storage.values import fold, from_json, from_micros, to_json, to_micros

__all__ = [
    "ENDED",
    "Connection",
    "add",
    "add_my_name",
    "find",
    "find_by_did",
    "find_by_invitation",
    "find_by_label",
    "find_by_my_verkey",
    "find_by_prefix",
    "find_by_thid",
    "find_by_verkeys",
    "find_completed_with",
    "find_former",
    "forget_opened",
    "get",
    "long_form",
    "page",
    "retire_mine",
    "retire_theirs",
    "save",
]

_DETAILS = "connections.details"
_DID, _LABEL, _INVITER = "connections.their_did", "connections.their_label", "connections.inviter"
_VERKEY, _FORMER = "former_names.verkey", "former_names.did"

ENDED = "ended"
"""The state of a connection that one of the two has ended; nothing is taken from such a peer, or sent to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A relation with one peer.

    Attributes:
        state, role: the words of the protocol that makes the connection.
        my_verkey: the key that this node uses with this peer; it must be stored too.
        my_prior_verkey: the key of the DID that this node had before, until the peer has written to ``my_did``.
        knows_my_did: whether the peer has written to ``my_did``, so that it knows the document.
        their_did: for a did:peer:4 the long form, once it was told.
        their_verkey: the only key whose v1 messages belong to this connection; None until the peer told it, or where
            it speaks v2 alone.
        their_routing_keys: mediators to wrap for, the outermost last, in raw base58.
        invitation_id: the invitation, of either side, that it came from.
        inviter: the DID or verkey by which the peer's invitation named it; None where this node invited.
        thid: the thread that made it.
        wire: how messages to this peer are written, a value of :class:`protocols.didcomm.message.Wire`.
    """

    id: str
    state: str
    role: str
    my_did: str
    my_verkey: str
    knows_my_did: bool = False
    my_prior_verkey: str | None = None
    their_did: str | None = None
    their_verkey: str | None = None
    their_label: str | None = None
    their_endpoint: str | None = None
    their_routing_keys: tuple[str, ...] = ()
    invitation_id: str | None = None
    inviter: str | None = None
    thid: str
    wire: str
    created: datetime
    updated: datetime


async def add(tx: Transaction, connection: Connection) -> None:
    """Keep a new connection.

    Raises:
        WrongState: ``connection.exists`` where its id, its pair of keys or its thread is taken.
    """
    inserted = await tx.execute(
        "INSERT INTO connections (state, role, my_did, my_verkey, their_verkey, their_routing_keys, details, "
        "their_did_key, their_label_key, inviter_key, invitation_id, thid, wire, knows_my_did, my_prior_verkey, "
        "created, updated, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        _fields(tx, connection),
    )
    if not inserted:
        raise already_stored("connection")


async def save(tx: Transaction, connection: Connection) -> None:
    """Keep the connection as it is now.

    Raises:
        WrongState: ``connection.unknown``; ``store.conflict`` where the pair of keys belongs to another connection.
    """
    changed = await tx.execute(
        "UPDATE connections SET state = ?, role = ?, my_did = ?, my_verkey = ?, their_verkey = ?, "
        "their_routing_keys = ?, details = ?, their_did_key = ?, their_label_key = ?, inviter_key = ?, "
        "invitation_id = ?, thid = ?, wire = ?, knows_my_did = ?, my_prior_verkey = ?, created = ?, updated = ? "
        "WHERE id = ?",
        _fields(tx, connection),
    )
    if not changed:
        raise unknown("connection")


async def get(tx: Transaction, connection_id: str, *, lock: bool = False) -> Connection:
    """A connection.

    Args:
        lock: let no other unit of work have it so before this one ends: messages of one peer are carried out in turn.

    Raises:
        WrongState: ``connection.unknown``.
    """
    found = await find(tx, connection_id, lock=lock)
    if found is None:
        raise unknown("connection")
    return found


async def find(tx: Transaction, connection_id: str, *, lock: bool = False) -> Connection | None:
    """As :func:`get`, or None."""
    query = Query("SELECT * FROM connections").equal("id", connection_id)
    return _maybe(tx, await tx.one(*query.end(tx.row_lock if lock else "")))


async def find_by_verkeys(tx: Transaction, my_verkey: str, their_verkey: str) -> Connection | None:
    """The connection in which these two keys speak."""
    return _maybe(
        tx,
        await tx.one("SELECT * FROM connections WHERE my_verkey = ? AND their_verkey = ?", (my_verkey, their_verkey)),
    )


async def find_by_did(tx: Transaction, my_verkey: str, their_did: str) -> Connection | None:
    """The connection in which this key of ours speaks with this DID; of a did:peer:4 either form."""
    return _maybe(
        tx,
        await tx.one(
            "SELECT * FROM connections WHERE my_verkey = ? AND their_did_key = ?",
            (my_verkey, tx.sealing.blind(_DID, peer4.shortest(their_did))),
        ),
    )


async def retire_mine(tx: Transaction, connection: Connection, now: datetime) -> None:
    """Note that this node leaves the key that it has on ``connection``; what is still under way to it is taken."""
    await add_my_name(tx, connection.id, connection.my_verkey, now)


async def add_my_name(tx: Transaction, connection_id: str, my_verkey: str, now: datetime) -> None:
    """Note another key under which the peer may write on a connection, such as one that it is just told of."""
    name = tx.sealing.blind(_VERKEY, my_verkey)
    await _add_name(tx, connection_id, mine=True, name=name, did=None, now=now)


async def retire_theirs(tx: Transaction, connection: Connection, now: datetime) -> None:
    """Note that the peer leaves the DID and the key that it has on ``connection``."""
    did = connection.their_did
    if did is not None:
        name = tx.sealing.blind(_DID, peer4.shortest(did))
        sealed = tx.sealing.seal(_FORMER, connection.id, did)
        await _add_name(tx, connection.id, mine=False, name=name, did=sealed, now=now)
    if connection.their_verkey is not None:
        name = tx.sealing.blind(_VERKEY, connection.their_verkey)
        await _add_name(tx, connection.id, mine=False, name=name, did=None, now=now)


async def find_former(
    tx: Transaction, my_verkey: str, *, since: datetime, their_verkey: str | None = None, their_did: str | None = None
) -> Connection | None:
    """The connection in which these two spoke before one of them, or both, had another name.

    Args:
        since: the peer's own former names count where it left them after this.
    """
    column: str = "their_verkey" if their_did is None else "their_did_key"
    theirs = (
        tx.sealing.blind(_VERKEY, their_verkey)
        if their_did is None
        else tx.sealing.blind(_DID, peer4.shortest(their_did))
    )
    now_named = their_verkey if their_did is None else theirs
    mine = tx.sealing.blind(_VERKEY, my_verkey)
    was_mine = "EXISTS (SELECT 1 FROM former_names m WHERE m.connection_id = c.id AND m.mine = 1 AND m.name_key = ?)"
    row = await tx.one(
        f"SELECT c.* FROM connections c WHERE c.{column} = ? AND {was_mine} "  # noqa: S608 - one of two words
        "UNION ALL SELECT c.* FROM former_names t JOIN connections c ON c.id = t.connection_id "
        f"WHERE t.name_key = ? AND t.mine = 0 AND t.retired > ? AND (c.my_verkey = ? OR {was_mine}) LIMIT 1",
        (now_named, mine, theirs, to_micros(since), my_verkey, mine),
    )
    return _maybe(tx, row)


async def long_form(tx: Transaction, short_form: str) -> str | None:
    """A peer's did:peer:4 with its document, as it was first told; None where no peer has or had that DID."""
    name = tx.sealing.blind(_DID, short_form)
    found = _maybe(tx, await tx.one("SELECT * FROM connections WHERE their_did_key = ? LIMIT 1", (name,)))
    did = None if found is None else found.their_did
    if did is None:
        row = await tx.one(
            "SELECT connection_id, did FROM former_names WHERE name_key = ? AND mine = 0 AND did IS NOT NULL LIMIT 1",
            (name,),
        )
        did = None if row is None else tx.sealing.open(_FORMER, row["connection_id"], row["did"]).decode()
    return None if did == short_form else did


async def _add_name(
    tx: Transaction, connection_id: str, *, mine: bool, name: bytes | None, did: bytes | None, now: datetime
) -> None:
    await tx.execute(
        "INSERT INTO former_names (connection_id, mine, name_key, did, retired) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (connection_id, int(mine), name, did, to_micros(now)),
    )


async def find_by_my_verkey(tx: Transaction, my_verkey: str, *, limit: int = 100) -> list[Connection]:
    """The connections in which this key of ours speaks; more than one only where an invitation's key does."""
    rows = await tx.all("SELECT * FROM connections WHERE my_verkey = ? LIMIT ?", (my_verkey, bounded(limit)))
    return [_from_row(tx, row) for row in rows]


async def find_by_thid(tx: Transaction, thid: str, *, role: str) -> Connection | None:
    """The connection that this thread makes, in which this node has ``role``.

    The peer chose the thread's name: whoever uses the result still compares keys.
    """
    return _maybe(tx, await tx.one("SELECT * FROM connections WHERE role = ? AND thid = ?", (role, thid)))


async def find_by_invitation(tx: Transaction, invitation_id: str, *, limit: int = 100) -> list[Connection]:
    """The connections that came from an invitation, the oldest first."""
    rows = await tx.all(
        "SELECT * FROM connections WHERE invitation_id = ? ORDER BY created, id LIMIT ?",
        (invitation_id, bounded(limit)),
    )
    return [_from_row(tx, row) for row in rows]


async def find_completed_with(tx: Transaction, names: Sequence[str]) -> Connection | None:
    """The newest complete connection with a peer that has, or was invited by, one of these DIDs or verkeys."""
    inviters = [tx.sealing.blind(_INVITER, name) for name in names]
    theirs = [tx.sealing.blind(_DID, peer4.shortest(name)) for name in names]
    marks = placeholders(len(names))
    query = Query("SELECT * FROM connections").equal("state", "completed")
    query.where(f"(inviter_key IN ({marks}) OR their_did_key IN ({marks}))", *inviters, *theirs)
    return _maybe(tx, await tx.one(*query.newest_first("connections", "created", None, 1)))


async def find_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[Connection]:
    """The connections whose id starts so, in order; more than one means that the prefix is too short."""
    query = Query("SELECT * FROM connections").id_starting_with(prefix, limit)
    return [_from_row(tx, row) for row in await tx.all(*query)]


async def find_by_label(tx: Transaction, label: str, *, limit: int = 10) -> list[Connection]:
    """The connections whose peer calls itself so, letter case aside, the newest first; labels prove nothing."""
    query = Query("SELECT * FROM connections").equal("their_label_key", tx.sealing.blind(_LABEL, fold(label)))
    return [_from_row(tx, row) for row in await tx.all(*query.newest_first("connections", "created", None, limit))]


async def page(
    tx: Transaction, *, state: str | None = None, after: str | None = None, limit: int = 100
) -> list[Connection]:
    """Connections, the newest first; ``after`` is the id of the last one of the page before."""
    query = Query("SELECT * FROM connections").equal("state", state)
    return [_from_row(tx, row) for row in await tx.all(*query.newest_first("connections", "created", after, limit))]


def _fields(tx: Transaction, connection: Connection) -> tuple[Parameter, ...]:
    sealing, label = tx.sealing, connection.their_label
    details = {
        "did": connection.their_did,
        "label": label,
        "endpoint": connection.their_endpoint,
        "inviter": connection.inviter,
    }
    return (
        connection.state,
        connection.role,
        connection.my_did,
        connection.my_verkey,
        connection.their_verkey,
        to_json(connection.their_routing_keys),
        sealing.seal_json(_DETAILS, connection.id, details),
        None if connection.their_did is None else sealing.blind(_DID, peer4.shortest(connection.their_did)),
        None if label is None else sealing.blind(_LABEL, fold(label)),
        sealing.blind(_INVITER, connection.inviter),
        connection.invitation_id,
        connection.thid,
        connection.wire,
        int(connection.knows_my_did),
        connection.my_prior_verkey,
        to_micros(connection.created),
        to_micros(connection.updated),
        connection.id,
    )


def _maybe(tx: Transaction, row: Row | None) -> Connection | None:
    return None if row is None else _from_row(tx, row)


def forget_opened() -> None:
    """Keep no connection opened in memory; for when one was erased."""
    _kept.cache_clear()


def _from_row(tx: Transaction, row: Row) -> Connection:
    # A snapshot may still show what was erased since, and must not bring it back into memory.
    return (_kept if tx.writable else _read)(tx.sealing, row)


def _read(sealing: Sealing, row: Row) -> Connection:
    details = sealing.open_json(_DETAILS, row["id"], row["details"])
    return Connection(
        id=row["id"],
        state=row["state"],
        role=row["role"],
        my_did=row["my_did"],
        my_verkey=row["my_verkey"],
        knows_my_did=bool(row["knows_my_did"]),
        my_prior_verkey=row["my_prior_verkey"],
        their_did=details["did"],
        their_verkey=row["their_verkey"],
        their_label=details["label"],
        their_endpoint=details["endpoint"],
        their_routing_keys=tuple(from_json(row["their_routing_keys"])),
        invitation_id=row["invitation_id"],
        inviter=details["inviter"],
        thid=row["thid"],
        wire=row["wire"],
        created=from_micros(row["created"]),
        updated=from_micros(row["updated"]),
    )


_kept = lru_cache(maxsize=256)(_read)
"""As :func:`_read`, as each message of a peer reads its connection, some times over; another row is read anew."""
