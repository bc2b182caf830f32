"""The verifier of the VC API: checks what a client sends, and keeps nothing of it.

Spec: W3C VCALM (the VC API), "Verifying". Everything is checked that this node checks of any record, with two
differences that the API asks for: whom to trust is left to the client, and who presents need not be the subject.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from node.roles.policy import VerificationPolicies
from node.runtime.metrics import Metrics
from node.runtime.world import World
from protocols.credentials.policy import Policy
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, VerificationResult
from protocols.credentials.verify import verify
from protocols.did.resolver import Resolver
from protocols.status.source import StatusSource

__all__ = ["VcApiVerifier"]


class VcApiVerifier:
    """What a client of the VC API does as a verifier."""

    def __init__(
        self,
        *,
        policies: VerificationPolicies,
        resolver: Resolver,
        statuses: StatusSource,
        world: World,
        metrics: Metrics,
        issuer_signs: bool,
    ) -> None:
        self._issuer_signs = issuer_signs
        self._policies = policies
        self._resolver = resolver
        self._statuses = statuses
        self._world = world
        self._metrics = metrics

    async def credential(self, document: dict[str, Any], *, status_required: bool = True) -> VerificationResult:
        """Check one credential.

        Args:
            status_required: whether a status that cannot be looked up stands in the way; one that is set always does.
        """
        result = await verify(
            document,
            expected="credential",
            resolver=self._resolver,
            statuses=self._statuses,
            policy=self._policy(status_required=status_required),
            now=self._world.clock(),
            processor=self._policies.processor,
        )
        return self._counted(result)

    async def presentation(
        self, document: dict[str, Any], *, challenge: str | None, domain: str | None, status_required: bool = True
    ) -> VerificationResult:
        """Check a presentation and every credential in it.

        Args:
            challenge: what the holder was to answer; where it is missing, nothing says that this is not an old answer,
                and that is not held against it.
        """
        policy = self._policy(status_required=status_required)
        result = await verify(
            document,
            expected="presentation",
            challenge=challenge,
            domain=domain,
            resolver=self._resolver,
            statuses=self._statuses,
            policy=policy if challenge else replace(policy, required=policy.required - {Check.HOLDER_BINDING}),
            now=self._world.clock(),
            processor=self._policies.processor,
        )
        return self._counted(result)

    def _policy(self, *, status_required: bool) -> Policy:
        policy = self._policies.verifier(any_issuer=True, refresh=True)
        waived = frozenset() if status_required else frozenset({Check.STATUS})
        return replace(
            policy,
            required=policy.required - waived,
            trust=TrustedIssuers(),
            holder_is_subject=False,
            issuer_signs=self._issuer_signs,
        )

    def _counted(self, result: VerificationResult) -> VerificationResult:
        self._metrics.verifications.labels(str(result.verified).lower()).inc()
        return result
