"""Verifying with what this node has: where DIDs and status lists come from, its JSON-LD contexts, and its clock."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from node.net.at_hand import BadgesAtHand, DidsAtHand, ListsAtHand, NotAtHand, ResourcesAtHand
from node.roles.policy import VerificationPolicies
from node.roles.recent_lists import RecentLists
from node.runtime.tracing import Tracer
from node.runtime.world import World
from protocols.credentials.asking import SeenLists
from protocols.credentials.policy import Policy
from protocols.credentials.trust.scope import Award
from protocols.credentials.verification import CheckResult, VerificationResult
from protocols.credentials.verify import explain_trust, verify
from protocols.did.resolver import RenewingResolver
from protocols.errors import NotNow
from protocols.status.source import StatusSource

__all__ = ["Checker"]

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Checker:
    """What every role verifies with; which of the policies counts is the role's business.

    Attributes:
        at_hand: what can be had without waiting; None where nothing is verified that way.
        is_at_once: whether it verifies with nothing but that, and raises :class:`NotAtHand` where that is not enough.
    """

    policies: VerificationPolicies
    resolver: RenewingResolver
    statuses: StatusSource
    world: World
    tracer: Tracer
    at_hand: tuple[DidsAtHand, ListsAtHand] | None = None
    is_at_once: bool = False
    _recent: RecentLists = field(default_factory=RecentLists)

    async def check(
        self,
        document: dict[str, Any] | bytes | str,
        policy: Policy,
        *,
        expected: Literal["credential", "presentation"] | None = None,
        challenge: str | None = None,
        domain: str | None = None,
        seen: SeenLists | None = None,
    ) -> VerificationResult:
        """How the checks of a document end; see :func:`protocols.credentials.verify.verify`."""
        now = self.world.clock()
        lists = self._recent.seen(now) if seen is None else seen
        if self.is_at_once:
            policy = replace(policy, resources=ResourcesAtHand(), badges=BadgesAtHand())
        since = time.time_ns()
        made = verify(
            document,
            expected=expected,
            challenge=challenge,
            domain=domain,
            resolver=self.resolver,
            statuses=self.statuses,
            policy=policy,
            now=now,
            processor=self.policies.processor,
            seen=lists,
        )
        # Where something turns out not to be at hand, that was no verification yet.
        known = await made if self.is_at_once else None
        with self.tracer.span("verify", since=since) as span:
            result = await made if known is None else known
            span.say("lernode.verified", result.verified)
        if seen is None:
            self._recent.keep(lists, now)
        return result

    async def at_once(self, work: Callable[[Checker], Awaitable[Found]]) -> Found | None:
        """What ``work`` gives with a checker that never waits; None where that is not enough, or it raises NotNow.

        None as well where nothing is verified that way.
        """
        if self.at_hand is None:
            return None
        dids, lists = self.at_hand
        with suppress(NotAtHand, NotNow):
            return await work(replace(self, resolver=dids, statuses=lists, is_at_once=True))
        return None

    async def explain(self, award: Award, policy: Policy) -> CheckResult:
        """What the check ``issuer-trusted`` would say of an award."""
        return await explain_trust(
            award,
            resolver=self.resolver,
            statuses=self.statuses,
            policy=policy,
            now=self.world.clock(),
            processor=self.policies.processor,
        )
