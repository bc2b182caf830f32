"""The checks that every secured document of the data model gets, whether credential, status list or presentation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from protocols.credentials.checks.form import check_structure, require_signed
from protocols.credentials.checks.proofs import check_controller, check_proof, check_purpose
from protocols.credentials.checks.results import not_checked
from protocols.credentials.secured import ExaminedProof, Secured
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.did.resolver import Resolver

__all__ = ["CoreChecks", "not_made", "run_core_checks"]


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
    proofs: tuple[ExaminedProof, ...] = ()


async def run_core_checks(
    secured: Secured,
    *,
    resolver: Resolver,
    now: datetime,
    skew: timedelta,
    owner_signs: bool = True,
    accept_base: bool = False,
    contexts_signed: bool = False,
) -> CoreChecks:
    """Structure, context, proof, purpose, controller and valid time of a document.

    Args:
        owner_signs: whether it has to be signed by its issuer or holder.
        accept_base: whether base proofs of selective disclosure will do, as they do for issuer and holder.
        contexts_signed: whether contexts that are neither signed nor stated in what is signed are refused.
    """
    kind = secured.kind
    structure = check_structure(secured.problems())
    if structure.outcome is not Outcome.PASS:
        return CoreChecks({Check.STRUCTURE: structure}, False)
    context = [secured.check_context()] if Check.CONTEXT in kind.checks else []
    if contexts_signed:
        context = [require_signed(found) for found in context]
    examined = await secured.examine(resolver)
    owner = kind.owner(secured.document)
    if owner is None and "holder" not in secured.document and examined:
        owner = examined[0].signer
    results = (
        structure,
        *context,
        check_proof(examined, unknown=secured.unknown_proofs, accept_base=accept_base),
        check_purpose(examined, kind.purpose),
        check_controller(examined, owner, kind.role, owner_signs=owner_signs),
        secured.check_time(examined, now=now, skew=skew),
    )
    return CoreChecks({result.check: result for result in results}, True, owner, tuple(examined))


def not_made(check: Check) -> CheckResult:
    """For a check that makes no sense on a document whose structure is wrong."""
    reason = "Not looked at, because the structure of the document is wrong."
    return not_checked(check, f"{check.value}.not_made", reason, "")
