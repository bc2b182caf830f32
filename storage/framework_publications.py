"""Which versions of frameworks are given to anybody, and what was signed of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.engine import Row, Transaction
from storage.values import from_micros, to_micros

__all__ = ["FrameworkPublication", "every", "find", "put"]


@dataclass(frozen=True, slots=True)
class FrameworkPublication:
    """A framework that is published, in one version.

    Attributes:
        manifest: the signed document that says what the package has.
    """

    framework_id: str
    version_id: str
    manifest: bytes
    published: datetime


async def put(tx: Transaction, publication: FrameworkPublication) -> None:
    """Publish a version, instead of the one that was published before."""
    values = (publication.version_id, publication.manifest, to_micros(publication.published))
    await tx.execute(
        "INSERT INTO framework_publications (framework_id, version_id, manifest, published) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (framework_id) DO UPDATE SET version_id = ?, manifest = ?, published = ?",
        (publication.framework_id, *values, *values),
    )


async def find(tx: Transaction, framework_id: str) -> FrameworkPublication | None:
    """What is published of a framework, or None."""
    row = await tx.one("SELECT * FROM framework_publications WHERE framework_id = ?", (framework_id,))
    return None if row is None else _publication(row)


async def every(tx: Transaction) -> list[FrameworkPublication]:
    """All that is published, by name; at most a thousand."""
    rows = await tx.all("SELECT * FROM framework_publications ORDER BY framework_id LIMIT 1000")
    return [_publication(row) for row in rows]


def _publication(row: Row) -> FrameworkPublication:
    return FrameworkPublication(row["framework_id"], row["version_id"], row["manifest"], from_micros(row["published"]))
