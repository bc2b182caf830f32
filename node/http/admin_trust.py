"""Admin operations about trust: the part of the table, and what it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from node.http import trust_schemas as t
from node.http.admin_lookup import find_accreditation, find_trust_list, find_trust_rule
from node.http.admin_operation import Call, Nothing, Operation
from node.http.schemas import Page
from node.roles.accreditations import ToAccredit
from node.roles.trust import NewRule
from node.roles.trust_lists import ToFollow
from protocols import strict_json
from protocols.credentials.trust.grants import Action, By
from protocols.credentials.trust.scope import Achieved, Award, Scope
from protocols.errors import BadInput
from storage import trust, trust_lists
from storage.trust import Rule
from storage.trust_lists import Followed, KeptAccreditation, Publication

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["TRUST_OPERATIONS"]


async def add_rule(node: Node, call: Call[Nothing, t.NewTrustRule]) -> t.TrustRuleView:
    """Believe somebody.

    Raises:
        BadInput: ``did.malformed``, ``trust.period_empty``.
    """
    body = call.body
    wanted = NewRule(
        did=body.did,
        action=Action(body.may),
        scope=_scope(body),
        start=body.valid_from,
        end=body.valid_until,
        note=body.note,
    )
    return _view(await node.trust.add(wanted))


async def list_rules(node: Node, call: Call[t.TrustRulesQuery, Nothing]) -> t.TrustRulesView:
    """The rules, the newest first."""
    query = call.query
    async with node.store.read() as tx:
        if query.did is not None:
            found = await trust.rules_about(tx, query.did)
        else:
            found = await trust.rules(tx, after=query.after, limit=query.limit)
    more = query.did is None and len(found) == query.limit
    configured = [did for did in node.config.trust.issuers if query.did in (None, did)]
    return t.TrustRulesView(
        items=[_view(rule) for rule in found], next=found[-1].id if more else None, configured=configured
    )


async def remove_rule(node: Node, call: Call[Nothing, Nothing]) -> t.TrustRuleView:
    """Forget a rule; the answer says what it was."""
    async with node.store.read() as tx:
        rule = await find_trust_rule(tx, call.id)
    await node.trust.remove(rule)
    return _view(rule)


async def explain(node: Node, call: Call[Nothing, t.ExplainTrust]) -> t.WhyView:
    """Whether an issuer would be believed for an award."""
    body = call.body
    alignment = (body.target_framework, body.target_url)
    achieved = Achieved(body.achievement, body.achievement_type, () if alignment == (None, None) else (alignment,))
    why = await node.trust.explain(Award(body.did, (achieved,), body.at or node.world.clock()))
    return t.WhyView(
        did=body.did, outcome=why.outcome.value, code=why.code, reason=why.reason, details=why.details or {}
    )


async def follow(node: Node, call: Call[Nothing, t.FollowList]) -> Page[t.TrustListView]:
    """Follow a list.

    Raises:
        BadInput: ``trust.*``, ``net.*``; NotNow: ``trust.list_unchecked``, ``net.*``.
    """
    body = call.body
    if body.url is not None and body.document is not None:
        raise BadInput("trust.list_ambiguous", "A list is at a URL or in a document.", "Give one of the two.")
    if body.url is None and body.document is None and body.publisher is None:
        raise BadInput("trust.list_ambiguous", "Nothing says which list is meant.", "Give a URL, document or DID.")
    wanted = ToFollow(
        url=body.url,
        document=_bytes_of(body.document),
        publisher=body.publisher,
        name=body.name,
        accreditors=body.accreditors,
    )
    return Page(items=[_list_view(row) for row in await node.trust_lists.follow(wanted)])


def _bytes_of(document: dict[str, Any] | str | None) -> bytes | None:
    if isinstance(document, dict):
        return strict_json.dumps(document)
    return None if document is None else document.encode("utf-8", "replace")


async def list_lists(node: Node, _call: Call[Nothing, Nothing]) -> Page[t.TrustListView]:
    """The lists that are followed."""
    async with node.store.read() as tx:
        return Page(items=[_list_view(row) for row in await trust_lists.followed(tx)])


async def refresh_list(node: Node, call: Call[Nothing, Nothing]) -> t.TrustListView:
    """Ask for a list again now."""
    async with node.store.read() as tx:
        row = await find_trust_list(tx, call.id)
    return _list_view(await node.trust_lists.refresh(row))


async def unfollow(node: Node, call: Call[Nothing, Nothing]) -> t.TrustListView:
    """Follow a list no longer; the answer says what it was."""
    async with node.store.read() as tx:
        row = await find_trust_list(tx, call.id)
    await node.trust_lists.unfollow(row)
    return _list_view(row)


async def publish(node: Node, call: Call[Nothing, t.NewPublication]) -> t.PublicationView:
    """Publish the rules as a list."""
    body = call.body
    return _publication_view(
        node, await node.trust_lists.publish(body.name, title=body.title or body.name, days=body.days)
    )


async def list_publications(node: Node, _call: Call[Nothing, Nothing]) -> Page[t.PublicationView]:
    """The lists that this node publishes."""
    async with node.store.read() as tx:
        return Page(items=[_publication_view(node, each) for each in await trust_lists.publications(tx)])


async def accredit(node: Node, call: Call[Nothing, t.NewAccreditation]) -> t.GivenAccreditationView:
    """Sign an accreditation.

    Raises:
        BadInput: ``did.malformed``, ``trust.period_empty``; WrongState: ``did.none``.
    """
    body = call.body
    wanted = ToAccredit(
        did=body.did,
        name=body.name,
        action=Action(body.may),
        scope=_scope(body),
        start=body.valid_from,
        end=body.valid_until,
    )
    record = await node.accreditations.give(wanted)
    return t.GivenAccreditationView(record_id=record.id, document=msgspec.Raw(record.document))


async def keep_accreditation(node: Node, call: Call[Nothing, t.KeepAccreditation]) -> t.AccreditationView:
    """Keep somebody's accreditation.

    Raises:
        BadInput: ``trust.*``, ``net.*``; NotNow: ``trust.list_unchecked``, ``net.*``.
    """
    body = call.body
    if (body.url is None) is (body.document is None):
        raise BadInput("trust.list_ambiguous", "An accreditation is at a URL or in a document.", "Give one of the two.")
    return _kept_view(await node.accreditations.keep(_bytes_of(body.document), body.url))


async def list_accreditations(node: Node, _call: Call[Nothing, Nothing]) -> Page[t.AccreditationView]:
    """The accreditations that are kept."""
    async with node.store.read() as tx:
        return Page(items=[_kept_view(kept) for kept in await trust_lists.accreditations(tx)])


async def forget_accreditation(node: Node, call: Call[Nothing, Nothing]) -> t.AccreditationView:
    """Forget an accreditation; the answer says what it was."""
    async with node.store.read() as tx:
        kept = await find_accreditation(tx, call.id)
    await node.accreditations.forget(kept)
    return _kept_view(kept)


def _kept_view(kept: KeptAccreditation) -> t.AccreditationView:
    return t.AccreditationView(id=kept.id, accreditor=kept.accreditor, dids=list(kept.dids), kept=kept.kept)


def _scope(body: t.NewTrustRule | t.NewAccreditation) -> Scope:
    return Scope(frozenset(body.achievement_type), frozenset(body.achievement), frozenset(body.target_framework))


def _list_view(row: Followed) -> t.TrustListView:
    return t.TrustListView(
        id=row.id,
        kind="registry" if row.kind is By.REGISTRY else "list",
        name=row.name,
        list_id=row.list_id,
        publisher=row.publisher,
        url=row.source,
        accreditors=row.accreditors,
        sequence=row.sequence,
        signed=row.signed_at,
        valid_until=row.valid_until,
        fetched=row.fetched,
        refresh=row.refresh,
        error=row.error_code,
    )


def _publication_view(node: Node, edition: Publication) -> t.PublicationView:
    return t.PublicationView(
        name=edition.name,
        title=edition.title,
        url=node.trust_lists.url(edition.name),
        sequence=edition.sequence,
        published=edition.published,
        valid_until=edition.valid_until,
        days=edition.days,
    )


def _view(rule: Rule) -> t.TrustRuleView:
    grant = rule.grant
    return t.TrustRuleView(
        id=rule.id,
        did=grant.did,
        may=grant.action.value,
        achievement_type=sorted(grant.scope.achievement_types),
        achievement=sorted(grant.scope.achievements),
        target_framework=sorted(grant.scope.frameworks),
        valid_from=grant.start,
        valid_until=grant.end,
        note=rule.note,
        created=rule.created,
    )


TRUST_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="addTrustRule",
        method="POST",
        path="/admin/trust/rules",
        summary="Believe an issuer, for all that it awards or for some of it.",
        handler=add_rule,
        response=t.TrustRuleView,
        body=t.NewTrustRule,
        status=201,
    ),
    Operation(
        name="listTrustRules",
        method="GET",
        path="/admin/trust/rules",
        summary="Whom the node believes by its own rules, the newest first.",
        handler=list_rules,
        response=t.TrustRulesView,
        query=t.TrustRulesQuery,
    ),
    Operation(
        name="removeTrustRule",
        method="DELETE",
        path="/admin/trust/rules/{id}",
        summary="Forget a rule.",
        handler=remove_rule,
        response=t.TrustRuleView,
    ),
    Operation(
        name="followTrustList",
        method="POST",
        path="/admin/trust/lists",
        summary="Follow a trust list, or a registry of known issuers.",
        handler=follow,
        response=Page[t.TrustListView],
        body=t.FollowList,
        status=201,
    ),
    Operation(
        name="listTrustLists",
        method="GET",
        path="/admin/trust/lists",
        summary="The trust lists that the node follows.",
        handler=list_lists,
        response=Page[t.TrustListView],
    ),
    Operation(
        name="refreshTrustList",
        method="POST",
        path="/admin/trust/lists/{id}/refresh",
        summary="Ask for a list again now.",
        handler=refresh_list,
        response=t.TrustListView,
    ),
    Operation(
        name="unfollowTrustList",
        method="DELETE",
        path="/admin/trust/lists/{id}",
        summary="Follow a list no longer.",
        handler=unfollow,
        response=t.TrustListView,
    ),
    Operation(
        name="publishTrustList",
        method="POST",
        path="/admin/trust/publications",
        summary="Publish the node's rules as a signed list, or a new edition of it.",
        handler=publish,
        response=t.PublicationView,
        body=t.NewPublication,
        status=201,
    ),
    Operation(
        name="listTrustPublications",
        method="GET",
        path="/admin/trust/publications",
        summary="The trust lists that the node publishes.",
        handler=list_publications,
        response=Page[t.PublicationView],
    ),
    Operation(
        name="accredit",
        method="POST",
        path="/admin/trust/accredit",
        summary="Sign an accreditation of an issuer, or of one who accredits others.",
        handler=accredit,
        response=t.GivenAccreditationView,
        body=t.NewAccreditation,
        status=201,
    ),
    Operation(
        name="keepAccreditation",
        method="POST",
        path="/admin/trust/accreditations",
        summary="Keep an accreditation, so that records of the accredited can rest on it.",
        handler=keep_accreditation,
        response=t.AccreditationView,
        body=t.KeepAccreditation,
        status=201,
    ),
    Operation(
        name="listAccreditations",
        method="GET",
        path="/admin/trust/accreditations",
        summary="The accreditations that are kept.",
        handler=list_accreditations,
        response=Page[t.AccreditationView],
    ),
    Operation(
        name="forgetAccreditation",
        method="DELETE",
        path="/admin/trust/accreditations/{id}",
        summary="Forget an accreditation.",
        handler=forget_accreditation,
        response=t.AccreditationView,
    ),
    Operation(
        name="explainTrust",
        method="POST",
        path="/admin/trust/explain",
        summary="Whether an issuer would be believed for an award, and why; nothing is changed.",
        handler=explain,
        response=t.WhyView,
        body=t.ExplainTrust,
    ),
)
