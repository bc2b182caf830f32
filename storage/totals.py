"""How much there is of what an operator looks at first."""

from __future__ import annotations

from dataclasses import dataclass

from storage.engine import Transaction

__all__ = ["Totals", "count"]


@dataclass(frozen=True, slots=True)
class Totals:
    """Numbers of rows."""

    connections: int
    held: int
    issued: int


async def count(tx: Transaction) -> Totals:
    """How many connections and records the node has."""
    row = await tx.one(
        "SELECT (SELECT COUNT(*) FROM connections) AS connections, "
        "(SELECT COUNT(*) FROM held_credentials) AS held, (SELECT COUNT(*) FROM issued_credentials) AS issued"
    )
    return Totals(0, 0, 0) if row is None else Totals(row["connections"], row["held"], row["issued"])
