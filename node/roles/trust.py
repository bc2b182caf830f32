"""Whom this node believes: the rules that its operator adds and removes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from node.roles.checker import Checker
from node.runtime.world import World
from protocols.credentials.trust.grants import Action, By, Grant, Origin
from protocols.credentials.trust.scope import Award, Scope
from protocols.credentials.verification import CheckResult
from protocols.did.syntax import check_controller
from protocols.errors import BadInput
from storage import audit, trust
from storage.engine import Store
from storage.trust import Rule

__all__ = ["NewRule", "Trust"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRule:
    """A rule to be added.

    Attributes:
        did: whom.
        action: whether it may issue records, or recognise others who may.
        start, end: for records issued from and until when.
        note: why, for people.
    """

    did: str
    action: Action = Action.ISSUE
    scope: Scope = field(default_factory=Scope)
    start: datetime | None = None
    end: datetime | None = None
    note: str = ""


class Trust:
    """What an operator does about trust."""

    def __init__(
        self,
        *,
        store: Store,
        checker: Checker,
        world: World,
    ) -> None:
        self._store = store
        self._checker = checker
        self._world = world

    async def add(self, wanted: NewRule) -> Rule:
        """Believe somebody from now on.

        Raises:
            BadInput: ``did.malformed``, ``trust.period_empty``.
        """
        check_controller(wanted.did)
        if wanted.start is not None and wanted.end is not None and wanted.end < wanted.start:
            raise BadInput("trust.period_empty", "The period ends before it begins.", "Check the two dates.")
        rule_id, now = self._world.new_id(), self._world.clock()
        grant = Grant(
            did=wanted.did,
            action=wanted.action,
            scope=wanted.scope,
            start=wanted.start,
            end=wanted.end,
            origin=Origin(by=By.RULE, id=rule_id, name=wanted.note),
        )
        rule = Rule(id=rule_id, grant=grant, note=wanted.note, created=now)
        async with self._store.write() as tx:
            await trust.add_rule(tx, rule)
            await audit.append(tx, at=now, event="trust.rule_added", actor="operator", subjects=(rule_id, wanted.did))
        return rule

    async def explain(self, award: Award) -> CheckResult:
        """What the check ``issuer-trusted`` would say of an award."""
        return await self._checker.explain(award, self._checker.policies.verifier())

    async def remove(self, rule: Rule) -> None:
        """Forget a rule; what was verified by it stays as it was said.

        Raises:
            WrongState: ``trust_rule.unknown``.
        """
        async with self._store.write() as tx:
            await trust.remove_rule(tx, rule.id)
            await audit.append(
                tx,
                at=self._world.clock(),
                event="trust.rule_removed",
                actor="operator",
                subjects=(rule.id, rule.grant.did),
            )
