"""Admin operations about the node itself: status, its DIDs, its catalogue, its audit trail."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from node.http.admin_operation import Call, Nothing
from node.http.admin_views import view_did, view_log_entry
from node.http.schemas import (
    BadHeadView,
    ChainView,
    DidQuery,
    DidView,
    HeadsToCheck,
    HeadView,
    KeyRotation,
    LogEntry,
    LogQuery,
    NewDid,
    NewKey,
    OutboxView,
    Page,
    ResolutionView,
    StatusView,
)
from protocols.errors import BadInput, WrongState
from protocols.keys import KEY_KINDS
from storage import audit, dids, exchanges, mediators, outbox, totals
from storage.dids import DidPurpose, OwnDid
from storage.engine import Transaction
from storage.exchanges import Filter
from storage.keys import TokenKey
from storage.mediators import Mediator

if TYPE_CHECKING:
    from node.app import Node

__all__ = [
    "add_did_key", "choose_did", "create_did", "list_dids", "log", "node_version", "resolve_did",
    "rotate_did_keys", "status", "verify_log",
]  # fmt: skip


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
        mediator = await mediators.in_use(tx)
    return StatusView(
        label=node.label,
        version=node_version(),
        endpoint=_endpoint(node, mediator),
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


def _endpoint(node: Node, mediator: Mediator | None) -> str | None:
    """Where new peers reach the node."""
    if mediator is not None:
        return mediator.endpoint
    return node.config.node.endpoint if node.config.node.listen_port else None


async def list_dids(node: Node, _call: Call[Nothing, Nothing]) -> Page[DidView]:
    """The DIDs that people and institutions know the node by; those of single connections stand with these."""
    items: list[DidView] = []
    async with node.store.read() as tx:
        for purpose in (DidPurpose.ISSUER, DidPurpose.HOLDER):
            default = await dids.default(tx, purpose)
            items += [view_did(own, is_default=own == default) for own in await dids.page(tx, purpose=purpose)]
    return Page(items=items)


async def create_did(node: Node, call: Call[Nothing, NewDid]) -> DidView:
    """Make a DID.

    Raises:
        BadInput: ``did.purpose_unfit`` for a did:web that does not issue, ``did.keys_unfit`` for too many keys.
        WrongState: ``did.exists`` for a second did:web.
    """
    wanted = call.body
    found = await _of_token(node, wanted.token_key)
    async with node.store.write() as tx:
        keys = [KEY_KINDS[kind] for kind in wanted.keys] if found is None else [found]
        made = await node.identity.create(tx, wanted.method, DidPurpose(wanted.purpose), keys)
        return await _view(tx, made)


async def add_did_key(node: Node, call: Call[Nothing, NewKey]) -> DidView:
    """Make a key for a did:web of the node.

    Raises:
        BadInput: ``did.keys_unfit`` for a method with one key, and where no kind of key is named, or two.
        WrongState: ``did.unknown``, ``token.*``.
    """
    wanted = call.body
    if (wanted.kind is None) == (wanted.token_key is None):
        raise BadInput("did.keys_unfit", "A key is of a kind, or one of the token.", "Give kind, or tokenKey.")
    key = await _of_token(node, wanted.token_key) or KEY_KINDS[wanted.kind or "ed25519"]
    async with node.store.write() as tx:
        return await _view(tx, await node.identity.add_key(tx, call.id, key))


async def rotate_did_keys(node: Node, call: Call[Nothing, KeyRotation]) -> DidView:
    """Let fresh keys sign for the node's did:web from now on; its status lists are signed with them at once.

    Raises:
        BadInput: ``did.keys_unfit`` for a method with one key.
        WrongState: ``did.unknown``, ``did.key_unknown``, ``did.key_retired``.
    """
    wanted = call.body
    successor = await _of_token(node, wanted.token_key)
    async with node.store.write() as tx:
        own = await node.identity.rotate_key(tx, call.id, wanted.key, successor, compromised=wanted.compromised)
        await node.publisher.sign_anew(tx, own.did)
        return await _view(tx, own)


async def choose_did(node: Node, call: Call[Nothing, Nothing]) -> DidView:
    """Make a DID the one that is used for its purpose.

    Raises:
        WrongState: ``did.unknown``, ``did.retired``.
    """
    async with node.store.write() as tx:
        return await _view(tx, await node.identity.choose(tx, call.id))


async def resolve_did(node: Node, call: Call[DidQuery, Nothing]) -> ResolutionView:
    """Resolve a DID, or dereference a DID URL; that it cannot be resolved is an answer too."""
    query = call.query
    options = {"versionId": query.version_id, "versionTime": query.version_time}
    result = await node.resolver.result(query.did, {name: text for name, text in options.items() if text is not None})
    return ResolutionView(
        status=result.http_status,
        content=result.content,
        resolution_metadata=result.process_metadata(),
        document_metadata=dict(result.content_metadata),
    )


async def _of_token(node: Node, label: str | None) -> TokenKey | None:
    return None if label is None else await node.keyring.token.find(label)


async def _view(tx: Transaction, own: OwnDid) -> DidView:
    return view_did(own, is_default=own == await dids.default(tx, own.purpose))


async def log(node: Node, call: Call[LogQuery, Nothing]) -> Page[LogEntry]:
    """What happened, in order."""
    query = call.query
    async with node.store.read() as tx:
        found = await audit.page(tx, after=query.after, limit=query.limit, event=query.event, subject=query.subject)
    more = str(found[-1].seq) if len(found) == query.limit else None
    return Page(items=[view_log_entry(entry) for entry in found], next=more)


async def verify_log(node: Node, call: Call[Nothing, HeadsToCheck]) -> ChainView:
    """Whether the audit trail is whole, and bears out the heads that were signed."""
    report = await node.trail.verify(call.body.heads)
    return ChainView(
        whole=report.whole,
        entries=report.entries,
        broken_at=report.broken_at,
        head=report.head.hex(),
        heads=report.heads,
        bad_heads=tuple(BadHeadView(seq=bad.seq, reason=bad.reason) for bad in report.bad_heads),
    )


async def sign_log_head(node: Node, _call: Call[Nothing, Nothing]) -> HeadView:
    """Sign the head of the audit trail as it is now.

    Raises:
        WrongState: ``log.empty``.
    """
    signed = await node.trail.sign()
    if signed is None:
        raise WrongState("log.empty", "There is no entry, or no DID that could sign.", "Make one: lernode did create")
    return HeadView(seq=signed.seq, at=signed.at, statement=signed.statement)
