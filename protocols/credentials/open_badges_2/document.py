"""A badge of Open Badges 2.0 as verification takes it, and the rules of its data model that it keeps or breaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from protocols.credentials.checks.holder import no_binding
from protocols.credentials.checks.results import not_checked
from protocols.credentials.checks.valid_time import check_valid_time
from protocols.credentials.model import as_list, has_type, is_url, issuer_id
from protocols.credentials.open_badges_2.parts import JWS, signed
from protocols.credentials.open_badges_2.terms import in_terms_of_3
from protocols.credentials.problem import Problem
from protocols.credentials.secured import Asked, ExaminedProof, Kind
from protocols.credentials.times import parse_time
from protocols.credentials.verification import Check, CheckResult
from protocols.did.document import Relationship
from protocols.did.resolver import Resolver

__all__ = ["HOSTED", "OPEN_BADGE_2", "SIGNED", "OpenBadge2"]

HOSTED, SIGNED = "HostedBadge", "SignedBadge"
_WAYS = {"hosted": HOSTED, "HostedBadge": HOSTED, "signed": SIGNED, "SignedBadge": SIGNED}
"""``verification.type``, also as Open Badges 1.1 wrote it."""
_SPEC = "Open Badges 2.0"


def _rules(badge: dict[str, Any]) -> Iterator[Problem]:
    way = _way_of(badge)
    if way is None or (way == SIGNED) != isinstance(badge.get(JWS), str):
        yield Problem("badge.verification", "The badge does not say truly whether it is hosted or signed.", _SPEC)
    if not is_url(badge.get("id")) or (way == HOSTED and not str(badge["id"]).startswith(("https://", "http://"))):
        yield Problem("badge.id", "The id of the badge is not a URL that it can have.", f"{_SPEC} §Assertion")
    recipient = badge.get("recipient")
    if not isinstance(recipient, dict) or not _has_texts(recipient, "type", "identity"):
        yield Problem("badge.recipient", "The badge does not say whom it is for.", f"{_SPEC} §IdentityObject")
    elif not isinstance(recipient.get("hashed"), bool):
        yield Problem("badge.recipient", "Whether the recipient is hashed is not said.", f"{_SPEC} §IdentityObject")
    if parse_time(badge.get("issuedOn"), zone_required=False) is None:
        yield Problem("badge.issued_on", "When the badge was issued cannot be read.", f"{_SPEC} §Assertion")
    badge_class = badge.get("badge")
    if (
        not isinstance(badge_class, dict)
        or not is_url(badge_class.get("id"))
        or not has_type(badge_class, "BadgeClass")
    ):
        yield Problem("badge.class", "The badge has no BadgeClass.", f"{_SPEC} §BadgeClass")
        return
    if not _has_texts(badge_class, "name", "description") or not isinstance(badge_class.get("criteria"), str | dict):
        message = "The BadgeClass has no name, description or criteria."
        yield Problem("badge.class_incomplete", message, f"{_SPEC} §BadgeClass")
    if not all(isinstance(each, dict) for each in as_list(badge_class.get("alignment"))):
        yield Problem("badge.alignment", "An alignment is not an object.", f"{_SPEC} §AlignmentObject")
    issuer = badge_class.get("issuer")
    if not isinstance(issuer, dict) or not is_url(issuer.get("id")) or not _has_texts(issuer, "name"):
        yield Problem("badge.issuer", "The BadgeClass has no issuer with an id and a name.", f"{_SPEC} §Profile")


def _way_of(badge: dict[str, Any]) -> str | None:
    stated = badge.get("verification")
    named = stated.get("type") if isinstance(stated, dict) else None
    return next((_WAYS[name] for name in as_list(named) if isinstance(name, str) and name in _WAYS), None)


def _has_texts(thing: dict[str, Any], *names: str) -> bool:
    return all(isinstance(thing.get(name), str) and thing[name] for name in names)


OPEN_BADGE_2 = Kind(
    "credential",
    lambda badge: list(_rules(badge)),
    Relationship.ASSERTION_METHOD,
    issuer_id,
    "issuer",
    (
        Check.STRUCTURE,
        Check.PROOF,
        Check.CONTROLLER,
        Check.ISSUER_TRUSTED,
        Check.VALID_TIME,
        Check.STATUS,
        Check.SKILLS,
    ),
)


class OpenBadge2:
    """A badge, with its parts inside or not.

    Attributes:
        badge: what it says in its own terms; ``document`` is the same in those of Open Badges 3.0.
    """

    kind = OPEN_BADGE_2
    is_bound = False
    is_selective = False
    algorithm = None
    unknown_proofs = 0

    def __init__(self, given: dict[str, Any] | str) -> None:
        """Take in an Assertion, or the text of a signed one.

        Raises:
            BadInput: as :func:`~protocols.credentials.open_badges_2.parts.signed`.
        """
        self.badge = {**signed(given), JWS: given} if isinstance(given, str) else given
        self.document = in_terms_of_3(self.badge)
        self.token_claims: Mapping[str, Any] = {}

    @property
    def securing(self) -> str:
        """``HostedBadge`` or ``SignedBadge``."""
        return SIGNED if JWS in self.badge else HOSTED

    @property
    def subjects(self) -> list[str | None]:
        """One, who is named by a hash or an address and not by an id."""
        return [None]

    def problems(self) -> list[Problem]:
        """The rules of Open Badges 2.0 that it breaks."""
        return self.kind.rules(self.badge)

    def check_context(self) -> CheckResult:
        """It is read as plain JSON, and nothing is signed as RDF."""
        return not_checked(Check.CONTEXT, "context.none", "A badge is read as plain JSON.", _SPEC)

    async def examine(self, resolver: Resolver) -> list[ExaminedProof]:
        """None: who vouches for a badge is told by web servers, and not by DIDs; see ``examine.py``."""
        del resolver
        return []

    def check_time(self, examined: Sequence[ExaminedProof], *, now: datetime, skew: timedelta) -> CheckResult:
        """Whether now lies within its period."""
        del examined
        return check_valid_time(self.document, (), now=now, skew=skew)

    async def check_binding(self, asked: Asked, *, resolver: Resolver, now: datetime, skew: timedelta) -> CheckResult:
        """Nobody can bind it to a request."""
        del resolver, now, skew
        return no_binding(asked)
