"""What another node has signed for anybody, such as a package of a framework or a catalogue: whether to take it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from node.roles.checker import Checker
from protocols.credentials.trust.grants import Action, TrustedIssuers
from protocols.credentials.verification import Check, Outcome
from protocols.did.web import owns
from protocols.errors import BadInput, NotNow
from storage import trust
from storage.engine import Store

__all__ = ["check_publisher", "genuine"]


async def genuine(document: dict[str, Any] | bytes, checker: Checker) -> dict[str, Any]:
    """What was signed, once every check but that of trust holds.

    Raises:
        BadInput: ``publication.unverified``.
        NotNow: ``publication.unchecked``: a check cannot be made now.
    """
    policy = replace(checker.policies.verifier(any_issuer=True, refresh=True), trust=TrustedIssuers())
    result = await checker.check(document, policy, expected="credential")
    wrong = [c for c in result.checks if c.outcome is Outcome.FAIL and c.check is not Check.ISSUER_TRUSTED]
    unknown = [c for c in result.checks if c.outcome is Outcome.NOT_CHECKED and c.check in policy.required]
    if wrong:
        raise BadInput("publication.unverified", f"It does not verify: {wrong[0].reason}", "Ask who published it.")
    if unknown or result.document is None:
        reason = unknown[0].reason if unknown else "It cannot be read."
        raise NotNow("publication.unchecked", f"It cannot be checked now: {reason}", "Try again later.")
    return result.document


async def check_publisher(store: Store, issuer: str, *, publisher: str | None, url: str | None) -> None:
    """Whether it is signed by the one who is named, by the server it came from, or by one whom a rule trusts to issue.

    Raises:
        BadInput: ``publication.publisher_other``, ``publication.publisher_unnamed``.
    """
    if publisher is not None:
        if issuer != publisher:
            raise BadInput(
                "publication.publisher_other",
                f"It is signed by {issuer[:200]}, and not by the one who is named.",
                "Do not take it, or ask its publisher what has changed.",
            )
        return
    if url is not None and owns(issuer, url):
        return
    async with store.read() as tx:
        rules = await trust.rules_about(tx, issuer)
    if not any(rule.grant.action is Action.ISSUE for rule in rules):
        raise BadInput(
            "publication.publisher_unnamed",
            f"It is signed by {issuer[:200]}; nothing says that this is the one you mean.",
            "If it is, say so: --publisher DID",
        )
