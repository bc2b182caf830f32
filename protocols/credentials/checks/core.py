"""The checks that every secured document of the data model gets, whether credential, status list or presentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from protocols.credentials.checks.form import check_context, check_structure
from protocols.credentials.checks.proofs import check_controller, check_proof, check_purpose, examine_proofs
from protocols.credentials.checks.results import not_checked
from protocols.credentials.checks.valid_time import check_valid_time
from protocols.credentials.data_integrity.suite import UnsecuredDocument
from protocols.credentials.model import holder_id, issuer_id
from protocols.credentials.structure import Problem, credential_problems, presentation_problems
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.did.document import Relationship
from protocols.did.resolver import Resolver
from protocols.jsonld.processor import Processor

__all__ = ["CREDENTIAL", "PRESENTATION", "CoreChecks", "Kind", "not_made", "run_core_checks"]

_CORE = (Check.CONTEXT, Check.PROOF, Check.PROOF_PURPOSE, Check.CONTROLLER, Check.VALID_TIME)


@dataclass(frozen=True, slots=True)
class Kind:
    """How credentials and presentations differ.

    Attributes:
        purpose: what their proofs have to be made for.
        owner: gives the id of the one who has to have signed.
        role: what that one is called.
        checks: the checks that apply, in order.
    """

    name: str
    rules: Callable[[dict[str, Any]], list[Problem]]
    purpose: Relationship
    owner: Callable[[dict[str, Any]], str | None]
    role: str
    checks: tuple[Check, ...]


CREDENTIAL = Kind(
    "credential",
    credential_problems,
    Relationship.ASSERTION_METHOD,
    issuer_id,
    "issuer",
    (
        Check.STRUCTURE,
        *_CORE[:4],
        Check.ISSUER_TRUSTED,
        Check.VALID_TIME,
        Check.STATUS,
        Check.SCHEMA,
        Check.SKILLS,
    ),
)
PRESENTATION = Kind(
    "presentation",
    presentation_problems,
    Relationship.AUTHENTICATION,
    holder_id,
    "holder",
    (Check.STRUCTURE, *_CORE, Check.HOLDER_BINDING),
)


@dataclass(frozen=True, slots=True)
class CoreChecks:
    """The results, by check, and what later checks build on.

    Attributes:
        is_well_formed: whether the structure holds; where not, nothing else was looked at.
        owner: the issuer or holder; for a presentation that names no holder, the one whose key signed it.
        proofs: the proofs of kinds that lernode knows.
    """

    results: dict[Check, CheckResult]
    is_well_formed: bool
    owner: str | None = None
    proofs: tuple[dict[str, Any], ...] = ()


async def run_core_checks(
    document: dict[str, Any],
    kind: Kind,
    *,
    resolver: Resolver,
    now: datetime,
    skew: timedelta,
    processor: Processor,
) -> CoreChecks:
    """Structure, context, proof, purpose, controller and valid time of a document."""
    structure = check_structure(document, kind.rules)
    if structure.outcome is not Outcome.PASS:
        return CoreChecks({check: not_made(check) for check in _CORE} | {Check.STRUCTURE: structure}, False)
    unsecured = UnsecuredDocument({name: value for name, value in document.items() if name != "proof"}, processor)
    context = check_context(document, unsecured)
    examined = await examine_proofs(document, unsecured, kind.purpose, resolver=resolver, processor=processor)
    owner = kind.owner(document)
    if owner is None and "holder" not in document and examined:
        owner = examined[0].signer
    proofs = tuple(item.proof for item in examined)
    results = (
        structure,
        context,
        check_proof(document, examined),
        check_purpose(examined, kind.purpose),
        check_controller(examined, owner, kind.role),
        check_valid_time(document, proofs, now=now, skew=skew),
    )
    return CoreChecks({result.check: result for result in results}, True, owner, proofs)


def not_made(check: Check) -> CheckResult:
    """For a check that makes no sense on a document whose structure is wrong."""
    reason = "Not looked at, because the structure of the document is wrong."
    return not_checked(check, f"{check.value}.not_made", reason, "")
