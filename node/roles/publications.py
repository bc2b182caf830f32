"""What another node has signed for anybody, such as a package of a framework or a catalogue: whether to take it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from node.roles.checker import Checker
from protocols.credentials.trust.grants import Action, TrustedIssuers
from protocols.credentials.verification import Check, Outcome, VerificationResult
from protocols.did.web import owns
from protocols.errors import BadInput, NotNow
from storage import trust
from storage.engine import Store

__all__ = ["Examined", "check_publisher", "examine", "genuine"]


@dataclass(frozen=True, slots=True)
class Examined:
    """How every check but that of trust ends.

    Attributes:
        wrong: why it does not verify; None where nothing fails.
        unknown: why it is not known whether it does; None where it is.
    """

    result: VerificationResult
    wrong: str | None
    unknown: str | None


async def examine(document: dict[str, Any] | bytes, checker: Checker, *, forgiven: Collection[str] = ()) -> Examined:
    """Verify a credential that is to be taken for what it says, whoever is trusted.

    Args:
        forgiven: codes of checks that may fail.
    """
    policy = replace(checker.policies.verifier(any_issuer=True, refresh=True), trust=TrustedIssuers())
    result = await checker.check(document, policy, expected="credential")
    failed = [c for c in result.checks if c.outcome is Outcome.FAIL and c.code not in forgiven]
    wrong = [c.reason for c in failed if c.check is not Check.ISSUER_TRUSTED]
    unknown = [c.reason for c in result.checks if c.outcome is Outcome.NOT_CHECKED and c.check in policy.required]
    if result.document is None:
        unknown.append("It cannot be read.")
    return Examined(result, next(iter(wrong), None), next(iter(unknown), None))


async def genuine(document: dict[str, Any] | bytes, checker: Checker) -> dict[str, Any]:
    """What was signed, once every check but that of trust holds.

    Raises:
        BadInput: ``publication.unverified``.
        NotNow: ``publication.unchecked``: a check cannot be made now.
    """
    found = await examine(document, checker)
    if found.wrong is not None:
        raise BadInput("publication.unverified", f"It does not verify: {found.wrong}", "Ask who published it.")
    if found.unknown is not None or found.result.document is None:
        raise NotNow("publication.unchecked", f"It cannot be checked now: {found.unknown}", "Try again later.")
    return found.result.document


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
