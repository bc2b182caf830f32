"""Admin operations about exchanges: look, wait, decide, request, and see what was verified."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from node.http.admin_decisions import accept_decision, decline_decision
from node.http.admin_lookup import find_connection, find_exchange
from node.http.admin_operation import Call, Nothing
from node.http.admin_views import exchange_fields, view_about, view_exchange
from node.http.schemas import (
    AboutRecord,
    Decline,
    ExchangeDetail,
    ExchangeQuery,
    ExchangesQuery,
    ExchangeView,
    Page,
)
from node.roles.threads import ISSUE_CREDENTIAL, negotiation
from protocols.issue_credential import machine as issue_credential
from protocols.machine import Decision
from storage import connections, credentials, exchanges
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow, Filter

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["accept", "decline", "exchange", "list_exchanges", "resend", "show_exchange"]

_LOOK_EVERY_SECONDS = 0.1


async def list_exchanges(node: Node, call: Call[ExchangesQuery, Nothing]) -> Page[ExchangeView]:
    """Conversations with peers."""
    query = call.query
    async with node.store.read() as tx:
        peer = await find_connection(tx, query.connection) if query.connection else None
        which = Filter(
            protocol=query.protocol,
            role=query.role,
            state=query.state,
            connection_id=peer.id if peer else None,
            waiting=query.waiting,
        )
        rows = await exchanges.page(tx, which, after=query.after, limit=query.limit)
        items = [view_exchange(row, await _peer(tx, row)) for row in rows]
    return Page(items=items, next=rows[-1].id if len(rows) == query.limit else None)


async def exchange(node: Node, call: Call[ExchangeQuery, Nothing]) -> ExchangeDetail:
    """One exchange; with ``wait`` once it has gone on, or when the time is over."""
    async with node.store.read() as tx:
        row = await find_exchange(tx, call.id)
    if call.query.wait:
        row = await _gone_on(node.store, row, call.query, call.stopping)
    return await show_exchange(node, row)


async def accept(node: Node, call: Call[Nothing, Nothing]) -> ExchangeDetail:
    """Say yes to whatever the exchange waits for.

    Raises:
        WrongState: ``exchange.not_waiting``; ``exchange.needs_choice`` and ``issue_credential.records_first`` where
            records must be chosen.
    """
    async with node.store.read() as tx:
        row = await find_exchange(tx, call.id)
    await accept_decision(node, row)
    return await _show_again(node, row.id)


async def decline(node: Node, call: Call[Nothing, Decline]) -> ExchangeDetail:
    """Say no, or give up waiting, with a reason that the peer is told.

    Raises:
        WrongState: ``exchange.not_waiting``, or ``*.wrong_state`` where it is over.
    """
    async with node.store.read() as tx:
        row = await find_exchange(tx, call.id)
    await decline_decision(node, row, call.body.reason)
    return await _show_again(node, row.id)


async def resend(node: Node, call: Call[Nothing, Nothing]) -> ExchangeDetail:
    """Send the last message of an exchange again, as it was.

    Raises:
        WrongState: ``exchange.not_waiting``, ``exchange.expired``, or ``*.wrong_state`` where no answer is due.
    """
    async with node.store.read() as tx:
        row = await find_exchange(tx, call.id)
    return await show_exchange(node, await node.threads.resend(row.id))


async def show_exchange(node: Node, row: ExchangeRow) -> ExchangeDetail:
    """An exchange with what came of it."""
    async with node.store.read() as tx:
        held = await credentials.held_of_exchange(tx, row.id)
        issued = await credentials.issued_of_exchange(tx, row.id)
        peer = await _peer(tx, row)
    said = negotiation(row)
    return ExchangeDetail(
        **exchange_fields(row, peer),
        about=_about(row),
        comment=said.comment if said else None,
        reason=said.explain if said else None,
        asks_for_records=_asks_for_records(row),
        data=msgspec.Raw(row.data),
        record_ids=[record.id for record in held],
        issued_ids=[record.id for record in issued],
    )


def _asks_for_records(row: ExchangeRow) -> bool:
    if row.waiting_for != Decision.ACCEPT_OFFER:
        return False
    value: issue_credential.Exchange = ISSUE_CREDENTIAL.value(row)
    return value.manifest is not None and value.manifest.definition is not None


def _about(row: ExchangeRow) -> list[AboutRecord]:
    """The records that it is about, as far as the exchange has come."""
    if row.protocol != ISSUE_CREDENTIAL.protocol:
        return []
    value: issue_credential.Exchange = ISSUE_CREDENTIAL.value(row)
    details = value.requested or value.offer or value.proposal
    return [view_about(one) for one in value.credentials or [detail.credential for detail in details]]


async def _show_again(node: Node, exchange_id: str) -> ExchangeDetail:
    async with node.store.read() as tx:
        row = await exchanges.get(tx, exchange_id)
    return await show_exchange(node, row)


async def _peer(tx: Transaction, row: ExchangeRow) -> str | None:
    found = await connections.find(tx, row.connection_id)
    return found.their_label if found else None


async def _gone_on(store: Store, row: ExchangeRow, query: ExchangeQuery, stopping: asyncio.Event) -> ExchangeRow:
    """The row once it is in a state waited for, or as it is when the time is over or the server stops."""
    states = frozenset((query.state or "").split(",")) - {""}
    first = row.version
    with suppress(TimeoutError):
        async with asyncio.timeout(query.wait):
            while not (row.state in states if states else row.version != first) and not stopping.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), _LOOK_EVERY_SECONDS)
                async with store.read() as tx:
                    row = await exchanges.get(tx, row.id)
    return row
