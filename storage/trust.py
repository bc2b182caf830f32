"""Trust rules: whom this node believes by its own word, for what, and since and until when.

They are not sealed: records are verified by them from files, without the node's passphrase.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protocols.credentials.trust.grants import Action, By, Grant, Origin
from protocols.credentials.trust.scope import Scope
from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query
from storage.values import from_json, from_micros, to_json, to_micros

__all__ = ["Rule", "add_rule", "find_rules_by_prefix", "has_any", "remove_rule", "rules", "rules_about"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of this node.

    Attributes:
        grant: what the rule says; its origin names the rule.
        note: why, for people.
    """

    id: str
    grant: Grant
    note: str = ""
    created: datetime


async def add_rule(tx: Transaction, rule: Rule) -> None:
    """Keep a new rule."""
    grant = rule.grant
    await tx.execute(
        "INSERT INTO trust_rules (id, did, action, scope, valid_from, valid_until, note, created) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            rule.id,
            grant.did,
            grant.action.value,
            to_json(scope_to_json(grant.scope)),
            to_micros(grant.start),
            to_micros(grant.end),
            rule.note,
            to_micros(rule.created),
        ),
    )


async def rules(tx: Transaction, *, after: str | None = None, limit: int = 100) -> list[Rule]:
    """The rules, the newest first; those that follow the one whose id is ``after``."""
    query = Query("SELECT * FROM trust_rules")
    return [_rule(row) for row in await tx.all(*query.newest_first("trust_rules", "created", after, limit))]


async def rules_about(tx: Transaction, did: str) -> list[Rule]:
    """The rules for a DID, the oldest first."""
    return [_rule(row) for row in await tx.all("SELECT * FROM trust_rules WHERE did = ? ORDER BY created, id", (did,))]


async def find_rules_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[Rule]:
    """The rules whose id starts so, in the order of their ids."""
    return [_rule(row) for row in await tx.all(*Query("SELECT * FROM trust_rules").id_starting_with(prefix, limit))]


async def remove_rule(tx: Transaction, rule_id: str) -> None:
    """Forget a rule.

    Raises:
        WrongState: ``trust_rule.unknown``.
    """
    if not await tx.execute("DELETE FROM trust_rules WHERE id = ?", (rule_id,)):
        raise unknown("trust rule")


async def has_any(tx: Transaction) -> bool:
    """Whether this node has said in its store whom it believes."""
    return await tx.one("SELECT 1 FROM trust_rules LIMIT 1") is not None


def scope_to_json(scope: Scope) -> dict[str, list[str]]:
    """A scope as it is stored."""
    return {
        "achievementType": sorted(scope.achievement_types),
        "achievement": sorted(scope.achievements),
        "targetFramework": sorted(scope.frameworks),
    }


def scope_from_json(stored: Mapping[str, Any]) -> Scope:
    """What :func:`scope_to_json` gave."""
    return Scope(
        frozenset(stored["achievementType"]), frozenset(stored["achievement"]), frozenset(stored["targetFramework"])
    )


def _rule(row: Row) -> Rule:
    grant = Grant(
        did=row["did"],
        action=Action(row["action"]),
        scope=scope_from_json(from_json(row["scope"])),
        start=from_micros(row["valid_from"]),
        end=from_micros(row["valid_until"]),
        origin=Origin(by=By.RULE, id=row["id"], name=row["note"]),
    )
    return Rule(id=row["id"], grant=grant, note=row["note"], created=from_micros(row["created"]))
