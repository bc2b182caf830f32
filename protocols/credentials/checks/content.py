"""Trust, schema and skills: what a credential says, held against what this node knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from protocols.credentials.checks.results import failed, not_checked, passed
from protocols.credentials.model import alignments, as_list, is_url, types_of
from protocols.credentials.policy import SchemaChecker
from protocols.credentials.verification import Check, CheckResult
from protocols.errors import LernodeError

__all__ = ["check_issuer_trusted", "check_schema", "check_skills"]

_TRUST_SPEC = "VCDM 2.0 §4.7"
_SCHEMA_SPEC = "VCDM 2.0 §4.11"
_SKILLS_SPEC = "Open Badges 3.0 §B.4"
_MAX_PROBLEMS = 5


def check_issuer_trusted(issuer: str | None, trusted: frozenset[str] | None) -> CheckResult:
    """Whether the issuer is one that this node trusts."""
    if trusted is None:
        reason = "Nobody has said which issuers to trust."
        return not_checked(Check.ISSUER_TRUSTED, "trust.undecided", reason, _TRUST_SPEC)
    if issuer in trusted:
        return passed(Check.ISSUER_TRUSTED, "The issuer is trusted.", _TRUST_SPEC)
    return failed(Check.ISSUER_TRUSTED, "trust.issuer_untrusted", "The issuer is not a trusted one.", _TRUST_SPEC)


def check_schema(document: dict[str, Any], schemas: Mapping[str, SchemaChecker]) -> CheckResult:
    """Whether the credential keeps the schemas that it names, and those that this node has for its types."""
    named = [item.get("id") for item in as_list(document.get("credentialSchema")) if isinstance(item, dict)]
    names = [name for name in [*named, *types_of(document)] if isinstance(name, str) and name in schemas]
    checkers = list(dict.fromkeys(schemas[name] for name in names))
    problems = [problem for checker in checkers for problem in _problems(checker, document)]
    if problems:
        details = {"problems": problems[:_MAX_PROBLEMS]}
        reason = "The record does not keep its schema."
        return failed(Check.SCHEMA, "schema.violated", reason, _SCHEMA_SPEC, details=details)
    if any(name not in schemas for name in named):
        reason = "The record names a schema that this node does not know."
        return not_checked(Check.SCHEMA, "schema.unknown", reason, _SCHEMA_SPEC)
    if not checkers:
        return passed(Check.SCHEMA, "The record names no schema.", _SCHEMA_SPEC, code="schema.none")
    return passed(Check.SCHEMA, "The record keeps its schema.", _SCHEMA_SPEC)


def check_skills(document: dict[str, Any], known_skill: Callable[[str], bool] | None) -> CheckResult:
    """Whether the skills that the record is aligned to are in a framework that this node has."""
    stated = alignments(document)
    if not stated:
        reason = "The record is not aligned to any skill."
        return not_checked(Check.SKILLS, "skills.none", reason, _SKILLS_SPEC)
    targets = [item["targetUrl"] for item in stated if is_url(item.get("targetUrl"))]
    if len(targets) != len(stated):
        reason = "An alignment does not name its skill by a URL."
        return failed(Check.SKILLS, "skills.malformed", reason, _SKILLS_SPEC)
    if known_skill is None:
        reason = "This node has no framework of skills."
        return not_checked(Check.SKILLS, "skills.no_framework", reason, _SKILLS_SPEC)
    unknown = sum(not known_skill(target) for target in targets)
    details = {"skills": len(targets), "unknown": unknown}
    if unknown:
        reason = "The record is aligned to skills that no framework of this node has."
        return not_checked(Check.SKILLS, "skills.unknown", reason, _SKILLS_SPEC, details=details)
    return passed(Check.SKILLS, "Every skill is in a known framework.", _SKILLS_SPEC, details=details)


def _problems(checker: SchemaChecker, document: dict[str, Any]) -> list[str]:
    try:
        return checker(document)
    except LernodeError as error:
        return [error.message]
