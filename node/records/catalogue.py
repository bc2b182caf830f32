"""Achievements as an issuer writes them into its catalogue: a list of Open Badges 3.0 Achievements.

It is a JSON list of Achievement objects (OB 3.0 §B), each aligned to skills. It is read once, at the door:
every problem is told with its JSONPath, all at once. What is signed later is each object exactly as it stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from node.records.problems import Problem, json_path
from node.records.results import ResultDescription
from node.records.schema import MAX_PROBLEMS, catalogue_problems
from node.records.summary import skills_of
from protocols import strict_json
from protocols.errors import BadInput, WrongState
from storage.credentials import Skill

__all__ = ["MAX_ACHIEVEMENTS", "MAX_BYTES", "Achievement", "Catalogue"]

MAX_BYTES = 8 << 20
MAX_ACHIEVEMENTS = 2_000

_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Achievement:
    """One thing that can be awarded.

    Attributes:
        slug: a short name within the catalogue, for the command line: of ``humanCode``, else of ``name``, as it was
            when it was added.
        achievement_type: e.g. ``Certificate``; ``None`` where the catalogue does not say.
        skills: what it is aligned to.
        results: the results that a learner may have in it.
        document: the Achievement object, exactly as in the file.
    """

    id: str
    slug: str
    name: str
    description: str
    achievement_type: str | None
    skills: tuple[Skill, ...]
    results: tuple[ResultDescription, ...]
    document: dict[str, Any]

    @classmethod
    def from_document(cls, document: dict[str, Any], *, slug: str | None = None) -> Achievement:
        """Read an Achievement that :meth:`Catalogue.parse` has found valid.

        Args:
            slug: its short name, where that is not the one of its ``humanCode`` or ``name``.
        """
        return cls(
            id=document["id"],
            slug=slug or _slug(document),
            name=document["name"],
            description=document["description"],
            achievement_type=document.get("achievementType"),
            skills=skills_of(document.get("alignment")),
            results=tuple(ResultDescription.from_document(raw) for raw in document.get("resultDescription", ())),
            document=document,
        )

    @property
    def result(self) -> ResultDescription | None:
        """What a single result of a learner is about: the first description; ``None`` where there is none."""
        return self.results[0] if self.results else None


class Catalogue:
    """The achievements of one issuer, by id and by slug."""

    def __init__(self, achievements: tuple[Achievement, ...]) -> None:
        self._achievements = achievements
        self._by_name = {item.slug: item for item in achievements} | {item.id: item for item in achievements}

    @classmethod
    def parse(cls, data: bytes | str) -> Catalogue:
        """Read a catalogue file.

        Raises:
            BadInput: ``catalogue.invalid``, whose message tells every problem with its path, one a line;
                ``json.*`` where it is not JSON at all.
        """
        items = strict_json.loads(data, max_bytes=MAX_BYTES)
        problems = list(_problems(items))
        if problems:
            told = "\n".join(str(problem) for problem in problems[:MAX_PROBLEMS])
            more = f"\n… and {len(problems) - MAX_PROBLEMS} more." if len(problems) > MAX_PROBLEMS else ""
            message = f"The catalogue has problems:\n{told}{more}"
            raise BadInput("catalogue.invalid", message, "Mend them; the properties are those of Open Badges 3.0 §B.")
        return cls(tuple(Achievement.from_document(item) for item in items))

    def get(self, name: str) -> Achievement:
        """The achievement with that id, or with that slug in any letter case.

        Raises:
            WrongState: ``catalogue.unknown_achievement``.
        """
        found = self._by_name.get(name) or self._by_name.get(name.lower())
        if found is None:
            hint = f"It has: {', '.join(item.slug for item in self._achievements[:20])}."
            raise WrongState("catalogue.unknown_achievement", "The catalogue has no such achievement.", hint)
        return found

    def list(self) -> tuple[Achievement, ...]:
        """All achievements, in the order of the file."""
        return self._achievements

    def __len__(self) -> int:
        return len(self._achievements)


def _problems(items: Any) -> Iterator[Problem]:
    if not isinstance(items, list) or not items:
        yield Problem("$", "The catalogue is not a list of at least one achievement.")
    elif len(items) > MAX_ACHIEVEMENTS:
        yield Problem("$", f"The catalogue has more than {MAX_ACHIEVEMENTS} achievements.")
    else:
        sound: dict[int, dict[str, Any]] = {}
        for index, item in enumerate(items):
            problems = _of_form(index, item)
            yield from problems
            if not problems:
                sound[index] = item
        for index, item in sound.items():
            yield from _of_results(index, item.get("resultDescription", ()))
        yield from _twice({index: item["id"] for index, item in sound.items()}, "id")
        yield from _twice({index: _slug(item) for index, item in sound.items()}, "humanCode")


def _of_form(index: int, item: Any) -> list[Problem]:
    problems = [Problem(f"$[{index}]{problem.path[1:]}", problem.message) for problem in catalogue_problems(item)]
    if not problems and not _slug(item):
        problems = [Problem(json_path([index, "humanCode"]), "A code in Latin letters or digits is needed here.")]
    return problems


def _of_results(index: int, descriptions: list[dict[str, Any]]) -> Iterator[Problem]:
    for position, raw in enumerate(descriptions):
        for name, message in ResultDescription.from_document(raw).problems():
            yield Problem(json_path([index, "resultDescription", position, name]), message)
    ids = [raw["id"] for raw in descriptions]
    if len(set(ids)) != len(ids):
        yield Problem(json_path([index, "resultDescription"]), "Two result descriptions have the same id.")


def _twice(values: dict[int, str], name: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, value in values.items():
        if value in first:
            what = "id" if name == "id" else "short name"
            yield Problem(json_path([index, name]), f"The achievement at [{first[value]}] has the same {what}.")
        first.setdefault(value, index)


def _slug(item: dict[str, Any]) -> str:
    return _NOT_IN_SLUG.sub("-", (item.get("humanCode") or item["name"]).lower()).strip("-")
