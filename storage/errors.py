"""What a database error means to the caller: one table from SQLite's result codes to lernode's errors.

Messages of the database never reach a user: they may quote values. The original error stays chained for a log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from protocols.errors import BadInput, LernodeError, NotNow, WrongState

__all__ = ["already_stored", "translated", "unknown"]

_CORRUPT = (
    LernodeError,
    "store.corrupt",
    "The store's file is damaged or is not a lernode store.",
    "Stop the node and put back the last backup.",
)
_UNREADABLE = (
    NotNow,
    "store.unreadable",
    "The store's file cannot be read or written.",
    "Check the disk, and that this user owns the file and its folder.",
)
_MEANING: dict[int, tuple[type[LernodeError], str, str, str]] = {
    sqlite3.SQLITE_BUSY: (
        NotNow,
        "store.busy",
        "Another process is writing to this store.",
        "Try again, or stop the other process.",
    ),
    sqlite3.SQLITE_FULL: (NotNow, "store.full", "There is no space left for the store.", "Free some disk space."),
    sqlite3.SQLITE_CORRUPT: _CORRUPT,
    sqlite3.SQLITE_NOTADB: _CORRUPT,
    sqlite3.SQLITE_IOERR: _UNREADABLE,
    sqlite3.SQLITE_CANTOPEN: _UNREADABLE,
    sqlite3.SQLITE_PERM: _UNREADABLE,
    sqlite3.SQLITE_READONLY: (
        WrongState,
        "store.read_only",
        "A write was tried where only reading is allowed.",
        "Write in a write transaction, to a file that this user may write.",
    ),
    sqlite3.SQLITE_CONSTRAINT: (
        WrongState,
        "store.conflict",
        "What should be stored contradicts what is stored already.",
        "Read the present state, then try again.",
    ),
    sqlite3.SQLITE_TOOBIG: (BadInput, "store.value_refused", "A value is too large for the store.", "Send less."),
}


@contextmanager
def translated() -> Iterator[None]:
    """Turn whatever the database driver raises inside into a :class:`LernodeError`."""
    try:
        yield
    except sqlite3.Error as error:
        # Extended codes carry the primary code in their low byte.
        meaning = _MEANING.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if meaning is None:
            raise LernodeError("store.failed", "The store refused a statement.", "Report this as a bug.") from error
        kind, code, message, hint = meaning
        raise kind(code, message, hint) from error
    except (OverflowError, UnicodeError):
        raise BadInput(
            "store.value_refused", "A value cannot be stored: a number or a text out of range.", "Check the input."
        ) from None


def unknown(thing: str) -> WrongState:
    """The error for a ``thing`` that is asked for by name and is not there; code ``<thing>.unknown``."""
    return WrongState(f"{thing.replace(' ', '_')}.unknown", f"There is no such {thing}.", "List what there is.")


def already_stored(thing: str) -> WrongState:
    """The error for a ``thing`` that may be stored once and is there already; code ``<thing>.exists``."""
    return WrongState(
        f"{thing.replace(' ', '_')}.exists", f"This {thing} is stored already.", "Use the one that is there."
    )
