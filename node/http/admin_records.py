"""Admin operations about records: offer, issue, look at, revoke."""

from __future__ import annotations

import base64
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import msgspec

from node.http import schemas
from node.http.admin_lookup import find_connection, find_held, find_issued, find_partner
from node.http.admin_operation import Call, Nothing
from node.http.admin_views import (
    as_page,
    held_fields,
    issued_fields,
    view_batch,
    view_exchange,
    view_held,
    view_issued,
    view_offer,
)
from node.http.documents import document_json
from node.http.result_views import view_attached
from node.http.schemas import (
    AwardOverConnection,
    Bake,
    BakedView,
    BatchToIssue,
    BatchView,
    CorrectedView,
    Derive,
    DerivedRecord,
    EndorsementOffer,
    EndorsementView,
    ExchangeView,
    HeldDetail,
    HeldView,
    IntakeView,
    IssuedDetail,
    IssuedQuery,
    IssuedView,
    KeptView,
    OfferByLink,
    OfferView,
    OutlineView,
    Page,
    RecordCorrection,
    RecordProposal,
    RecordsQuery,
    RecordsToKeep,
    RecordToEndorse,
    RefusedView,
    StatusChange,
    StatusValue,
)
from node.records.baking import media_type_of_image
from node.records.correction import replaced_by
from node.records.outline import outline
from node.roles.issuer import REPLACED, Award, Correction
from node.roles.keeping import Accept
from node.roles.lifetime import Terms
from protocols import strict_json
from protocols.credentials.model import Version
from protocols.credentials.reading import read_secured, stated
from protocols.errors import BadInput, WrongState
from protocols.jsonld.processor import DEFAULT
from storage import audit, credentials
from storage.credentials import HeldCredential, IssuedCredential, IssuedState
from storage.engine import Transaction

if TYPE_CHECKING:
    from node.app import Node

__all__ = [
    "award_of",
    "awards_of",
    "bake_held",
    "bake_issued",
    "change_status",
    "correct",
    "derive",
    "endorse",
    "issue",
    "issue_batch",
    "issued_detail",
    "issued_record",
    "list_held",
    "list_issued",
    "offer",
    "offer_endorsement",
    "propose",
    "record",
]

_ENDORSEMENT = "EndorsementCredential"
_STATUS_CHANGES: dict[str, tuple[str, bool]] = {
    "revoke": ("revocation", True),
    "suspend": ("suspension", True),
    "reinstate": ("suspension", False),
    "refresh": ("refresh", True),
}


async def offer(node: Node, call: Call[Nothing, AwardOverConnection]) -> OfferView:
    """Offer records to a peer, also in answer to a proposal.

    Raises:
        BadInput: ``exchange.partner``, ``record.*``, ``result.*``.
        WrongState: ``exchange.not_waiting``.
    """
    body = call.body
    async with node.store.read() as tx:
        peer, answered = await find_partner(tx, body.connection, body.exchange)
    award, *also = awards_of(body)
    terms = Terms(body.comment, body.expires_in_seconds)
    if answered is not None:
        row = await node.issuer.offer_instead(answered.id, award, terms, also=also)
    else:
        row = await node.issuer.offer(peer.id, award, terms, also=also)
    return view_offer(row, peer.their_label)


async def propose(node: Node, call: Call[Nothing, RecordProposal]) -> ExchangeView:
    """Ask a peer for records of achievements, also instead of what it offers.

    Raises:
        BadInput: ``exchange.partner``.
        WrongState: ``exchange.not_waiting``.
    """
    body, holder = call.body, node.holder
    async with node.store.read() as tx:
        peer, answered = await find_partner(tx, body.connection, body.exchange)
    if answered is not None:
        row = await holder.propose_credential_instead(answered.id, *body.achievements, comment=body.comment)
    else:
        row = await holder.propose_credential(peer.id, *body.achievements, comment=body.comment)
    return view_exchange(row, peer.their_label)


async def issue(node: Node, call: Call[Nothing, schemas.Award]) -> IssuedDetail:
    """Sign a record at once, without a peer."""
    made = await node.issuer.issue(award_of(call.body))
    async with node.store.read() as tx:
        return await issued_detail(node, tx, made)


async def issue_batch(node: Node, call: Call[Nothing, BatchToIssue]) -> BatchView:
    """Sign records for rows of a list, those that have none yet.

    Raises:
        BadInput: ``batch.key_twice``.
        WrongState: ``batch.needs_approval`` where lists have to be approved.
    """
    if node.desk.second_person:
        raise WrongState(
            "batch.needs_approval", "Lists are issued here when a second person approved them.", "lernode desk add"
        )
    body = call.body
    awards = {
        row.key: Award(
            achievement_id=body.achievement,
            subject_did=row.did,
            email=row.email,
            name=row.name,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            result=row.result,
        )
        for row in body.awards
    }
    if len(awards) != len(body.awards):
        raise BadInput("batch.key_twice", "Two rows have the same key.", "Give each row a key of its own.")
    rows = await node.issuer.issue_rows(body.batch, body.achievement, awards)
    return view_batch(rows, documents=body.documents)


async def list_held(node: Node, call: Call[RecordsQuery, Nothing]) -> Page[HeldView]:
    """The records that the node holds."""
    query = call.query
    async with node.store.read() as tx:
        found = await credentials.list_held(tx, text=query.q, skill=query.skill, after=query.after, limit=query.limit)
    return as_page(found, query.limit, view_held)


async def record(node: Node, call: Call[Nothing, Nothing]) -> HeldDetail:
    """One record that the node holds."""
    async with node.store.read() as tx:
        held = await find_held(tx, call.id)
        later = await credentials.find_held_replacing(tx, held, replaced_by)
        about = await credentials.held_about(tx, held.credential_id) if held.credential_id else []
    said = read_secured(held.document, DEFAULT)
    return HeldDetail(
        **held_fields(held),
        securing=said.securing,
        replaces=replaced_by(said.document),
        replaced_by=later,
        endorsements=[_endorsement(each) for each in about if _ENDORSEMENT in each.types],
        attached=view_attached(held.document),
        outline=[msgspec.convert(asdict(each), OutlineView) for each in outline(said.document)],
        document=document_json(held.document),
    )


def _endorsement(held: HeldCredential) -> EndorsementView:
    said = stated(held.document)["credentialSubject"]
    comment = said.get("endorsementComment") if isinstance(said, dict) else None
    return EndorsementView(
        credential=held.credential_id,
        issuer=held.issuer,
        comment=comment if isinstance(comment, str) else None,
        state=held.state.value,
        unverified=held.unverified,
    )


async def endorse(node: Node, call: Call[Nothing, RecordToEndorse]) -> IssuedDetail:
    """Sign an endorsement of somebody else's record.

    Raises:
        BadInput: ``record.not_genuine``, ``endorsement.*``.
    """
    given = call.body.document
    document = given.encode() if isinstance(given, str) else strict_json.dumps(given)
    made = await node.endorsements.give(document, call.body.comment)
    async with node.store.read() as tx:
        return await issued_detail(node, tx, made)


async def offer_endorsement(node: Node, call: Call[Nothing, EndorsementOffer]) -> OfferView:
    """Offer an endorsement to a peer.

    Raises:
        BadInput: ``record.not_genuine``, ``endorsement.*``.
        WrongState: ``connection.*``.
    """
    body = call.body
    document = body.document.encode() if isinstance(body.document, str) else strict_json.dumps(body.document)
    async with node.store.read() as tx:
        peer = await find_connection(tx, body.connection)
    terms = Terms(expires_in=body.expires_in_seconds)
    row = await node.endorsements.offer(peer.id, document, body.comment, terms)
    return view_offer(row, peer.their_label)


async def keep_records(node: Node, call: Call[Nothing, RecordsToKeep]) -> IntakeView:
    """Hold records that did not come over a connection.

    Raises:
        BadInput: ``record.not_genuine``, ``record.not_verified``, ``intake.*``, ``net.*``.
    """
    outcomes = await node.keeping.take(
        await _given(node, call.body), Accept(call.body.accept), recipient=call.body.recipient
    )
    view = IntakeView(kept=[], refused=[])
    for position, outcome in enumerate(outcomes, start=1):
        if isinstance(outcome, BadInput):
            told = RefusedView(position=position, code=outcome.code, reason=outcome.message, hint=outcome.hint)
            view.refused.append(told)
        else:
            view.kept.append(KeptView(record=view_held(outcome.record), is_new=outcome.is_new))
    return view


async def _given(node: Node, body: RecordsToKeep) -> bytes:
    """The file that a request is about.

    Raises:
        BadInput: ``intake.ambiguous``, ``intake.not_base64``, ``net.*``.
    """
    if sum(given is not None for given in (body.document, body.file, body.url)) != 1:
        raise BadInput("intake.ambiguous", "There is not one document, file or URL.", "Give exactly one of the three.")
    if body.url is not None:
        return await node.keeping.fetch(body.url)
    if body.document is not None:
        return body.document.encode() if isinstance(body.document, str) else strict_json.dumps(body.document)
    return _from_base64(body.file or "")


async def bake_held(node: Node, call: Call[Nothing, Bake]) -> BakedView:
    """A picture with a held record in it.

    Raises:
        BadInput: ``badge.*``, ``net.*``.
    """
    async with node.store.read() as tx:
        found = await find_held(tx, call.id)
    return await _baked(node, found.document, call.body)


async def bake_issued(node: Node, call: Call[Nothing, Bake]) -> BakedView:
    """A picture with an issued record in it.

    Raises:
        BadInput: ``badge.*``, ``net.*``.
    """
    async with node.store.read() as tx:
        found = await find_issued(tx, call.id)
    return await _baked(node, found.document, call.body)


async def _baked(node: Node, document: bytes, given: Bake) -> BakedView:
    made = await node.badges.bake(document, None if given.image is None else _from_base64(given.image))
    return BakedView(media_type=media_type_of_image(made), image=base64.b64encode(made).decode())


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise BadInput("intake.not_base64", "The file is not in base64.", "Encode it as RFC 4648 §4 says.") from None


async def derive(node: Node, call: Call[Nothing, Derive]) -> DerivedRecord:
    """A part of a record that the node holds.

    Raises:
        BadInput: ``proof.not_selective``, ``pointer.*``.
    """
    async with node.store.read() as tx:
        held = await find_held(tx, call.id)
    derived = await node.holder.derive(held.id, call.body.reveal)
    return DerivedRecord(document=document_json(derived))


async def list_issued(node: Node, call: Call[IssuedQuery, Nothing]) -> Page[IssuedView]:
    """The records that the node issued."""
    query = call.query
    async with node.store.read() as tx:
        peer = await find_connection(tx, query.connection) if query.connection else None
        found = await credentials.list_issued(
            tx,
            connection_id=peer.id if peer else None,
            achievement_id=query.achievement,
            subject=query.subject,
            state=IssuedState(query.state) if query.state else None,
            after=query.after,
            limit=query.limit,
        )
    return as_page(found, query.limit, view_issued)


async def issued_record(node: Node, call: Call[Nothing, Nothing]) -> IssuedDetail:
    """One record that the node issued."""
    async with node.store.read() as tx:
        return await issued_detail(node, tx, await find_issued(tx, call.id))


async def correct(node: Node, call: Call[Nothing, RecordCorrection]) -> CorrectedView:
    """Replace a record by one that says something else of it.

    Raises:
        BadInput: ``record.*``, ``result.*``, ``correction.nothing``.
        WrongState: ``issued_record.revoked``.
    """
    given = msgspec.structs.asdict(call.body)
    reason = given.pop("reason")
    async with node.store.read() as tx:
        found = await find_issued(tx, call.id)
    done = await node.issuer.correct(found.id, Correction(**given), reason)
    async with node.store.read() as tx:
        detail = None if done.record is None else await issued_detail(node, tx, done.record)
    exchange = done.exchange.id if done.exchange else None
    return CorrectedView(
        former=view_issued(done.former), credential=done.credential_id, record=detail, exchange=exchange
    )


async def change_status(node: Node, call: Call[Nothing, StatusChange]) -> IssuedView:
    """Revoke, suspend, reinstate, refresh, or set a message; the status list is signed anew at once."""
    async with node.store.read() as tx:
        found = await find_issued(tx, call.id)
    purpose, value = _STATUS_CHANGES.get(call.body.action, ("message", call.body.message))
    if value is None or (purpose != "message" and call.body.message is not None):
        raise BadInput("status.message_misplaced", "A message goes with the action message.", "Give both, or neither.")
    return view_issued(await node.issuer.set_status(found.id, purpose, value, call.body.reason))


async def issued_detail(node: Node, tx: Transaction, record: IssuedCredential) -> IssuedDetail:
    """An issued record with its document, and what is said of it now."""
    said = await node.publisher.said(tx, record.statuses)
    statuses = [StatusValue(purpose=item.purpose, value=item.value, message=item.message) for item in said]
    trail = await audit.page(tx, event=REPLACED, subject=record.id, limit=1)
    return IssuedDetail(
        **issued_fields(record),
        statuses=statuses,
        replaces=replaced_by(stated(record.document)),
        replaced_by=str(trail[0].details["by"]) if trail else None,
        attached=view_attached(record.document),
        document=document_json(record.document),
    )


def awards_of(given: AwardOverConnection | OfferByLink) -> list[Award]:
    """The awards that are offered together."""
    return [replace(award_of(one), data_model=Version(given.data_model)) for one in (given, *given.also)]


def award_of(given: schemas.Award) -> Award:
    """The award that a request describes."""
    return Award(
        achievement_id=given.achievement,
        subject_did=given.did,
        email=given.email,
        name=given.name,
        valid_from=given.valid_from,
        valid_until=given.valid_until,
        result=given.result,
    )
