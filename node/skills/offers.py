"""A catalogue as a signed document: what an issuer awards, and what that costs whom it is awarded to.

A verifiable credential of the type ``AchievementCatalogCredential`` about an ``AchievementCatalog``, whose ``offers``
each have an Achievement (Open Badges 3.0 §B) and may state ``hours`` of work and a ``price``; credits are the
achievement's own ``creditsAvailable``. The other terms are those of the context ``urn:lernode:skills:v1``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from node.records.open_badges import OB_CONTEXT
from node.records.results import number_of
from node.records.shown import shown_text
from node.records.summary import skills_of
from node.skills.package import SKILLS_CONTEXT
from protocols.credentials.model import CONTEXT_V2, as_list, has_type, id_of, subjects
from protocols.credentials.times import format_time, parse_time
from protocols.credentials.trust.scope import Award, award_of
from protocols.errors import BadInput
from storage.record_terms import Skill

__all__ = ["MAX_OFFERS", "Cost", "Offer", "OfferedCatalogue", "catalogue_credential", "read_catalogue"]

MAX_OFFERS: Final = 500
_TYPE = "AchievementCatalogCredential"
_KEPT = (
    "id", "type", "name", "description", "criteria", "achievementType", "humanCode", "alignment", "creditsAvailable",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an achievement costs, as far as it is stated: plain decimal numbers.

    Attributes:
        currency: ISO 4217, of the price.
    """

    hours: Decimal | None = None
    price: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One achievement of somebody's catalogue.

    Attributes:
        costs: by unit: ``hours``, ``credits``, or ``price in CUR``; what is not stated is missing.
        award: what a record of it would be, for the question whether its issuer is trusted for that.
    """

    issuer: str
    achievement_id: str
    name: str
    skills: tuple[Skill, ...]
    costs: dict[str, Decimal]
    award: Award


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedCatalogue:
    """A catalogue, read."""

    issuer: str
    name: str
    sequence: int
    valid_until: datetime
    offers: tuple[Offer, ...]


def catalogue_credential(
    achievements: Sequence[tuple[dict[str, Any], Cost]],
    *,
    issuer: str,
    name: str,
    sequence: int,
    valid_from: datetime,
    valid_until: datetime,
) -> dict[str, Any]:
    """An unsigned catalogue; pictures are left out.

    Raises:
        BadInput: ``catalogue.size``.
    """
    if not 1 <= len(achievements) <= MAX_OFFERS:
        message = f"A published catalogue has 1 to {MAX_OFFERS} achievements, not {len(achievements)}."
        raise BadInput("catalogue.size", message, "Add some, or retire those that nobody is awarded any more.")
    return {
        "@context": [CONTEXT_V2, OB_CONTEXT, SKILLS_CONTEXT],
        "type": ["VerifiableCredential", _TYPE],
        "name": name,
        "issuer": issuer,
        "validFrom": format_time(valid_from),
        "validUntil": format_time(valid_until),
        "credentialSubject": {
            "type": "AchievementCatalog",
            "sequence": sequence,
            "offers": [
                {
                    "type": "AchievementOffer",
                    "achievement": {name: achievement[name] for name in _KEPT if name in achievement},
                    **({} if cost.hours is None else {"hours": str(cost.hours)}),
                    **({} if cost.price is None else {"price": str(cost.price), "currency": cost.currency}),
                }
                for achievement, cost in achievements
            ],
        },
    }


def read_catalogue(document: dict[str, Any]) -> OfferedCatalogue:
    """What a catalogue says; that it is genuine is for others to see.

    Raises:
        BadInput: ``catalogue.not_signed_one``.
    """
    issuer, described = id_of(document.get("issuer")), subjects(document)
    until = parse_time(document.get("validUntil"), zone_required=False)
    if issuer is None or until is None or len(described) != 1 or not has_type(document, _TYPE):
        raise _no_catalogue()
    sequence, offers = described[0].get("sequence"), as_list(described[0].get("offers"))
    if type(sequence) is not int or sequence < 1 or not 1 <= len(offers) <= MAX_OFFERS:
        raise _no_catalogue()
    found = tuple(_offer(item, issuer, document) for item in offers if isinstance(item, dict))
    name = shown_text(document.get("name")) or issuer
    return OfferedCatalogue(
        issuer=issuer, name=name, sequence=sequence, valid_until=until, offers=tuple(each for each in found if each)
    )


def _offer(item: dict[str, Any], issuer: str, document: dict[str, Any]) -> Offer | None:
    achievement = item.get("achievement")
    achievement_id = id_of(achievement)
    if not isinstance(achievement, dict) or achievement_id is None:
        return None
    costs: dict[str, Decimal | None] = {"hours": _cost(item.get("hours"))}
    credit = achievement.get("creditsAvailable")
    costs["credits"] = _cost(str(credit)) if isinstance(credit, int | float) else None
    currency = item.get("currency")
    if isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isupper():
        costs[f"price in {currency}"] = _cost(item.get("price"))
    awarded = {"validFrom": document.get("validFrom"), "credentialSubject": {"achievement": achievement}}
    return Offer(
        issuer=issuer,
        achievement_id=achievement_id,
        name=shown_text(achievement.get("name")) or achievement_id,
        skills=skills_of(achievement.get("alignment")),
        costs={unit: cost for unit, cost in costs.items() if cost is not None},
        award=award_of(awarded, issuer),
    )


def _cost(text: Any) -> Decimal | None:
    number = number_of(text) if isinstance(text, str) else None
    return number if number is not None and number >= 0 else None


def _no_catalogue() -> BadInput:
    return BadInput("catalogue.not_signed_one", "It is no published catalogue.", "Take what a node has published.")
