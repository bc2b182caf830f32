"""Rows for the tests of aggregates: valid ones, of which a test names only what matters to it."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from protocols.keys import KeyPair
from storage import connections, exchanges, keys
from storage.connections import Connection
from storage.credentials import HeldCredential, IssuedCredential
from storage.engine import Transaction
from storage.exchanges import ExchangeRow
from storage.secrets import Vault

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def key(name: str) -> KeyPair:
    return KeyPair.from_seed(hashlib.sha256(name.encode()).digest())


async def add_key(tx: Transaction, vault: Vault, name: str = "mine") -> KeyPair:
    pair = key(name)
    await keys.add(tx, vault, pair, "connection", NOW)
    return pair


def connection(row_id: str = "c1", my_verkey: str | None = None, **changes: Any) -> Connection:
    values: dict[str, Any] = {
        "id": row_id,
        "state": "request-sent",
        "role": "requester",
        "my_did": f"did:peer:4{row_id}",
        "my_verkey": my_verkey or key("mine").verkey,
        "thid": f"thread-{row_id}",
        "wire": "didcomm/aip2;env=rfc19",
        "created": NOW,
        "updated": NOW,
    }
    return Connection(**(values | changes))


def exchange(row_id: str = "e1", **changes: Any) -> ExchangeRow:
    values: dict[str, Any] = {
        "id": row_id,
        "protocol": "https://didcomm.org/issue-credential/2",
        "role": "issuer",
        "connection_id": "c1",
        "thid": f"thread-{row_id}",
        "state": "offer-sent",
        "data": b'{"n":1}',
        "created": NOW,
        "updated": NOW,
    }
    return ExchangeRow(**(values | changes))


async def add_peer(tx: Transaction, vault: Vault) -> None:
    """A key, and the connection c1 that uses it."""
    await add_key(tx, vault)
    await connections.add(tx, connection())


async def add_exchange(tx: Transaction, vault: Vault, name: str = "e1") -> None:
    """The exchange, on the connection c1."""
    await add_peer(tx, vault)
    await exchanges.insert(tx, exchange(name))


def held(row_id: str = "h1", **changes: Any) -> HeldCredential:
    values: dict[str, Any] = {
        "id": row_id,
        "exchange_id": None,
        "document": b'{ "as" :  "received" }',
        "credential_id": f"urn:uuid:{row_id}",
        "issuer": "did:web:college.example",
        "subject": "did:key:z6Mk",
        "types": ("VerifiableCredential", "OpenBadgeCredential"),
        "name": "Welding, level 2",
        "valid_from": NOW,
        "valid_until": None,
        "stored_at": NOW,
    }
    return HeldCredential(**(values | changes))


def issued(row_id: str = "i1", **changes: Any) -> IssuedCredential:
    values: dict[str, Any] = {
        "id": row_id,
        "exchange_id": None,
        "connection_id": None,
        "document": b"{}",
        "credential_id": f"urn:uuid:{row_id}",
        "subject": "did:key:z6Mk",
        "achievement_id": "https://college.example/achievements/welding",
        "issued_at": NOW,
    }
    return IssuedCredential(**(values | changes))


def entropy(count: int) -> bytes:
    return os.urandom(count)
