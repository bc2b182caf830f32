"""Admin operations about peers: invitations and connections."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from node.http.admin_lookup import find_connection
from node.http.admin_operation import Call, Nothing
from node.http.admin_records import awards_of
from node.http.admin_verification import definition_of
from node.http.admin_views import as_page, view_connection, view_exchange, view_invitation
from node.http.schemas import (
    AcceptedView,
    AcceptInvitation,
    ConnectionView,
    ExchangeView,
    FeaturesQuery,
    InvitationView,
    NewInvitation,
    OfferByLink,
    Page,
    PageQuery,
    RequestByLink,
)
from node.roles.lifetime import Terms
from node.roles.peering import Invited
from protocols.didcomm.message import Wire
from storage import connections, invitations

if TYPE_CHECKING:
    from node.app import Node

__all__ = [
    "accept_invitation", "ask_features", "connection", "create_invitation", "end_connection", "invite_with_offer",
    "invite_with_request", "list_connections", "list_invitations", "rotate_did",
]  # fmt: skip


async def create_invitation(node: Node, call: Call[Nothing, NewInvitation]) -> InvitationView:
    """Make an invitation.

    Raises:
        WrongState: ``invitation.unreachable``, ``mediator.refused``.
        NotNow: ``mediator.unconfirmed``.
    """
    seconds = call.body.expires_in_seconds
    invited = await node.peering.invite(
        multi_use=call.body.multi_use,
        goal=call.body.goal,
        expires_in=timedelta(seconds=seconds) if seconds else None,
        lasting=call.body.lasting,
        wire=Wire.V2 if call.body.didcomm == "v2" else Wire.V1,
    )
    return await _invitation(node, invited)


async def invite_with_offer(node: Node, call: Call[Nothing, OfferByLink]) -> InvitationView:
    """Make an invitation that offers records.

    Raises:
        BadInput: ``record.*``, ``result.*``.
        WrongState: ``invitation.unreachable``, ``invitation.person_decides``.
    """
    body = call.body
    award, *also = awards_of(body)
    terms = Terms(body.comment, body.expires_in_seconds)
    wire = Wire.V2 if body.didcomm == "v2" else Wire.V1
    return await _invitation(node, await node.links.offer(award, terms, also=also, goal=body.goal, wire=wire))


async def invite_with_request(node: Node, call: Call[Nothing, RequestByLink]) -> InvitationView:
    """Make an invitation that asks for records.

    Raises:
        BadInput: ``request.ambiguous``, ``pex.*``.
        WrongState: ``invitation.unreachable``, ``invitation.person_decides``.
    """
    body = call.body
    definition = await definition_of(node, body)
    terms = Terms(body.comment, body.expires_in_seconds)
    wire = Wire.V2 if body.didcomm == "v2" else Wire.V1
    invited = await node.links.request(definition, terms, goal=body.goal, multi_use=body.multi_use, wire=wire)
    return await _invitation(node, invited)


async def list_invitations(node: Node, call: Call[PageQuery, Nothing]) -> Page[InvitationView]:
    """The invitations that the node gave out."""
    async with node.store.read() as tx:
        found = await invitations.page(tx, after=call.query.after, limit=call.query.limit)
    return as_page(found, call.query.limit, lambda invitation: view_invitation(invitation, _page_url(node)))


async def accept_invitation(node: Node, call: Call[Nothing, AcceptInvitation]) -> AcceptedView:
    """Answer a peer's invitation.

    Raises:
        BadInput: ``invitation.*``, ``net.*`` where the invitation is behind a short link.
    """
    invitation = await node.peering.read(call.body.invitation)
    connection = await node.peering.answer(invitation, reuse=call.body.reuse, direct=call.body.direct)
    view = msgspec.structs.asdict(view_connection(connection))
    return AcceptedView(reused=connection.invitation_id != invitation.id, **view)


async def list_connections(node: Node, call: Call[PageQuery, Nothing]) -> Page[ConnectionView]:
    """The peers."""
    async with node.store.read() as tx:
        found = await connections.page(tx, after=call.query.after, limit=call.query.limit)
    return as_page(found, call.query.limit, view_connection)


async def connection(node: Node, call: Call[Nothing, Nothing]) -> ConnectionView:
    """One peer."""
    async with node.store.read() as tx:
        return view_connection(await find_connection(tx, call.id))


async def end_connection(node: Node, call: Call[Nothing, Nothing]) -> ConnectionView:
    """End a connection.

    Raises:
        WrongState: ``did_rotate.wrong_state``.
    """
    async with node.store.read() as tx:
        peer = await find_connection(tx, call.id)
    return view_connection(await node.ending.end(peer.id))


async def rotate_did(node: Node, call: Call[Nothing, Nothing]) -> ConnectionView:
    """Go on with a peer under a fresh DID.

    Raises:
        WrongState: ``did_rotate.wrong_state``.
    """
    async with node.store.read() as tx:
        peer = await find_connection(tx, call.id)
    return view_connection(await node.rotation.rotate(peer.id))


async def ask_features(node: Node, call: Call[Nothing, FeaturesQuery]) -> ExchangeView:
    """Ask a peer which protocols it speaks.

    Raises:
        WrongState: ``connection.not_ready``.
        BadInput: ``discover_features.queries``.
    """
    async with node.store.read() as tx:
        peer = await find_connection(tx, call.id)
    row = await node.discovery.ask(peer.id, call.body.match, int(call.body.version[0]))
    return view_exchange(row, peer.their_label)


async def _invitation(node: Node, invited: Invited) -> InvitationView:
    async with node.store.read() as tx:
        return view_invitation(await invitations.get(tx, invited.id), _page_url(node))


def _page_url(node: Node) -> str:
    return node.peering.page_url
