"""Credentials that go along with records: about these or their issuers, and not about the holder.

In a presentation there are two kinds: an EndorsementCredential (OB 3.0 §B) of a record that is there, and the
accreditation of somebody (Recognized Entities 1.0). Promises that no record passes for one: what says anything besides
is none. Within a record stand the endorsements of it, its achievement and its issuer (``endorsement``; no context that
1EdTech publishes defines ``endorsementJwt``, so that a record with it is refused).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

from protocols.credentials.checks.trust import endorser
from protocols.credentials.model import as_list, id_of, subjects, types_of
from protocols.credentials.trust.recognition import is_recognition
from protocols.credentials.verification import Check, VerificationResult

__all__ = ["accompanies", "endorsed_in", "endorsements_in", "is_accreditation_of", "names_of_records", "of_endorsement"]

_TYPES: Final = frozenset({"VerifiableCredential", "EndorsementCredential"})
_NOT_NAMED: Final = "what it does not name"
_OF_A_SUBJECT: Final = frozenset({"id", "type", "endorsementComment"})


def endorsed_in(document: dict[str, Any]) -> tuple[str, ...]:
    """The ids of what a credential endorses; empty for one that is no endorsement, or says something besides."""
    described = subjects(document)
    whole = len(described) == len(as_list(document.get("credentialSubject"))) > 0
    if not whole or frozenset(types_of(document)) != _TYPES:
        return ()
    names = [id_of(subject) for subject in described if subject.keys() <= _OF_A_SUBJECT]
    found = tuple(name for name in names if name is not None)
    return found if len(found) == len(described) else ()


def names_of_records(documents: Collection[dict[str, Any]]) -> frozenset[str]:
    """The ids of the credentials that are no endorsements, so that none rests on another one."""
    return frozenset(name for each in documents if (name := id_of(each)) is not None and not endorsed_in(each))


def accompanies(document: dict[str, Any], records: Collection[str], holder: str | None) -> bool:
    """Whether a credential goes along with others.

    Args:
        records: the ids of the credentials that are there, see :func:`names_of_records`.
    """
    endorsed = endorsed_in(document)
    if endorsed:
        return set(endorsed) <= set(records)
    return is_recognition(document) and holder not in {id_of(subject) for subject in subjects(document)}


def is_accreditation_of(document: dict[str, Any], issuers: Collection[str]) -> bool:
    """Whether a credential accredits one of the issuers, and says so of nobody else."""
    named = [id_of(subject) for subject in subjects(document)]
    return is_recognition(document) and bool(named) and set(named) <= set(issuers)


def endorsements_in(document: dict[str, Any]) -> list[Any]:
    """What stands in a record as an endorsement, whatever that is."""
    achievements = [item for subject in subjects(document) for item in as_list(subject.get("achievement"))]
    creators = [item.get("creator") for item in achievements if isinstance(item, dict)]
    endorsed = [document, document.get("issuer"), *achievements, *creators]
    things = [thing for thing in endorsed if isinstance(thing, dict)]
    return [item for thing in things for item in as_list(thing.get("endorsement"))]


def of_endorsement(result: VerificationResult) -> VerificationResult:
    """The result of an endorsement that goes along: nothing rests on it, so its issuer need not be one that is trusted.

    Who is not trusted stays named as not checked; whatever else is wrong with it is told, and is its own affair.
    """
    document = result.document or {}
    checks = tuple(endorser(check) if check.check is Check.ISSUER_TRUSTED else check for check in result.checks)
    endorsed = tuple(name for subject in subjects(document) if (name := id_of(subject)) is not None)
    return replace(
        result, checks=checks, required=result.required - {Check.ISSUER_TRUSTED}, endorses=endorsed or (_NOT_NAMED,)
    )
