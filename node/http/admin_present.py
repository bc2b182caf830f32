"""Admin operations of a holder who is asked for records: see what fits, then answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from node.http.admin_exchanges import show_exchange
from node.http.admin_lookup import find_exchange, find_held, find_partner
from node.http.admin_operation import Call, Nothing
from node.http.admin_verification import definition_of
from node.http.admin_views import view_exchange, view_held
from node.http.schemas import DescriptorView, ExchangeDetail, ExchangeView, MatchesView, Present, PresentationProposal
from protocols import strict_json
from storage import connections

if TYPE_CHECKING:
    from node.app import Node
    from node.roles.holder import Matches

__all__ = ["matches", "present", "propose"]


async def matches(node: Node, call: Call[Nothing, Nothing]) -> MatchesView:
    """What is asked for, and what fits.

    Raises:
        WrongState: ``exchange.not_waiting``.
    """
    async with node.store.read() as tx:
        row = await find_exchange(tx, call.id)
        peer = await connections.get(tx, row.connection_id)
    found = await node.holder.matches(row.id)
    leaving = node.holder.shown(found, found.selection) if found.selection else {}
    return MatchesView(
        exchange_id=row.id,
        peer=peer.their_label,
        name=found.definition.name or None,
        purpose=found.definition.purpose or None,
        satisfiable=found.selection is not None,
        descriptors=_descriptors(found),
        leaving={name: msgspec.Raw(strict_json.dumps(document)) for name, document in leaving.items()},
    )


async def present(node: Node, call: Call[Nothing, Present]) -> ExchangeDetail:
    """Answer with records; what the caller does not choose is chosen as `matches` says.

    Raises:
        WrongState: ``exchange.not_waiting``, ``record.unknown``.
        BadInput: ``pex.*``.
    """
    async with node.store.read() as tx:
        row = await find_exchange(tx, call.id)
        named = {name: (await find_held(tx, text)).id for name, text in call.body.choose.items()}
    chosen = None
    if named:
        found = await node.holder.matches(row.id)
        chosen = {**(dict(found.selection.pairs) if found.selection else {}), **named}
    return await show_exchange(node, await node.holder.present(row.id, chosen))


async def propose(node: Node, call: Call[Nothing, PresentationProposal]) -> ExchangeView:
    """Tell a peer what this node could show, also instead of what that asks for.

    Raises:
        BadInput: ``exchange.partner``, ``request.ambiguous``, or ``pex.*``.
        WrongState: ``exchange.not_waiting``.
    """
    body, holder = call.body, node.holder
    definition = definition_of(body, node.world.new_id())
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
