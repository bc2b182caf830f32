"""Verifying credentials and presentations: every check made once, by name, and nothing unknown taken for good.

Specs: VC Data Model 2.0 (and 1.1), VC Data Integrity 1.0, VC-JOSE-COSE 1.0, SD-JWT VC, Bitstring Status List 1.0.

:func:`verify` returns for every input, however hostile; it raises only what the given ``resolver``, ``statuses`` or
policy functions raise apart from a ``LernodeError``. The document is read once, and what was read is what is checked.
It asks the network only through ``resolver``, ``statuses`` and ``policy.resources``, keeps nothing, and knows the time
only by ``now``. Whether a presentation answers a query is added by those who asked (``Check.QUERY``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from protocols.credentials.accompanying import accompanies, endorsements_in, names_of_records, of_endorsement
from protocols.credentials.asking import AskedBadges, AskedDids, AskedLists, AskedResources, SeenLists
from protocols.credentials.checks.core import CoreChecks, not_made, run_core_checks
from protocols.credentials.checks.holder import check_holder_binding
from protocols.credentials.checks.recipient import check_recipient
from protocols.credentials.checks.related import check_related_resources
from protocols.credentials.checks.results import failed
from protocols.credentials.checks.schema import check_schema
from protocols.credentials.checks.skills import check_skills
from protocols.credentials.checks.status import check_status
from protocols.credentials.checks.status_lists import CheckedList
from protocols.credentials.checks.token_status import check_token_status
from protocols.credentials.checks.trust import check_issuer_trusted, issuer_unknown, not_asked, own_statement
from protocols.credentials.data_integrity.proofs import is_derived_proof
from protocols.credentials.model import CLR_CREDENTIAL, as_list, credentials_of, has_type, subjects
from protocols.credentials.open_badges_2.document import OpenBadge2
from protocols.credentials.open_badges_2.examine import examine_badge
from protocols.credentials.policy import Policy
from protocols.credentials.reading import read_secured, secured_item
from protocols.credentials.schema.interface import CheckedCredential, SchemaWorld
from protocols.credentials.secured import CREDENTIAL, PRESENTATION, Asked, Kind, Secured
from protocols.credentials.trust.accreditation import accreditations_in
from protocols.credentials.trust.asked import AskedTrust
from protocols.credentials.trust.decision import Accreditation, decide
from protocols.credentials.trust.grants import Grant
from protocols.credentials.trust.recognition import is_recognition
from protocols.credentials.trust.scope import Award, award_of
from protocols.credentials.verification import Check, CheckResult, Outcome, VerificationResult
from protocols.did.resolver import Resolver
from protocols.errors import BadInput
from protocols.jsonld.processor import DEFAULT, Processor
from protocols.jsonld.work import Work
from protocols.status.source import PublishedDocument, StatusSource

__all__ = ["MAX_EMBEDDED", "MAX_ENDORSEMENTS", "Policy", "explain_trust", "verify"]

_ORDER = tuple(Check)
MAX_EMBEDDED = 200
"""Of so many credentials a ClrCredential may be; those after them are not verified, and so it is not."""
MAX_ENDORSEMENTS = 16
"""So many that stand in a record are verified, and those after them are not."""
_KINDS = {kind.name: kind for kind in (CREDENTIAL, PRESENTATION)}


async def verify(
    document: dict[str, Any] | bytes | str,
    *,
    resolver: Resolver,
    statuses: StatusSource,
    policy: Policy,
    now: datetime,
    expected: Literal["credential", "presentation"] | None = None,
    challenge: str | None = None,
    domain: str | None = None,
    processor: Processor = DEFAULT,
    seen: SeenLists | None = None,
) -> VerificationResult:
    """Verify a credential, or a presentation and every credential in it, in whatever format it is.

    Args:
        document: the JSON or compact text, or the parsed object.
        now: timezone-aware.
        expected: what it has to be; ``None`` where it may be either.
        challenge: what the holder was asked to answer; ``None`` where nothing was asked, which leaves the holder
            binding unchecked.
        domain: what the request named, or ``None``.
        seen: the status lists of other verifications with the same ``now``, ``policy`` and ``resolver``.
    """
    run = _run(resolver, statuses, policy, now, Asked(challenge, domain), processor, seen)
    processor = run.processor
    try:
        secured = read_secured(document, processor, policy.seals.at(now))
    except BadInput as error:
        return _unreadable(_KINDS[expected or "credential"], policy, error)
    if expected not in (None, secured.kind.name):
        message = f"The document is a {secured.kind.name} and not a {expected}."
        return _unreadable(secured.kind, policy, BadInput("structure.kind", message))
    if secured.kind.name == PRESENTATION.name:
        return await run.presentation(secured)
    return await run.credential(secured, inside=False)


async def explain_trust(
    award: Award,
    *,
    resolver: Resolver,
    statuses: StatusSource,
    policy: Policy,
    now: datetime,
    processor: Processor = DEFAULT,
) -> CheckResult:
    """What ``Check.ISSUER_TRUSTED`` would say of an award, without a record."""
    return await _run(resolver, statuses, policy, now, Asked(None, None), processor, None).explain(award)


def _run(
    resolver: Resolver,
    statuses: StatusSource,
    policy: Policy,
    now: datetime,
    asked: Asked,
    processor: Processor,
    seen: SeenLists | None,
) -> _Run:
    work = Work.of_a_verification()
    # What others will rely on must not depend on what this document has left to spend.
    unbounded, processor = processor, processor.bounded_by(work)
    for_lists = processor if seen is None else unbounded.bounded_by(Work.of_a_verification())
    dids = AskedDids(resolver)
    if seen is None:
        seen = SeenLists()
    seen.make_room()

    async def check_list(published: PublishedDocument) -> CheckedList:
        found = read_secured(published, for_lists)
        core = await run_core_checks(found, resolver=dids, now=now, skew=policy.clock_skew)
        return CheckedList(found.document, core)

    lists = AskedLists(statuses, check_list, work, seen)
    resources = AskedResources(policy.resources, work)
    return _Run(dids, lists, resources, AskedBadges(policy.badges), policy, now, asked, processor, work)


@dataclass(frozen=True, slots=True)
class _Run:
    """One verification: what it was given, and what it does with each document."""

    resolver: AskedDids
    lists: AskedLists
    resources: AskedResources
    badges: AskedBadges
    policy: Policy
    now: datetime
    asked: Asked
    processor: Processor
    work: Work
    trust: AskedTrust = field(default_factory=AskedTrust)

    async def presentation(self, secured: Secured) -> VerificationResult:
        core = await self._core(secured)
        if not core.is_well_formed:
            return self._result(secured, core, {})
        items = [self._read_item(item) for item in credentials_of(secured.document)]
        readable = [item for item in items if not isinstance(item, VerificationResult)]
        records = names_of_records([item.document for item in readable])
        along = {id(item) for item in readable if accompanies(item.document, records, core.owner)}
        self.trust.present(item for item in readable if id(item) in along and is_recognition(item.document))
        # The records first: it depends on them whether an accreditation whose time is over was still relied on.
        order = sorted(range(len(items)), key=lambda at: self.trust.is_presented(items[at]))
        found = {at: await self._item(items[at]) for at in order}
        for at, item in enumerate(items):
            if id(item) in along and not self.trust.is_presented(item):
                found[at] = of_endorsement(found[at])
        results = tuple(found[at] for at in range(len(items)))
        named: list[str | None] = []
        if self.policy.holder_is_subject:
            for item, result in zip(items, results, strict=True):
                if isinstance(item, VerificationResult):
                    named.append(None)
                elif id(item) not in along:
                    named += _to_be_named(item, result)
        binding = check_holder_binding(core.proofs, core.owner, named, self.asked)
        return self._result(secured, core, {Check.HOLDER_BINDING: binding}, results)

    async def credential(self, secured: Secured, *, inside: bool, endorses: bool = False) -> VerificationResult:
        if isinstance(secured, OpenBadge2):
            return await self._badge(secured)
        accept_base = self.policy.accept_base_proofs and not inside
        core = await self._core(secured, owner_signs=self.policy.issuer_signs, accept_base=accept_base)
        if not core.is_well_formed:
            return self._result(secured, core, {})
        more = [await self._trust(secured, core), await self._status(secured, core)]
        if Check.SCHEMA in secured.kind.checks:
            in_part = any(is_derived_proof(item.proof) for item in core.proofs)
            more += [
                await check_schema(secured.document, self.policy.schemas, self._schema_world(), in_part=in_part),
                await check_related_resources(secured.document, self.processor.store, self.resources),
                await check_skills(secured.document, self.policy.known_skills),
            ]
        more += self._recipient(secured)
        if secured.is_bound or (not inside and self.asked != Asked(None, None)):
            more.append(await self._binding(secured))
        inside_it = await self._embedded(secured.document)
        if not endorses:  # who endorses an endorsement is nobody's question
            inside_it += await self._endorsements(secured.document)
        return self._result(secured, core, {result.check: result for result in more}, inside_it)

    async def _badge(self, given: OpenBadge2) -> VerificationResult:
        """A badge of Open Badges 2.0, whose issuer vouches for it in ways of its own."""
        examined = await examine_badge(given, self.badges, self.policy, now=self.now)
        badge, core = examined.badge, examined.core
        if not core.is_well_formed or examined.status is None:
            return self._result(badge, core, {})
        skills = await check_skills(badge.document, self.policy.known_skills)
        more = [await self._trust(badge, core), examined.status, skills, *self._recipient(badge)]
        return self._result(badge, core, {result.check: result for result in more})

    def _recipient(self, secured: Secured) -> list[CheckResult]:
        asked = self.policy.recipient
        return [] if asked is None else [check_recipient(secured.document, asked)]

    async def _embedded(self, document: dict[str, Any]) -> tuple[VerificationResult, ...]:
        """The credentials that a ClrCredential is made of, each verified as if it came alone (CLR 2.0 §B)."""
        if not has_type(document, CLR_CREDENTIAL):
            return ()
        items = [item for subject in subjects(document) for item in as_list(subject.get("verifiableCredential"))]
        results = [await self._item(self._read_item(item)) for item in items[:MAX_EMBEDDED]]
        if len(items) > MAX_EMBEDDED:
            message = f"There are more than {MAX_EMBEDDED} credentials in the record."
            results.append(_unreadable(CREDENTIAL, self.policy, BadInput("structure.too_many", message)))
        return tuple(results)

    async def _endorsements(self, document: dict[str, Any]) -> tuple[VerificationResult, ...]:
        """Those that stand in a record, each verified by itself (OB 3.0 §9.1, step 6); nothing rests on them."""
        found = endorsements_in(document)
        results = [await self._endorsement(self._read_item(item)) for item in found[:MAX_ENDORSEMENTS]]
        if len(found) > MAX_ENDORSEMENTS:
            message = f"There are more than {MAX_ENDORSEMENTS} endorsements in the record."
            results.append(_unreadable(CREDENTIAL, self.policy, BadInput("structure.too_many", message)))
        return tuple(map(of_endorsement, results))

    async def _endorsement(self, item: Secured | VerificationResult) -> VerificationResult:
        if isinstance(item, VerificationResult):
            return item
        return await self.credential(item, inside=True, endorses=True)

    def _read_item(self, item: Any) -> Secured | VerificationResult:
        """A credential in a presentation; where it cannot be read, the result that it has."""
        try:
            secured = secured_item(item, self.processor, self.policy.seals.at(self.now))
        except BadInput as error:
            return _unreadable(CREDENTIAL, self.policy, error)
        if secured.kind.name != CREDENTIAL.name:
            wrong = BadInput("structure.kind", "What stands in the presentation is not a credential.")
            return _unreadable(CREDENTIAL, self.policy, wrong)
        return secured

    async def _item(self, item: Secured | VerificationResult) -> VerificationResult:
        if isinstance(item, VerificationResult):
            return item
        result = await self.credential(item, inside=True)
        return self.trust.forgive_end(result) if self.trust.is_presented(item) else result

    async def _status(self, secured: Secured, core: CoreChecks) -> CheckResult:
        """The graver of what the document and the token around it point to."""
        found = await check_status(secured.document, self.lists, self.lists.check, policy=self.policy, now=self.now)
        if "status" not in secured.token_claims or found.outcome is Outcome.FAIL:
            return found
        of_token = await check_token_status(
            secured.token_claims, core, self.lists, resolver=self.resolver, policy=self.policy, now=self.now
        )
        return found if of_token.outcome is Outcome.PASS and found.code != "status.none" else of_token

    async def _trust(self, secured: Secured, core: CoreChecks) -> CheckResult:
        """Whether the issuer is believed for what the record awards, or for recognising others."""
        award = award_of(secured.document, core.owner)
        if is_recognition(secured.document):
            return await self.explain(replace(award, achievements=None))
        result = await self.explain(award)
        if Check.ISSUER_TRUSTED not in self.policy.required:
            result = not_asked(result)
        return own_statement(result) if core.owner is not None and core.owner in secured.subjects else result

    async def explain(self, award: Award) -> CheckResult:
        """Whether an award is believed, and why."""
        if award.issuer == "":
            return issuer_unknown()
        decision = await decide(award, self, now=self.now)
        self.trust.note(decision)
        return check_issuer_trusted(decision, is_empty=await self.policy.trust.is_empty())

    async def grants(self, did: str) -> tuple[Grant, ...]:
        """What the verifier itself, or a list that it follows, grants a DID."""
        return (await self.policy.trust.about(did)).grants

    async def accreditations(self, did: str) -> tuple[Accreditation, ...]:
        """What the accreditations that are kept or presented say of a DID."""
        if did not in self.trust.known:
            documents = self.trust.some_of(did, (await self.policy.trust.about(did)).accreditations)
            said = [each for document in documents for each in await self._accreditations_in(document)]
            self.trust.known[did] = tuple(each for each in said if each.grant.did == did)
        return self.trust.known[did]

    async def _accreditations_in(self, given: Secured | bytes) -> tuple[Accreditation, ...]:
        try:
            found = read_secured(given, self.processor) if isinstance(given, bytes) else given
        except BadInput:
            return ()
        core = await self._core(found)
        if found.kind.name != CREDENTIAL.name or not core.is_well_formed:
            return ()
        return accreditations_in(found.document, [*core.results.values(), await self._status(found, core)])

    async def _believes(self, issuer: str) -> bool:
        """Whether an issuer is believed for whatever it issues, so that its schemas count for records of others."""
        return bool((await decide(Award(issuer, (), self.now), self, now=self.now)).chain)

    def _schema_world(self) -> SchemaWorld:
        return SchemaWorld(self.resources, self._check_schema_credential, self._believes, self.work)

    async def _check_schema_credential(self, body: bytes) -> CheckedCredential:
        found = read_secured(body, self.processor)
        if found.kind.name != CREDENTIAL.name:
            raise BadInput("schema.malformed", "What holds the schema is not a credential.")
        core = await self._core(found)
        doubts = [
            result
            for result in (*core.results.values(), await self._status(found, core))
            if result.outcome is not Outcome.PASS
        ]
        return CheckedCredential(found.document, core.owner, next(iter(doubts), None))

    async def _core(self, secured: Secured, *, owner_signs: bool = True, accept_base: bool = False) -> CoreChecks:
        return await run_core_checks(
            secured,
            resolver=self.resolver,
            now=self.now,
            skew=self.policy.clock_skew,
            owner_signs=owner_signs,
            accept_base=accept_base,
            contexts_signed=self.policy.contexts_signed and secured.kind is CREDENTIAL,
        )

    async def _binding(self, secured: Secured) -> CheckResult:
        skew = self.policy.clock_skew
        return await secured.check_binding(self.asked, resolver=self.resolver, now=self.now, skew=skew)

    def _result(
        self,
        secured: Secured,
        core: CoreChecks,
        more: dict[Check, CheckResult],
        credentials: tuple[VerificationResult, ...] = (),
    ) -> VerificationResult:
        made = core.results | more
        names = {*secured.kind.checks, *more}
        ordered = [check for check in _ORDER if check in names]
        is_credential = secured.kind.name == CREDENTIAL.name
        return VerificationResult(
            kind=secured.kind.name,
            checks=tuple(made.get(check) or not_made(check) for check in ordered),
            required=self.policy.required & frozenset(ordered),
            credentials=credentials,
            issuer=core.owner if is_credential else None,
            holder=None if is_credential else core.owner,
            securing=secured.securing,
            document=secured.document,
        )


def _to_be_named(item: Secured, result: VerificationResult) -> list[str | None]:
    """The subjects that the holder has to be; one without a name is whoever has bound the credential to the request."""
    is_bound = any(c.check is Check.HOLDER_BINDING and c.outcome is Outcome.PASS for c in result.checks)
    return [subject for subject in item.subjects if subject is not None or not (item.is_bound and is_bound)]


def _unreadable(kind: Kind, policy: Policy, error: BadInput) -> VerificationResult:
    structure = failed(Check.STRUCTURE, error.code, error.message, "RFC 7493")
    others = tuple(not_made(check) for check in kind.checks if check is not Check.STRUCTURE)
    return VerificationResult(kind.name, (structure, *others), policy.required & frozenset(kind.checks))
