"""Admin operations of a holder who is asked for records: see what fits, then answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from node.http.admin_exchanges import show_exchange
from node.http.admin_lookup import find_exchange, find_held, find_partner, find_receipt
from node.http.admin_operation import Call, Nothing
from node.http.admin_verification import definition_of
from node.http.admin_views import as_page, view_exchange, view_held
from node.http.schemas import (
    DescriptorView,
    ExchangeDetail,
    ExchangeView,
    LeavingView,
    MatchesQuery,
    MatchesView,
    Page,
    Present,
    PresentationProposal,
    PreviewView,
    ReceiptsQuery,
    ReceiptView,
    StatementView,
)
from node.records.statements import Statement, statements, withheld
from protocols import strict_json
from storage import connections, receipts
from storage.receipts import Receipt

if TYPE_CHECKING:
    from node.app import Node
    from node.roles.holder import Matches

__all__ = ["list_receipts", "matches", "present", "preview", "propose", "receipt"]


async def matches(node: Node, call: Call[MatchesQuery, Nothing]) -> MatchesView:
    """What is asked for, and what fits.

    Raises:
        WrongState: ``exchange.not_waiting``.
    """
    async with node.store.read() as tx:
        row = await find_exchange(tx, call.id)
        peer = await connections.get(tx, row.connection_id)
    found = await node.holder.matches(row.id, fully=call.query.fully)
    return MatchesView(
        exchange_id=row.id,
        peer=peer.their_label,
        name=found.definition.name or None,
        purpose=found.definition.purpose or None,
        satisfiable=found.selection is not None,
        more=found.more,
        descriptors=_descriptors(found),
    )


async def present(node: Node, call: Call[Nothing, Present]) -> ExchangeDetail:
    """Answer with records; what the caller does not choose is chosen as `matches` says.

    Raises:
        WrongState: ``exchange.not_waiting``, ``record.unknown``.
        BadInput: ``pex.*``.
    """
    exchange_id, chosen, along = await _choice(node, call)
    return await show_exchange(node, await node.holder.present(exchange_id, chosen, along=along))


async def preview(node: Node, call: Call[Nothing, Present]) -> PreviewView:
    """What `present` would send for the same choice; nothing is sent.

    Raises:
        WrongState: ``exchange.not_waiting``, ``record.unknown``.
        BadInput: ``pex.*``.
    """
    exchange_id, chosen, along = await _choice(node, call)
    found = await node.holder.preview(exchange_id, chosen, along=along)
    return PreviewView(
        exchange_id=exchange_id,
        records=[
            LeavingView(
                record=view_held(each.record),
                shown=_view_statements(statements(each.document)),
                withheld=_view_statements(withheld(each.whole, each.document)),
                document=msgspec.Raw(strict_json.dumps(each.form)),
            )
            for each in found.leaving
        ],
        along=[view_held(each) for each in found.along],
    )


async def list_receipts(node: Node, call: Call[ReceiptsQuery, Nothing]) -> Page[ReceiptView]:
    """The receipts of consent, the newest first."""
    query = call.query
    async with node.store.read() as tx:
        exchange_id = (await find_exchange(tx, query.exchange)).id if query.exchange else None
        found = await receipts.page(tx, exchange_id=exchange_id, after=query.after, limit=query.limit)
    return as_page(found, query.limit, _view_receipt)


async def receipt(node: Node, call: Call[Nothing, Nothing]) -> ReceiptView:
    """One receipt of consent."""
    async with node.store.read() as tx:
        return _view_receipt(await find_receipt(tx, call.id))


async def _choice(node: Node, call: Call[Nothing, Present]) -> tuple[str, dict[str, str] | None, list[str]]:
    """The exchange, the choice (for what the caller does not name, that of the node), and what goes along."""
    async with node.store.read() as tx:
        row = await find_exchange(tx, call.id)
        named = {name: (await find_held(tx, text)).id for name, text in call.body.choose.items()}
        along = [(await find_held(tx, text)).id for text in call.body.along]
    if not named and not call.body.fully:
        return row.id, None, along
    found = await node.holder.matches(row.id, fully=call.body.fully)
    return row.id, {**(dict(found.selection.pairs) if found.selection else {}), **named} or None, along


def _view_statements(found: Iterable[Statement]) -> list[StatementView]:
    return [StatementView(path=one.path, value=one.value) for one in found]


def _view_receipt(kept: Receipt) -> ReceiptView:
    document = msgspec.Raw(strict_json.dumps(kept.document))
    return ReceiptView(id=kept.id, exchange_id=kept.exchange_id, at=kept.at, document=document)


async def propose(node: Node, call: Call[Nothing, PresentationProposal]) -> ExchangeView:
    """Tell a peer what this node could show, also instead of what that asks for.

    Raises:
        BadInput: ``exchange.partner``, ``request.ambiguous``, or ``pex.*``.
        WrongState: ``exchange.not_waiting``.
    """
    body, holder = call.body, node.holder
    definition = await definition_of(node, body)
    async with node.store.read() as tx:
        peer, answered = await find_partner(tx, body.connection, body.exchange)
    if answered is not None:
        row = await holder.propose_presentation_instead(answered.id, definition, comment=body.comment)
    else:
        row = await holder.propose_presentation(peer.id, definition, comment=body.comment)
    return view_exchange(row, peer.their_label)


def _descriptors(found: Matches) -> list[DescriptorView]:
    chosen = dict(found.selection.pairs) if found.selection else {}
    return [
        DescriptorView(
            id=entry.descriptor.id,
            name=entry.descriptor.name or None,
            purpose=entry.descriptor.purpose or None,
            records=[view_held(found.records[name]) for name in entry.record_ids],
            chosen=chosen.get(entry.descriptor.id),
        )
        for entry in found.report.descriptors
    ]
