"""Admin operations about messages on their way: the part of the table, and what it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.http import outbox_schemas as o
from node.http.admin_lookup import find_connection, find_outgoing
from node.http.admin_operation import Call, Nothing, Operation
from node.http.schemas import Page
from node.roles.undelivered import Undelivered
from protocols.errors import BadInput
from storage import connections, outbox
from storage.engine import Transaction
from storage.outbox import OutboxState, Outgoing

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["OUTBOX_OPERATIONS"]

_STATES = {"waiting": OutboxState.QUEUED, "given-up": OutboxState.DEAD}


async def list_messages(node: Node, call: Call[o.OutgoingQuery, Nothing]) -> Page[o.OutgoingView]:
    """Messages that wait or were given up.

    Raises:
        WrongState: ``connection.unknown``, ``connection.ambiguous``.
    """
    query = call.query
    async with node.store.read() as tx:
        peer = await find_connection(tx, query.connection) if query.connection else None
        found = await outbox.page(
            tx,
            state=_STATES[query.state] if query.state else None,
            lane=peer.id if peer else None,
            after=query.after,
            limit=query.limit,
        )
        labels = await _labels(tx, found)
    more = str(found[-1].sequence) if len(found) == query.limit else None
    return Page(items=[_view(message, labels) for message in found], next=more)


async def retry(node: Node, call: Call[Nothing, o.RetryMessages]) -> o.RetriedView:
    """Try messages again.

    Raises:
        BadInput: ``outgoing_message.which`` where both a message and a peer are named.
        WrongState: ``outgoing_message.*``, ``connection.unknown``, ``connection.ambiguous``.
    """
    body = call.body
    if body.message is not None and body.connection is not None:
        raise BadInput("outgoing_message.which", "It is not clear what to try again.", "Name a message, or a peer.")
    async with node.store.read() as tx:
        message = await find_outgoing(tx, body.message) if body.message else None
        peer = await find_connection(tx, body.connection) if body.connection else None
    undelivered = Undelivered(node.store, node.outbox, node.world)
    if message is not None:
        done = await undelivered.retry_one(message)
    else:
        done = await undelivered.retry(peer.id if peer else None)
    return o.RetriedView(given_up=done.given_up, hastened=done.hastened)


async def _labels(tx: Transaction, found: list[Outgoing]) -> dict[str, str | None]:
    peers = [await connections.find(tx, name) for name in {each.connection_id for each in found} if name]
    return {peer.id: peer.their_label for peer in peers if peer is not None}


def _view(message: Outgoing, labels: dict[str, str | None]) -> o.OutgoingView:
    return o.OutgoingView(
        id=message.id,
        connection_id=message.connection_id,
        peer=labels.get(message.connection_id or ""),
        type=message.message_type,
        thread_id=message.thid,
        state="waiting" if message.state is OutboxState.QUEUED else "given-up",
        put_in=message.enqueued,
        attempts=message.attempts,
        next_attempt=message.next_attempt,
        error=message.error_code,
    )


OUTBOX_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="listMessages",
        method="GET",
        path="/admin/messages",
        summary="Messages on their way to peers: those that wait, and those that were given up, the oldest first.",
        handler=list_messages,
        response=Page[o.OutgoingView],
        query=o.OutgoingQuery,
    ),
    Operation(
        name="retryMessages",
        method="POST",
        path="/admin/messages/retry",
        summary="Try messages again that were given up, and those that wait now: one, those to a peer, or all.",
        handler=retry,
        response=o.RetriedView,
        body=o.RetryMessages,
    ),
)
