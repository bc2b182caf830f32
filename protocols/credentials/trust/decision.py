"""Whether an issuer is believed for what it awards, and why: from the record up, one word at a time.

1. A grant of the verifier's own, or of a list that it follows, for the issuer and this award: believed.
2. Else each accreditation of the issuer that is sound, and reaches this award at the time of issuing: believed where
   its accreditor is one whom the verifier lets recognise others, for this award; or where, in turn, that accreditor
   holds such an accreditation to recognise. At most :data:`MAX_LINKS` in a row; nobody is asked about twice, so that
   who recognise each other are believed for no other reason.

The shortest chain is given. What was looked at and did not do is given too, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from protocols.credentials.trust.grants import LIST_EXPIRED, Action, Grant
from protocols.credentials.trust.scope import Award
from protocols.credentials.verification import Outcome

__all__ = ["MAX_LINKS", "UNTRUSTED", "Accreditation", "Decision", "Facts", "Refusal", "decide"]

MAX_LINKS = 4
_MAX_TOLD = 20
UNTRUSTED = "accreditor-untrusted"


@dataclass(frozen=True, slots=True)
class Accreditation:
    """What one accreditation says of its subject.

    Attributes:
        grant: its ``origin.publisher`` is the accreditor.
        fault: the code of why it is not to be believed, or ``None``.
        outcome: FAIL where it is refused for good, NOT_CHECKED where that is not known, PASS where it is sound.
    """

    grant: Grant
    fault: str | None = None
    outcome: Outcome = Outcome.PASS


class Facts(Protocol):
    """What is known of DIDs."""

    async def grants(self, did: str) -> tuple[Grant, ...]:
        """What the verifier itself, or a list that it follows, grants a DID."""

    async def accreditations(self, did: str) -> tuple[Accreditation, ...]:
        """What accreditations say of a DID, with their checks; asked for only where no grant does."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A grant that was looked at, and why it did not do."""

    grant: Grant
    why: str
    outcome: Outcome = Outcome.FAIL

    def to_json(self) -> dict[str, Any]:
        """As a part of an explanation."""
        return {**self.grant.to_json(), "refused": self.why}


@dataclass(frozen=True, slots=True)
class Decision:
    """How the question ended.

    Attributes:
        chain: the grants by which the issuer is believed, from its own to one of the verifier's; empty where it is not.
        refusals: what was looked at besides.
    """

    chain: tuple[Grant, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    def details(self) -> dict[str, Any]:
        """What a check tells of it: ``because``, the chain, and ``refused``, at most twenty of each."""
        told = {
            "because": [grant.to_json() for grant in self.chain[:_MAX_TOLD]],
            "refused": [refusal.to_json() for refusal in self.refusals[:_MAX_TOLD]],
        }
        return {name: links for name, links in told.items() if links}


async def decide(award: Award, facts: Facts, *, now: datetime) -> Decision:
    """Whether the award is believed, and why.

    Args:
        now: timezone-aware.
    """
    if award.issuer is None:
        return Decision()
    refusals: list[Refusal] = []
    first = Action.RECOGNIZE if award.achievements is None else Action.ISSUE
    waiting: list[tuple[str, Action, tuple[Grant, ...]]] = [(award.issuer, first, ())]
    met = {award.issuer}
    for did, action, chain in waiting:  # which grows meanwhile; the nearest come first
        for grant in (each for each in await facts.grants(did) if each.action is action):
            why = grant.refusal(award, now)
            if why is None:
                return Decision((*chain, grant), tuple(refusals))
            refusals.append(Refusal(grant, why, Outcome.NOT_CHECKED if why == LIST_EXPIRED else Outcome.FAIL))
        for each in (each for each in await facts.accreditations(did) if each.grant.action is action):
            accreditor = each.grant.origin.publisher
            why = each.fault or each.grant.refusal(award, now) or _refused_link(accreditor, met, len(chain))
            if why is not None or accreditor is None:
                refusals.append(Refusal(each.grant, why or "unsigned", each.outcome if each.fault else Outcome.FAIL))
                continue
            met.add(accreditor)
            waiting.append((accreditor, Action.RECOGNIZE, (*chain, each.grant)))
    refusals += [Refusal(chain[-1], UNTRUSTED) for _, _, chain in waiting if chain]
    return Decision((), tuple(refusals))


def _refused_link(accreditor: str | None, met: set[str], links: int) -> str | None:
    if accreditor in met:
        return "circle"
    return "too-long" if links >= MAX_LINKS else None
