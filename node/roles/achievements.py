"""What this node can award: its catalogue of achievements, which a person adds to, edits and retires.

A version from which a record was offered or issued never changes. Editing it makes a new version beside it, with an id
of its own that names the former as ``related`` (OB 3.0 §B, Achievement and Related), and records keep what they say.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from node.records.catalogue import MAX_ACHIEVEMENTS, Achievement, Catalogue
from node.runtime.world import World
from protocols import strict_json
from protocols.errors import BadInput, WrongState
from storage import achievements, audit, frameworks, meta
from storage.achievements import Entry
from storage.engine import Store, Transaction

__all__ = ["Achievements", "FromSkill"]

_FILE = "catalogue.file"
_NUMBERED = re.compile(r"(?P<name>.+)@(?P<number>[1-9]\d{0,5})", re.ASCII)
_OF_VERSION = re.compile(r"#v\d+$")
_TARGET_TYPES = {"case-package": "CFItem", "case-csv": "CFItem", "ctdl-asn": "ceasn:Competency"}
"""Format of a framework -> what OB 3.0 calls its items (§B, AlignmentTargetType)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FromSkill:
    """An achievement to be made of an item of a framework that is imported.

    Attributes:
        framework: the framework's short name here.
        code: the item's code or URL.
        name, description, criteria: instead of the item's own words.
        achievement_type: OB 3.0 §B, AchievementType.
    """

    framework: str
    code: str
    name: str | None = None
    description: str | None = None
    criteria: str | None = None
    achievement_type: str = "Competency"


class Achievements:
    """The catalogue, and what a person does with it."""

    def __init__(self, store: Store, world: World) -> None:
        self._store = store
        self._world = world

    async def awarded(self, tx: Transaction, name: str) -> Achievement:
        """The achievement that is to be awarded now; from here on this version of it never changes.

        Args:
            name: its short name, which stands for the current version; ``NAME@NUMBER``, or the id of a version.

        Raises:
            WrongState: ``catalogue.unknown_achievement``, ``catalogue.retired``.
        """
        entry = await self.entry(tx, name)
        _require_awardable(entry)
        if not entry.used:
            await achievements.mark_used(tx, entry)
        return Achievement.from_document(entry.document, slug=entry.slug)

    async def awardable(self, tx: Transaction, name: str) -> Achievement:
        """As :meth:`awarded`, to find out what would be awarded."""
        entry = await self.entry(tx, name)
        _require_awardable(entry)
        return Achievement.from_document(entry.document, slug=entry.slug)

    async def entry(self, tx: Transaction, name: str) -> Entry:
        """A version of an achievement, also of one that is awarded no more.

        Raises:
            WrongState: ``catalogue.unknown_achievement``.
        """
        found = await achievements.find(tx, name)
        if found is None and (numbered := _NUMBERED.fullmatch(name)):
            found = await achievements.find(tx, numbered["name"], number=int(numbered["number"]))
        if found is None:
            raise WrongState(
                "catalogue.unknown_achievement",
                "The catalogue has no such achievement.",
                "lernode catalogue lists what it has; lernode catalogue add FILE adds to it.",
            )
        return found

    async def add(self, documents: Sequence[Any]) -> list[Entry]:
        """Add achievements, all of them or none.

        Raises:
            BadInput: ``catalogue.invalid``, with every problem.
            WrongState: ``catalogue.exists``.
        """
        parsed = Catalogue.parse(strict_json.dumps(list(documents))).list()
        async with self._store.write() as tx:
            await achievements.lock(tx)
            added = [await self._add(tx, each) for each in parsed]
            await self._note(tx, "catalogue.added", added)
        return added

    async def add_from_skill(self, wanted: FromSkill) -> Entry:
        """Add an achievement that says what an item of a framework says, and is aligned to it.

        Raises:
            BadInput: ``catalogue.skill_without_url`` where the item has no URL, which an Alignment needs.
            WrongState: ``skill.unknown``, ``framework.unknown``, ``catalogue.exists``.
        """
        async with self._store.read() as tx:
            alignment = await self.alignment(tx, wanted.framework, wanted.code)
        name, said = alignment["targetName"], alignment.get("targetDescription")
        description = wanted.description or said or name
        document = {
            "id": f"urn:uuid:{self._world.new_id()}",
            "type": ["Achievement"],
            "name": wanted.name or name,
            "humanCode": alignment.get("targetCode") or wanted.name or name,
            "achievementType": wanted.achievement_type,
            "description": description,
            "criteria": {"narrative": wanted.criteria or f"The learner has shown: {description}"},
            "alignment": [alignment],
        }
        (added,) = await self.add([document])
        return added

    async def alignment(self, tx: Transaction, framework_id: str, code: str) -> dict[str, Any]:
        """The Alignment to an item of a framework (OB 3.0 §B).

        Raises:
            BadInput: ``catalogue.skill_without_url``.
            WrongState: ``skill.unknown``, ``framework.unknown``.
        """
        version = await frameworks.latest(tx, framework_id)
        found = (await frameworks.item(tx, code, framework_id=framework_id)).item
        if found.url is None:
            raise BadInput(
                "catalogue.skill_without_url",
                "The item has no URL, and an alignment needs one.",
                "Import the framework with its URLs, or write the achievement into a file: lernode catalogue add FILE.",
            )
        target_type = _TARGET_TYPES.get(version.format)
        return {
            "type": ["Alignment"],
            "targetName": found.name,
            "targetUrl": found.url,
            **({"targetCode": found.code} if found.code else {}),
            **({"targetDescription": found.description} if found.description else {}),
            "targetFramework": version.title,
            **({"targetType": target_type} if target_type else {}),
        }

    async def edit(
        self,
        name: str,
        document: dict[str, Any] | None,
        *,
        align: Sequence[tuple[str, str]] = (),
        based_on: int | None = None,
    ) -> Entry:
        """Let an achievement be awarded as ``document`` says; in a new version where the current one was used.

        The new version has the id that ``document`` gives, where that is a new one, or one made of the former's.

        Args:
            document: the whole Achievement; None to leave it as it is.
            align: items of frameworks, by framework and code, to which it is aligned too.
            based_on: the number of the version that was edited; refused where it is not the current one any more.

        Raises:
            BadInput: ``catalogue.invalid``.
            WrongState: ``catalogue.unknown_achievement``, ``catalogue.exists``, ``catalogue.edited_meanwhile``, and as
                :meth:`alignment`.
        """
        async with self._store.write() as tx:
            await achievements.lock(tx)
            current = await self._current(tx, await self.entry(tx, name))
            if based_on not in (None, current.number):
                raise WrongState(
                    "catalogue.edited_meanwhile", "Somebody edited it meanwhile.", "Look at it, and edit it again."
                )
            wanted = document or current.document
            if align:
                more = [await self.alignment(tx, framework_id, code) for framework_id, code in align]
                wanted = wanted | {"alignment": [*wanted.get("alignment", ()), *more]}
            (parsed,) = Catalogue.parse(strict_json.dumps([wanted])).list()
            changed = await self._edit(tx, current, parsed.document)
            await self._note(tx, "catalogue.edited", [changed])
        return changed

    async def retire(self, name: str, *, undo: bool = False) -> Entry:
        """Award an achievement no more; records of it stay as they are.

        Args:
            undo: award it again.

        Raises:
            WrongState: ``catalogue.unknown_achievement``.
        """
        async with self._store.write() as tx:
            await achievements.lock(tx)
            current = await self._current(tx, await self.entry(tx, name))
            await achievements.set_retired(tx, current.achievement_id, retired=not undo)
            await self._note(tx, "catalogue.restored" if undo else "catalogue.retired", [current])
        return replace(current, retired=not undo)

    async def take(self, file: bytes) -> None:
        """Take in what the catalogue file says, as far as it says something else than when it was taken last.

        Raises:
            BadInput: ``catalogue.invalid``, ``json.*``.
            WrongState: ``catalogue.exists``, ``catalogue.full``.
        """
        if not file:
            return
        async with self._store.read() as tx:
            whole = tx.sealing.blind(_FILE, hashlib.sha256(file).hexdigest()).hex()
            if await meta.get(tx, _FILE) == whole:
                return
        said = {item.id: item for item in Catalogue.parse(file).list()}
        async with self._store.write() as tx:
            await achievements.lock(tx)
            known = {entry.document["id"]: entry for entry in await achievements.find_all_named(tx, list(said))}
            for name, item in said.items():
                await self._take_one(tx, item, known.get(name))
            await meta.put(tx, _FILE, whole)

    async def _take_one(self, tx: Transaction, item: Achievement, known: Entry | None) -> None:
        entry = known or await self._add(tx, item)
        differs = await achievements.note_file(tx, entry, hashlib.sha256(strict_json.dumps(item.document)).digest())
        if known is None:
            await self._note(tx, "catalogue.added", [entry])
        elif differs:
            changed = await self._edit(tx, await self._current(tx, entry), item.document)
            await self._note(tx, "catalogue.edited", [changed])

    async def _add(self, tx: Transaction, item: Achievement) -> Entry:
        if await achievements.count(tx) >= MAX_ACHIEVEMENTS:
            raise WrongState(
                "catalogue.full", f"A catalogue has at most {MAX_ACHIEVEMENTS} achievements.", "Edit one that is there."
            )
        entry = Entry(
            id=self._world.new_id(),
            achievement_id=self._world.new_id(),
            slug=item.slug,
            number=1,
            document=item.document,
            made=self._world.clock(),
        )
        await achievements.add(tx, entry)
        return entry

    async def _edit(self, tx: Transaction, current: Entry, document: dict[str, Any]) -> Entry:
        if document == current.document:
            return current
        changed = replace(current, document=document, made=self._world.clock())
        if current.used:
            former = await achievements.versions(tx, current.achievement_id)
            number = former[0].number + 1
            if document["id"] in {entry.document["id"] for entry in former}:
                document = document | {"id": self._next_id(current, number)}
            document = document | {"related": _with_former(document, current)}
            changed = replace(changed, id=self._world.new_id(), number=number, document=document, used=False)
        await achievements.change(tx, changed)
        return changed

    def _next_id(self, current: Entry, number: int) -> str:
        base = _OF_VERSION.sub("", current.document["id"])
        if base.startswith(("https://", "http://")) and "#" not in base:
            return f"{base}#v{number}"
        return f"urn:uuid:{self._world.new_id()}"

    async def _current(self, tx: Transaction, entry: Entry) -> Entry:
        return entry if entry.current else await self.entry(tx, entry.slug)

    async def _note(self, tx: Transaction, event: str, entries: Sequence[Entry]) -> None:
        for entry in entries:
            await audit.append(tx, at=self._world.clock(), event=event, actor="operator", subjects=(entry.id,))


def _require_awardable(entry: Entry) -> None:
    if entry.retired:
        raise WrongState(
            "catalogue.retired",
            "The achievement is awarded no more.",
            f"lernode catalogue retire {entry.slug} --undo lets it be awarded again.",
        )


def _with_former(document: dict[str, Any], former: Entry) -> list[dict[str, Any]]:
    """The ``related`` of a new version: what it had, and the version before it."""
    kept = [each for each in document.get("related", ()) if each.get("id") != former.document["id"]]
    version = former.document.get("version", str(former.number))
    return [{"id": former.document["id"], "type": ["Related"], "version": version}, *kept]
