"""What went wrong, in the words of the W3C: problem details (RFC 9457) whose ``type`` is of the specifications' lists.

Specs: VCDM 2.0 §7.2, VC Data Integrity 1.0 §4.7, Bitstring Status List 1.0 §3.5, VCALM "Error Handling". Each carries
lernode's own stable ``code`` too; where no list has a type for it, the type is the code as a URN.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from node.http.problem import MEDIA_TYPE, problem_urn, status_of
from node.http.vc_api_schemas import VcProblem
from protocols.credentials.verification import Check, CheckResult, Outcome, VerificationResult
from protocols.errors import LernodeError

__all__ = ["problem_of_check", "problems_of", "with_vc_problems"]

_VCDM = "https://www.w3.org/TR/vc-data-model#"
_SECURITY = "https://w3id.org/security#"
_STATUS = "https://www.w3.org/ns/credentials/status-list#"

_PARSING = f"{_VCDM}PARSING_ERROR"
_MALFORMED = f"{_VCDM}MALFORMED_VALUE_ERROR"
_RANGE = f"{_VCDM}RANGE_ERROR"
_CRYPTOGRAPHIC = f"{_VCDM}CRYPTOGRAPHIC_SECURITY_ERROR"
_GENERATION = f"{_SECURITY}PROOF_GENERATION_ERROR"
_VERIFICATION = f"{_SECURITY}PROOF_VERIFICATION_ERROR"
_TRANSFORMATION = f"{_SECURITY}PROOF_TRANSFORMATION_ERROR"
_DATA_LOSS = f"{_SECURITY}DATA_LOSS_DETECTION_ERROR"
_DOMAIN = f"{_SECURITY}INVALID_DOMAIN_ERROR"
_CHALLENGE = f"{_SECURITY}INVALID_CHALLENGE_ERROR"
_STATUS_RETRIEVAL = f"{_STATUS}STATUS_RETRIEVAL_ERROR"
_STATUS_VERIFICATION = f"{_STATUS}STATUS_VERIFICATION_ERROR"
_STATUS_LENGTH = f"{_STATUS}STATUS_LIST_LENGTH_ERROR"
_UNKNOWN_OPTION = "https://www.w3.org/TR/vcalm#UNKNOWN_OPTION_PROVIDED"

_BY_CODE: tuple[tuple[str, str], ...] = (
    ("json.", _PARSING),
    ("http.body_malformed", _MALFORMED),
    ("http.query_malformed", _MALFORMED),
    ("structure.period.", _RANGE),
    ("structure.", _MALFORMED),
    ("context.", _MALFORMED),
    ("related.digest_mismatch", _CRYPTOGRAPHIC),
    ("schema.digest_mismatch", _CRYPTOGRAPHIC),
    ("schema.", _MALFORMED),
    ("time.", _RANGE),
    ("jsonld.undefined_term", _DATA_LOSS),
    ("jsonld.dropped", _DATA_LOSS),
    ("jsonld.", _TRANSFORMATION),
    ("holder.domain", _DOMAIN),
    ("holder.challenge", _CHALLENGE),
    ("status.unreachable", _STATUS_RETRIEVAL),
    ("status.stale", _STATUS_RETRIEVAL),
    ("status.list_length", _STATUS_LENGTH),
    ("status.index_out_of_range", _RANGE),
    ("status.", _STATUS_VERIFICATION),
    ("proof.not_compacted", _DATA_LOSS),
    ("vc_api.two_ids", _MALFORMED),
    ("vc_api.issuer_malformed", _MALFORMED),
    ("vc_api.", _GENERATION),
)
"""Beginning of a code -> type; the first that fits."""

_BY_CHECK: dict[Check, str] = {
    Check.PROOF: _VERIFICATION,
    Check.PROOF_PURPOSE: _VERIFICATION,
    Check.CONTROLLER: _CRYPTOGRAPHIC,
    Check.HOLDER_BINDING: _CRYPTOGRAPHIC,
}
"""For codes without an entry: what it means that the check does not hold."""

_FIELDS_READ = frozenset({"http.body_malformed", "http.query_malformed"})
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def with_vc_problems(handler: _Handler) -> _Handler:
    """The handler, with its errors as problem details of the VC API."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except LernodeError as error:
            status = status_of(error)
            problem = VcProblem(
                type=_type_of_error(error),
                title=error.message,
                detail=error.hint,
                code=error.code,
                status=status,
            )
            return web.Response(status=status, body=msgspec.json.encode(problem), content_type=MEDIA_TYPE)

    return handle


def problems_of(result: VerificationResult) -> list[VcProblem]:
    """Why a document is not verified, by check, and what its user has to know where it is."""
    return [problem_of_check(check) for check in result.checks if _is_worth_saying(check, result)]


def problem_of_check(check: CheckResult) -> VcProblem:
    """A check that does not hold."""
    return VcProblem(
        type=_type_of(check.code) or _BY_CHECK.get(check.check) or problem_urn(check.code),
        title=check.reason,
        detail=f"{check.check.value}: {check.outcome.value}" + (f" ({check.spec})" if check.spec else ""),
        code=check.code,
        check=check.check.value,
    )


def _is_worth_saying(check: CheckResult, result: VerificationResult) -> bool:
    unknown = check.outcome is Outcome.NOT_CHECKED and check.check in result.required
    return check.outcome is Outcome.FAIL or unknown or check.code == "controller.unbound"


def _type_of_error(error: LernodeError) -> str:
    # msgspec, which reads bodies and queries, tells its reasons apart by their text only.
    if error.code in _FIELDS_READ and "unknown field" in error.message:
        return _UNKNOWN_OPTION
    # Proofs that came along are judged by checks; what is raised about a proof is about one that should be made.
    made = error.code.startswith(("proof.", "securing.", "pointer.", "sd_jwt."))
    return _type_of(error.code) or (_GENERATION if made else problem_urn(error.code))


def _type_of(code: str) -> str | None:
    return next((kind for beginning, kind in _BY_CODE if code.startswith(beginning)), None)
