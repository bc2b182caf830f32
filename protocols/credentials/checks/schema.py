"""Schema: whether the credential keeps the schemas that it names, and those that this node has for its types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from protocols.credentials.checks.results import failed, not_checked, passed
from protocols.credentials.model import as_list, types_of
from protocols.credentials.policy import SchemaChecker
from protocols.credentials.schema.interface import SPEC, SchemaWorld
from protocols.credentials.schema.registry import KNOWN_SCHEMAS, SCHEMA_TYPES
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.errors import LernodeError

__all__ = ["check_schema"]

_MAX_PROBLEMS = 5
_GRAVITY = {Outcome.FAIL: 2, Outcome.NOT_CHECKED: 1, Outcome.PASS: 0}


async def check_schema(
    document: dict[str, Any], schemas: Mapping[str, SchemaChecker], world: SchemaWorld, *, in_part: bool = False
) -> CheckResult:
    """How the credential stands to all its schemas; the gravest answer stands for all.

    Args:
        schemas: those that this node has itself, by the id of a schema or a type of credential.
        in_part: whether its holder may have left things out, so that nothing can be said against it.
    """
    local = {**KNOWN_SCHEMAS, **schemas}
    entries = [item for item in as_list(document.get("credentialSchema")) if isinstance(item, dict)]
    results = list(_by_local(document, entries, local))
    results += [await _by_type(entry, document, world) for entry in entries if _name(entry) not in local]
    if not results:
        return passed(Check.SCHEMA, "The record names no schema.", SPEC, code="schema.none")
    gravest = max(results, key=lambda result: _GRAVITY[result.outcome])
    if in_part and gravest.outcome is Outcome.FAIL:
        reason = "The record is shown in part, and the part by itself does not keep the schema."
        return not_checked(Check.SCHEMA, "schema.shown_in_part", reason, SPEC)
    return gravest


def _by_local(
    document: dict[str, Any], entries: list[dict[str, Any]], local: Mapping[str, SchemaChecker]
) -> Iterator[CheckResult]:
    names = [name for name in (*map(_name, entries), *types_of(document)) if name in local]
    checkers = list(dict.fromkeys(local[name] for name in names))
    problems = [problem for checker in checkers for problem in _problems(checker, document)]
    if problems:
        details = {"problems": problems[:_MAX_PROBLEMS]}
        yield failed(Check.SCHEMA, "schema.violated", "The record does not keep its schema.", SPEC, details=details)
    elif checkers:
        yield passed(Check.SCHEMA, "The record keeps its schema.", SPEC)


async def _by_type(entry: dict[str, Any], document: dict[str, Any], world: SchemaWorld) -> CheckResult:
    kind = next((name for name in types_of(entry) if name in SCHEMA_TYPES), None)
    if kind is None:
        reason = "The record names a schema of a kind that this node does not know."
        return not_checked(Check.SCHEMA, "schema.unknown", reason, SPEC)
    try:
        return await SCHEMA_TYPES[kind](entry, document, world)
    except LernodeError as error:
        return not_checked(Check.SCHEMA, error.code, error.message, SPEC)


def _name(entry: dict[str, Any]) -> str:
    name = entry.get("id")
    return name if isinstance(name, str) else ""


def _problems(checker: SchemaChecker, document: dict[str, Any]) -> list[str]:
    try:
        return checker(document)
    except LernodeError as error:
        return [error.message]
