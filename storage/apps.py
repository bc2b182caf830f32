"""Apps that the owner of a node lets at records: registered clients, what they ask for, what was granted, tokens.

Promises: codes, tokens and secrets are kept as keyed hashes only; what an app says of itself, and what was granted it,
is sealed. Whether something may still be used, and what follows from using it twice, ``node/roles/apps.py`` says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query, bounded
from storage.values import from_micros, to_micros

__all__ = [
    "Client", "Grant", "Request", "RequestState", "Token", "TokenKind", "add_client", "add_grant", "add_request",
    "add_token", "end_grant", "evict", "find_client", "find_clients_by_prefix", "find_request", "find_token",
    "get_client", "get_grant", "grants_of", "is_secret", "naming", "prune", "remove_client", "remove_request",
    "remove_token", "requests_waiting", "save_request", "set_granted", "set_used", "spend", "used_clients",
]  # fmt: skip

_SECRET, _BROWSER, _CODE, _TOKEN = (  # names of columns
    "app_clients.secret_key",
    "app_requests.browser_key",
    "app_requests.code_key",
    "app_tokens.token_key",
)
_CLIENT, _REQUEST, _GRANT = "app_clients.details", "app_requests.details", "app_grants.details"


class RequestState(StrEnum):
    """How far a request of an app is."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"


class TokenKind(StrEnum):
    """What a token is."""

    CODE = "code"
    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered app.

    Attributes:
        details: what it says of itself (RFC 7591).
        granted: when it was granted something first; None where it never was.
    """

    id: str
    details: dict[str, Any]
    created: datetime
    granted: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an app asks for, until its owner has decided.

    Attributes:
        id: short, for people.
        tries: how many wrong codes were typed.
    """

    id: str
    client_id: str
    details: dict[str, Any]
    state: RequestState
    tries: int
    created: datetime
    expires: datetime
    browser_key: bytes
    code_key: bytes | None = None

    def is_shown_by(self, tx: Transaction, browser: str) -> bool:
        """Whether a browser is the one that shows this request."""
        return tx.sealing.blind(_BROWSER, browser) == self.browser_key

    def is_confirmed_by(self, tx: Transaction, code: str) -> bool:
        """Whether this is the code that the owner was told."""
        return self.code_key is not None and tx.sealing.blind(_CODE, f"{self.id} {code}") == self.code_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What an owner granted an app."""

    id: str
    client_id: str
    details: dict[str, Any]
    created: datetime
    used: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A code or token of a grant.

    Attributes:
        key: its keyed hash.
        spent: when a code or refresh token was used.
    """

    key: bytes
    grant_id: str
    kind: TokenKind
    scope: str
    expires: datetime
    spent: datetime | None


# Clients -------------------------------------------------------------------------------------------------------------


async def add_client(tx: Transaction, client: Client, secret: str) -> None:
    """Keep a client."""
    await tx.execute(
        "INSERT INTO app_clients (id, details, secret_key, created) VALUES (?, ?, ?, ?)",
        (
            client.id,
            tx.sealing.seal_json(_CLIENT, client.id, client.details),
            tx.sealing.blind(_SECRET, f"{client.id} {secret}"),
            to_micros(client.created),
        ),
    )


async def find_client(tx: Transaction, client_id: str) -> Client | None:
    """A client, or None."""
    row = await tx.one("SELECT * FROM app_clients WHERE id = ?", (client_id,))
    return None if row is None else _client(tx, row)


async def get_client(tx: Transaction, client_id: str) -> Client:
    """A client.

    Raises:
        WrongState: ``app.unknown``.
    """
    client = await find_client(tx, client_id)
    if client is None:
        raise unknown("app")
    return client


async def is_secret(tx: Transaction, client_id: str, secret: str) -> bool:
    """Whether this is the secret of this client."""
    key = tx.sealing.blind(_SECRET, f"{client_id} {secret}")
    return await tx.one("SELECT 1 FROM app_clients WHERE id = ? AND secret_key = ?", (client_id, key)) is not None


async def find_clients_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[Client]:
    """The clients whose id starts so."""
    query = Query("SELECT * FROM app_clients").id_starting_with(prefix, limit)
    return [_client(tx, row) for row in await tx.all(*query)]


async def used_clients(tx: Transaction, *, after: str | None = None, limit: int = 100) -> list[Client]:
    """Clients that were granted something once, by id; ``after`` is the id of the last one of the page before."""
    query = Query("SELECT * FROM app_clients").where("granted IS NOT NULL").where("id > ?", after or "")
    return [_client(tx, row) for row in await tx.all(*query.end("ORDER BY id LIMIT ?", bounded(limit)))]


async def set_granted(tx: Transaction, client_id: str, now: datetime) -> None:
    """Note that a client was granted something, so that it is kept."""
    await tx.execute("UPDATE app_clients SET granted = ? WHERE id = ? AND granted IS NULL", (to_micros(now), client_id))


async def evict(tx: Transaction, keep: int) -> None:
    """Forget the oldest clients that were never granted anything, so that no more than ``keep`` of them are left."""
    rows = await tx.all(
        "SELECT id FROM app_clients WHERE granted IS NULL ORDER BY created DESC, id LIMIT 1000 OFFSET ?", (keep,)
    )
    for row in rows:
        await remove_client(tx, row["id"])


async def remove_client(tx: Transaction, client_id: str) -> None:
    """Forget a client with all that it was granted and asks for."""
    await tx.execute(
        "DELETE FROM app_tokens WHERE grant_id IN (SELECT id FROM app_grants WHERE client_id = ?)", (client_id,)
    )
    await tx.execute("DELETE FROM app_grants WHERE client_id = ?", (client_id,))
    await tx.execute("DELETE FROM app_requests WHERE client_id = ?", (client_id,))
    await tx.execute("DELETE FROM app_clients WHERE id = ?", (client_id,))


async def naming(tx: Transaction, names: Callable[[bytes], bool]) -> list[Client]:
    """The clients that name, in what they say of themselves, who is meant."""
    return [
        _client(tx, row)
        for row in await tx.all("SELECT * FROM app_clients ORDER BY id")
        if names(tx.sealing.open(_CLIENT, row["id"], row["details"]))
    ]


# Requests ------------------------------------------------------------------------------------------------------------


async def add_request(
    tx: Transaction, request_id: str, client_id: str, details: dict[str, Any], browser: str, *, now: datetime,
    expires: datetime,
) -> Request:  # fmt: skip
    """Keep what an app asks for, and which browser shows it."""
    request = Request(
        id=request_id,
        client_id=client_id,
        details=details,
        state=RequestState.WAITING,
        tries=0,
        created=now,
        expires=expires,
        browser_key=tx.sealing.blind(_BROWSER, browser),
    )
    await tx.execute(
        "INSERT INTO app_requests (id, client_id, details, browser_key, state, tries, created, expires) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            request.id,
            client_id,
            tx.sealing.seal_json(_REQUEST, request.id, details),
            request.browser_key,
            request.state.value,
            0,
            to_micros(now),
            to_micros(expires),
        ),
    )
    return request


async def find_request(tx: Transaction, request_id: str, now: datetime) -> Request | None:
    """A request that is not over, or None."""
    row = await tx.one("SELECT * FROM app_requests WHERE id = ? AND expires > ?", (request_id, to_micros(now)))
    return None if row is None else _request(tx, row)


async def requests_waiting(tx: Transaction, now: datetime) -> list[Request]:
    """The requests that are not over, the newest first."""
    rows = await tx.all(
        "SELECT * FROM app_requests WHERE expires > ? ORDER BY created DESC, id LIMIT 1000", (to_micros(now),)
    )
    return [_request(tx, row) for row in rows]


async def save_request(tx: Transaction, request: Request, *, code: str | None = None) -> None:
    """Keep what a request is now.

    Args:
        code: what the owner types in the browser; None leaves what there is.
    """
    key = request.code_key if code is None else tx.sealing.blind(_CODE, f"{request.id} {code}")
    await tx.execute(
        "UPDATE app_requests SET details = ?, code_key = ?, state = ?, tries = ? WHERE id = ?",
        (
            tx.sealing.seal_json(_REQUEST, request.id, request.details),
            key,
            request.state.value,
            request.tries,
            request.id,
        ),
    )


async def remove_request(tx: Transaction, request_id: str) -> None:
    """Forget a request."""
    await tx.execute("DELETE FROM app_requests WHERE id = ?", (request_id,))


# Grants and tokens ---------------------------------------------------------------------------------------------------


async def add_grant(tx: Transaction, grant: Grant) -> None:
    """Keep what was granted."""
    await tx.execute(
        "INSERT INTO app_grants (id, client_id, details, created) VALUES (?, ?, ?, ?)",
        (grant.id, grant.client_id, tx.sealing.seal_json(_GRANT, grant.id, grant.details), to_micros(grant.created)),
    )


async def get_grant(tx: Transaction, grant_id: str) -> Grant:
    """A grant.

    Raises:
        WrongState: ``app_grant.unknown``.
    """
    row = await tx.one("SELECT * FROM app_grants WHERE id = ?", (grant_id,))
    if row is None:
        raise unknown("app grant")
    return _grant(tx, row)


async def grants_of(tx: Transaction, client_id: str) -> Sequence[Grant]:
    """What was granted a client, the newest first."""
    rows = await tx.all(
        "SELECT * FROM app_grants WHERE client_id = ? ORDER BY created DESC, id LIMIT 1000", (client_id,)
    )
    return [_grant(tx, row) for row in rows]


async def end_grant(tx: Transaction, grant_id: str) -> None:
    """Forget a grant with all its tokens."""
    await tx.execute("DELETE FROM app_tokens WHERE grant_id = ?", (grant_id,))
    await tx.execute("DELETE FROM app_grants WHERE id = ?", (grant_id,))


async def set_used(tx: Transaction, grant_id: str, now: datetime) -> None:
    """Note that a grant is made use of."""
    await tx.execute("UPDATE app_grants SET used = ? WHERE id = ?", (to_micros(now), grant_id))


async def add_token(tx: Transaction, token: str, grant_id: str, kind: TokenKind, scope: str, expires: datetime) -> None:
    """Let a token be used until it expires; the token itself is not kept."""
    await tx.execute(
        "INSERT INTO app_tokens (token_key, grant_id, kind, scope, expires) VALUES (?, ?, ?, ?, ?)",
        (tx.sealing.blind(_TOKEN, token), grant_id, kind.value, scope, to_micros(expires)),
    )


async def find_token(tx: Transaction, token: str) -> Token | None:
    """What is known of a token, or None; in a unit of work that writes nobody else uses it meanwhile."""
    key = tx.sealing.blind(_TOKEN, token)
    query = Query("SELECT * FROM app_tokens").where("token_key = ?", key)
    row = await tx.one(*query.end(tx.row_lock if tx.writable else ""))
    return None if row is None else _token(row)


async def spend(tx: Transaction, token: Token, now: datetime) -> None:
    """Note that a code or refresh token was used."""
    await tx.execute("UPDATE app_tokens SET spent = ? WHERE token_key = ?", (to_micros(now), token.key))


async def remove_token(tx: Transaction, token: Token) -> None:
    """Forget a token."""
    await tx.execute("DELETE FROM app_tokens WHERE token_key = ?", (token.key,))


async def prune(tx: Transaction, now: datetime, unused_since: datetime) -> int:
    """Forget what is over: requests, tokens, grants without any, and apps that were never let in; how many.

    Args:
        unused_since: apps that registered before, and were never granted anything, are forgotten.
    """
    moment = to_micros(now)
    count = await tx.execute("DELETE FROM app_requests WHERE expires <= ?", (moment,))
    count += await tx.execute("DELETE FROM app_tokens WHERE expires <= ?", (moment,))
    count += await tx.execute(
        "DELETE FROM app_grants WHERE NOT EXISTS (SELECT 1 FROM app_tokens t WHERE t.grant_id = app_grants.id)"
    )
    return count + await tx.execute(
        "DELETE FROM app_clients WHERE granted IS NULL AND created < ? "
        "AND NOT EXISTS (SELECT 1 FROM app_requests r WHERE r.client_id = app_clients.id)",
        (to_micros(unused_since),),
    )


def _client(tx: Transaction, row: Row) -> Client:
    return Client(
        id=row["id"],
        details=tx.sealing.open_json(_CLIENT, row["id"], row["details"]),
        created=from_micros(row["created"]),
        granted=from_micros(row["granted"]),
    )


def _request(tx: Transaction, row: Row) -> Request:
    return Request(
        id=row["id"],
        client_id=row["client_id"],
        details=tx.sealing.open_json(_REQUEST, row["id"], row["details"]),
        state=RequestState(row["state"]),
        tries=row["tries"],
        created=from_micros(row["created"]),
        expires=from_micros(row["expires"]),
        browser_key=row["browser_key"],
        code_key=row["code_key"],
    )


def _grant(tx: Transaction, row: Row) -> Grant:
    return Grant(
        id=row["id"],
        client_id=row["client_id"],
        details=tx.sealing.open_json(_GRANT, row["id"], row["details"]),
        created=from_micros(row["created"]),
        used=from_micros(row["used"]),
    )


def _token(row: Row) -> Token:
    return Token(
        key=row["token_key"],
        grant_id=row["grant_id"],
        kind=TokenKind(row["kind"]),
        scope=row["scope"],
        expires=from_micros(row["expires"]),
        spent=from_micros(row["spent"]),
    )
