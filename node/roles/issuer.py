"""The issuer: offers records, issues them when they are asked for, and says later whether they still hold."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from node.events.emit import emit
from node.events.types import RecordIssued, RecordStatusChanged
from node.records.catalogue import Achievement
from node.records.correction import as_replacement
from node.records.open_badges import STATUS_CONTEXT, IssuerProfile, build_credential, withholdable
from node.records.results import make_result
from node.roles.achievements import Achievements
from node.roles.identity import Identity
from node.roles.lifetime import Lifetime, Terms
from node.roles.proof_suite import proof_suite
from node.roles.record_links import RecordLinks
from node.roles.revocations import RevocationNotices
from node.roles.status_publisher import StatusPublisher
from node.roles.threads import ISSUE_CREDENTIAL
from node.roles.threads import situation as situation_of
from node.runtime.exchanges import Exchanges, Situation, require_waiting
from node.runtime.hardware import perform
from node.runtime.metrics import Metrics
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.context_binding import RELATED_RESOURCES, signs_contexts, with_contexts_bound
from protocols.credentials.data_integrity.registry import CRYPTOSUITES, suite_named
from protocols.credentials.data_integrity.selection import those_there
from protocols.credentials.data_integrity.suite import Selective
from protocols.credentials.issue import Issued, issue, securing_named
from protocols.credentials.issuing import Securing
from protocols.credentials.model import Version, issuer_id, subject_ids, version_of
from protocols.credentials.reading import stated
from protocols.credentials.times import parse_time
from protocols.didcomm.attachments import Attachment
from protocols.errors import BadInput, WrongState
from protocols.issue_credential import machine
from protocols.issue_credential.ld_proof import LdProofVcDetail
from protocols.issue_credential.manifest import Manifest, build_manifest
from protocols.issue_credential.messages import MAX_CREDENTIALS
from protocols.issue_credential.supplements import MAX_SUPPLEMENTS
from protocols.jsonld.processor import DEFAULT
from protocols.machine import Decision, Step
from protocols.multiformats import b64url_encode
from protocols.status.entry import ENTRY_TYPE, REFRESH, REVOCATION, SUSPENSION
from storage import audit, batches, connections, credentials, exchanges, trust_lists
from storage.credentials import IssuedCredential, IssuedState, StatusRef
from storage.dids import DidPurpose, OwnDid
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow
from storage.status_lists import STATUS_LIST

_SD_JWT = "vc+sd-jwt"

__all__ = ["REPLACED", "Award", "BatchRow", "Corrected", "Correction", "Issuer"]

REPLACED = "record.replaced"
"""The event in the audit trail that names, with a record, the one by which it was replaced."""

_USUAL = Terms()
_SIGNED_AT_ONCE = 8
_STATES = {REVOCATION: IssuedState.REVOKED, SUSPENSION: IssuedState.SUSPENDED}
"""Purpose -> what a record is when it is set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """One achievement for one learner.

    Attributes:
        subject_did, email: who it is for; over a connection both may be missing, for the holder names itself.
        valid_from: when it was earned; now where it is missing.
        data_model: that the record is written in.
        replaces: what the record says that this one replaces, see :meth:`Issuer.correct`.
    """

    achievement_id: str
    subject_did: str | None = None
    email: str | None = None
    name: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    result: str | None = None
    data_model: Version = Version.V2_0
    replaces: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a record says otherwise than the one that it replaces; None where it says the same."""

    name: str | None = None
    email: str | None = None
    result: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    achievement: str | None = None


@dataclass(frozen=True, slots=True)
class Corrected:
    """A record that was replaced.

    Attributes:
        credential_id: the ``id`` of the new one.
        record: the new one, where it was signed at once.
        exchange: in which it is offered, where it is.
    """

    former: IssuedCredential
    credential_id: str
    record: IssuedCredential | None
    exchange: ExchangeRow | None


@dataclass(frozen=True, slots=True)
class BatchRow:
    """What a row of a batch has.

    Attributes:
        record: its record; None where it could not be issued.
        is_new: whether the record was signed now.
        problem: why it could not be issued.
    """

    key: str
    record: IssuedCredential | None
    is_new: bool = False
    problem: BadInput | None = None


class Issuer:
    """What a person does as an issuer, and what holders' requests do."""

    def __init__(
        self,
        *,
        store: Store,
        exchanges: Exchanges,
        identity: Identity,
        publisher: StatusPublisher,
        notices: RevocationNotices,
        record_links: RecordLinks,
        achievements: Achievements,
        label: str,
        securing: str,
        bind_contexts: bool,
        mandatory_pointers: Sequence[str],
        issue_on_request: bool,
        lifetime: Lifetime,
        world: World,
        metrics: Metrics,
        own_url: str,
    ) -> None:
        self._achievements = achievements
        self._store = store
        self._exchanges = exchanges
        self._identity = identity
        self._publisher = publisher
        self._notices = notices
        self._record_links = record_links
        self._label = label
        self._securing = _for_records(securing)
        self._bind_contexts = bind_contexts
        self._mandatory_pointers = (*mandatory_pointers, RELATED_RESOURCES)
        self._lifetime = lifetime
        self._world = world
        self._metrics = metrics
        self._own_url = own_url
        deciders = {Decision.ISSUE: self._issue_what_was_offered} if issue_on_request else {}
        exchanges.register(ISSUE_CREDENTIAL.protocol, {}, deciders)

    async def offer(
        self, connection_id: str, award: Award, terms: Terms = _USUAL, *, also: Sequence[Award] = ()
    ) -> ExchangeRow:
        """Offer a record to a peer.

        Args:
            also: further records of the same offer; the peer takes all of them or none.

        Raises:
            BadInput: ``catalogue.*`` or ``record.*`` where an award does not fit its achievement,
                ``issue_credential.too_many``.
            WrongState: ``connection.unknown``, ``did.none``.
        """
        async with self._store.write() as tx:
            connection = await connections.get(tx, connection_id)
            exchange_id = self._world.new_id()
            step = await self.offer_step(tx, [award, *also], terms, exchange_id)
            return await self._exchanges.apply(tx, ISSUE_CREDENTIAL, connection, None, step, exchange_id=exchange_id)

    async def offer_credential(
        self, connection_id: str, credential: dict[str, Any], terms: Terms = _USUAL
    ) -> ExchangeRow:
        """Offer a peer a credential that is not of the catalogue, such as an endorsement.

        Args:
            credential: unsigned, of VCDM 2.0, issued by this node's issuer, with an ``id`` and without a status.

        Raises:
            WrongState: ``connection.unknown``, ``did.none``.
        """
        async with self._store.write() as tx:
            connection = await connections.get(tx, connection_id)
            exchange_id = self._world.new_id()
            own = await self._identity.default(tx, DidPurpose.ISSUER)
            name = proof_suite(own, self._securing.name, selective=False)
            complete = _with_suite_context(credential, name)
            detail = await self._detail(tx, complete, name, _place_name(exchange_id, 0), Version.V2_0)
            step = self._offer([detail], None, terms)
            return await self._exchanges.apply(tx, ISSUE_CREDENTIAL, connection, None, step, exchange_id=exchange_id)

    async def offer_step(
        self,
        tx: Transaction,
        awards: Sequence[Award],
        terms: Terms,
        exchange_id: str,
        *,
        exchange: machine.Exchange | None = None,
    ) -> Step[machine.Exchange]:
        """The step that offers records in an exchange which will have this id; nothing is sent or kept of it.

        Args:
            exchange: as it is, where there is one already.

        Raises:
            BadInput, WrongState: as :meth:`offer`.
        """
        return self._offer(await self._offered(tx, awards, exchange_id), exchange, terms)

    async def check(self, tx: Transaction, awards: Sequence[Award]) -> None:
        """Find out whether the awards could be offered.

        Raises:
            BadInput, WrongState: as :meth:`offer`.
        """
        if len(awards) > MAX_CREDENTIALS:
            raise BadInput(
                "issue_credential.too_many", f"An offer is of at most {MAX_CREDENTIALS} records.", "Make several."
            )
        own = await self._identity.default(tx, DidPurpose.ISSUER)
        for award in awards:
            achievement = await self._achievements.awardable(tx, award.achievement_id)
            self._credential(own, achievement, award, self._securing.name, open_subject=True)

    async def offer_instead(
        self, exchange_id: str, award: Award, terms: Terms = _USUAL, *, also: Sequence[Award] = ()
    ) -> ExchangeRow:
        """Answer a proposal with an offer of one's own making.

        Raises:
            BadInput: ``record.*``, ``result.*``, ``issue_credential.too_many``.
            WrongState: ``catalogue.unknown_achievement``, ``exchange.unknown``, ``exchange.not_waiting``, ``did.none``.
        """
        async with self._store.write() as tx:
            found = await situation_of(tx, exchange_id, ISSUE_CREDENTIAL)
            require_waiting(found.row, Decision.ANSWER_CREDENTIAL_PROPOSAL)
            await self._offer_in(tx, found, [award, *also], terms)
            return await exchanges.get(tx, exchange_id)

    async def issue(self, award: Award) -> IssuedCredential:
        """Sign a record at once for a DID or an e-mail address, to be handed over as a file.

        Raises:
            BadInput: ``record.*``, ``result.*``.
            WrongState: ``catalogue.unknown_achievement``, ``did.none``.
        """
        async with self._store.write() as tx:
            own = await self._identity.default(tx, DidPurpose.ISSUER)
            achievement = await self._achievements.awarded(tx, award.achievement_id)
            credential = self._credential(own, achievement, award, self._securing.name)
            return (await self._sign(tx, [(str(credential["id"]), credential)], self._securing.name))[0]

    async def issue_rows(self, batch: str, achievement_id: str, awards: Mapping[str, Award]) -> list[BatchRow]:
        """Issue those rows of a batch that have no record yet, in one unit of work; say of all which they have.

        Doing it again, also after a crash, issues nothing twice. A row that cannot be issued does not hold up others.

        Args:
            batch: by which the caller knows the list again, e.g. a digest of it.
            achievement_id: of the whole batch, whatever the awards name.
            awards: by the keys of their rows, which are the caller's to choose; at most 1000.

        Raises:
            WrongState: ``catalogue.unknown_achievement``, ``did.none``, ``batch.other_achievement``.
        """
        async with self._store.write() as tx:
            achievement = await self._achievements.awarded(tx, achievement_id)
            begun = (await batches.begin(tx, batch, achievement.id, self._world.clock())).begun
            ids = await batches.issued_ids(tx, batch, list(awards))
            known = await credentials.get_issued_all(tx, list(ids.values()))
            rows = {key: _row_of(key, known.get(record_id)) for key, record_id in ids.items()}
            own = await self._identity.default(tx, DidPurpose.ISSUER)
            unsigned: dict[str, dict[str, Any]] = {}
            for key, award in awards.items():
                if key not in rows:
                    try:
                        unsigned[key] = self._credential(own, achievement, award, self._securing.name, earned=begun)
                    except BadInput as problem:
                        rows[key] = BatchRow(key, None, problem=problem)
            named = [(batches.name_of_row(tx, batch, key), credential) for key, credential in unsigned.items()]
            made = dict(zip(unsigned, await self._sign(tx, named, self._securing.name), strict=True))
            await batches.add_rows(tx, batch, {key: record.id for key, record in made.items()})
            rows |= {key: BatchRow(key, record, is_new=True) for key, record in made.items()}
        return [rows[key] for key in awards]

    async def approve(self, exchange_id: str) -> ExchangeRow:
        """Say yes: issue what is requested, or offer what is proposed.

        Raises:
            WrongState: ``exchange.not_waiting``, ``exchange.unknown``.
            BadInput: ``record.foreign_issuer`` where the request is for another issuer's record, ``record.no_id``
                where the record has no name by which it could be revoked.
        """
        async with self._store.write() as tx:
            situation = await situation_of(tx, exchange_id, ISSUE_CREDENTIAL)
            if situation.row.waiting_for == Decision.ANSWER_CREDENTIAL_PROPOSAL.value:
                await self._offer_what_was_proposed(tx, situation)
            else:
                require_waiting(situation.row, Decision.ISSUE)
                await self._issue(tx, situation)
            return await exchanges.get(tx, exchange_id)

    async def set_status(self, record_id: str, purpose: str, value: bool | str, reason: str | None) -> IssuedCredential:
        """Say something of a record from now on; the signed list is published before this returns.

        Doing it again changes nothing. A revocation and a refresh cannot be taken back. A holder who got the record
        over a connection is told of a revocation.

        Args:
            purpose: ``revocation``, ``suspension``, ``refresh`` or ``message``.
            value: whether it is set; for ``message``, the text of the message that holds.
            reason: for the issuer's own log; not published.

        Raises:
            WrongState: ``issued_record.unknown``, ``issued_record.revoked``, ``issued_record.refreshed``.
            BadInput: ``status.no_entry``, ``status.message_unknown``.
        """
        async with self._store.write() as tx:
            return await self._set_status(tx, record_id, purpose, value, reason)

    async def correct(self, record_id: str, changes: Correction, reason: str | None) -> Corrected:
        """Issue a record that replaces another, which is revoked in the same unit of work.

        The new one says what the former said but for the changes, and names it (:mod:`node.records.correction`); the
        audit trail names the new one with the former. A holder who got the former over a connection is offered the new
        one there; else it is signed at once, to be handed over.

        Raises:
            BadInput: ``record.*``, ``result.*``; ``correction.nothing`` where nothing is changed.
            WrongState: ``issued_record.unknown``, ``issued_record.revoked``, ``catalogue.*``, ``did.none``.
        """
        if changes == Correction():
            raise BadInput("correction.nothing", "Nothing is changed.", "Say what is: --set result=A")
        async with self._store.write() as tx:
            former = await credentials.get_issued(tx, record_id)
            if former.state is IssuedState.REVOKED:
                raise WrongState("issued_record.revoked", "The record is revoked already.", "Issue a new record.")
            award = _award_again(former, changes)
            connection = await connections.get(tx, former.connection_id) if former.connection_id else None
            made: IssuedCredential | None = None
            offered: ExchangeRow | None = None
            if connection is not None and connection.state != connections.ENDED:
                exchange_id = self._world.new_id()
                step = await self.offer_step(tx, [award], _USUAL, exchange_id)
                new_id = str(step.exchange.offer[0].credential["id"])
                offered = await self._exchanges.apply(
                    tx, ISSUE_CREDENTIAL, connection, None, step, exchange_id=exchange_id
                )
            else:
                own = await self._identity.default(tx, DidPurpose.ISSUER)
                achievement = await self._achievements.awarded(tx, award.achievement_id)
                credential = self._credential(own, achievement, award, self._securing.name, open_subject=True)
                new_id = str(credential["id"])
                (made,) = await self._sign(tx, [(new_id, credential)], self._securing.name)
            told = f"Replaced by {new_id}" + (f": {reason}" if reason else "")
            former = await self._set_status(tx, former.id, REVOCATION, True, told)
            await audit.append(
                tx,
                at=self._world.clock(),
                event=REPLACED,
                actor="operator",
                subjects=(former.id,),
                details={"by": new_id},
            )
        return Corrected(former=former, credential_id=new_id, record=made, exchange=offered)

    async def _set_status(
        self, tx: Transaction, record_id: str, purpose: str, value: bool | str, reason: str | None
    ) -> IssuedCredential:
        record = await credentials.get_issued(tx, record_id)
        if record.state is IssuedState.REVOKED and not (purpose == "revocation" and value):
            raise WrongState(
                "issued_record.revoked", "The record is revoked, and that is final.", "Issue a new record."
            )
        if purpose == REFRESH and not value:
            raise WrongState(
                "issued_record.refreshed", "That there is a newer version cannot be taken back.", "Leave it set."
            )
        ref = _ref_for(record, purpose)
        number = await self._publisher.number_for(tx, ref, purpose, value)
        if await self._publisher.set(tx, ref, number, reason):
            if purpose in _STATES:
                await self._note_state(tx, record, _STATES[purpose] if value else IssuedState.ACTIVE)
            else:
                await self._note(tx, record, f"record.{purpose}", purpose)
        return await credentials.get_issued(tx, record_id)

    async def _note_state(self, tx: Transaction, record: IssuedCredential, state: IssuedState) -> None:
        await credentials.set_issued_state(tx, record.id, state)
        event = "record.reinstated" if state is IssuedState.ACTIVE else f"record.{state.value}"
        await self._note(tx, record, event, state.value)
        if state is IssuedState.REVOKED:
            await self._notices.notify(tx, record)

    async def _note(self, tx: Transaction, record: IssuedCredential, event: str, status: str) -> None:
        await audit.append(tx, at=self._world.clock(), event=event, actor="operator", subjects=(record.id,))
        await emit(tx, self._world, RecordStatusChanged(record_id=record.id, direction="issued", status=status))

    async def _issue_what_was_offered(self, tx: Transaction, situation: Situation) -> None:
        """Policy: whoever accepts an offer of this node gets the record; anything else waits for a person."""
        if situation.value.offer:
            await self._issue(tx, situation)

    async def _issue(self, tx: Transaction, situation: Situation) -> None:
        exchange: machine.Exchange = situation.value
        own = await self._identity.default(tx, DidPurpose.ISSUER)
        if any(issuer_id(detail.credential) != own.did for detail in exchange.requested):
            raise BadInput(
                "record.foreign_issuer", "The request is for a record of another issuer.", "Decline it, or offer yours."
            )
        if not all("id" in detail.credential for detail in exchange.requested):
            raise BadInput(
                "record.no_id", "The request is for a record without an id.", "Decline it, or offer one of yours."
            )
        issued: list[IssuedCredential] = []
        for position, detail in enumerate(exchange.requested):
            named = [(_place_name(situation.row.id, position), detail.credential)]
            suite = detail.cryptosuite or detail.proof_type
            issued += await self._sign(tx, named, suite, situation, position)
        links: Mapping[int, Attachment] = {}
        if exchange.manifest is None:  # a fulfillment is one attachment, with all records in it
            links = await self._record_links.for_records(tx, situation.row.id, [record.document for record in issued])
        documents = [strict_json.loads_object(record.document) for record in issued]
        kept = await trust_lists.accreditations_about(tx, own.did, limit=MAX_SUPPLEMENTS)
        along = [strict_json.loads_object(each) for each in kept if each.startswith(b"{")]
        step = machine.issue(exchange, *documents, new_id=self._world.new_id, links=links, supplements=along)
        await self._exchanges.apply(tx, ISSUE_CREDENTIAL, situation.connection, situation.row, step)

    async def _offer_what_was_proposed(self, tx: Transaction, situation: Situation) -> None:
        if not situation.value.proposal:
            raise BadInput(
                "record.no_achievement", "The proposal names no achievement.", "Offer one, or decline the proposal."
            )
        awards = []
        for proposal in situation.value.proposal:
            wanted = _achievement_id(proposal.credential)
            if wanted is None:
                raise BadInput("record.no_achievement", "The proposal names no achievement.", "Decline it.")
            awards.append(Award(achievement_id=wanted))
        await self._offer_in(tx, situation, awards)

    async def _offer_in(
        self,
        tx: Transaction,
        situation: Situation,
        awards: Sequence[Award],
        terms: Terms = _USUAL,
    ) -> None:
        details = await self._offered(tx, awards, situation.row.id)
        step = self._offer(details, situation.value, terms)
        await self._exchanges.apply(tx, ISSUE_CREDENTIAL, situation.connection, situation.row, step)

    def _offer(
        self, details: Sequence[LdProofVcDetail], exchange: machine.Exchange | None, terms: Terms
    ) -> Step[machine.Exchange]:
        return machine.offer(
            *details,
            new_id=self._world.new_id,
            exchange=exchange,
            comment=terms.comment,
            expires=self._lifetime.until(terms.expires_in),
            manifest=self._manifest(details) if exchange is not None and not exchange.proposal else None,
        )

    def _manifest(self, details: Sequence[LdProofVcDetail]) -> Manifest:
        """What is offered, for who proposed nothing in particular: that is how WACI-DIDComm begins."""
        return build_manifest(
            details,
            manifest_id=self._world.new_id(),
            issuer_name=self._label,
            challenge=b64url_encode(self._world.entropy(16)),
            domain=self._own_url,
        )

    async def _sign(
        self,
        tx: Transaction,
        named: Sequence[tuple[str, dict[str, Any]]],
        securing: str,
        situation: Situation | None = None,
        position: int = 0,
    ) -> list[IssuedCredential]:
        """Give records their status indices, sign and keep them; a name makes the indices the same at a retry."""
        own = await self._identity.default(tx, DidPurpose.ISSUER)
        signer = await self._identity.signer(tx, own, securing_named(securing).key_types)
        data_model = version_of(named[0][1]) if named else None  # what is signed together is of one version
        purposes = self._publisher.purposes_for(data_model or Version.V2_0)
        places = await self._publisher.allocate(tx, [name for name, _ in named], purposes, own)
        now = self._world.clock()
        is_selective = isinstance(CRYPTOSUITES.get(securing), Selective)
        records = []
        for (_, credential), place in zip(named, places, strict=True):
            complete = _with_status(credential, place.entries)
            if credential.get("credentialStatus", complete.get("credentialStatus")) != complete.get("credentialStatus"):
                raise BadInput("record.foreign_status", "The request names a status of its own.", "Decline it.")
            sign = partial(
                issue,
                complete,
                securing,
                signer,
                created=now,
                mandatory_pointers=those_there(complete, self._mandatory_pointers) if is_selective else (),
                selective_pointers=withholdable(complete) if securing == _SD_JWT else (),
                entropy=self._world.entropy,
            )
            issued = await perform(signer, sign)
            records.append(self._record(complete, issued, place.refs, now, situation, position))
            if len(records) % _SIGNED_AT_ONCE == 0:
                await asyncio.sleep(0)  # a long list must not hold up the node's other work
        await credentials.add_issued(tx, *records)
        subjects = [(record.id,) for record in records]
        await audit.append_each(tx, at=now, event="record.issued", actor="operator", subjects=subjects)
        await emit(tx, self._world, *(_told(record) for record in records))
        tx.after_commit(lambda: self._metrics.issued.inc(len(records)))
        return records

    def _record(
        self,
        credential: dict[str, Any],
        issued: Issued,
        refs: tuple[StatusRef, ...],
        now: datetime,
        situation: Situation | None,
        position: int,
    ) -> IssuedCredential:
        return IssuedCredential(
            id=self._world.new_id(),
            exchange_id=situation.row.id if situation else None,
            position=position,
            connection_id=situation.connection.id if situation else None,
            document=issued.data,
            credential_id=str(credential["id"]),
            subject=next(iter(subject_ids(credential)), None),
            achievement_id=_achievement_id(credential),
            issued_at=now,
            statuses=refs,
        )

    def _credential(
        self,
        own: OwnDid,
        achievement: Achievement,
        award: Award,
        securing: str,
        *,
        earned: datetime | None = None,
        open_subject: bool = False,
    ) -> dict[str, Any]:
        credential = build_credential(
            achievement=achievement,
            issuer=IssuerProfile(did=own.did, name=self._label),
            subject_did=award.subject_did,
            subject_email=award.email,
            subject_name=award.name,
            open_subject=open_subject,
            salt=b64url_encode(self._world.entropy(16)) if award.email else None,
            valid_from=award.valid_from or earned or self._world.clock(),
            valid_until=award.valid_until,
            credential_id=f"urn:uuid:{self._world.new_id()}",
            result=_result(achievement, award.result),
            data_model=award.data_model,
        )
        if award.replaces is not None:
            credential = as_replacement(credential, award.replaces, says_result=award.result is not None)
        credential = _with_suite_context(credential, securing)
        if self._bind_contexts and not signs_contexts(securing):
            return with_contexts_bound(credential, DEFAULT.store)
        return credential

    async def _offered(self, tx: Transaction, awards: Sequence[Award], exchange_id: str) -> list[LdProofVcDetail]:
        """What is offered is what will be signed, its status included; only the subject is left to the holder."""
        return [
            await self._offered_one(tx, award, _place_name(exchange_id, position))
            for position, award in enumerate(awards)
        ]

    async def _offered_one(self, tx: Transaction, award: Award, name_of_place: str) -> LdProofVcDetail:
        own = await self._identity.default(tx, DidPurpose.ISSUER)
        name = proof_suite(own, self._securing.name, selective=True)
        achievement = await self._achievements.awarded(tx, award.achievement_id)
        credential = self._credential(own, achievement, award, name, open_subject=True)
        return await self._detail(tx, credential, name, name_of_place, award.data_model)

    async def _detail(
        self, tx: Transaction, credential: dict[str, Any], name: str, name_of_place: str, data_model: Version
    ) -> LdProofVcDetail:
        """What is offered of a credential that will be signed with a suite, its place in a status list included."""
        (place,) = await self._publisher.allocate(tx, [name_of_place], self._publisher.purposes_for(data_model))
        suite = suite_named(name)
        return LdProofVcDetail.of(
            _with_status(credential, place.entries),
            proof_type=suite.proof_type,
            cryptosuite=name if suite.proof_type != name else None,
            status_type=ENTRY_TYPE if place.entries else None,
        )


def _award_again(former: IssuedCredential, changes: Correction) -> Award:
    """The award of a record that replaces another."""
    said = stated(former.document)
    start, end = said.get("validFrom", said.get("issuanceDate")), said.get("validUntil", said.get("expirationDate"))
    return Award(
        achievement_id=changes.achievement or former.achievement_id or "",
        subject_did=former.subject,
        email=changes.email,
        name=changes.name,
        valid_from=changes.valid_from or (parse_time(start, zone_required=False) if start else None),
        valid_until=changes.valid_until or (parse_time(end, zone_required=False) if end else None),
        result=changes.result,
        data_model=version_of(said) or Version.V2_0,
        replaces=said,
    )


def _place_name(exchange_id: str, position: int) -> str:
    """By which the status index of a record of an exchange is known again."""
    return f"{exchange_id}/{position}"


def _for_records(securing: str) -> Securing:
    if securing not in (*CRYPTOSUITES, "vc+jwt", _SD_JWT):
        raise BadInput(
            "config.securing",
            "issuer.securing names no way to secure records.",
            f"Use one of {', '.join(CRYPTOSUITES)}, vc+jwt, {_SD_JWT}.",
        )
    return securing_named(securing)


def _with_status(credential: dict[str, Any], entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if not entries:
        return credential
    if version_of(credential) is Version.V1_1 and STATUS_CONTEXT not in credential["@context"]:
        credential = {**credential, "@context": [*credential["@context"], STATUS_CONTEXT]}
    return {**credential, "credentialStatus": entries[0] if len(entries) == 1 else list(entries)}


def _with_suite_context(credential: dict[str, Any], name: str) -> dict[str, Any]:
    """What is offered must be what is signed, so the suite's context is there from the start."""
    if name not in CRYPTOSUITES:
        return credential
    contexts = list(credential["@context"])
    wanted = suite_named(name).contexts
    return credential if set(wanted) & set(contexts) else {**credential, "@context": [*contexts, wanted[0]]}


def _result(achievement: Achievement, value: str | None) -> dict[str, Any] | None:
    if value is None:
        return None
    if achievement.result is None:
        raise BadInput("result.not_described", "The achievement has no results.", "Leave the result out.")
    return make_result(achievement.result, value)


def _achievement_id(credential: dict[str, Any]) -> str | None:
    subject = credential.get("credentialSubject")
    achievement = subject.get("achievement") if isinstance(subject, dict) else None
    found = achievement.get("id") if isinstance(achievement, dict) else None
    return found if isinstance(found, str) else None


def _ref_for(record: IssuedCredential, purpose: str) -> StatusRef:
    """The place of a record's status for a purpose; one in a Token Status List is for revocation and suspension."""
    served = {purpose, STATUS_LIST} if purpose in _STATES else {purpose}
    for ref in record.statuses:
        if ref.purpose in served:
            return ref
    raise BadInput("status.no_entry", f"The record has no status for {purpose}.", "Issue a new record.")


def _told(record: IssuedCredential) -> RecordIssued:
    """What the institution's own systems are told of a new record."""
    return RecordIssued(record_id=record.id, exchange_id=record.exchange_id, connection_id=record.connection_id)


def _row_of(key: str, record: IssuedCredential | None) -> BatchRow:
    """A row that got its record before; one whose record was erased since does not get another."""
    if record is None:
        erased = BadInput("record.erased", "The record of this row was erased.", "Issue it by itself, if it has to be.")
        return BatchRow(key, None, problem=erased)
    return BatchRow(key, record)
