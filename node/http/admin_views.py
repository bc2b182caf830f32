"""From what the store keeps to what the admin API shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from node.http.documents import document_json
from node.http.public import INVITATION_PATH
from node.http.result_views import view_attached_items
from node.http.schemas import (
    AboutRecord,
    BatchProblemView,
    BatchRowView,
    BatchView,
    ConnectionView,
    DidView,
    ExchangeView,
    FormerKeyView,
    HeldView,
    InvitationView,
    IssuedView,
    LogEntry,
    OfferView,
    OwnKeyView,
    Page,
    SkillView,
)
from node.records.summary import summary
from node.roles.issuer import BatchRow
from node.roles.threads import ISSUE_CREDENTIAL
from protocols.keys import kind_of
from protocols.out_of_band import link
from storage.audit import AuditEntry
from storage.connections import Connection
from storage.credentials import HeldCredential, IssuedCredential, Skill
from storage.dids import KeyState, OwnDid, OwnKey
from storage.exchanges import ExchangeRow
from storage.invitations import Invitation

__all__ = [
    "as_page",
    "exchange_fields",
    "held_fields",
    "issued_fields",
    "view_about",
    "view_batch",
    "view_connection",
    "view_did",
    "view_exchange",
    "view_held",
    "view_invitation",
    "view_issued",
    "view_log_entry",
    "view_offer",
    "view_skills",
]  # fmt: skip


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


I = TypeVar("I", bound=_Identified)  # noqa: E741 - a row
V = TypeVar("V")


def as_page(rows: Sequence[I], limit: int, view: Callable[[I], V]) -> Page[V]:
    """A page of views; a full page says where the next one begins."""
    return Page(items=[view(row) for row in rows], next=rows[-1].id if len(rows) == limit else None)


def view_did(did: OwnDid, *, is_default: bool) -> DidView:
    """A DID of the node."""
    return DidView(
        did=did.did,
        short_form=did.short_form,
        method=did.method,
        purpose=did.purpose.value,
        keys=[OwnKeyView(verification_method=f"{did.did}#{k.fragment}", kind=kind_of(k.codec)) for k in did.keys],
        former_keys=[_view_former(did, key) for key in did.former_keys],
        is_default=is_default,
        state=did.state.value,
        created=did.created,
    )


def _view_former(did: OwnDid, key: OwnKey) -> FormerKeyView:
    return FormerKeyView(
        verification_method=f"{did.did}#{key.fragment}",
        kind=kind_of(key.codec),
        state="withdrawn" if key.state is KeyState.WITHDRAWN else "retired",
        since=key.changed or did.created,
    )


def view_invitation(invitation: Invitation, page_url: str) -> InvitationView:
    """An invitation with the link that its QR code holds."""
    return InvitationView(
        id=invitation.id,
        state=invitation.state.value,
        multi_use=invitation.multi_use,
        created=invitation.created,
        expires=invitation.expires,
        url=link.to_link(link.from_text(invitation.message.decode()), page_url),
        short_url=f"{page_url.rstrip('/')}{INVITATION_PATH}/{invitation.id}",
        message=msgspec.Raw(invitation.message),
    )


def view_connection(connection: Connection) -> ConnectionView:
    """A relation with a peer."""
    return ConnectionView(
        id=connection.id,
        state=connection.state,
        role=connection.role,
        label=connection.their_label,
        my_did=connection.my_did,
        their_did=connection.their_did,
        wire=connection.wire,
        endpoint=connection.their_endpoint,
        invitation_id=connection.invitation_id,
        created=connection.created,
        updated=connection.updated,
    )


def held_fields(record: HeldCredential) -> dict[str, Any]:
    """The fields that a listing of held records and a single one share."""
    return {
        "id": record.id,
        "name": record.name,
        "issuer": record.issuer,
        "subject": record.subject,
        "types": list(record.types),
        "skills": view_skills(record.skills),
        "valid_from": record.valid_from,
        "valid_until": record.valid_until,
        "stored_at": record.stored_at,
        "state": record.state.value,
        "state_at": record.state_at,
        "own_statement": record.is_own_statement,
        "exchange_id": record.exchange_id,
        "unverified": record.unverified,
    }


def view_skills(skills: Sequence[Skill]) -> list[SkillView]:
    """Skills, as a record or an achievement names them."""
    return [SkillView(name=s.name, code=s.code, framework=s.framework, url=s.url) for s in skills]


def view_about(document: dict[str, Any]) -> AboutRecord:
    """What a record says."""
    about = summary(document)
    return AboutRecord(
        name=about.name,
        issuer=about.issuer,
        issuer_name=about.issuer_name,
        subject=about.subject,
        achievement=about.achievement_id,
        skills=view_skills(about.skills),
        results=list(about.results),
        valid_from=about.valid_from,
        valid_until=about.valid_until,
        attached=view_attached_items(about.attached),
    )


def view_held(record: HeldCredential) -> HeldView:
    """A held record without its document."""
    return HeldView(**held_fields(record))


def issued_fields(record: IssuedCredential) -> dict[str, Any]:
    """The fields that a listing of issued records and a single one share."""
    return {
        "id": record.id,
        "credential_id": record.credential_id,
        "achievement": record.achievement_id,
        "subject": record.subject,
        "state": record.state.value,
        "issued_at": record.issued_at,
        "connection_id": record.connection_id,
        "exchange_id": record.exchange_id,
    }


def view_issued(record: IssuedCredential) -> IssuedView:
    """An issued record without its document."""
    return IssuedView(**issued_fields(record))


def view_batch(rows: Iterable[BatchRow], *, documents: bool) -> BatchView:
    """What became of rows of a list."""
    view = BatchView(issued=[], problems=[])
    for row in rows:
        if row.record is not None:
            view.issued.append(
                BatchRowView(
                    key=row.key,
                    id=row.record.id,
                    credential_id=row.record.credential_id,
                    is_new=row.is_new,
                    document=document_json(row.record.document) if documents else msgspec.Raw(b"null"),
                )
            )
        elif row.problem is not None:
            view.problems.append(BatchProblemView(key=row.key, code=row.problem.code, message=row.problem.message))
    return view


def exchange_fields(row: ExchangeRow, peer: str | None) -> dict[str, Any]:
    """The fields that a listing of exchanges and a single one share."""
    return {
        "id": row.id,
        "protocol": row.protocol,
        "role": row.role,
        "connection_id": row.connection_id,
        "peer": peer,
        "thread_id": row.thid,
        "state": row.state,
        "waiting_for": row.waiting_for,
        "error": row.error_code,
        "expires": row.expires,
        "created": row.created,
        "updated": row.updated,
    }


def view_exchange(row: ExchangeRow, peer: str | None) -> ExchangeView:
    """An exchange without what was said in it."""
    return ExchangeView(**exchange_fields(row, peer))


def view_offer(row: ExchangeRow, peer: str | None) -> OfferView:
    """An exchange of the issuer's, with the ids of what it offers."""
    offered = ISSUE_CREDENTIAL.value(row).offer
    return OfferView(**exchange_fields(row, peer), credential_ids=[str(each.credential["id"]) for each in offered])


def view_log_entry(entry: AuditEntry) -> LogEntry:
    """An entry of the audit trail."""
    return LogEntry(
        seq=entry.seq,
        at=entry.at,
        event=entry.event,
        actor=entry.actor,
        subjects=list(entry.subjects),
        details=dict(entry.details),
        hash=entry.hash.hex(),
    )
