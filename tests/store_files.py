"""A store's file behind its node's back: read and changed by the driver that keeps the checksums of its pages right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from storage.sqlite_link import connected

__all__ = ["changed", "opened"]

_PATIENCE_SECONDS = 60


@contextmanager
def opened(path: Path) -> Iterator[apsw.Connection]:
    """A connection; each statement is a transaction of its own."""
    connection = connected(path, patience=_PATIENCE_SECONDS)
    try:
        yield connection
    finally:
        connection.close()


def changed(path: Path, script: str) -> int:
    """Run statements; how many rows the last one changed."""
    with opened(path) as connection:
        connection.execute(script)
        return connection.changes()
