"""Admin operations that forget: what is old, and what is kept of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.http.admin_lookup import find_connection
from node.http.admin_operation import Call, Nothing
from node.http.admin_views import as_page
from node.http.schemas import (
    Erase,
    ErasedView,
    ErasureReportView,
    ErasureView,
    KeptStatusView,
    Page,
    PageQuery,
    Prune,
    PruneView,
)
from node.roles.erasing import Erasure
from protocols.errors import BadInput
from storage import erasure
from storage.erasure import Report

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["erase", "list_reports", "prune", "report"]


async def prune(node: Node, call: Call[Nothing, Prune]) -> PruneView:
    """Forget what is old."""
    forgotten = await node.housekeeping.prune(dry_run=call.body.dry_run)
    if call.body.vacuum and not call.body.dry_run:
        await node.housekeeping.vacuum()
    return PruneView(forgotten=dict(forgotten))


async def erase(node: Node, call: Call[Nothing, Erase]) -> ErasureView:
    """Erase a person.

    Raises:
        BadInput: ``erasure.whom`` where not exactly one of the two is named.
        WrongState: ``connection.unknown``, ``erasure.*``.
    """
    wanted = call.body
    if (wanted.connection is None) == (wanted.subject is None):
        raise BadInput("erasure.whom", "It is not clear whom to erase.", "Name either a connection or a subject.")
    if wanted.subject is not None:
        return _view(await node.erasing.erase_subject(wanted.subject, dry_run=wanted.dry_run))
    async with node.store.read() as tx:
        peer = await find_connection(tx, wanted.connection or "")
    return _view(await node.erasing.erase_peer(peer.id, dry_run=wanted.dry_run))


async def list_reports(node: Node, call: Call[PageQuery, Nothing]) -> Page[ErasureReportView]:
    """Reports of what was erased."""
    async with node.store.read() as tx:
        found = await erasure.page_of_reports(tx, after=call.query.after, limit=call.query.limit)
    return as_page(found, call.query.limit, _view_report)


async def report(node: Node, call: Call[Nothing, Nothing]) -> ErasureReportView:
    """One report.

    Raises:
        WrongState: ``erasure.unknown``.
    """
    async with node.store.read() as tx:
        return _view_report(await erasure.get_report(tx, call.id))


def _view(found: Erasure) -> ErasureView:
    return ErasureView(
        erased=[ErasedView(what=one.what, id=one.id) for one in found.erased],
        kept=[
            KeptStatusView(list=one.list_id, index=one.index, purpose=one.purpose, value=one.value)
            for one in found.kept
        ],
        related=list(found.related),
        report_id=found.report.id if found.report else None,
        report=found.report.report if found.report else None,
    )


def _view_report(found: Report) -> ErasureReportView:
    return ErasureReportView(id=found.id, at=found.at, report=found.report)
