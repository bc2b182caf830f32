"""Admin operations about résumés, own statements, and what is shown by links: the part of the table, what it calls."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from node.http import portfolio_schemas as f
from node.http.admin_lookup import find_connection, find_held, find_resume, find_share
from node.http.admin_operation import Call, Nothing, Operation
from node.http.admin_views import as_page, view_exchange, view_held
from node.http.schemas import ExchangeView, HeldView, Page, PageQuery
from node.roles.portfolio import SHARE_PATH, NewStatement, definition_of
from protocols import strict_json
from storage import audit, credentials, resumes, shares
from storage.engine import Transaction
from storage.resumes import Entry, Resume
from storage.shares import Share

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["PORTFOLIO_OPERATIONS"]


async def state(node: Node, call: Call[Nothing, f.NewOwnStatement]) -> HeldView:
    """Sign an own statement.

    Raises:
        BadInput: ``statement.*``.
        WrongState: ``skill.unknown``.
    """
    body = call.body
    said = NewStatement(name=body.name, text=body.text, skills=body.skills)
    return view_held(await node.portfolio.state(said))


async def list_resumes(node: Node, call: Call[PageQuery, Nothing]) -> Page[f.ResumeView]:
    """The résumés, the last changed first."""
    async with node.store.read() as tx:
        found = await resumes.page(tx, after=call.query.after, limit=call.query.limit)
        views = {one.id: await _view(tx, one) for one in found}
    return as_page(found, call.query.limit, lambda one: views[one.id])


async def create(node: Node, call: Call[Nothing, f.GivenResume]) -> f.ResumeView:
    """Keep a new résumé.

    Raises:
        BadInput: ``resume.*``, ``proof.not_selective``, ``pointer.*``.
    """
    return await _save(node, node.world.new_id(), call.body)


async def replace(node: Node, call: Call[Nothing, f.GivenResume]) -> f.ResumeView:
    """Keep a résumé in the place of what it was.

    Raises:
        BadInput: as :func:`create`.
    """
    async with node.store.read() as tx:
        known = await find_resume(tx, call.id)
    return await _save(node, known.id, call.body)


async def resume(node: Node, call: Call[Nothing, Nothing]) -> f.ResumeView:
    """One résumé."""
    async with node.store.read() as tx:
        return await _view(tx, await find_resume(tx, call.id))


async def forget(node: Node, call: Call[Nothing, Nothing]) -> f.ResumeView:
    """Forget a résumé; what is shown of it by links stays shown."""
    async with node.store.write() as tx:
        known = await find_resume(tx, call.id)
        view = await _view(tx, known)
        await resumes.delete(tx, known.id)
        now = node.world.clock()
        await audit.append(tx, at=now, event="resume.forgotten", actor="operator", subjects=(known.id,))
    return view


async def preview(node: Node, call: Call[Nothing, Nothing]) -> f.ResumePreview:
    """What would be shown now.

    Raises:
        BadInput: ``resume.*``.
    """
    async with node.store.read() as tx:
        known = await find_resume(tx, call.id)
    composed = await node.portfolio.compose(known)
    return f.ResumePreview(presentation=msgspec.Raw(strict_json.dumps(composed.presentation)))


async def as_file(node: Node, call: Call[Nothing, f.ResumeAsFile]) -> f.ResumeFileView:
    """The résumé in another format, with the records in it.

    Raises:
        BadInput: ``resume.*``.
    """
    async with node.store.read() as tx:
        known = await find_resume(tx, call.id)
    document = await node.portfolio.as_file(known, call.body.format, name=call.body.name)
    return f.ResumeFileView(document=msgspec.Raw(strict_json.dumps(document)))


async def send(node: Node, call: Call[Nothing, f.SendResume]) -> ExchangeView:
    """Propose a résumé to a peer, which asks for it; then it is presented.

    Raises:
        BadInput: ``resume.*``.
        WrongState: ``connection.unknown``.
    """
    async with node.store.read() as tx:
        known = await find_resume(tx, call.id)
        peer = await find_connection(tx, call.body.connection)
    composed = await node.portfolio.compose(known)
    definition = definition_of(composed.shown, known, node.world.new_id())
    row = await node.holder.propose_presentation(peer.id, definition, comment=known.title)
    return view_exchange(row, peer.their_label)


async def share(node: Node, call: Call[Nothing, f.NewShare]) -> f.LinkView:
    """Show a résumé by a link.

    Raises:
        BadInput: ``resume.*``, ``share.no_port``.
    """
    async with node.store.read() as tx:
        known = await find_resume(tx, call.id)
    made, token = await node.portfolio.share(known, timedelta(days=call.body.days))
    endpoint = node.config.node.endpoint.rstrip("/")
    return f.LinkView(share=_share(node, made), url=f"{endpoint}{SHARE_PATH}/{token}")


async def print_it(node: Node, call: Call[Nothing, f.PrintResume]) -> f.PaperView:
    """A résumé to print, with a code that verifies from paper.

    Raises:
        BadInput: ``resume.*``.
    """
    async with node.store.read() as tx:
        known = await find_resume(tx, call.id)
    endpoint = node.config.node.endpoint.rstrip("/")
    paper = await node.portfolio.print_pdf(
        known,
        link_url=lambda token: f"{endpoint}{SHARE_PATH}/{token}",
        lifetime=timedelta(days=call.body.days),
        by_link=call.body.link,
    )
    shown = None if paper.share is None else _share(node, paper.share)
    return f.PaperView(pdf=paper.pdf, offline=paper.share is None, share=shown)


async def list_shares(node: Node, call: Call[PageQuery, Nothing]) -> Page[f.ShareView]:
    """What is, or was, shown by links, the newest first."""
    async with node.store.read() as tx:
        found = await shares.page(tx, after=call.query.after, limit=call.query.limit)
    return as_page(found, call.query.limit, lambda one: _share(node, one))


async def withdraw(node: Node, call: Call[Nothing, Nothing]) -> f.ShareView:
    """Let a link lead nowhere from now on."""
    async with node.store.read() as tx:
        known = await find_share(tx, call.id)
    return _share(node, await node.portfolio.withdraw(known.id))


async def _save(node: Node, resume_id: str, body: f.GivenResume) -> f.ResumeView:
    async with node.store.read() as tx:
        entries = [
            Entry(record_id=(await find_held(tx, each.record)).id, reveal=tuple(each.reveal), text=each.text)
            for each in body.entries
        ]
    now = node.world.clock()
    given = Resume(id=resume_id, title=body.title, text=body.text, entries=tuple(entries), updated=now)
    kept = await node.portfolio.save(given)
    async with node.store.read() as tx:
        return await _view(tx, kept)


async def _view(tx: Transaction, resume: Resume) -> f.ResumeView:
    entries = []
    for entry in resume.entries:
        found = await credentials.find_held_by_prefix(tx, entry.record_id, limit=1)
        record = found[0] if found else None
        entries.append(
            f.EntryView(
                record_id=entry.record_id,
                name=record.name if record else None,
                issuer=record.issuer if record else None,
                own_statement=record is not None and record.is_own_statement,
                reveal=list(entry.reveal),
                text=entry.text,
            )
        )
    return f.ResumeView(id=resume.id, title=resume.title, text=resume.text, entries=entries, updated=resume.updated)


def _share(node: Node, share: Share) -> f.ShareView:
    return f.ShareView(
        id=share.id,
        state=share.state(node.world.clock()),
        title=share.content.title if share.content else None,
        record_ids=list(share.record_ids),
        created=share.created,
        expires=share.expires,
        withdrawn=share.withdrawn,
        views=share.views,
        last_view=share.last_view,
    )


PORTFOLIO_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="makeStatement",
        method="POST",
        path="/admin/statements",
        summary="Sign a statement about yourself, which is held like any record and marked as your own.",
        handler=state,
        response=HeldView,
        body=f.NewOwnStatement,
        status=201,
    ),
    Operation(
        name="listResumes",
        method="GET",
        path="/admin/resumes",
        summary="The résumés, the last changed first.",
        handler=list_resumes,
        query=PageQuery,
        response=Page[f.ResumeView],
    ),
    Operation(
        name="makeResume",
        method="POST",
        path="/admin/resumes",
        summary="Make a résumé from records, or parts of them, in order, with your own words.",
        about="See docs/portfolio.md.",
        handler=create,
        response=f.ResumeView,
        body=f.GivenResume,
        status=201,
    ),
    Operation(
        name="showResume",
        method="GET",
        path="/admin/resumes/{id}",
        summary="One résumé.",
        handler=resume,
        response=f.ResumeView,
    ),
    Operation(
        name="changeResume",
        method="POST",
        path="/admin/resumes/{id}",
        summary="Put a résumé in the place of what it was; links show what it was when they were made.",
        handler=replace,
        response=f.ResumeView,
        body=f.GivenResume,
    ),
    Operation(
        name="forgetResume",
        method="DELETE",
        path="/admin/resumes/{id}",
        summary="Forget a résumé; links to what it was stay.",
        handler=forget,
        response=f.ResumeView,
    ),
    Operation(
        name="previewResume",
        method="POST",
        path="/admin/resumes/{id}/preview",
        summary="The presentation that would be shown now; nothing is sent or kept.",
        handler=preview,
        response=f.ResumePreview,
    ),
    Operation(
        name="writeResume",
        method="POST",
        path="/admin/resumes/{id}/file",
        summary="A résumé as an LER-RS document, with the records in it; own statements are self-asserted there.",
        handler=as_file,
        response=f.ResumeFileView,
        body=f.ResumeAsFile,
    ),
    Operation(
        name="sendResume",
        method="POST",
        path="/admin/resumes/{id}/proposal",
        summary="Propose a résumé to a peer; when it asks for that, present it.",
        handler=send,
        response=ExchangeView,
        body=f.SendResume,
        status=201,
    ),
    Operation(
        name="shareResume",
        method="POST",
        path="/admin/resumes/{id}/shares",
        summary="Show a résumé, as it is now, to whoever has a link.",
        about="The answer is the only place where the link stands: the node keeps a hash of what it ends with.",
        handler=share,
        response=f.LinkView,
        body=f.NewShare,
        status=201,
    ),
    Operation(
        name="printResume",
        method="POST",
        path="/admin/resumes/{id}/print",
        summary="A résumé as a PDF, with a QR code that holds the signed records where they fit, else a link to them.",
        handler=print_it,
        response=f.PaperView,
        body=f.PrintResume,
        status=201,
    ),
    Operation(
        name="listShares",
        method="GET",
        path="/admin/shares",
        summary="What is, or was, shown by links, and how often it was seen.",
        handler=list_shares,
        query=PageQuery,
        response=Page[f.ShareView],
    ),
    Operation(
        name="withdrawShare",
        method="POST",
        path="/admin/shares/{id}/withdraw",
        summary="Let a link lead nowhere from now on, and forget what it showed.",
        handler=withdraw,
        response=f.ShareView,
    ),
)
