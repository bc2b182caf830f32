"""The admin API's operations for Comprehensive Learner Records that the node issues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from node.http import learner_record_schemas as c
from node.http.admin_lookup import find_connection, find_issued
from node.http.admin_operation import Call, Nothing, Operation
from node.http.admin_records import issued_detail
from node.http.admin_views import view_issued, view_offer
from node.records.learner_record import Association
from node.roles.learner_records import Gathered, Gathering
from node.roles.lifetime import Terms
from storage.engine import Transaction

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["LEARNER_RECORD_OPERATIONS"]


async def make(node: Node, call: Call[Nothing, c.LearnerRecordToMake]) -> c.LearnerRecordView:
    """Sign one at once.

    Raises:
        BadInput: ``clr.*``.
        WrongState: ``clr.nothing``, ``issued_record.*``.
    """
    async with node.store.read() as tx:
        wanted = await _wanted(tx, call.body)
    made, gathered = await node.learner_records.give(wanted)
    async with node.store.read() as tx:
        return c.LearnerRecordView(record=await issued_detail(node, tx, made), **_told(gathered))


async def offer(node: Node, call: Call[Nothing, c.LearnerRecordOffer]) -> c.LearnerRecordOfferView:
    """Offer one to a peer.

    Raises:
        BadInput: ``clr.*``.
        WrongState: ``clr.nothing``, ``issued_record.*``, ``connection.*``.
    """
    async with node.store.read() as tx:
        peer = await find_connection(tx, call.body.connection)
        wanted = await _wanted(tx, call.body)
    terms = Terms(expires_in=call.body.expires_in_seconds)
    row, gathered = await node.learner_records.offer(peer.id, wanted, terms)
    return c.LearnerRecordOfferView(offer=view_offer(row, peer.their_label), **_told(gathered))


async def _wanted(tx: Transaction, body: c.LearnerRecordToMake) -> Gathering:
    return Gathering(
        learner=body.learner,
        records=[(await find_issued(tx, text)).id for text in body.records],
        name=body.name,
        associations=[Association(each.source, each.kind, each.target) for each in body.associations],
    )


def _told(gathered: Gathered) -> dict[str, Any]:
    return {
        "partial": gathered.is_partial,
        "included": [view_issued(each) for each in gathered.included],
        "left_out": [c.LeftOutView(record=view_issued(each.record), code=each.code) for each in gathered.left_out],
    }


LEARNER_RECORD_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="makeLearnerRecord",
        method="POST",
        path="/admin/learner-records",
        summary="Sign a Comprehensive Learner Record (CLR 2.0) of the records that the node issued to a learner.",
        handler=make,
        response=c.LearnerRecordView,
        body=c.LearnerRecordToMake,
        status=201,
    ),
    Operation(
        name="offerLearnerRecord",
        method="POST",
        path="/admin/learner-records/offers",
        summary="Offer a peer a Comprehensive Learner Record (CLR 2.0); it is signed when it is taken.",
        handler=offer,
        response=c.LearnerRecordOfferView,
        body=c.LearnerRecordOffer,
        status=201,
    ),
)
