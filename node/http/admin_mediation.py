"""Admin operations about mediation: this node's mediators, and the peers that it mediates for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.http.admin_lookup import find_connection
from node.http.admin_operation import Call, Nothing
from node.http.schemas import ClientView, LeaveMediator, MediatorView, NewMediator, Page, PageQuery
from storage import connections, mediation, mediators
from storage.engine import Transaction
from storage.errors import unknown
from storage.mediation import Client
from storage.mediators import Mediator

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["collect", "end_client", "leave_mediator", "list_clients", "list_mediators", "mediator", "request_mediation"]


async def request_mediation(node: Node, call: Call[Nothing, NewMediator]) -> MediatorView:
    """Ask a peer to mediate.

    Raises:
        WrongState: ``connection.unknown``, ``connection.ambiguous``, ``connection.not_ready``.
    """
    async with node.store.read() as tx:
        peer = await find_connection(tx, call.body.connection)
    await node.mediated.request(peer.id)
    return await _shown(node, peer.id)


async def list_mediators(node: Node, _call: Call[Nothing, Nothing]) -> Page[MediatorView]:
    """The mediators, the newest first."""
    async with node.store.read() as tx:
        return Page(items=[await _view(node, tx, each) for each in await mediators.page(tx)])


async def mediator(node: Node, call: Call[Nothing, Nothing]) -> MediatorView:
    """One mediator.

    Raises:
        WrongState: ``mediator.unknown``.
    """
    async with node.store.read() as tx:
        peer = await find_connection(tx, call.id)
    return await _shown(node, peer.id)


async def leave_mediator(node: Node, call: Call[Nothing, LeaveMediator]) -> MediatorView:
    """Use a mediator for nothing new.

    Raises:
        WrongState: ``mediator.unknown``.
    """
    async with node.store.read() as tx:
        peer = await find_connection(tx, call.id)
    await node.mediated.leave(peer.id, forget=call.body.forget)
    return await _shown(node, peer.id)


async def collect(node: Node, call: Call[Nothing, Nothing]) -> Page[MediatorView]:
    """Come for messages now."""
    node.mediated.collect()
    return await list_mediators(node, call)


async def list_clients(node: Node, call: Call[PageQuery, Nothing]) -> Page[ClientView]:
    """The peers that this node mediates for."""
    limit = call.query.limit
    async with node.store.read() as tx:
        found = await mediation.page_clients(tx, after=call.query.after, limit=limit)
        items = [await _view_client(tx, client) for client in found]
    return Page(items=items, next=found[-1].connection_id if len(found) == limit else None)


async def end_client(node: Node, call: Call[Nothing, Nothing]) -> ClientView:
    """Mediate for a peer no longer; what it had.

    Raises:
        WrongState: ``mediation_client.unknown``.
    """
    async with node.store.read() as tx:
        peer = await find_connection(tx, call.id)
        client = await mediation.find_client(tx, peer.id)
        before = None if client is None else await _view_client(tx, client)
    if before is None:
        raise unknown("mediation client")
    await node.mediator.end(peer.id)
    return before


async def _shown(node: Node, connection_id: str) -> MediatorView:
    async with node.store.read() as tx:
        return await _view(node, tx, await mediators.get(tx, connection_id))


async def _view(node: Node, tx: Transaction, found: Mediator) -> MediatorView:
    peer = await connections.get(tx, found.connection_id)
    known, unconfirmed = await mediators.count_names(tx, found.connection_id)
    return MediatorView(
        connection=found.connection_id,
        label=peer.their_label,
        state=found.state.value,
        endpoint=found.endpoint,
        live=node.mediated.is_live(found.connection_id),
        names=known,
        unconfirmed=unconfirmed,
        since=found.since,
    )


async def _view_client(tx: Transaction, client: Client) -> ClientView:
    peer = await connections.get(tx, client.connection_id)
    return ClientView(
        connection=client.connection_id,
        label=peer.their_label,
        recipients=client.recipients,
        messages=client.messages,
        total_bytes=client.total_bytes,
        since=client.since,
    )
