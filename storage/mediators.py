"""Who holds messages for this node, and which of its names its mediators know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query, bounded, placeholders
from storage.values import from_micros, to_micros

__all__ = [
    "Mediator", "MediatorState", "NameState", "Routed", "count_names", "find", "find_name", "get", "in_use", "name",
    "names", "page", "put", "set_name", "unsettled",
]  # fmt: skip


_DETAILS = "mediators.details"


class MediatorState(StrEnum):
    """Whether a peer mediates for this node: for all that is new, only for what there is, or not at all."""

    REQUESTED = "requested"
    GRANTED = "granted"
    CLOSING = "closing"
    DENIED = "denied"
    ENDED = "ended"


class NameState(StrEnum):
    """Whether a mediator knows a name."""

    ADDING = "adding"
    ADDED = "added"
    REFUSED = "refused"
    REMOVING = "removing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mediator:
    """A peer that holds, or is asked to hold, messages for this node.

    Attributes:
        exchange_id: the exchange in which it was asked.
        endpoint: where peers send what is for this node.
        routing_keys: the keys to wrap for, raw base58.
        v2_routing_keys: likewise for DIDComm v2, as DID URLs.
        routing_did: the mediator's DID for that, where it gave one; what is said above is from its document.
    """

    connection_id: str
    exchange_id: str
    state: MediatorState
    endpoint: str | None = None
    routing_keys: tuple[str, ...] = ()
    v2_routing_keys: tuple[str, ...] = ()
    routing_did: str | None = None
    since: datetime


@dataclass(frozen=True, slots=True)
class Routed:
    """A name of this node at a mediator: a verkey, or a DID."""

    name: str
    mediator_id: str
    state: NameState


async def put(tx: Transaction, mediator: Mediator) -> None:
    """Keep a mediator as it is now."""
    details = {
        "endpoint": mediator.endpoint,
        "routingKeys": list(mediator.routing_keys),
        "v2RoutingKeys": list(mediator.v2_routing_keys),
        "routingDid": mediator.routing_did,
    }
    await tx.execute(
        "INSERT INTO mediators (connection_id, exchange_id, state, details, since) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (connection_id) DO UPDATE SET exchange_id = excluded.exchange_id, state = excluded.state, "
        "details = excluded.details",
        (
            mediator.connection_id,
            mediator.exchange_id,
            mediator.state.value,
            tx.sealing.seal_json(_DETAILS, mediator.connection_id, details),
            to_micros(mediator.since),
        ),
    )


async def find(tx: Transaction, connection_id: str) -> Mediator | None:
    """The mediator at this connection, or None."""
    row = await tx.one("SELECT * FROM mediators WHERE connection_id = ?", (connection_id,))
    return None if row is None else _mediator(tx, row)


async def get(tx: Transaction, connection_id: str) -> Mediator:
    """The mediator at this connection.

    Raises:
        WrongState: ``mediator.unknown``.
    """
    found = await find(tx, connection_id)
    if found is None:
        raise unknown("mediator")
    return found


async def page(tx: Transaction, states: Iterable[MediatorState] = MediatorState, *, limit: int = 100) -> list[Mediator]:
    """The mediators in these states, the newest first."""
    wanted = [state.value for state in states]
    query = Query("SELECT * FROM mediators").where(f"state IN ({placeholders(len(wanted))})", *wanted)
    rows = await tx.all(*query.end("ORDER BY since DESC, connection_id DESC LIMIT ?", bounded(limit)))
    return [_mediator(tx, row) for row in rows]


async def in_use(tx: Transaction) -> Mediator | None:
    """The mediator through which new peers are to reach this node; the newest that granted it."""
    found = await page(tx, [MediatorState.GRANTED], limit=1)
    return found[0] if found else None


async def name(tx: Transaction, mediator_id: str, names: Iterable[str], now: datetime) -> None:
    """Note that a mediator is being told of these names of this node."""
    await tx.execute_many(
        "INSERT INTO routed_names (name, mediator_id, state, updated) VALUES (?, ?, 'adding', ?)",
        [(each, mediator_id, to_micros(now)) for each in names],
    )


async def find_name(tx: Transaction, own_name: str) -> Routed | None:
    """A name of this node that a mediator was told of, or None."""
    row = await tx.one("SELECT * FROM routed_names WHERE name = ?", (own_name,))
    return None if row is None else _routed(row)


async def set_name(tx: Transaction, own_name: str, state: NameState | None, now: datetime) -> None:
    """Note what the mediator answered; None forgets the name."""
    if state is None:
        await tx.execute("DELETE FROM routed_names WHERE name = ?", (own_name,))
        return
    await tx.execute(
        "UPDATE routed_names SET state = ?, updated = ? WHERE name = ?", (state.value, to_micros(now), own_name)
    )


async def names(tx: Transaction, mediator_id: str, state: NameState, *, limit: int = 100) -> list[str]:
    """This node's names in a state at a mediator, the longest in it first."""
    rows = await tx.all(
        "SELECT name FROM routed_names WHERE mediator_id = ? AND state = ? ORDER BY updated, name LIMIT ?",
        (mediator_id, state.value, bounded(limit)),
    )
    return [row["name"] for row in rows]


async def count_names(tx: Transaction, mediator_id: str) -> tuple[int, int]:
    """How many names a mediator knows, and how many it has not confirmed yet."""
    row = await tx.one(
        "SELECT COUNT(CASE state WHEN 'added' THEN 1 END) AS known, "
        "COUNT(CASE state WHEN 'adding' THEN 1 END) AS adding FROM routed_names WHERE mediator_id = ?",
        (mediator_id,),
    )
    return (0, 0) if row is None else (row["known"], row["adding"])


async def unsettled(tx: Transaction, own_names: Iterable[str]) -> bool:
    """Whether a mediator has not yet said that it knows one of these names."""
    wanted = list(own_names)
    query = Query("SELECT 1 FROM routed_names").where(f"name IN ({placeholders(len(wanted))})", *wanted)
    return await tx.one(*query.where("state = 'adding'").end("LIMIT 1")) is not None


def _mediator(tx: Transaction, row: Row) -> Mediator:
    details = tx.sealing.open_json(_DETAILS, row["connection_id"], row["details"])
    return Mediator(
        connection_id=row["connection_id"],
        exchange_id=row["exchange_id"],
        state=MediatorState(row["state"]),
        endpoint=details["endpoint"],
        routing_keys=tuple(details["routingKeys"]),
        v2_routing_keys=tuple(details["v2RoutingKeys"]),
        routing_did=details["routingDid"],
        since=from_micros(row["since"]),
    )


def _routed(row: Row) -> Routed:
    return Routed(row["name"], row["mediator_id"], NameState(row["state"]))
