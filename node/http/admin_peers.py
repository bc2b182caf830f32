"""Admin operations about peers: invitations and connections."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from node.http.admin_lookup import find_connection
from node.http.admin_operation import Call, Nothing
from node.http.admin_views import as_page, view_connection, view_exchange, view_invitation
from node.http.schemas import (
    AcceptInvitation,
    ConnectionView,
    ExchangeView,
    FeaturesQuery,
    InvitationView,
    NewInvitation,
    Page,
    PageQuery,
)
from storage import connections, invitations

if TYPE_CHECKING:
    from node.app import Node

__all__ = [
    "accept_invitation", "ask_features", "connection", "create_invitation", "end_connection", "list_connections",
    "list_invitations",
]  # fmt: skip


async def create_invitation(node: Node, call: Call[Nothing, NewInvitation]) -> InvitationView:
    """Make an invitation."""
    seconds = call.body.expires_in_seconds
    invited = await node.peering.invite(
        multi_use=call.body.multi_use,
        goal=call.body.goal,
        expires_in=timedelta(seconds=seconds) if seconds else None,
        lasting=call.body.lasting,
    )
    async with node.store.read() as tx:
        return view_invitation(await invitations.get(tx, invited.id), _page_url(node))


async def list_invitations(node: Node, call: Call[PageQuery, Nothing]) -> Page[InvitationView]:
    """The invitations that the node gave out."""
    async with node.store.read() as tx:
        found = await invitations.page(tx, after=call.query.after, limit=call.query.limit)
    return as_page(found, call.query.limit, lambda invitation: view_invitation(invitation, _page_url(node)))


async def accept_invitation(node: Node, call: Call[Nothing, AcceptInvitation]) -> ConnectionView:
    """Answer a peer's invitation.

    Raises:
        BadInput: ``invitation.*``.
    """
    return view_connection(await node.peering.accept(call.body.invitation, reuse=call.body.reuse))


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


def _page_url(node: Node) -> str:
    return node.config.node.endpoint.rstrip("/") + "/"
