"""Grants: that somebody may award, or may say who may, and by whose word that is so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from protocols.credentials.times import format_time
from protocols.credentials.trust.scope import Award, Scope

__all__ = ["LIST_EXPIRED", "Action", "By", "Grant", "Known", "Origin", "TrustSource", "TrustedIssuers"]


LIST_EXPIRED = "list-expired"


class Action(StrEnum):
    """What somebody may do (Recognized Entities 1.0 §2.3, ``action``)."""

    ISSUE = "issue"
    RECOGNIZE = "recognize"


class By(StrEnum):
    """By whose word a grant is so: this verifier's own, for the first three; else that of somebody it believes."""

    ONCE = "once"
    CONFIGURATION = "configuration"
    RULE = "rule"
    LIST = "list"
    REGISTRY = "registry"
    ACCREDITATION = "accreditation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a grant comes from.

    Attributes:
        id: of the rule or list in the store, or of the credential.
        name: of the list or accreditor, for people.
        publisher: who signed; ``None`` where nobody did.
        url: where the list is published.
        sequence: the list's number.
        signed_at, valid_until: of what was signed.
    """

    by: By
    id: str = ""
    name: str = ""
    publisher: str | None = None
    url: str | None = None
    sequence: int | None = None
    signed_at: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """That ``did`` may do something.

    Attributes:
        scope: for which achievements.
        start, end: for records issued from and until when; ``None`` where that is not limited.
    """

    did: str
    action: Action = Action.ISSUE
    scope: Scope = field(default_factory=Scope)
    start: datetime | None = None
    end: datetime | None = None
    origin: Origin

    def refusal(self, award: Award, now: datetime) -> str | None:
        """Why the grant does not reach what is awarded, or ``None`` where it does.

        A list has to be valid now, for what it says may be taken back in the next one. An accreditation has to have
        been valid when the record was issued; that its period is over by now does not undo it.
        """
        over = self.origin.valid_until
        if self.origin.by in (By.LIST, By.REGISTRY) and over is not None and over < now:
            return LIST_EXPIRED
        if (self.start or self.end) and award.at is None:
            return "time-unknown"
        if award.at is not None and self.start is not None and award.at < self.start:
            return "before"
        if award.at is not None and self.end is not None and award.at > self.end:
            return "after"
        return self.scope.refusal(award)

    def to_json(self) -> dict[str, Any]:
        """The grant as one link of an explanation; what is not limited or known is left out."""
        origin = self.origin
        parts: dict[str, Any] = {
            "did": self.did,
            "may": self.action.value,
            "by": origin.by.value,
            "id": origin.id,
            "name": origin.name,
            "publisher": origin.publisher,
            "url": origin.url,
            "sequence": origin.sequence,
            "signed": origin.signed_at and format_time(origin.signed_at),
            "validUntil": origin.valid_until and format_time(origin.valid_until),
            "achievementType": sorted(self.scope.achievement_types),
            "achievement": sorted(self.scope.achievements),
            "targetFramework": sorted(self.scope.frameworks),
            "from": self.start and format_time(self.start),
            "until": self.end and format_time(self.end),
        }
        return {name: value for name, value in parts.items() if value not in (None, "", [])}


@dataclass(frozen=True, slots=True)
class Known:
    """What a verifier knows of a DID.

    Attributes:
        grants: what it may do, by the verifier's own word or by a list that it follows.
        accreditations: credentials that recognise it, kept and not verified.
    """

    grants: tuple[Grant, ...] = ()
    accreditations: tuple[bytes, ...] = ()


class TrustSource(Protocol):
    """What a verifier knows of whom to trust."""

    async def about(self, did: str) -> Known:
        """What is known of a DID."""

    async def is_empty(self) -> bool:
        """Whether nobody has said whom to trust."""


class TrustedIssuers:
    """A :class:`TrustSource`: some issuers, for whatever they award, and what another source knows.

    Args:
        dids: ids of issuers.
        by: by whose word.
    """

    def __init__(self, dids: Iterable[str] = (), by: By = By.CONFIGURATION, others: TrustSource | None = None) -> None:
        self._dids = frozenset(dids)
        self._origin = Origin(by=by)
        self._others = others

    async def about(self, did: str) -> Known:
        """What is known of a DID."""
        others = Known() if self._others is None else await self._others.about(did)
        own = (Grant(did=did, origin=self._origin),) if did in self._dids else ()
        return Known((*own, *others.grants), others.accreditations)

    async def is_empty(self) -> bool:
        """Whether nobody has said whom to trust."""
        return not self._dids and (self._others is None or await self._others.is_empty())
