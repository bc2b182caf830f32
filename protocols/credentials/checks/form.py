"""Structure and context: whether the document is well-formed and says one thing only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocols.credentials.checks.results import failed, passed
from protocols.credentials.compacted import compaction_problem
from protocols.credentials.context_binding import binding_problem, bound_contexts
from protocols.credentials.data_integrity.jcs import JcsSuite
from protocols.credentials.data_integrity.registry import suite_of
from protocols.credentials.data_integrity.suite import UnsecuredDocument
from protocols.credentials.model import as_list, proofs_of
from protocols.credentials.structure import Problem
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.errors import LernodeError
from protocols.jsonld.contexts import ContextStore

__all__ = ["check_context", "check_structure", "check_terms", "require_signed"]

_CONTEXT_SPEC = "VC Data Integrity 1.0 §2.4.1, §4.6"
_KNOWN = "Every context is known and every term is defined"


def check_structure(problems: Sequence[Problem]) -> CheckResult:
    """Whether the document keeps the rules of the data model; ``problems`` are those that it breaks."""
    if not problems:
        return passed(Check.STRUCTURE, "The document keeps the rules of the data model.", "VCDM 2.0 §4")
    first = problems[0]
    rules_broken = [problem.rule for problem in problems]
    return failed(
        Check.STRUCTURE, f"structure.{first.rule}", first.message, first.spec, details={"rules": rules_broken}
    )


def check_context(document: dict[str, Any], unsecured: UnsecuredDocument, owner: str | None) -> CheckResult:
    """Whether the document says one thing only, and in the contexts that its owner signed or stated.

    Args:
        owner: the issuer or holder. Only the owner's proofs say which contexts are signed: whoever else adds a proof
            may have added contexts before.
    """
    known = [(proof, suite) for proof in proofs_of(document) if (suite := suite_of(proof)) is not None]
    covers_json = bool(known) and all(isinstance(suite, JcsSuite) for _, suite in known)
    found = check_terms(document, unsecured, covers_json=covers_json)
    if found.outcome is not Outcome.PASS:
        return found
    own = [item for item in known if _signer(item[0]) == owner] or known
    over_json = [proof for proof, suite in own if isinstance(suite, JcsSuite)]
    if any("@context" not in proof or _has_contexts(document, proof) for proof in over_json):
        return found
    if over_json and len(over_json) == len(own):
        reason = "Contexts were added after the document was signed."
        return failed(Check.CONTEXT, "context.unsigned", reason, "VC Data Integrity EdDSA 1.0 §3.3.2")
    return _check_stated(document, unsecured.processor.store)


def require_signed(found: CheckResult) -> CheckResult:
    """``found`` by :func:`check_context`, where contexts that no signature covers are not taken."""
    if found.outcome is not Outcome.PASS or not found.details or found.details.get("contextsCovered", True):
        return found
    reason = "The signature does not cover which contexts there are, and the issuer does not state them."
    return failed(Check.CONTEXT, "context.not_covered", reason, "VCDM 2.0 §5.3", details=found.details)


def check_terms(document: dict[str, Any], unsecured: UnsecuredDocument, *, covers_json: bool = False) -> CheckResult:
    """Whether every context is known, every term is defined, and nothing is shown that is not signed.

    Args:
        covers_json: whether all proofs are over the JSON.
    """
    problem = compaction_problem(document, unsecured.processor.store, covers_json=covers_json)
    if problem is not None:
        return failed(Check.CONTEXT, "context.not_compacted", problem, "VCDM 2.0 §1.3, §6.1")
    try:
        if covers_json:
            unsecured.require_terms()
        else:
            _ = unsecured.nquads
    except LernodeError as error:
        return failed(Check.CONTEXT, error.code, error.message, _CONTEXT_SPEC)
    return passed(Check.CONTEXT, f"{_KNOWN}.", _CONTEXT_SPEC)


def _check_stated(document: dict[str, Any], store: ContextStore) -> CheckResult:
    """Whether the contexts, which a signature over RDF does not cover, are those that the issuer states in it."""
    bound = bound_contexts(document, store)
    if not bound:
        reason = f"{_KNOWN}; the signature does not cover which contexts there are."
        return passed(Check.CONTEXT, reason, _CONTEXT_SPEC, details={"contextsCovered": False})
    problem = binding_problem(document, bound)
    if problem is not None:
        return failed(Check.CONTEXT, "context.not_bound", problem, "VCDM 2.0 §5.3")
    return passed(Check.CONTEXT, f"{_KNOWN}; they are those that the issuer states.", _CONTEXT_SPEC)


def _signer(proof: dict[str, Any]) -> str:
    return str(proof.get("verificationMethod")).partition("#")[0]


def _has_contexts(document: dict[str, Any], proof: dict[str, Any]) -> bool:
    return as_list(proof["@context"]) == as_list(document.get("@context"))
