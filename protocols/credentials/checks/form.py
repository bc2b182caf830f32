"""Structure and context: whether the document is well-formed and says one thing only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocols.credentials.checks.results import failed, passed
from protocols.credentials.compacted import compaction_problem
from protocols.credentials.data_integrity.jcs import JcsSuite
from protocols.credentials.data_integrity.registry import suite_of
from protocols.credentials.data_integrity.suite import UnsecuredDocument
from protocols.credentials.model import as_list, proofs_of
from protocols.credentials.structure import Problem
from protocols.credentials.verification import Check, CheckResult
from protocols.errors import LernodeError

__all__ = ["check_context", "check_structure"]

_CONTEXT_SPEC = "VC Data Integrity 1.0 §2.4.1, §4.6"


def check_structure(problems: Sequence[Problem]) -> CheckResult:
    """Whether the document keeps the rules of the data model; ``problems`` are those that it breaks."""
    if not problems:
        return passed(Check.STRUCTURE, "The document keeps the rules of the data model.", "VCDM 2.0 §4")
    first = problems[0]
    rules_broken = [problem.rule for problem in problems]
    return failed(
        Check.STRUCTURE, f"structure.{first.rule}", first.message, first.spec, details={"rules": rules_broken}
    )


def check_context(document: dict[str, Any], unsecured: UnsecuredDocument) -> CheckResult:
    """Whether every context is known, every term is defined, and nothing is shown that is not signed."""
    suites = [suite_of(proof) for proof in proofs_of(document)]
    covers_json = bool(suites) and all(isinstance(suite, JcsSuite) for suite in suites)
    problem = compaction_problem(document, unsecured.processor.store, covers_json=covers_json)
    if problem is not None:
        return failed(Check.CONTEXT, "context.not_compacted", problem, "VCDM 2.0 §1.3, §6.1")
    if not _is_context_covered(document):
        reason = "Contexts were added after the document was signed."
        return failed(Check.CONTEXT, "context.unsigned", reason, "VC Data Integrity EdDSA 1.0 §3.3.2")
    try:
        if covers_json:
            unsecured.require_terms()
        else:
            _ = unsecured.nquads
    except LernodeError as error:
        return failed(Check.CONTEXT, error.code, error.message, _CONTEXT_SPEC)
    return passed(Check.CONTEXT, "Every context is known and every term is defined.", _CONTEXT_SPEC)


def _is_context_covered(document: dict[str, Any]) -> bool:
    """Whether some proof covers all contexts; the suites over JSON let others follow those that it signed."""
    known = [(proof, suite) for proof in proofs_of(document) if (suite := suite_of(proof)) is not None]
    return not known or any(
        not isinstance(suite, JcsSuite)
        or "@context" not in proof
        or as_list(proof["@context"]) == as_list(document.get("@context"))
        for proof, suite in known
    )
