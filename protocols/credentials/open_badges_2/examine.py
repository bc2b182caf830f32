"""Verifying a badge of Open Badges 2.0: who vouches for it, and whether it still does.

Spec: Open Badges 2.0, "Badge Verification". Two ways:

- **Hosted**: nothing is signed. The badge is good for as long as the server at its ``id`` has it, where the profile of
  its issuer lets badges lie there (``startsWith``, ``allowedOrigins``, else the host of the issuer's own ``id``).
- **Signed**: a JWS under a CryptographicKey that the issuer's profile lists, and that names the issuer as its owner.

What a badge has inside proves nothing of its issuer: profile and key are those that the issuer's own URL gives. What is
shown has to be what the server has, or what was signed, its class included. Where a server cannot be asked, that is
"not checked", which verifies nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from protocols.credentials.checks.core import CoreChecks
from protocols.credentials.checks.form import check_structure
from protocols.credentials.checks.results import failed, not_checked, passed
from protocols.credentials.model import as_list, id_of
from protocols.credentials.open_badges_2.document import SIGNED, OpenBadge2
from protocols.credentials.open_badges_2.parts import JWS, assembled, fetched, is_whole
from protocols.credentials.open_badges_2.signature import holds_under
from protocols.credentials.open_badges_2.source import BadgeSource, PublishedPart
from protocols.credentials.policy import Policy
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.errors import BadInput, LernodeError, NotNow

__all__ = ["ExaminedBadge", "examine_badge"]

_SPEC = "Open Badges 2.0 §Badge Verification"
_REVOCATION = "Open Badges 2.0 §RevocationList"


@dataclass(frozen=True, slots=True)
class ExaminedBadge:
    """A badge with its parts inside, as far as they could be had, and how its checks ended."""

    badge: OpenBadge2
    core: CoreChecks
    status: CheckResult | None = None


async def examine_badge(given: OpenBadge2, source: BadgeSource, policy: Policy, *, now: datetime) -> ExaminedBadge:
    """The checks of a badge but trust and skills."""
    try:
        whole = given if is_whole(given.badge) else OpenBadge2(await assembled(given.badge, source))
    except LernodeError as error:
        unknown = not_checked(Check.STRUCTURE, error.code, error.message, _SPEC)
        return ExaminedBadge(given, CoreChecks({Check.STRUCTURE: unknown}, False))
    structure = check_structure(whole.problems())
    if structure.outcome is not Outcome.PASS:
        return ExaminedBadge(whole, CoreChecks({Check.STRUCTURE: structure}, False))
    run = _Run(whole, source, policy, now)
    is_signed = whole.securing == SIGNED
    proof, controller, status = await (run.signed() if is_signed else run.hosted())
    time = whole.check_time((), now=now, skew=policy.clock_skew)
    results = {each.check: each for each in (structure, proof, controller, time)}
    return ExaminedBadge(whole, CoreChecks(results, True, whole.kind.owner(whole.document)), status)


@dataclass(frozen=True, slots=True)
class _Run:
    whole: OpenBadge2
    source: BadgeSource
    policy: Policy
    now: datetime

    @property
    def stated_issuer(self) -> dict[str, Any]:
        stated: dict[str, Any] = self.whole.badge["badge"]["issuer"]
        return stated

    async def hosted(self) -> tuple[CheckResult, CheckResult, CheckResult]:
        url: str = self.whole.badge["id"]
        try:
            there = await self.source.get(url, refresh=self.policy.refresh_status)
        except LernodeError as error:
            proof = not_checked(Check.PROOF, error.code, f"A hosted badge alone proves nothing: {error.message}", _SPEC)
            status = not_checked(Check.STATUS, error.code, "Its server cannot be asked whether it still counts.", _SPEC)
            return proof, await self._may_host(url), status
        if _is_revoked(there.document):
            proof = not_checked(Check.PROOF, "badge.taken_back", "The server has no more of it than that.", _SPEC)
            return proof, await self._may_host(url), _revoked()
        return await self._is_there(there, url), await self._may_host(url), self._fresh(there)

    async def signed(self) -> tuple[CheckResult, CheckResult, CheckResult]:
        jws: str = self.whole.badge[JWS]
        try:
            issuer = await self._issuer()
            key = await self._key(issuer)
            holds = holds_under(jws, key.get("publicKeyPem"))
        except LernodeError as error:
            make = not_checked if _is_away(error) else failed
            results = [make(check, error.code, error.message, _SPEC) for check in (Check.PROOF, Check.CONTROLLER)]
            status = not_checked(
                Check.STATUS, error.code, "The issuer is not known, and so not what it revokes.", _SPEC
            )
            return results[0], results[1], status
        proof = failed(Check.PROOF, "proof.invalid", "The badge is not what was signed.", _SPEC)
        if holds:
            proof = await self._same(jws, "The signature holds: nothing was changed.")
        reason = "The key is one that the issuer's profile lists; the profile rests on the issuer's web server."
        return proof, passed(Check.CONTROLLER, reason, _SPEC), await self._revocation(issuer)

    async def _is_there(self, there: PublishedPart, url: str) -> CheckResult:
        if not isinstance(there.document, dict) or there.document.get("id") != url:
            reason = "What the issuer's web server has there is another document."
            return failed(Check.PROOF, "badge.differs", reason, _SPEC)
        return await self._same(there.document, "The issuer's web server has this badge; nothing is signed.")

    async def _same(self, vouched: dict[str, Any] | str, reason: str) -> CheckResult:
        """Whether what is shown is what is vouched for, with the class that it refers to."""
        try:
            again = OpenBadge2(await assembled(vouched, self.source))
        except LernodeError as error:
            return not_checked(Check.PROOF, error.code, error.message, _SPEC)
        if again.document != self.whole.document:
            reason = "The badge or its class is not what its issuer has, or was changed there since."
            return failed(Check.PROOF, "badge.differs", reason, _SPEC)
        return passed(Check.PROOF, reason, _SPEC)

    async def _issuer(self) -> dict[str, Any]:
        """The issuer's profile, as its own URL gives it."""
        profile = await fetched(self.stated_issuer["id"], self.source)
        if any(profile.get(name) != self.stated_issuer.get(name) for name in ("name", "url")):
            message = "The badge says something else of its issuer than the issuer's profile."
            raise BadInput("badge.issuer_differs", message, "Ask the issuer.")
        return profile

    async def _may_host(self, url: str) -> CheckResult:
        try:
            profile = await self._issuer()
        except LernodeError as error:
            make = not_checked if _is_away(error) else failed
            return make(Check.CONTROLLER, error.code, error.message, _SPEC)
        if not _may_lie_at(url, profile):
            reason = "The issuer does not say that its badges lie there."
            return failed(Check.CONTROLLER, "controller.not_issuer", reason, _SPEC)
        reason = "The badge lies where its issuer has its badges; that rests on the issuer's web server."
        return passed(Check.CONTROLLER, reason, _SPEC)

    async def _key(self, issuer: dict[str, Any]) -> dict[str, Any]:
        """The key that the badge names, if it is the issuer's."""
        stated = self.whole.badge["verification"]
        listed = as_list(issuer.get("publicKey"))
        creator = id_of(stated.get("creator")) or (id_of(listed[0]) if len(listed) == 1 else None)
        found = next((each for each in listed if creator is not None and id_of(each) == creator), None)
        if found is None or creator is None:
            message = "The issuer's profile does not list the key of the badge."
            raise BadInput("controller.not_issuer", message, "Ask the issuer for a new one.")
        key = found if isinstance(found, dict) and found.keys() > {"id"} else await fetched(creator, self.source)
        if id_of(key.get("owner")) != issuer["id"]:
            raise BadInput("controller.not_issuer", "The key of the badge is not its issuer's.", "Ask the issuer.")
        return key

    async def _revocation(self, issuer: dict[str, Any]) -> CheckResult:
        url = id_of(issuer.get("revocationList"))
        if url is None:
            return passed(Check.STATUS, "The issuer keeps no list of revoked badges.", _REVOCATION, code="status.none")
        try:
            there = await self.source.get(url, refresh=self.policy.refresh_status)
        except LernodeError as error:
            code = "status.unreachable" if isinstance(error, NotNow) else error.code
            return not_checked(Check.STATUS, code, "The list of revoked badges cannot be had.", _REVOCATION)
        document = there.document if isinstance(there.document, dict) else {}
        listed = document.get("revokedAssertions")
        if not isinstance(listed, list) or id_of(document.get("issuer")) != issuer["id"]:
            reason = "What the issuer's profile names is not its list of revoked badges."
            return not_checked(Check.STATUS, "status.malformed", reason, _REVOCATION)
        mine = [self.whole.badge["id"], *as_list(self.whole.badge.get("uid"))]
        named = [name for each in listed for name in (_names_in(each) if isinstance(each, dict) else [each])]
        return _revoked() if any(name in mine for name in named) else self._fresh(there)

    def _fresh(self, there: PublishedPart) -> CheckResult:
        age = self.now - there.fetched_at
        details = {"statusListAge": max(0, int(age / timedelta(seconds=1)))}
        if age > self.policy.status_max_age:
            reason = "What is known of whether the badge still counts is too old."
            return not_checked(Check.STATUS, "status.stale", reason, _REVOCATION, details=details)
        return passed(Check.STATUS, "The issuer has not taken the badge back.", _REVOCATION, details=details)


def _is_away(error: LernodeError) -> bool:
    """Whether nothing was said, so that nothing is known."""
    return isinstance(error, NotNow) or error.code.startswith("net.") or error.code == "badge.not_there"


def _is_revoked(document: Any) -> bool:
    return isinstance(document, dict) and document.get("revoked") is True


def _names_in(revoked: dict[str, Any]) -> list[Any]:
    return [revoked[name] for name in ("id", "uid") if name in revoked]


def _revoked() -> CheckResult:
    """The issuer's reason is left out: it is free text, which may name the learner."""
    return failed(Check.STATUS, "status.revoked", "The issuer has revoked the badge.", _REVOCATION)


def _may_lie_at(url: str, profile: Mapping[str, Any]) -> bool:
    stated = profile.get("verification")
    limits = stated if isinstance(stated, dict) else {}
    starts = [each for each in as_list(limits.get("startsWith")) if isinstance(each, str)]
    hosts = [each.lower() for each in as_list(limits.get("allowedOrigins")) if isinstance(each, str)]
    host = _host(url)
    if starts and not any(url.startswith(each) for each in starts):
        return False
    return host in (hosts or [_host(str(profile["id"]))])


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()
