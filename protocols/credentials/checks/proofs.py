"""Proof, purpose and controller: whether the signatures hold, for what they were made, and by whom.

Policy for proof sets, which VC Data Integrity 1.0 §4.5 leaves to the verifier: every proof of a kind that lernode
knows has to hold, have the right purpose and an authorised key; at least one has to be the issuer's (or holder's)
own. A proof of an unknown kind is counted in the details and otherwise ignored: whoever adds one gains nothing, and
a known proof that builds on it does not hold. Where no proof is of a known kind, nothing is proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocols.credentials.checks.keys import find_key
from protocols.credentials.checks.results import failed, not_checked, passed
from protocols.credentials.data_integrity.proofs import is_base_proof, previous_proofs, unsecured_for, verify_proof
from protocols.credentials.data_integrity.registry import suite_of
from protocols.credentials.data_integrity.suite import UnsecuredDocument, base_proof_shown
from protocols.credentials.model import is_url, proofs_of
from protocols.credentials.secured import ExaminedProof
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.did.document import Relationship
from protocols.did.resolver import Resolver
from protocols.errors import BadInput, LernodeError, NotNow
from protocols.jsonld.processor import Processor

__all__ = ["check_controller", "check_proof", "check_purpose", "examine_proofs"]

_PROOF_SPEC = "VC Data Integrity 1.0 §4.4, §4.5"
_PURPOSE_SPEC = "VC Data Integrity 1.0 §2.3"
_CONTROLLER_SPEC = "Controlled Identifiers 1.0 §3.3"


async def examine_proofs(
    document: dict[str, Any],
    unsecured: UnsecuredDocument,
    purpose: Relationship,
    *,
    resolver: Resolver,
    processor: Processor,
) -> list[ExaminedProof]:
    """Check each proof of a known kind by itself, in order."""
    proofs = [proof for proof in proofs_of(document) if suite_of(proof) is not None]
    return [await _examine(proof, proofs, unsecured, purpose, resolver, processor) for proof in proofs]


def check_proof(examined: Sequence[ExaminedProof], *, unknown: int, accept_base: bool) -> CheckResult:
    """Whether the signatures hold.

    Args:
        unknown: how many proofs there are of kinds that lernode does not know.
        accept_base: whether the one who asks may see base proofs of selective disclosure.
    """
    details = {"proofs": len(examined), **({"unknownProofs": unknown} if unknown else {})}
    if not examined and not unknown:
        return failed(Check.PROOF, "proof.missing", "The document has no proof.", _PROOF_SPEC)
    if not examined:
        reason = "The document is proved in a way that this node does not know."
        return not_checked(Check.PROOF, "proof.suite_unknown", reason, _PROOF_SPEC, details=details)
    if not accept_base and any(item.is_base for item in examined):
        error = base_proof_shown()
        return failed(Check.PROOF, error.code, error.message, _PROOF_SPEC, details=details)
    for item in examined:
        if item.signature is Outcome.FAIL:
            code, reason = _why(item.error, "proof.invalid", "The document is not what was signed.")
            return failed(Check.PROOF, code, reason, _PROOF_SPEC, details=details)
    for item in examined:
        if item.signature is Outcome.NOT_CHECKED:
            code, reason = _why(item.error, "proof.key_unknown", "The key of the proof could not be had.")
            return not_checked(Check.PROOF, code, reason, _PROOF_SPEC, details=details)
    return passed(Check.PROOF, "The signature holds: nothing was changed.", _PROOF_SPEC, details=details)


def check_purpose(examined: Sequence[ExaminedProof], purpose: Relationship) -> CheckResult:
    """Whether every proof was made for the purpose."""
    if not examined:
        return not_checked(Check.PROOF_PURPOSE, "purpose.no_proof", "There is no proof to look at.", _PURPOSE_SPEC)
    if any(item.proof.get("proofPurpose") != purpose.value for item in examined):
        reason = f"A proof was made for another purpose than {purpose.value}."
        return failed(Check.PROOF_PURPOSE, "purpose.wrong", reason, _PURPOSE_SPEC)
    return passed(Check.PROOF_PURPOSE, f"The proof was made for {purpose.value}.", _PURPOSE_SPEC)


def check_controller(
    examined: Sequence[ExaminedProof], owner: str | None, role: str, *, owner_signs: bool = True
) -> CheckResult:
    """Whether the keys were authorised by their DIDs, and one of these is the ``owner`` (``role``: issuer, holder).

    Args:
        owner_signs: whether the second is asked for; where it is not, the code still says that it does not hold.
    """
    if not examined:
        return not_checked(Check.CONTROLLER, "controller.no_proof", "There is no proof to look at.", _CONTROLLER_SPEC)
    is_owner = owner in {item.signer for item in examined}
    if owner_signs and not is_owner:
        reason = f"The document is not signed with a key of its {role}."
        return failed(Check.CONTROLLER, f"controller.not_{role}", reason, _CONTROLLER_SPEC)
    refusals = [item.refusal for item in examined if item.refusal is not None]
    if refusals:
        refusal = min(refusals, key=_may_change)
        make = not_checked if _may_change(refusal) else failed
        return make(Check.CONTROLLER, refusal.code, refusal.message, _CONTROLLER_SPEC)
    if not is_owner:
        reason = f"The key is one that its own DID uses for this, which is not the {role}."
        return passed(Check.CONTROLLER, reason, _CONTROLLER_SPEC, code="controller.unbound")
    return passed(Check.CONTROLLER, f"The key is one that the {role} uses for this.", _CONTROLLER_SPEC)


async def _examine(
    proof: dict[str, Any],
    proofs: Sequence[dict[str, Any]],
    unsecured: UnsecuredDocument,
    purpose: Relationship,
    resolver: Resolver,
    processor: Processor,
) -> ExaminedProof:
    url = proof.get("verificationMethod")
    if not isinstance(url, str) or not is_url(url):
        error = BadInput("proof.no_method", "The proof names no verification method.", "Its maker has to add it.")
        return ExaminedProof(proof, "", Outcome.FAIL, error, error)
    signer = url.partition("#")[0]
    method, refusal = await find_key(url, purpose, resolver)
    if method is None:
        return ExaminedProof(proof, signer, Outcome.NOT_CHECKED, refusal, refusal)
    try:
        input_document = unsecured_for(unsecured, previous_proofs(proof, proofs), processor)
        holds = verify_proof(input_document, proof, method.key, accept_base=True)
    except LernodeError as error:
        return ExaminedProof(proof, signer, Outcome.FAIL, refusal, error)
    outcome = Outcome.PASS if holds else Outcome.FAIL
    return ExaminedProof(proof, signer, outcome, refusal, is_base=is_base_proof(proof))


def _may_change(error: LernodeError) -> bool:
    return isinstance(error, NotNow)


def _why(error: LernodeError | None, code: str, reason: str) -> tuple[str, str]:
    return (error.code, error.message) if error else (code, reason)
