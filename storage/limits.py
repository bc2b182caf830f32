"""How long a store is waited for before the answer is "not now"."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]

_CONNECT_SECONDS = 10.0
_CLEAN_UP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in seconds; an embedded store knows only the first, for it has no server that could be slow or silent.

    Attributes:
        lock: for what another unit of work or another process holds.
        statement: for one statement; 0: as long as it takes.
        idle: for a unit of work in which nothing is asked of the server, which then rolls it back; 0: for ever.
        silence: for a sign of life of the server, or of this process at the server, before the connection is given up.
    """

    lock: float = 5.0
    statement: float = 60.0
    idle: float = 60.0
    silence: float = 30.0

    @property
    def connect(self) -> float:
        """For a new connection to be ready."""
        return min(self.silence, _CONNECT_SECONDS)

    @property
    def clean_up(self) -> float:
        """To roll back, and to make a connection ready for the next, takes a server that lives next to no time."""
        return min(self.silence, _CLEAN_UP_SECONDS)

    @property
    def answer(self) -> float | None:
        """How long an answer can take of a server that still lives; None where there is no limit."""
        return self.statement + self.silence if self.statement else None
