"""Holder binding: whether the presentation was made for this request, by the one whom the records are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocols.credentials.checks.results import failed, not_checked, passed
from protocols.credentials.model import as_list, credentials_of, subject_ids
from protocols.credentials.verification import Check, CheckResult

__all__ = ["check_holder_binding"]

_SPEC = "VC Data Integrity 1.0 §4.4, VCDM 2.0 §4.13"


def check_holder_binding(
    presentation: dict[str, Any],
    proofs: Sequence[dict[str, Any]],
    holder: str | None,
    *,
    challenge: str | None,
    domain: str | None,
) -> CheckResult:
    """Whether every proof answers ``challenge`` in ``domain``, and ``holder`` is the subject of every credential.

    Args:
        challenge: what was asked; ``None`` where nothing was, so that a replay cannot be told from an answer.
        domain: where it was asked; ``None`` where the request named none.
    """
    if challenge is not None and any(proof.get("challenge") != challenge for proof in proofs):
        return _fail("holder.challenge", "The presentation answers another challenge.")
    if domain is not None and any(as_list(proof.get("domain")) != [domain] for proof in proofs):
        return _fail("holder.domain", "The presentation was made for another domain.")
    subjects = [subject for item in credentials_of(presentation) for subject in _subjects(item)]
    if any(subject is not None and subject != holder for subject in subjects):
        return _fail("holder.not_subject", "The holder is not the subject of every record.")
    if not proofs or holder is None:
        return _unknown("holder.unknown", "Nothing proves who presents.")
    if None in subjects:
        return _unknown("holder.subject_unnamed", "A record does not say by a DID whom it is about.")
    if challenge is None:
        return _unknown("holder.no_challenge", "No challenge was expected, so this may be a copy of an old answer.")
    reason = "It was made for this request by the subject of the records."
    return passed(Check.HOLDER_BINDING, reason, _SPEC)


def _subjects(credential: Any) -> list[str | None]:
    return (subject_ids(credential) if isinstance(credential, dict) else []) or [None]


def _fail(code: str, reason: str) -> CheckResult:
    return failed(Check.HOLDER_BINDING, code, reason, _SPEC)


def _unknown(code: str, reason: str) -> CheckResult:
    return not_checked(Check.HOLDER_BINDING, code, reason, _SPEC)
