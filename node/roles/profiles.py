"""Makes profiles of jobs: from an occupation of a framework, from a list, or from one that was exported.

Promises: each change makes a new version, and a version never changes; a skill that no framework here has is taken by
its URL only, so that a mistyped code is not asked for in vain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from node.runtime.world import World
from node.skills.frameworks import carried
from node.skills.parts import Fault
from node.skills.profile import (
    MAX_REQUIREMENTS,
    ONET_LEVEL,
    AtLeast,
    JobProfile,
    Need,
    Occupation,
    Requirement,
    Scale,
    WantedSkill,
    check,
    decode,
    encode,
)
from node.skills.readers.tables import rows
from node.skills.source import Source
from protocols.credentials.model import is_url
from protocols.errors import BadInput
from storage import audit, crosswalks, frameworks, job_profiles
from storage.engine import Store, Transaction
from storage.frameworks import FoundItem, Relation
from storage.job_profiles import StoredProfile

__all__ = ["Asked", "FromOccupation", "Profiles"]

_NEEDS: Final = frozenset({"requires", "essential", "optional"})
_WISHED_KINDS: Final = frozenset({"optional"})
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A skill as somebody writes it down.

    Attributes:
        skill: its code or URL.
        name: for people; needed only where no framework here knows it.
    """

    skill: str
    need: Need = "required"
    name: str = ""
    level: AtLeast | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FromOccupation:
    """An occupation, and what of its skills is taken.

    Attributes:
        code: its code or URL.
        required_from, wished_from: the importance (O*NET: 1 to 5) from which a skill is required, or wished.
        with_levels: whether the level that the framework states is asked for.
    """

    code: str
    framework: str | None = None
    required_from: float = 3.5
    wished_from: float = 3.0
    with_levels: bool = True


class Profiles:
    """What an operator does about profiles."""

    def __init__(self, store: Store, world: World) -> None:
        self._store = store
        self._world = world

    async def add(
        self, name: str, *, title: str = "", occupation: FromOccupation | None = None, skills: Sequence[Asked] = ()
    ) -> JobProfile:
        """Keep a profile, as a new version where there is one of this name.

        Raises:
            BadInput: ``profile.*``.
            WrongState: ``skill.unknown``.
        """
        async with self._store.write() as tx:
            stands_for, requirements = None, list[Requirement]()
            if occupation is not None:
                stands_for, requirements = await _of_occupation(tx, occupation)
            own = await _of_list(tx, skills)
            replaced = {each.skill.url or each.skill.code for each in own}
            kept = [each for each in requirements if (each.skill.url or each.skill.code) not in replaced]
            title = title or (stands_for.name if stands_for else name)
            return await self._keep(tx, name, title, (*own, *kept), stands_for)

    async def add_file(self, path: Path, *, name: str | None, title: str = "") -> JobProfile:
        """Keep the profile in a file: JSON as it is exported, or a CSV of skills.

        Raises:
            BadInput: ``profile.*``, ``json.*``, ``framework.malformed``.
        """
        if path.stat().st_size > _MAX_BYTES:
            raise BadInput("profile.too_large", "The file has more than 1 MiB.", "Split the profile.")
        source = Source(path, name=name or "profile")
        if source.head.lstrip("\ufeff \t\r\n").startswith("{"):
            given = decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
            async with self._store.write() as tx:
                return await self._keep(
                    tx, name or given.name, title or given.title, given.requirements, given.occupation
                )
        if name is None:
            raise BadInput("profile.unnamed", "A list of skills does not say what the job is called.", "Name it.")
        return await self.add(name, title=title, skills=_listed(source))

    async def get(self, name: str, number: int | None = None) -> JobProfile:
        """A profile, in its last version or the one of that number.

        Raises:
            WrongState: ``job_profile.unknown``.
        """
        async with self._store.read() as tx:
            return decode((await job_profiles.get(tx, name, number)).document)

    async def list(self) -> list[JobProfile]:
        """Every profile in its last version."""
        async with self._store.read() as tx:
            return [decode(each.document) for each in await job_profiles.latest_of_each(tx)]

    async def remove(self, name: str) -> JobProfile:
        """Forget a profile with all its versions; what it was.

        Raises:
            WrongState: ``job_profile.unknown``.
        """
        async with self._store.write() as tx:
            last = decode((await job_profiles.get(tx, name)).document)
            await job_profiles.remove(tx, name)
            await audit.append(
                tx, at=self._world.clock(), event="job_profile.removed", actor="operator", subjects=(name,)
            )
        return last

    async def _keep(
        self,
        tx: Transaction,
        name: str,
        title: str,
        requirements: Sequence[Requirement],
        occupation: Occupation | None,
    ) -> JobProfile:
        now = self._world.clock().replace(microsecond=0)
        if not 1 <= len(requirements) <= MAX_REQUIREMENTS:
            raise BadInput(
                "profile.size",
                f"The profile would have {len(requirements)} skills; it has 1 to {MAX_REQUIREMENTS}.",
                "Name skills, or another importance from which they count.",
            )
        values = {
            "type": "JobProfile",
            "name": name,
            "number": await job_profiles.next_number(tx, name),
            "title": title,
            "requirements": [msgspec.to_builtins(each) for each in requirements],
            "created": now.isoformat(),
        }
        if occupation is not None:
            values["occupation"] = msgspec.to_builtins(occupation)
        profile = decode(msgspec.json.encode(values))
        await job_profiles.add(tx, StoredProfile(profile.name, profile.number, encode(check(profile)).decode(), now))
        await audit.append(
            tx,
            at=now,
            event="job_profile.added",
            actor="operator",
            subjects=(profile.name,),
            details={"number": profile.number},
        )
        return profile


async def _of_occupation(tx: Transaction, wanted: FromOccupation) -> tuple[Occupation, list[Requirement]]:
    found = await frameworks.item(tx, wanted.code, framework_id=wanted.framework)
    own = {found.item.key, found.item.code}
    needs = [
        relation
        for relation, _name in await frameworks.related(tx, found.item)
        if relation.kind in _NEEDS and relation.source in own
    ]
    if not needs:
        raise BadInput(
            "profile.no_skills",
            f"No framework here says which skills “{found.item.name}” needs.",
            "Import the whole O*NET database or ESCO, or give the skills in a list.",
        )
    items = await crosswalks.named(tx, {relation.target for relation in needs})
    requirements = [
        Requirement(
            skill=_skill(items[relation.target][0]),
            need=need,
            importance=None if relation.importance is None else relation.importance / 100,
            level=_onet_level(relation) if wanted.with_levels else None,
        )
        for relation in needs
        if relation.target in items and (need := _need(relation, wanted)) is not None
    ]
    occupation = Occupation(
        name=found.item.name, code=found.item.code, url=found.item.url, framework=found.framework, number=found.number
    )
    return occupation, sorted(requirements, key=lambda each: each.need)[:MAX_REQUIREMENTS]


def _need(relation: Relation, wanted: FromOccupation) -> Need | None:
    if relation.importance is None:
        return "wished" if relation.kind in _WISHED_KINDS else "required"
    if relation.importance >= 100 * wanted.required_from:
        return "required"
    return "wished" if relation.importance >= 100 * wanted.wished_from else None


def _onet_level(relation: Relation) -> AtLeast | None:
    return None if relation.level is None else AtLeast(value=f"{relation.level / 100:.2f}", scale=ONET_LEVEL)


async def _of_list(tx: Transaction, skills: Iterable[Asked]) -> list[Requirement]:
    wanted = list(skills)
    items = await crosswalks.named(tx, {each.skill for each in wanted})
    return [
        Requirement(skill=_known(each, items.get(each.skill, [])), need=each.need, level=each.level) for each in wanted
    ]


def _known(asked: Asked, found: Sequence[FoundItem]) -> WantedSkill:
    if len({each.framework_id for each in found}) > 1:
        raise BadInput(
            "profile.skill_ambiguous",
            f"Several frameworks have the code {asked.skill[:100]}.",
            "Name the skill by its URL; see lernode framework skill CODE.",
        )
    if found:
        return _skill(found[0])
    here = carried().get(asked.skill)
    if here is not None:
        return WantedSkill(name=here.name, code=here.code, url=here.url, framework=here.framework)
    if is_url(asked.skill):
        return WantedSkill(name=asked.name or asked.skill, url=asked.skill)
    raise BadInput(
        "profile.skill_unknown",
        f"No framework here has the skill {asked.skill[:100]}.",
        "Import its framework, or name the skill by its URL.",
    )


def _skill(found: FoundItem) -> WantedSkill:
    item = found.item
    return WantedSkill(name=item.name[:500], code=item.code, url=item.url, framework=found.framework)


def _listed(source: Source) -> list[Asked]:
    """The skills of a CSV: ``skill``, and ``need``, ``name``, ``level`` with ``steps`` or ``low`` and ``high``."""
    asked: list[Asked] = []
    faults: list[str] = []
    for row in rows(source, needed={"skill"}):
        if isinstance(row, Fault):
            faults.append(f"{row.place}: {row.message}")
            continue
        need = row["need"].casefold() or "required"
        if not row["skill"] or need not in ("required", "wished"):
            faults.append(f"{row.place}: It names no skill, or a need other than required and wished.")
            continue
        asked.append(
            Asked(
                skill=row["skill"],
                need="wished" if need == "wished" else "required",
                name=row["name"],
                level=_level(row["level"], row["scale"], row["steps"], row["low"], row["high"]),
            )
        )
    if faults:
        told = "\n".join(faults[:20])
        raise BadInput(
            "profile.bad_rows", f"{len(faults)} rows cannot be read; nothing was kept.\n{told}", "Mend them."
        )
    return asked


def _level(value: str, scale: str, steps: str, low: str, high: str) -> AtLeast | None:
    if not value:
        return None
    parts = tuple(part.strip() for part in steps.split("|") if part.strip())
    name = scale or (f"{parts[0]} to {parts[-1]}" if parts else f"{low} to {high}")
    return AtLeast(value=value, scale=Scale(name=name, steps=parts, low=low or None, high=high or None))
