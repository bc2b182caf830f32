"""Trust: whether this verifier believes the issuer for what the record awards, and why."""

from __future__ import annotations

from protocols.credentials.checks.results import failed, not_checked, passed
from protocols.credentials.trust.decision import UNTRUSTED, Decision
from protocols.credentials.trust.grants import LIST_EXPIRED
from protocols.credentials.verification import Check, CheckResult, Outcome

__all__ = ["check_issuer_trusted", "endorser", "issuer_unknown", "not_asked", "own_statement"]

_SPEC = "VCDM 2.0 §4.7, Recognized Entities 1.0 §2"


def check_issuer_trusted(decision: Decision, *, is_empty: bool) -> CheckResult:
    """What follows from a decision.

    Args:
        is_empty: whether nobody has said whom to trust.
    """
    details = decision.details()
    if decision.chain:
        accredited = len(decision.chain) > 1
        reason = "The issuer is accredited by one that is trusted." if accredited else "The issuer is trusted."
        return passed(Check.ISSUER_TRUSTED, reason, _SPEC, details=details)
    return _unclear(decision, details) or _refused(decision, details, is_empty=is_empty)


def issuer_unknown() -> CheckResult:
    """The result where nothing says who issued the record, as with a seal under an authority that is not known."""
    reason = "Who issued the record is not known, so that nobody can be trusted for it."
    return not_checked(Check.ISSUER_TRUSTED, "trust.issuer_unknown", reason, _SPEC)


def own_statement(result: CheckResult) -> CheckResult:
    """The result where the issuer is whom the record is about: nobody's trust can say whether that is so."""
    if result.outcome is Outcome.PASS:
        return result
    reason = "It is an own statement: whom it is about has issued it, and nobody else vouches for it."
    return not_checked(Check.ISSUER_TRUSTED, "trust.own_statement", reason, _SPEC, details=result.details or {})


def not_asked(result: CheckResult) -> CheckResult:
    """The result for a verifier who does not ask whom to believe: it is told, and nothing fails for it."""
    if result.outcome is not Outcome.FAIL:
        return result
    reason = f"{result.reason} That was not asked."
    return not_checked(Check.ISSUER_TRUSTED, result.code, reason, _SPEC, details=result.details or {})


def endorser(result: CheckResult) -> CheckResult:
    """The result for an endorsement that goes along with a record: whether to believe it is for the reader to say."""
    if result.outcome is Outcome.PASS:
        return result
    reason = "Nobody here trusts who endorses; what that is worth is for the reader to say."
    return not_checked(Check.ISSUER_TRUSTED, "trust.endorser", reason, _SPEC, details=result.details or {})


def _unclear(decision: Decision, details: dict[str, object]) -> CheckResult | None:
    unknown = [each.why for each in decision.refusals if each.outcome is Outcome.NOT_CHECKED]
    if LIST_EXPIRED in unknown:
        reason = "The trust list that names the issuer is no longer valid."
        return not_checked(Check.ISSUER_TRUSTED, "trust.list_expired", reason, _SPEC, details=details)
    if unknown:
        reason = "An accreditation of the issuer cannot be checked."
        return not_checked(Check.ISSUER_TRUSTED, "trust.accreditation_unclear", reason, _SPEC, details=details)
    return None


def _refused(decision: Decision, details: dict[str, object], *, is_empty: bool) -> CheckResult:
    reasons = {each.why for each in decision.refusals}
    if "status.revoked" in reasons:
        reason = "The accreditation of the issuer is revoked; a status list does not say since when."
        return failed(Check.ISSUER_TRUSTED, "trust.accreditation_revoked", reason, _SPEC, details=details)
    if reasons - {UNTRUSTED}:
        reason = "The issuer is not trusted for this award: what is known of it does not reach so far."
        return failed(Check.ISSUER_TRUSTED, "trust.out_of_scope", reason, _SPEC, details=details)
    if is_empty and not reasons:
        reason = "Nobody has said which issuers to trust."
        return not_checked(Check.ISSUER_TRUSTED, "trust.undecided", reason, _SPEC)
    reason = "The issuer is not a trusted one."
    return failed(Check.ISSUER_TRUSTED, "trust.issuer_untrusted", reason, _SPEC, details=details)
