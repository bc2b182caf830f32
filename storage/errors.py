"""What can be wrong with a store, in lernode's errors; each engine has a table from its database's codes to these.

Messages of the database never reach a user: they may quote values. The original error stays chained for a log.
"""

from __future__ import annotations

from protocols.errors import BadInput, LernodeError, NotNow, WrongState

__all__ = [
    "BUSY",
    "CONFLICT",
    "CORRUPT",
    "FULL",
    "OF_THE_STORE",
    "READ_ONLY",
    "TOO_LARGE",
    "Meaning",
    "already_stored",
    "meant",
    "refused",
    "unknown",
]


Meaning = tuple[type[LernodeError], str, str, str]
"""What a class of database errors is to the caller: the error's class, code, message and hint."""

BUSY: Meaning = (
    NotNow,
    "store.busy",
    "Another process is writing to this store.",
    "Try again, or stop the other process.",
)
CONFLICT: Meaning = (
    WrongState,
    "store.conflict",
    "What should be stored contradicts what is stored already.",
    "Read the present state, then try again.",
)
CORRUPT: Meaning = (
    LernodeError,
    "store.corrupt",
    "The store is damaged or is not a lernode store.",
    "Stop the node and put back the last backup.",
)
FULL: Meaning = (
    NotNow,
    "store.full",
    "There is no space left for the store, which can only be read.",
    "Free disk space where the store is; the node then goes on by itself.",
)
READ_ONLY: Meaning = (
    NotNow,
    "store.read_only",
    "The store can only be read.",
    "Let its disk or its database server take writes; the node then goes on by itself.",
)
TOO_LARGE: Meaning = (BadInput, "store.value_refused", "A value is too large for the store.", "Send less.")

OF_THE_STORE = frozenset({"store.full", "store.read_only", "store.unreadable", "store.unreachable", CORRUPT[1]})
"""Codes of what is wrong with the store as a whole, whatever is asked of it."""


def meant(meaning: Meaning) -> LernodeError:
    """The error to raise."""
    kind, code, message, hint = meaning
    return kind(code, message, hint)


def refused() -> LernodeError:
    """The error for what no table names: a statement that is wrong in itself."""
    return LernodeError("store.failed", "The store refused a statement.", "Report this as a bug.")


def unknown(thing: str) -> WrongState:
    """The error for a ``thing`` that is asked for by name and is not there; code ``<thing>.unknown``."""
    return WrongState(f"{thing.replace(' ', '_')}.unknown", f"There is no such {thing}.", "List what there is.")


def already_stored(thing: str) -> WrongState:
    """The error for a ``thing`` that may be stored once and is there already; code ``<thing>.exists``."""
    return WrongState(
        f"{thing.replace(' ', '_')}.exists", f"This {thing} is stored already.", "Use the one that is there."
    )
