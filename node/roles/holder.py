"""The holder: takes records that are offered, keeps them, and shows those that it chooses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from node.config import PolicyConfig
from node.events.emit import emit
from node.events.types import ConsentGiven, RecordStored
from node.roles.checker import Checker
from node.roles.checking import conclude, reason_code
from node.roles.consents import Shown, consent_receipt
from node.roles.identity import Identity
from node.roles.keeping import add_once, add_record, held_record, is_genuine
from node.roles.kept_forms import (
    binding_key,
    compact_text,
    embeddable,
    is_presentable,
    kept_form,
    presented_part,
)
from node.roles.lifetime import Lifetime
from node.roles.threads import ISSUE_CREDENTIAL, PRESENT_PROOF
from node.roles.threads import situation as situation_of
from node.runtime.exchanges import Exchanges, Performer, Situation, require_waiting
from node.runtime.hardware import perform
from node.runtime.jobs import Jobs
from node.runtime.metrics import Metrics
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.accompanying import accompanies, is_accreditation_of, names_of_records
from protocols.credentials.data_integrity import add_proof, base_proof
from protocols.credentials.data_integrity.registry import suite_named
from protocols.credentials.model import Version, proofs_of, version_of
from protocols.credentials.reading import stated
from protocols.credentials.sd_jwt.presenting import bind_sd_jwt
from protocols.credentials.verification import VerificationResult
from protocols.errors import BadInput, LernodeError, WrongState
from protocols.exchange.presentation_exchange import (
    Claim,
    Definition,
    MatchReport,
    Selection,
    Vcdm,
    build_presentation,
    match,
    parse_definition,
    pointers_asked_for,
    read_claim,
    select,
)
from protocols.issue_credential import machine as issue_credential
from protocols.issue_credential.ld_proof import LdProofVcDetail
from protocols.issue_credential.manifest import Manifest, build_application
from protocols.machine import Decision, Effect, Step, StoreCredential, Verify
from protocols.present_proof import machine as present_proof
from storage import audit, connections, credentials, dids, exchanges, receipts
from storage.connections import Connection
from storage.credentials import HeldCredential, IssuedState
from storage.dids import DidPurpose, OwnDid
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow
from storage.held_memory import HeldMemory
from storage.jobs import Job
from storage.receipts import Receipt

__all__ = ["Holder", "Matches", "Preview"]

_VERIFY = "verify-credential"
_MAX_RECORDS = 10_000
_SUITES = (
    "eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019", "ecdsa-jcs-2019", "Ed25519Signature2020",
    "Ed25519Signature2018",
)  # fmt: skip
"""What presentations are signed with, the best first."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Which of the holder's records answer a request, or an offer that asks for records first.

    Attributes:
        holder: the DID that the records are about, which signs.
        selection: the answer, the smallest unless the fullest was asked for, of records that are not known to be
            revoked or suspended; None where there is none.
        missing: why there is none.
        more: whether the fullest answer would show more of what is asked for.
    """

    definition: Definition
    holder: OwnDid
    report: MatchReport
    records: Mapping[str, HeldCredential]
    selection: Selection | None
    missing: LernodeError | None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What would leave.

    Attributes:
        along: what else is held and could go along: endorsements of these, accreditations of their issuers.
    """

    leaving: list[Shown]
    along: list[HeldCredential]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a peer asks to see, and what the answer has to be signed for."""

    definition: dict[str, Any] | None
    challenge: str | None
    domain: str | None

    @classmethod
    def of(cls, situation: Situation) -> _Asked:
        """What a request asks for, or an offer before anything is issued."""
        if situation.kind is PRESENT_PROOF:
            exchange: present_proof.Exchange = situation.value
            return cls(exchange.definition, exchange.challenge, exchange.domain)
        manifest: Manifest | None = situation.value.manifest
        if manifest is None:
            return cls(None, None, None)
        return cls(manifest.definition, manifest.challenge, manifest.domain)


@dataclass(frozen=True, slots=True)
class _Checked:
    """What was found of received records.

    Attributes:
        along: the accreditations of their issuers that came along and are genuine, with the code of the check that one
            does not pass, for a record does not wait for its issuer's accreditor.
    """

    results: Sequence[VerificationResult]
    along: Sequence[tuple[dict[str, Any], str | None]]


class Holder:
    """What a person does with own records, and what issuers' and verifiers' messages do."""

    def __init__(
        self,
        *,
        store: Store,
        exchanges: Exchanges,
        jobs: Jobs,
        identity: Identity,
        checker: Checker,
        policy: PolicyConfig,
        lifetime: Lifetime,
        world: World,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._exchanges = exchanges
        self._jobs = jobs
        self._identity = identity
        self._checker = checker
        self._lifetime = lifetime
        self._world = world
        self._metrics = metrics
        self._held = HeldMemory(store, _claim_of)
        self._shares = policy.share_records
        self._share_fully = policy.share_fully
        accept = {Decision.ACCEPT_OFFER: self._accept_by_policy} if policy.accept_offers else {}
        share = {Decision.SHARE_RECORDS: self._share_by_policy} if policy.share_records else {}
        performers: dict[type[Effect], Performer] = {Verify: self._plan_verification, StoreCredential: self._keep}
        exchanges.register(ISSUE_CREDENTIAL.protocol, performers, accept)
        exchanges.register(PRESENT_PROOF.protocol, {}, share)
        jobs.register(_VERIFY, self._verify)

    # Records ------------------------------------------------------------------------------------------------------

    async def accept_offer(self, exchange_id: str) -> ExchangeRow:
        """Accept what is offered, all of it; every record is verified before any is kept.

        Raises:
            WrongState: ``exchange.not_waiting``, ``exchange.unknown``, ``did.none``;
                ``issue_credential.records_first`` where the issuer wants to see records, which :meth:`present` shows.
            BadInput: ``issue_credential.proof_unsupported`` where the issuer wants a proof that this node cannot make.
        """
        async with self._store.write() as tx:
            situation = await situation_of(tx, exchange_id, ISSUE_CREDENTIAL)
            require_waiting(situation.row, Decision.ACCEPT_OFFER)
            await self._accept(tx, situation)
            return await exchanges.get(tx, exchange_id)

    async def propose_credential(
        self, connection_id: str, *achievement_ids: str, comment: str | None = None
    ) -> ExchangeRow:
        """Ask a peer for a record of each achievement; it answers with an offer of its own making.

        Args:
            comment: for the person there.

        Raises:
            WrongState: ``connection.unknown``, ``connection.not_ready``.
        """
        async with self._store.write() as tx:
            connection = await connections.get(tx, connection_id)
            step = await self._propose(tx, connection, achievement_ids, comment)
            return await self._exchanges.apply(tx, ISSUE_CREDENTIAL, connection, None, step)

    async def propose_credential_instead(
        self, exchange_id: str, *achievement_ids: str, comment: str | None = None
    ) -> ExchangeRow:
        """Answer an offer with the wish for some of it, for other records, or for the same with what ``comment`` says.

        Raises:
            WrongState: ``exchange.unknown``, ``exchange.not_waiting``.
        """
        async with self._store.write() as tx:
            found = await situation_of(tx, exchange_id, ISSUE_CREDENTIAL)
            require_waiting(found.row, Decision.ACCEPT_OFFER)
            step = await self._propose(tx, found.connection, achievement_ids, comment, found.value)
            return await self._exchanges.apply(tx, found.kind, found.connection, found.row, step)

    async def _propose(
        self,
        tx: Transaction,
        connection: Connection,
        achievement_ids: Sequence[str],
        comment: str | None,
        exchange: issue_credential.Exchange | None = None,
    ) -> Step[issue_credential.Exchange]:
        if connection.their_did is None:
            raise WrongState("connection.not_ready", "The connection is not complete.", "Wait for the peer.")
        me = await self._identity.default(tx, DidPurpose.HOLDER)
        return issue_credential.propose(
            *(_wish(connection.their_did, me.did, one) for one in achievement_ids),
            new_id=self._world.new_id,
            exchange=exchange,
            comment=comment,
            expires=self._lifetime.until(),
        )

    async def _accept_by_policy(self, tx: Transaction, situation: Situation) -> None:
        """Accept without asking where this node can; where it cannot, a person is told why.

        Who has offers accepted has not said that records may be shown for them.
        """
        with suppress(BadInput):
            if _Asked.of(situation).definition is None:
                await self._accept(tx, situation)
            elif self._shares:
                await self._share_by_policy(tx, situation)

    async def _accept(self, tx: Transaction, situation: Situation) -> None:
        me = await self._identity.default(tx, DidPurpose.HOLDER)
        manifest = situation.value.manifest
        application = None if manifest is None else await self._application(tx, manifest, me)
        step = issue_credential.request(
            situation.value, new_id=self._world.new_id, holder_did=me.did, application=application
        )
        await self._exchanges.apply(tx, situation.kind, situation.connection, situation.row, step)

    async def _application(self, tx: Transaction, manifest: Manifest, me: OwnDid) -> dict[str, Any]:
        """The application for what a manifest offers, signed where the issuer gave a challenge."""
        application = build_application(manifest, application_id=self._world.new_id(), holder=me.did)
        if manifest.challenge is None:
            return application
        asked = _Asked(None, manifest.challenge, manifest.domain)
        return await self._signed(tx, application, asked, me, _suite_for_application(manifest, me))

    async def _signed(
        self, tx: Transaction, presentation: dict[str, Any], asked: _Asked, holder: OwnDid, suite: str
    ) -> dict[str, Any]:
        signer = await self._identity.signer(tx, holder, suite_named(suite).key_types)
        sign = partial(
            add_proof,
            presentation,
            suite=suite,
            signer=signer,
            created=self._world.clock(),
            purpose="authentication",
            challenge=asked.challenge,
            domain=asked.domain,
        )
        return await perform(signer, sign)

    async def _plan_verification(self, tx: Transaction, situation: Situation, _effect: Verify) -> None:
        """Verify one record at once where nothing has to be waited for, else in a job."""
        found = None
        if len(situation.value.credentials) == 1:
            found = await self._checker.at_once(partial(self._check_all, situation.value, attempts=0))
        if found is None:
            await self._jobs.plan(tx, _VERIFY, situation.row.id)
        else:
            await self._conclude(tx, situation, found)

    async def _verify(self, job: Job) -> Callable[[Transaction], Awaitable[None]]:
        """The slow part, outside any transaction."""
        async with self._store.read() as tx:
            situation = await situation_of(tx, job.exchange_id or "", ISSUE_CREDENTIAL)
        found = await self._check_all(situation.value, self._checker, attempts=job.attempts)

        async def commit(tx: Transaction) -> None:
            await self._conclude(tx, await situation_of(tx, situation.row.id, ISSUE_CREDENTIAL), found)

        return commit

    async def _check_all(self, exchange: issue_credential.Exchange, checker: Checker, *, attempts: int) -> _Checked:
        """Is every received record genuine? The first that is not decides. And what of what came along may be kept?

        Raises:
            NotNow: see :func:`conclude`.
        """
        results: list[VerificationResult] = []
        for document in exchange.credentials:
            result = await checker.check(document, checker.policies.holder(), expected="credential")
            results.append(conclude(result, attempts))
            if not results[-1].verified:
                return _Checked(results, [])
        issuers = {result.issuer for result in results if result.issuer}
        along = []
        for document in exchange.supplements:
            if is_accreditation_of(document, issuers):
                result = await checker.check(document, checker.policies.holder(), expected="credential")
                along += [(document, reason_code(result))] if is_genuine(result) else []
        return _Checked(results, along)

    async def _conclude(self, tx: Transaction, current: Situation, found: _Checked) -> None:
        results = found.results
        if not results or not current.value.credentials:
            return  # the exchange went on meanwhile
        last = results[-1]
        step = issue_credential.credential_checked(
            current.value,
            ok=last.verified,
            code=reason_code(last),
            position=len(results) - 1,
            new_id=self._world.new_id,
        )
        await self._exchanges.apply(
            tx, current.kind, current.connection, current.row, step, error_code=step.exchange.problem
        )
        for result in results:
            self._metrics.verifications.labels(str(result.verified).lower()).inc()
        for document, unverified in found.along if last.verified else []:
            record = replace(held_record(strict_json.dumps(document), self._world), unverified=unverified)
            if await add_once(tx, record) is None:
                await self._note_stored(tx, current, record, None)

    async def _keep(self, tx: Transaction, situation: Situation, effect: StoreCredential) -> None:
        document = strict_json.dumps(effect.document)
        record = held_record(document, self._world, exchange_id=situation.row.id, position=effect.position)
        await add_record(tx, record)
        await self._note_stored(tx, situation, record, situation.row.id)

    async def _note_stored(
        self, tx: Transaction, situation: Situation, record: HeldCredential, exchange_id: str | None
    ) -> None:
        connection = situation.connection.id
        await audit.append(tx, at=record.stored_at, event="record.stored", actor=connection, subjects=(record.id,))
        stored = RecordStored(record_id=record.id, exchange_id=exchange_id, connection_id=connection)
        await emit(tx, self._world, stored)
        tx.after_commit(self._metrics.stored.inc)

    async def derive(self, record_id: str, pointers: Sequence[str]) -> bytes:
        """A part of a held record, to be handed over as a file: what is mandatory, and what the pointers name.

        Raises:
            WrongState: ``record.unknown``.
            BadInput: ``proof.not_selective``, ``pointer.*``.
        """
        async with self._store.read() as tx:
            held = await credentials.get_held(tx, record_id)
        return presented_part(held.document, pointers, self._checker.policies.processor)

    # Presentations ------------------------------------------------------------------------------------------------

    async def matches(self, exchange_id: str, *, fully: bool = False) -> Matches:
        """Which records answer a request, or an offer that asks for some, why others do not, and what would be sent.

        Args:
            fully: send as much of what may be left out as there is, instead of as little as will do.

        Raises:
            WrongState: ``exchange.unknown``, ``exchange.not_waiting``.
            BadInput: ``pex.*`` where the request cannot be answered by anybody.
        """
        async with self._store.read() as tx:
            return await self._match(tx, await _asking(tx, exchange_id), fully=fully)

    async def preview(
        self, exchange_id: str, chosen: Mapping[str, str] | None = None, *, along: Sequence[str] = ()
    ) -> Preview:
        """What would leave with :meth:`present` for the same choice, exactly, and what else could go along.

        Raises:
            WrongState: ``exchange.unknown``, ``exchange.not_waiting``.
            BadInput: ``pex.*``, ``pointer.*``, ``present.not_along``.
        """
        found = await self.matches(exchange_id)
        selection = _selected(found, chosen)
        async with self._store.read() as tx:
            could = await _could_go_along(tx, found, selection)
        leaving = [*self._shown(found, selection), *_going_along(could, along)]
        return Preview(leaving, [each for each in could if each.id not in along])

    async def present(
        self, exchange_id: str, chosen: Mapping[str, str] | None = None, *, along: Sequence[str] = ()
    ) -> ExchangeRow:
        """Show the chosen records; the decision of the person, or of who speaks for it.

        An offer that asks for records is thereby accepted: they are in the application.

        Args:
            chosen: descriptor id to record id; None for the smallest answer.
            along: held endorsements of these records, and accreditations of their issuers, that are sent with them.

        Raises:
            WrongState: ``exchange.unknown``, ``exchange.not_waiting``.
            BadInput: ``pex.*`` where the records do not answer the request; ``present.not_along``.
        """
        async with self._store.write() as tx:
            situation = await _asking(tx, exchange_id)
            found = await self._match(tx, situation)
            await self._present(tx, situation, found, _selected(found, chosen), "operator", along)
            return await exchanges.get(tx, exchange_id)

    async def propose_presentation(
        self, connection_id: str, definition: dict[str, Any], *, comment: str | None = None
    ) -> ExchangeRow:
        """Tell a verifier what this holder could show; it answers with a request.

        Raises:
            WrongState: ``connection.unknown``.
            BadInput: ``pex.*``.
        """
        parsed = parse_definition(definition)
        async with self._store.write() as tx:
            connection = await connections.get(tx, connection_id)
            step = self._could_show(parsed.raw, comment)
            return await self._exchanges.apply(tx, PRESENT_PROOF, connection, None, step)

    async def propose_presentation_instead(
        self, exchange_id: str, definition: dict[str, Any], *, comment: str | None = None
    ) -> ExchangeRow:
        """Answer a request with what this holder would rather show.

        Raises:
            WrongState: ``exchange.unknown``, ``exchange.not_waiting``.
            BadInput: ``pex.*``.
        """
        parsed = parse_definition(definition)
        async with self._store.write() as tx:
            found = await situation_of(tx, exchange_id, PRESENT_PROOF)
            require_waiting(found.row, Decision.SHARE_RECORDS)
            step = self._could_show(parsed.raw, comment, found.value)
            return await self._exchanges.apply(tx, found.kind, found.connection, found.row, step)

    def _could_show(
        self, definition: dict[str, Any], comment: str | None, exchange: present_proof.Exchange | None = None
    ) -> Step[present_proof.Exchange]:
        return present_proof.propose(
            definition,
            new_id=self._world.new_id,
            exchange=exchange,
            comment=comment,
            expires=self._lifetime.until(),
        )

    async def _share_by_policy(self, tx: Transaction, situation: Situation) -> None:
        """Answer without asking where the records are there; where they are not, a person decides."""
        try:
            found = await self._match(tx, situation, fully=self._share_fully)
        except BadInput:
            return
        if found.selection is not None:
            await self._present(tx, situation, found, found.selection, "policy")

    async def _match(self, tx: Transaction, situation: Situation, *, fully: bool = False) -> Matches:
        definition = parse_definition(_Asked.of(situation).definition)
        opened = await self._held.newest(tx, _MAX_RECORDS)
        held = [each.record for each in opened if each.content is not None]
        me = await self._subject_of(tx, held)
        claims = [(each.record.id, each.content) for each in opened if each.content is not None]
        # A verifier may say nothing of formats and still read no tokens, so that these come last.
        claims.sort(key=lambda each: each[1].text is not None)
        report = match(definition, claims, holder=me.did)
        by_id = {record.id: record for record in held}
        valid = {record.id for record in held if record.state is IssuedState.ACTIVE and record.unverified is None}
        try:
            selection = select(definition, report.among(valid), fully=fully)
            more = _answers_more(definition, report.among(valid), selection)
            return Matches(definition, me, report, by_id, selection, None, more)
        except BadInput as error:
            return Matches(definition, me, report, by_id, None, error)

    async def _present(
        self,
        tx: Transaction,
        situation: Situation,
        found: Matches,
        selection: Selection,
        decided_by: str,
        along: Sequence[str] = (),
    ) -> None:
        asked = _Asked.of(situation)
        manifest: Manifest | None = None if situation.kind is PRESENT_PROOF else situation.value.manifest
        could = await _could_go_along(tx, found, selection) if along else []
        beside = _going_along(could, along)
        records = [await self._bound(tx, situation, found, each) for each in self._shown(found, selection)]
        leaving = [*records, *beside]
        shown = [each.document for each in leaving]
        suite = _suite_for(found.definition, found.holder, shown, manifest)
        presentation = build_presentation(
            found.definition,
            selection,
            {each.record.id: each.form for each in records},
            holder=found.holder.did,
            submission_id=self._world.new_id(),
            vcdm=_vcdm_for(suite, shown),
            along=[each.form for each in beside],
        )
        if manifest is not None:
            presentation = build_application(
                manifest, application_id=self._world.new_id(), holder=found.holder.did, presentation=presentation
            )
        signed = await self._signed(tx, presentation, asked, found.holder, suite)
        step: Step[Any] = (
            present_proof.present(situation.value, signed, new_id=self._world.new_id)
            if manifest is None
            else issue_credential.request(
                situation.value, new_id=self._world.new_id, holder_did=found.holder.did, application=signed
            )
        )
        await self._note_consent(tx, situation, found, selection, leaving, signed, decided_by)
        await self._exchanges.apply(tx, situation.kind, situation.connection, situation.row, step)

    async def _note_consent(
        self,
        tx: Transaction,
        situation: Situation,
        found: Matches,
        selection: Selection,
        leaving: Sequence[Shown],
        presentation: Mapping[str, Any],
        decided_by: str,
    ) -> None:
        now, exchange_id = self._world.clock(), situation.row.id
        sent = tuple(each.record.id for each in leaving)
        subjects = (exchange_id, situation.connection.id, *sent)
        await audit.append(tx, at=now, event="records.shared", actor=decided_by, subjects=subjects)
        receipt = consent_receipt(
            receipt_id=self._world.new_id(),
            exchange_id=exchange_id,
            connection=situation.connection,
            definition=found.definition,
            selection=selection,
            shown=leaving,
            presentation=presentation,
            holder=found.holder.did,
            decided_by=decided_by,
            at=now,
        )
        await receipts.add(tx, Receipt(id=receipt["receipt_id"], exchange_id=exchange_id, document=receipt, at=now))
        consent = ConsentGiven(
            exchange_id=exchange_id,
            connection_id=situation.connection.id,
            record_ids=sent,
        )
        await emit(tx, self._world, consent)

    def _shown(self, found: Matches, selection: Selection) -> list[Shown]:
        """The selected records as they leave; those that can be shown in part, as far as they are asked for."""
        return [self._asked_for(found, selection, name) for name in selection.record_ids]

    def _asked_for(self, found: Matches, selection: Selection, record_id: str) -> Shown:
        record = found.records[record_id]
        claim = read_claim(kept_form(record.document))
        if not claim.is_selective or (claim.text is None and base_proof(claim.document) is None):
            return Shown(record, claim.document, claim.document, embeddable(record.document))
        pointers = pointers_asked_for(found.definition, selection, record_id, claim)
        part = presented_part(record.document, pointers, self._checker.policies.processor)
        return Shown(record, claim.document, stated(part), embeddable(part))

    async def _bound(self, tx: Transaction, situation: Situation, found: Matches, each: Shown) -> Shown:
        """An SD-JWT with a key binding besides, where this node has the key that its issuer has named."""
        asked = _Asked.of(situation)
        text = compact_text(each.form)
        key = None if text is None or asked.challenge is None else binding_key(text, found.holder)
        if text is None or asked.challenge is None or key is None:
            return each
        signer = await self._identity.signer_named(tx, found.holder, key)
        bind = partial(
            bind_sd_jwt,
            text,
            signer,
            challenge=asked.challenge,
            domain=asked.domain or situation.connection.their_did or "",
            now=self._world.clock(),
        )
        return replace(each, form=embeddable((await perform(signer, bind)).encode()))

    async def _subject_of(self, tx: Transaction, held: Sequence[HeldCredential]) -> OwnDid:
        """The DID of this node that the newest records are about, for it has to sign; else the default one."""
        for subject in dict.fromkeys(record.subject for record in held):
            own = await dids.find(tx, subject) if subject else None
            if own is not None:
                return own
        return await self._identity.default(tx, DidPurpose.HOLDER)


async def _asking(tx: Transaction, exchange_id: str) -> Situation:
    """The exchange in which a peer asks for records.

    Raises:
        WrongState: ``exchange.unknown``, ``exchange.not_waiting``.
    """
    found = await situation_of(tx, exchange_id, PRESENT_PROOF, ISSUE_CREDENTIAL)
    offers = found.kind is ISSUE_CREDENTIAL and _Asked.of(found).definition is not None
    require_waiting(found.row, Decision.ACCEPT_OFFER if offers else Decision.SHARE_RECORDS)
    return found


def _claim_of(document: bytes) -> Claim | None:
    """What a kept record says to who asks; None where it can stand in no presentation."""
    form = kept_form(document)
    return read_claim(form) if is_presentable(form) else None


def _wish(issuer: str, holder: str, achievement_id: str) -> LdProofVcDetail:
    wish = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": issuer,
        "credentialSubject": {"id": holder, "achievement": {"id": achievement_id}},
    }
    return LdProofVcDetail.of(wish, proof_type="DataIntegrityProof", cryptosuite=_SUITES[0])


async def _could_go_along(tx: Transaction, found: Matches, selection: Selection) -> list[HeldCredential]:
    """The held records that could go along with others: valid, and about one of them or about who has issued one."""
    records = [found.records[name] for name in selection.record_ids]
    names = names_of_records([stated(each.document) for each in records])
    about = dict.fromkeys([*names, *(each.issuer for each in records)])
    held = [each for name in about for each in await credentials.held_about(tx, name)]
    return [
        each
        for each in {each.id: each for each in held}.values()
        if each.state is IssuedState.ACTIVE and accompanies(stated(each.document), names, found.holder.did)
    ]


def _going_along(could: Sequence[HeldCredential], wanted: Sequence[str]) -> list[Shown]:
    """Those that a person wants to go along, as they leave.

    Raises:
        BadInput: ``present.not_along``.
    """
    by_id = {each.id: each for each in could}
    if not by_id.keys() >= set(wanted):
        raise BadInput(
            "present.not_along",
            "What should go along is no valid endorsement of a record that is sent, or accreditation of its issuer.",
            "See what could go along: lernode present ID",
        )
    chosen = [by_id[name] for name in dict.fromkeys(wanted)]
    return [Shown(each, said := stated(each.document), said, embeddable(each.document)) for each in chosen]


def _selected(found: Matches, chosen: Mapping[str, str] | None) -> Selection:
    """The records that a person chose, who may also choose one that is revoked; else the smallest answer."""
    if chosen is not None:
        return select(found.definition, found.report, chosen)
    if found.selection is None:
        raise found.missing or BadInput("pex.not_satisfiable", "No record fits.", "Decline the request.")
    return found.selection


def _answers_more(definition: Definition, report: MatchReport, than: Selection) -> bool:
    try:
        return len(select(definition, report, fully=True).pairs) > len(than.pairs)
    except BadInput:  # too much work to look for
        return False


def _suite_for(
    definition: Definition, holder: OwnDid, shown: Sequence[dict[str, Any]], manifest: Manifest | None
) -> str:
    """The best that the verifier, or issuer, allows; one that the records have too, as it has to read those."""
    kinds = {key.codec for key in holder.keys}
    proofs = [proof for document in shown for proof in proofs_of(document)]
    known = {proof.get("cryptosuite") or proof.get("type") for proof in proofs}
    for suite in sorted(_SUITES, key=lambda suite: suite not in known):
        allowed = manifest is None or _may_sign_application(suite, manifest)
        if allowed and kinds & suite_named(suite).key_types and definition.formats.allow_presentation_suite(suite):
            return suite
    raise BadInput("pex.format_unsupported", "The verifier wants a proof that this node cannot make.", "Tell it so.")


def _suite_for_application(manifest: Manifest, me: OwnDid) -> str:
    """The one that the profile names, where the manifest names no other."""
    kinds = {key.codec for key in me.keys}
    for name in reversed(_SUITES):
        if kinds & suite_named(name).key_types and _may_sign_application(name, manifest):
            return name
    raise BadInput(
        "issue_credential.proof_unsupported",
        "The issuer wants the application signed in a way that this node cannot.",
        "Decline the offer, and tell the issuer so.",
    )


def _may_sign_application(suite: str, manifest: Manifest) -> bool:
    return not manifest.proof_types or bool({suite, suite_named(suite).proof_type} & {*manifest.proof_types})


def _vcdm_for(suite: str, shown: Sequence[dict[str, Any]]) -> Vcdm:
    """Version 1.1 for verifiers that read nothing newer; its context cannot hold records of version 2.0."""
    is_old = suite.startswith("Ed25519Signature") and all(version_of(one) is Version.V1_1 for one in shown)
    return Vcdm.V1 if is_old else Vcdm.V2
