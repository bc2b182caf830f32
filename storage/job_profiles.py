"""Profiles of jobs, each in all its versions; a version never changes.

What stands in one is for ``node/skills/profile.py`` to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query
from storage.values import from_micros, to_micros

__all__ = ["StoredProfile", "add", "get", "latest_of_each", "next_number", "remove", "versions"]


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """One version of a profile.

    Attributes:
        number: counts the versions, from 1.
        document: JSON.
    """

    name: str
    number: int
    document: str
    created: datetime


async def next_number(tx: Transaction, name: str) -> int:
    """The number of the version that is added next; nobody else gets it in this unit of work."""
    await tx.lock(f"job profile {name}")
    row = await tx.one("SELECT MAX(number) AS last FROM job_profiles WHERE name = ?", (name,))
    return (row["last"] if row and row["last"] else 0) + 1


async def add(tx: Transaction, profile: StoredProfile) -> None:
    """Keep a version."""
    await tx.execute(
        "INSERT INTO job_profiles (name, number, document, created) VALUES (?, ?, ?, ?)",
        (profile.name, profile.number, profile.document, to_micros(profile.created)),
    )


async def get(tx: Transaction, name: str, number: int | None = None) -> StoredProfile:
    """The last version of a profile, or the one of that number.

    Raises:
        WrongState: ``job_profile.unknown``.
    """
    query = Query("SELECT * FROM job_profiles").where("name = ?", name).equal("number", number)
    row = await tx.one(*query.end("ORDER BY number DESC LIMIT 1"))
    if row is None:
        raise unknown("job profile")
    return _profile(row)


async def latest_of_each(tx: Transaction) -> list[StoredProfile]:
    """Every profile in its last version, by name; at most a thousand."""
    rows = await tx.all(
        "SELECT p.* FROM job_profiles p WHERE p.number = (SELECT MAX(x.number) FROM job_profiles x "
        "WHERE x.name = p.name) ORDER BY p.name LIMIT 1000"
    )
    return [_profile(row) for row in rows]


async def versions(tx: Transaction, name: str) -> list[StoredProfile]:
    """The versions of a profile, the newest first; at most a thousand."""
    rows = await tx.all("SELECT * FROM job_profiles WHERE name = ? ORDER BY number DESC LIMIT 1000", (name,))
    return [_profile(row) for row in rows]


async def remove(tx: Transaction, name: str) -> None:
    """Forget a profile with all its versions.

    Raises:
        WrongState: ``job_profile.unknown``.
    """
    if not await tx.execute("DELETE FROM job_profiles WHERE name = ?", (name,)):
        raise unknown("job profile")


def _profile(row: Row) -> StoredProfile:
    return StoredProfile(row["name"], row["number"], row["document"], from_micros(row["created"]))
