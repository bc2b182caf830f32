"""Holder binding: whether the presentation was made for this request, by the one whom the records are about."""

from __future__ import annotations

from collections.abc import Sequence

from protocols.credentials.checks.results import failed, not_checked, passed
from protocols.credentials.model import as_list
from protocols.credentials.secured import Asked, ExaminedProof
from protocols.credentials.verification import Check, CheckResult

__all__ = ["check_holder_binding", "no_binding"]

_SPEC = "VC Data Integrity 1.0 §4.4, VCDM 2.0 §4.13"


def check_holder_binding(
    proofs: Sequence[ExaminedProof], holder: str | None, subjects: Sequence[str | None], asked: Asked
) -> CheckResult:
    """Whether every proof answers what was asked, and ``holder`` is each of ``subjects``.

    Args:
        subjects: whom the credentials inside are about; ``None`` for one that is not named. None at all where policy
            lets others present.
    """
    if asked.challenge is not None and any(item.proof.get("challenge") != asked.challenge for item in proofs):
        return _fail("holder.challenge", "The presentation answers another challenge.")
    if asked.domain is not None and any(as_list(item.proof.get("domain")) != [asked.domain] for item in proofs):
        return _fail("holder.domain", "The presentation was made for another domain.")
    if any(subject is not None and subject != holder for subject in subjects):
        return _fail("holder.not_subject", "The holder is not the subject of every record.")
    if not proofs or holder is None:
        return _unknown("holder.unknown", "Nothing proves who presents.")
    if None in subjects:
        return _unknown("holder.subject_unnamed", "A record does not say by a DID whom it is about.")
    if asked.challenge is None:
        return _unknown("holder.no_challenge", "No challenge was expected, so this may be a copy of an old answer.")
    who = "the subject of the records" if subjects else "the holder"
    return passed(Check.HOLDER_BINDING, f"It was made for this request by {who}.", _SPEC)


def no_binding(asked: Asked) -> CheckResult:
    """For a credential that nobody bound to anything, where an answer was asked for or not."""
    if asked.challenge is None and asked.domain is None:
        return _unknown("holder.no_challenge", "Nobody was asked to answer anything.")
    return _fail("holder.not_presented", "It is a record by itself, so nobody answered the challenge with it.")


def _fail(code: str, reason: str) -> CheckResult:
    return failed(Check.HOLDER_BINDING, code, reason, _SPEC)


def _unknown(code: str, reason: str) -> CheckResult:
    return not_checked(Check.HOLDER_BINDING, code, reason, _SPEC)
