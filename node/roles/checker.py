"""Verifying with what this node has: where DIDs and status lists come from, its JSON-LD contexts, and its clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from node.roles.policy import VerificationPolicies
from node.runtime.tracing import Tracer
from node.runtime.world import World
from protocols.credentials.asking import SeenLists
from protocols.credentials.policy import Policy
from protocols.credentials.trust.scope import Award
from protocols.credentials.verification import CheckResult, VerificationResult
from protocols.credentials.verify import explain_trust, verify
from protocols.did.resolver import RenewingResolver
from protocols.status.source import StatusSource

__all__ = ["Checker"]


@dataclass(frozen=True, slots=True)
class Checker:
    """What every role verifies with; which of the policies counts is the role's business."""

    policies: VerificationPolicies
    resolver: RenewingResolver
    statuses: StatusSource
    world: World
    tracer: Tracer

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
        with self.tracer.span("verify") as span:
            result = await verify(
                document,
                expected=expected,
                challenge=challenge,
                domain=domain,
                resolver=self.resolver,
                statuses=self.statuses,
                policy=policy,
                now=self.world.clock(),
                processor=self.policies.processor,
                seen=seen,
            )
            span.say("lernode.verified", result.verified)
        return result

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
