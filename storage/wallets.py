"""Wallets and platforms of others that the node's owner has connected over the Open Badges API.

Promises: where they are, what this node is known by there, and the tokens are sealed. When a token is still good, and
what follows from one that is not, ``node/roles/wallets.py`` says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query, bounded
from storage.values import from_micros, to_micros

__all__ = [
    "Wallet", "WalletState", "add", "find_by_prefix", "get", "naming", "page", "prune", "remove", "save", "set_used",
]  # fmt: skip

_DETAILS = "wallets.details"


class WalletState(StrEnum):
    """Whether a wallet can be used.

    Attributes:
        ASKING: its owner is asked on a page over there.
        ENDED: the other side has ended what it granted.
    """

    ASKING = "asking"
    CONNECTED = "connected"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """A wallet of others.

    Attributes:
        details: what is known of it, with secrets.
        used: when it was made use of last.
    """

    id: str
    details: dict[str, Any]
    state: WalletState
    created: datetime
    used: datetime | None = None


async def add(tx: Transaction, wallet: Wallet) -> None:
    """Keep a wallet."""
    await tx.execute(
        "INSERT INTO wallets (id, details, state, created, used) VALUES (?, ?, ?, ?, ?)",
        (
            wallet.id,
            tx.sealing.seal_json(_DETAILS, wallet.id, wallet.details),
            wallet.state.value,
            to_micros(wallet.created),
            to_micros(wallet.used),
        ),
    )


async def get(tx: Transaction, wallet_id: str) -> Wallet:
    """A wallet.

    Raises:
        WrongState: ``wallet.unknown``.
    """
    row = await tx.one("SELECT * FROM wallets WHERE id = ?", (wallet_id,))
    if row is None:
        raise unknown("wallet")
    return _wallet(tx, row)


async def find_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[Wallet]:
    """The wallets whose id starts so."""
    return [_wallet(tx, row) for row in await tx.all(*Query("SELECT * FROM wallets").id_starting_with(prefix, limit))]


async def page(tx: Transaction, *, after: str | None = None, limit: int = 100) -> list[Wallet]:
    """Wallets, the newest first; ``after`` is the id of the last one of the page before."""
    query = Query("SELECT * FROM wallets").newest_first("wallets", "created", after, bounded(limit))
    return [_wallet(tx, row) for row in await tx.all(*query)]


async def save(tx: Transaction, wallet: Wallet) -> None:
    """Keep what a wallet is now."""
    await tx.execute(
        "UPDATE wallets SET details = ?, state = ?, used = ? WHERE id = ?",
        (
            tx.sealing.seal_json(_DETAILS, wallet.id, wallet.details),
            wallet.state.value,
            to_micros(wallet.used),
            wallet.id,
        ),
    )


async def set_used(tx: Transaction, wallet_id: str, now: datetime) -> None:
    """Note that a wallet is made use of."""
    await tx.execute("UPDATE wallets SET used = ? WHERE id = ?", (to_micros(now), wallet_id))


async def remove(tx: Transaction, wallet_id: str) -> None:
    """Forget a wallet."""
    await tx.execute("DELETE FROM wallets WHERE id = ?", (wallet_id,))


async def naming(tx: Transaction, names: Callable[[bytes], bool]) -> list[str]:
    """The ids of the wallets of which something that is kept names who is meant."""
    return [
        row["id"]
        for row in await tx.all("SELECT * FROM wallets ORDER BY id")
        if names(tx.sealing.open(_DETAILS, row["id"], row["details"]))
    ]


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget those that were asked before a time and never answered; how many."""
    return await tx.execute("DELETE FROM wallets WHERE state = 'asking' AND created < ?", (to_micros(before),))


def _wallet(tx: Transaction, row: Row) -> Wallet:
    return Wallet(
        id=row["id"],
        details=tx.sealing.open_json(_DETAILS, row["id"], row["details"]),
        state=WalletState(row["state"]),
        created=from_micros(row["created"]),
        used=from_micros(row["used"]),
    )
