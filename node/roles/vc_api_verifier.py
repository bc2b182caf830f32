"""The verifier of the VC API: checks what a client sends, and keeps nothing of it.

Spec: W3C VCALM (the VC API), "Verifying". Everything is checked that this node checks of any record, with two
differences that the API asks for: whom to trust is left to the client, and who presents need not be the subject.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from node.roles.checker import Checker
from node.runtime.metrics import Metrics
from node.runtime.world import World
from protocols.credentials.policy import Policy
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, VerificationResult

__all__ = ["VcApiVerifier"]


class VcApiVerifier:
    """What a client of the VC API does as a verifier."""

    def __init__(
        self,
        *,
        checker: Checker,
        world: World,
        metrics: Metrics,
        issuer_signs: bool,
    ) -> None:
        self._issuer_signs = issuer_signs
        self._checker = checker
        self._world = world
        self._metrics = metrics

    async def credential(self, document: dict[str, Any], *, status_required: bool = True) -> VerificationResult:
        """Check one credential.

        Args:
            status_required: whether a status that cannot be looked up stands in the way; one that is set always does.
        """
        result = await self._checker.check(
            document, self._policy(status_required=status_required), expected="credential"
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
        result = await self._checker.check(
            document,
            policy if challenge else replace(policy, required=policy.required - {Check.HOLDER_BINDING}),
            expected="presentation",
            challenge=challenge,
            domain=domain,
        )
        return self._counted(result)

    def _policy(self, *, status_required: bool) -> Policy:
        policy = self._checker.policies.verifier(any_issuer=True, refresh=True)
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
