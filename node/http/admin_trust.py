"""Admin operations about trust: the part of the table, and what it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.http import trust_schemas as t
from node.http.admin_lookup import find_trust_rule
from node.http.admin_operation import Call, Nothing, Operation
from node.roles.trust import NewRule
from protocols.credentials.trust.grants import Action
from protocols.credentials.trust.scope import Achieved, Award, Scope
from storage import trust
from storage.trust import Rule

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
        scope=Scope(frozenset(body.achievement_type), frozenset(body.achievement), frozenset(body.target_framework)),
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
        name="explainTrust",
        method="POST",
        path="/admin/trust/explain",
        summary="Whether an issuer would be believed for an award, and why; nothing is changed.",
        handler=explain,
        response=t.WhyView,
        body=t.ExplainTrust,
    ),
)
