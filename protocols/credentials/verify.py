"""Verifying credentials and presentations: every check made once, by name, and nothing unknown taken for good.

Specs: VC Data Model 2.0 (and 1.1), VC Data Integrity 1.0, Bitstring Status List 1.0.

The functions here return for every input, however hostile; they raise only what the given ``resolver``, ``statuses``
or policy functions raise apart from a ``LernodeError``. The document is read once, and what was read is what is
checked. They ask the network only through ``resolver`` and ``statuses``, keep nothing, and know the time only by
``now``. Whether a presentation answers a query is added by those who asked (``Check.QUERY``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from protocols.credentials.checks.content import check_issuer_trusted, check_schema, check_skills
from protocols.credentials.checks.core import CREDENTIAL, PRESENTATION, CoreChecks, Kind, not_made, run_core_checks
from protocols.credentials.checks.holder import check_holder_binding
from protocols.credentials.checks.results import failed
from protocols.credentials.checks.status import CheckedList, check_status
from protocols.credentials.model import credentials_of
from protocols.credentials.policy import Policy
from protocols.credentials.reading import read_document
from protocols.credentials.verification import Check, CheckResult, VerificationResult
from protocols.did.document import DidDocument
from protocols.did.resolver import Resolver
from protocols.errors import BadInput, LernodeError
from protocols.jsonld.processor import DEFAULT, Processor
from protocols.status.source import PublishedDocument, StatusSource

__all__ = ["Policy", "verify_credential", "verify_presentation"]


async def verify_credential(
    document: dict[str, Any] | bytes | str,
    *,
    resolver: Resolver,
    statuses: StatusSource,
    policy: Policy,
    now: datetime,
    processor: Processor = DEFAULT,
) -> VerificationResult:
    """Verify one credential by itself.

    Args:
        document: JSON text, or the parsed object.
        now: timezone-aware.
    """
    try:
        read = read_document(document)
    except BadInput as error:
        return _unreadable(CREDENTIAL, policy, error)
    return await _verify_credential(read, _Remembering(resolver), statuses, policy, now, processor)


async def verify_presentation(
    document: dict[str, Any] | bytes | str,
    *,
    challenge: str | None,
    domain: str | None,
    resolver: Resolver,
    statuses: StatusSource,
    policy: Policy,
    now: datetime,
    processor: Processor = DEFAULT,
) -> VerificationResult:
    """Verify a presentation and every credential in it.

    Args:
        document: JSON text, or the parsed object.
        challenge: what the holder was asked to answer; ``None`` where nothing was asked, which leaves the holder
            binding unchecked.
        domain: what the request named, or ``None``.
        now: timezone-aware.
    """
    try:
        read = read_document(document)
    except BadInput as error:
        return _unreadable(PRESENTATION, policy, error)
    remembering = _Remembering(resolver)
    core = await run_core_checks(
        read, PRESENTATION, resolver=remembering, now=now, skew=policy.clock_skew, processor=processor
    )
    if not core.is_well_formed:
        return _result(PRESENTATION, core, {}, policy)
    binding = check_holder_binding(read, core.proofs, core.owner, challenge=challenge, domain=domain)
    inside = [
        await _verify_credential(credential, remembering, statuses, policy, now, processor)
        for credential in credentials_of(read)
    ]
    return _result(PRESENTATION, core, {Check.HOLDER_BINDING: binding}, policy, tuple(inside))


async def _verify_credential(
    document: dict[str, Any],
    resolver: Resolver,
    statuses: StatusSource,
    policy: Policy,
    now: datetime,
    processor: Processor,
) -> VerificationResult:
    skew = policy.clock_skew
    core = await run_core_checks(document, CREDENTIAL, resolver=resolver, now=now, skew=skew, processor=processor)
    if not core.is_well_formed:
        return _result(CREDENTIAL, core, {}, policy)

    async def check_list(published: PublishedDocument) -> CheckedList:
        found = read_document(published)
        made = await run_core_checks(found, CREDENTIAL, resolver=resolver, now=now, skew=skew, processor=processor)
        return CheckedList(found, made)

    more = (
        check_issuer_trusted(document, policy.trusted_issuers),
        await check_status(document, statuses, check_list, policy=policy, now=now),
        check_schema(document, policy.schemas),
        check_skills(document, policy.known_skill),
    )
    return _result(CREDENTIAL, core, {result.check: result for result in more}, policy)


def _unreadable(kind: Kind, policy: Policy, error: BadInput) -> VerificationResult:
    structure = failed(Check.STRUCTURE, error.code, error.message, "RFC 7493")
    return _result(kind, CoreChecks({Check.STRUCTURE: structure}, False), {}, policy)


def _result(
    kind: Kind,
    core: CoreChecks,
    more: dict[Check, CheckResult],
    policy: Policy,
    credentials: tuple[VerificationResult, ...] = (),
) -> VerificationResult:
    made = core.results | more
    return VerificationResult(
        kind=kind.name,
        checks=tuple(made.get(check) or not_made(check) for check in kind.checks),
        required=policy.required & frozenset(kind.checks),
        credentials=credentials,
        issuer=core.owner if kind is CREDENTIAL else None,
        holder=core.owner if kind is PRESENTATION else None,
    )


class _Remembering:
    """Resolves each DID once for one verification, so that all of it sees the same documents."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._answers: dict[str, DidDocument | LernodeError] = {}

    async def resolve(self, did: str) -> DidDocument:
        if did not in self._answers:
            try:
                self._answers[did] = await self._resolver.resolve(did)
            except LernodeError as error:
                self._answers[did] = error
        answer = self._answers[did]
        if isinstance(answer, LernodeError):
            raise answer
        return answer
