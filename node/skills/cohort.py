"""A cohort: many learners, each with the skills that the records of one issuer attest, and how many have each skill.

A learner is whom records are about: who goes by two identifiers counts twice, and a record that names nobody counts for
nobody. What is counted are learners, never records, so that many records about one learner weigh no more than one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from node.records.shown import shown_text
from node.records.summary import RecordSummary, summary
from protocols.credentials import model
from storage.record_terms import Skill

__all__ = ["CountedSkill", "Learner", "Tally"]

_NAMES = frozenset({"name", "ext:name"})


@dataclass(slots=True)
class Learner:
    """One learner of a cohort.

    Attributes:
        place: where the next learner of a page follows.
        subject: whom the records are about, as they say it.
        records: how many records count.
        skills: what they attest, by what tells a skill apart.
        name: as the records say it.
    """

    place: bytes
    subject: str
    records: int = 0
    skills: dict[str, Skill] = field(default_factory=dict)
    name: str | None = None

    def add(self, document: Mapping[str, Any], now: datetime) -> None:
        """Count a record about the learner, unless it is over by now."""
        said: RecordSummary = summary(dict(document))
        if said.valid_until is not None and said.valid_until <= now:
            return
        self.records += 1
        self.name = self.name or _name(dict(document))
        for skill in said.skills:
            self.skills.setdefault(skill.told_apart, skill)


@dataclass(slots=True)
class CountedSkill:
    """A skill, and how many learners have it."""

    skill: Skill
    learners: int = 0


@dataclass(slots=True)
class Tally:
    """How many learners have which skill, exactly; in memory is one line for each skill, however many learners."""

    learners: int = 0
    records: int = 0
    _skills: dict[str, CountedSkill] = field(default_factory=dict)

    def add(self, learner: Learner) -> None:
        """Count a learner."""
        self.learners += 1
        self.records += learner.records
        for key, skill in learner.skills.items():
            self._skills.setdefault(key, CountedSkill(skill)).learners += 1

    def skills(self) -> list[CountedSkill]:
        """What most learners have first; of what as many have, by name."""
        return sorted(self._skills.values(), key=lambda each: (-each.learners, each.skill.name, each.skill.told_apart))


def _name(document: dict[str, Any]) -> str | None:
    """The name that an Open Badges record gives to its subject (IdentityObject, OB 3.0 §B), where it is not hashed."""
    for subject in model.subjects(document):
        for identity in model.as_list(subject.get("identifier")):
            if isinstance(identity, dict) and identity.get("identityType") in _NAMES and not identity.get("hashed"):
                return shown_text(identity.get("identityHash"))
    return None
