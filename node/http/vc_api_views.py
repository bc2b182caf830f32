"""From the result of a verification to what the VC API says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from node.http.vc_api_problems import problem_of_check, problems_of
from node.http.vc_api_schemas import (
    AllResults,
    CheckedValue,
    CredentialResults,
    CredentialVerification,
    PresentationResults,
    PresentationVerification,
    ProofResult,
    VcProblem,
    VerifyCredentialOptions,
    VerifyPresentationOptions,
)
from protocols.credentials.model import as_list, credentials_of
from protocols.credentials.verification import Check, CheckResult, Outcome, VerificationResult

__all__ = ["view_credential", "view_presentation"]

_PROOF_CHECKS = (Check.PROOF, Check.PROOF_PURPOSE, Check.CONTROLLER)


def view_credential(
    document: dict[str, Any], result: VerificationResult, options: VerifyCredentialOptions
) -> CredentialVerification:
    """What was found of a credential."""
    return CredentialVerification(
        verified=result.verified,
        credential=document if options.return_credential else None,
        problem_details=problems_of(result) if options.return_problem_details else None,
        results=_credential_results(result.document or document, result) if options.return_results else None,
    )


def view_presentation(
    document: dict[str, Any], result: VerificationResult, options: VerifyPresentationOptions
) -> PresentationVerification:
    """What was found of a presentation; the problems of its credentials are in ``results``."""
    return PresentationVerification(
        verified=result.verified,
        verifiable_presentation=document if options.return_presentation else None,
        problem_details=list(_all_problems(result)) if options.return_problem_details else None,
        results=_presentation_results(result.document or document, result, options) if options.return_results else None,
    )


def _all_problems(result: VerificationResult) -> Iterator[VcProblem]:
    yield from problems_of(result)
    for inside in result.credentials:
        yield from problems_of(inside)


def _credential_results(document: dict[str, Any], result: VerificationResult) -> CredentialResults:
    checks = {check.check: check for check in result.checks}
    time, status = checks.get(Check.VALID_TIME), checks.get(Check.STATUS)
    schema = checks.get(Check.SCHEMA)
    proved = _holds(*(checks.get(check) for check in _PROOF_CHECKS))
    begins = not (time and time.code == "time.not_yet_valid") and _readable(time)
    ends = not (time and time.code == "time.expired") and _readable(time)
    return CredentialResults(
        valid_from=_checked(document, "validFrom", begins),
        valid_until=_checked(document, "validUntil", ends),
        credential_schema=_each(document, "credentialSchema", _holds(schema)),
        credential_status=_each(document, "credentialStatus", _holds(status)),
        proof=_each(document, "proof", proved),
    )


def _presentation_results(
    document: dict[str, Any], result: VerificationResult, options: VerifyPresentationOptions
) -> AllResults:
    checks = {check.check: check for check in result.checks}
    binding = checks.get(Check.HOLDER_BINDING)
    code = binding.code if binding else ""
    proof_checks = [checks[check] for check in _PROOF_CHECKS if check in checks]
    proved = _holds(*proof_checks)
    proof_problems = [problem_of_check(check) for check in proof_checks if check.outcome is not Outcome.PASS]
    answered = _holds(binding)
    return AllResults(
        presentation=PresentationResults(
            challenge=_given(options.challenge, answered or code == "holder.domain"),
            domain=_given(options.domain, answered),
            holder=_checked(document, "holder", _holds(checks.get(Check.CONTROLLER))),
            proof=[
                ProofResult(verified=proved, input=proof, problem_details=proof_problems)
                for proof in as_list(document.get("proof"))
            ],
        ),
        credentials=[
            view_credential(
                inside if isinstance(inside, dict) else {},
                found,
                VerifyCredentialOptions(return_results=True, return_credential=True),
            )
            for inside, found in zip(credentials_of(document), result.credentials, strict=False)
        ],
    )


def _holds(*checks: CheckResult | None) -> bool:
    return all(check is not None and check.outcome is Outcome.PASS for check in checks)


def _readable(check: CheckResult | None) -> bool:
    return check is not None and check.code != "time.malformed"


def _checked(document: dict[str, Any], name: str, holds: bool) -> CheckedValue | None:
    return CheckedValue(verified=holds, input=document[name]) if name in document else None


def _each(document: dict[str, Any], name: str, holds: bool) -> list[CheckedValue] | None:
    if name not in document:
        return None
    return [CheckedValue(verified=holds, input=item) for item in as_list(document[name])]


def _given(value: str | None, holds: bool) -> CheckedValue | None:
    return None if value is None else CheckedValue(verified=holds, input=value)
