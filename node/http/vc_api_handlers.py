"""The operations of the VC API: each reads what the client wants and calls one function of a role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from node.http.admin_operation import Answer, Call, Nothing
from node.http.documents import document_object
from node.http.vc_api_schemas import (
    CredentialsQuery,
    DeriveCredential,
    IssueCredential,
    IssueOptions,
    PresentOptions,
    SignedCredential,
    SignedPresentation,
    SignPresentation,
    StatusUpdate,
    UpdateStatus,
    VerifyCredential,
    VerifyPresentation,
)
from node.http.vc_api_views import view_credential, view_presentation
from node.roles.vc_api_holder import PresentWish
from node.roles.vc_api_issuer import IssueWish, StatusWish
from node.roles.vc_api_signing import Wanted
from protocols.credentials.model import as_list
from protocols.errors import BadInput

if TYPE_CHECKING:
    from node.app import Node

__all__ = [
    "create_presentation", "delete_credential", "derive_credential", "get_credential", "get_credentials",
    "issue_credential", "update_status", "verify_credential", "verify_presentation",
]  # fmt: skip


async def issue_credential(node: Node, call: Call[Nothing, IssueCredential]) -> SignedCredential:
    """Sign a credential and keep it."""
    options = call.body.options
    made = await node.vc_api.issuer.issue(
        call.body.credential,
        IssueWish(
            wanted=_wanted(options, selective=options.mandatory_pointers is not None),
            credential_id=options.credential_id,
            status_purposes=tuple(dict.fromkeys(item.status_purpose for item in as_list(options.credential_status))),
            mandatory_pointers=None if options.mandatory_pointers is None else tuple(options.mandatory_pointers),
            selective_pointers=tuple(options.selective_pointers),
        ),
    )
    return SignedCredential(verifiable_credential=document_object(made.document))


async def update_status(node: Node, call: Call[Nothing, UpdateStatus]) -> StatusUpdate:
    """Set or clear a status."""
    body, entry = call.body, call.body.credential_status
    await node.vc_api.issuer.set_status(
        StatusWish(
            credential_id=body.credential_id,
            purpose=entry.status_purpose,
            value=body.status,
            list_url=entry.status_list_credential,
            index=entry.status_list_index,
        )
    )
    return StatusUpdate(credential_id=body.credential_id, status_purpose=entry.status_purpose, status=body.status)


async def get_credentials(node: Node, call: Call[CredentialsQuery, Nothing]) -> list[msgspec.Raw]:
    """The credentials that the node holds."""
    found = await node.vc_api.holder.credentials(after=call.query.after, limit=call.query.limit)
    return [document_object(record.document) for record in found]


async def get_credential(node: Node, call: Call[Nothing, Nothing]) -> SignedCredential:
    """One credential, issued or held."""
    found = await node.vc_api.holder.credential(call.id)
    return SignedCredential(verifiable_credential=document_object(found.document))


async def delete_credential(node: Node, call: Call[Nothing, Nothing]) -> dict[str, Any]:
    """Forget a credential."""
    await node.vc_api.holder.delete(call.id)
    return {}


async def derive_credential(node: Node, call: Call[Nothing, DeriveCredential]) -> dict[str, Any]:
    """Show a part of a credential."""
    return node.vc_api.holder.derive(call.body.verifiable_credential, call.body.options.selective_pointers)


async def create_presentation(node: Node, call: Call[Nothing, SignPresentation]) -> SignedPresentation:
    """Sign a presentation."""
    options = call.body.options
    wish = PresentWish(
        wanted=_wanted(options), created=options.created, challenge=options.challenge, domain=options.domain
    )
    return SignedPresentation(verifiable_presentation=await node.vc_api.holder.present(call.body.presentation, wish))


async def verify_credential(node: Node, call: Call[Nothing, VerifyCredential]) -> Answer:
    """Check a credential."""
    body = call.body
    result = await node.vc_api.verifier.credential(
        body.verifiable_credential, status_required=_is_status_required(body.options.checks)
    )
    view = view_credential(body.verifiable_credential, result, body.options)
    return Answer(value=view, status=200 if view.verified else 400)


async def verify_presentation(node: Node, call: Call[Nothing, VerifyPresentation]) -> Answer:
    """Check a presentation and the credentials in it."""
    body = call.body
    result = await node.vc_api.verifier.presentation(
        body.verifiable_presentation,
        challenge=body.options.challenge,
        domain=body.options.domain,
        status_required=_is_status_required(body.options.checks),
    )
    view = view_presentation(body.verifiable_presentation, result, body.options)
    return Answer(value=view, status=200 if view.verified else 400)


def _is_status_required(checks: Sequence[str] | None) -> bool:
    return checks is None or "credentialStatus" in checks


def _wanted(options: IssueOptions | PresentOptions, *, selective: bool = False) -> Wanted:
    """How it is to be signed: by a cryptosuite, by a proof type that is one by itself, or in an envelope."""
    plain = options.media_type in ("application/vc", "application/vp")
    envelope = options.media_type is not None and not plain
    kind = None if options.type == "DataIntegrityProof" else options.type
    named = [options.cryptosuite, kind, (options.media_type or "").removeprefix("application/") if envelope else None]
    securings = [name for name in named if name is not None]
    if len(securings) > 1 or (envelope and options.type is not None):
        raise BadInput(
            "vc_api.securing_ambiguous",
            "The options name more than one way to sign.",
            "Give a cryptosuite, or a type of its own, or the media type of an envelope.",
        )
    return Wanted(
        securing=next(iter(securings), None),
        verification_method=options.verification_method,
        selective=selective,
        embedded=plain or options.type is not None,
    )
