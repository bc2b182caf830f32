"""Admin operations about the node itself: status, its DIDs, its catalogue, its audit trail."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from node.http.admin_operation import Call, Nothing
from node.http.admin_views import view_did, view_log_entry
from node.http.schemas import (
    ChainView,
    DidView,
    LogEntry,
    LogQuery,
    NewDid,
    OutboxView,
    Page,
    StatusView,
)
from protocols.errors import BadInput
from storage import audit, dids, exchanges, outbox, totals
from storage.dids import DidPurpose
from storage.exchanges import Filter

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["create_did", "list_dids", "log", "node_version", "status", "verify_log"]


def node_version() -> str:
    """The release that runs; ``0`` where it runs from a folder that was never installed."""
    try:
        return version("lernode")
    except PackageNotFoundError:
        return "0"


async def status(node: Node, _call: Call[Nothing, Nothing]) -> StatusView:
    """How the node is."""
    async with node.store.read() as tx:
        issuer = await dids.default(tx, DidPurpose.ISSUER)
        holder = await dids.default(tx, DidPurpose.HOLDER)
        waiting = await exchanges.count(tx, Filter(waiting=True))
        total = await totals.count(tx)
        queue = await outbox.counts(tx)
        oldest = await outbox.oldest_age(tx, node.world.clock())
    return StatusView(
        label=node.label,
        version=node_version(),
        endpoint=node.config.node.endpoint,
        issuer_did=issuer.did if issuer else None,
        holder_did=holder.did if holder else None,
        connections=total.connections,
        waiting=waiting,
        records=total.held,
        issued=total.issued,
        outbox=OutboxView(
            waiting=queue.queued, given_up=queue.dead, oldest_seconds=oldest.total_seconds() if oldest else None
        ),
    )


async def list_dids(node: Node, _call: Call[Nothing, Nothing]) -> Page[DidView]:
    """The DIDs that people and institutions know the node by; those of single connections stand with these."""
    async with node.store.read() as tx:
        own = [*await dids.page(tx, purpose=DidPurpose.ISSUER), *await dids.page(tx, purpose=DidPurpose.HOLDER)]
    return Page(items=[view_did(did) for did in own])


async def create_did(node: Node, call: Call[Nothing, NewDid]) -> DidView:
    """Make a DID.

    Raises:
        BadInput: ``did.purpose_unfit`` for a did:web that does not issue.
        WrongState: ``did.exists`` for a second did:web.
    """
    purpose = DidPurpose(call.body.purpose)
    if call.body.method == "web" and purpose is not DidPurpose.ISSUER:
        raise BadInput("did.purpose_unfit", "A did:web is for an issuer.", "Use the method key, or the purpose issuer.")
    async with node.store.write() as tx:
        if call.body.method == "web":
            made = await node.identity.create_web(tx)
        else:
            made = await node.identity.create_key(tx, purpose)
    return view_did(made)


async def log(node: Node, call: Call[LogQuery, Nothing]) -> Page[LogEntry]:
    """What happened, in order."""
    query = call.query
    async with node.store.read() as tx:
        found = await audit.page(tx, after=query.after, limit=query.limit, event=query.event, subject=query.subject)
    more = str(found[-1].seq) if len(found) == query.limit else None
    return Page(items=[view_log_entry(entry) for entry in found], next=more)


async def verify_log(node: Node, _call: Call[Nothing, Nothing]) -> ChainView:
    """Whether the audit trail is whole."""
    async with node.store.read() as tx:
        report = await audit.verify_chain(tx)
        _, last = await audit.head(tx)
    return ChainView(
        whole=report.broken_at is None, entries=report.entries, broken_at=report.broken_at, head=last.hex()
    )
