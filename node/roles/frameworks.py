"""Imports frameworks of skills into the node's store, piece by piece.

Promises: an import is seen whole or not at all, also after a crash; a file with rows that cannot be read is imported
only where its user says that these are to be left out; importing again makes a new version, and the old ones stay.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from node.net.guarded_http import GuardedHttp
from node.runtime.world import World
from node.skills.frameworks import READERS, reader_for
from node.skills.parts import CHILD, About, Fault, Item, Part, PlacedItem, Relation
from node.skills.source import Source
from protocols.errors import BadInput, WrongState
from storage import audit, frameworks
from storage.engine import Store
from storage.frameworks import Difference, Version

__all__ = ["Frameworks", "HowToImport", "Imported"]

MAX_ITEMS: Final = 500_000
_MAX_FETCHED_BYTES = 128 << 20
_AT_ONCE = 1000
_MAX_FAULTS = 1000
_TOLD = 20
_DRAFT_IS_LOST_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HowToImport:
    """What the user says of a file.

    Attributes:
        name: the short name of the framework; without it that of its title.
        format: a key of :data:`node.skills.frameworks.READERS`; without it the format is recognised.
        encoding: where it is neither UTF-8 nor UTF-16 with a byte order mark.
        mapping: for plain CSV; without it the one that was used last.
        skip_bad: leave out what cannot be read, and import the rest.
        version, source, licence: where the file does not say, or what shall be noted instead.
        signed_by, digest: of a package, whose signature and digest were checked.
    """

    name: str | None = None
    format: str | None = None
    encoding: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    skip_bad: bool = False
    version: str = ""
    source: str = ""
    licence: str = ""
    signed_by: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How an import ended.

    Attributes:
        unchanged: whether the file is the very one of the last version, so that nothing was imported.
        faults: what was left out; at most a thousand are listed.
        difference: from the version before, where there is one.
    """

    version: Version
    unchanged: bool = False
    faults: tuple[Fault, ...] = ()
    difference: Difference | None = None


class Frameworks:
    """Imports frameworks."""

    def __init__(self, store: Store, http: GuardedHttp, world: World) -> None:
        self._store = store
        self._http = http
        self._world = world
        self._one_at_a_time = asyncio.Lock()

    async def import_url(self, url: str, how: HowToImport) -> Imported:
        """Fetch a framework and import it.

        Raises:
            BadInput, NotNow: ``net.*``, and as :meth:`import_file`.
        """
        answer = await self._http.get(url, max_bytes=_MAX_FETCHED_BYTES, accept="*/*")
        with tempfile.TemporaryDirectory(prefix="lernode-") as folder:
            path = Path(folder, "framework")
            await asyncio.to_thread(path.write_bytes, answer.body)
            stem = url.partition("?")[0].rstrip("/").rpartition("/")[2].partition(".")[0]
            return await self.import_file(path, replace(how, source=how.source or url), stem=stem or "framework")

    async def import_file(self, path: Path, how: HowToImport, *, stem: str) -> Imported:
        """Import a framework.

        Args:
            stem: what the file is called, without its ending.

        Raises:
            BadInput: ``framework.*``; ``framework.bad_rows`` tells the first rows that cannot be read.
            WrongState: ``framework.importing``.
        """
        if self._one_at_a_time.locked():
            raise WrongState("framework.importing", "A framework is being imported.", "Wait until it is done.")
        async with self._one_at_a_time:
            digest = how.digest or "sha-256:" + await asyncio.to_thread(_digest, path)
            mapping = how.mapping or await self._saved_mapping(_slug(how.name or stem))
            source = await asyncio.to_thread(Source, path, name=stem, encoding=how.encoding, mapping=mapping)
            format_name = await asyncio.to_thread(reader_for, source, how.format)
            if format_name == "package" and how.signed_by is None:
                raise BadInput(
                    "framework.is_package",
                    "That is a signed package of another node, whose signature is to be checked.",
                    "Take it: lernode framework take FILE",
                )
            return await self._read(_Import(source, how, format_name, digest))

    async def remove(self, framework_id: str) -> None:
        """Forget a framework with all its versions; records keep the URLs of their skills.

        Raises:
            WrongState: ``framework.unknown``.
        """
        async with self._store.write() as tx:
            await frameworks.remove(tx, framework_id)
            await audit.append(
                tx, at=self._world.clock(), event="framework.removed", actor="operator", subjects=(framework_id,)
            )

    async def _saved_mapping(self, framework_id: str) -> dict[str, str]:
        async with self._store.read() as tx:
            return await frameworks.mapping(tx, framework_id)

    async def _read(self, task: _Import) -> Imported:
        first = await asyncio.to_thread(task.next_parts)
        framework_id = _slug(task.how.name or task.about.title or task.source.name)
        async with self._store.write() as tx:
            earlier = await frameworks.versions(tx, framework_id)
            if earlier and earlier[0].digest == task.digest:
                return Imported(version=earlier[0], unchanged=True)
            for lost in await frameworks.drafts(tx, framework_id):
                if lost.imported < self._world.clock() - _DRAFT_IS_LOST_AFTER:
                    await frameworks.discard(tx, lost.id)
            draft = Version(
                id=self._world.new_id(),
                framework_id=framework_id,
                number=0,
                title=task.about.title or task.source.name,
                version="",
                source="",
                licence="",
                format=task.format_name,
                digest=task.digest,
                signed_by=task.how.signed_by,
                imported=self._world.clock(),
            )
            draft = await frameworks.begin(tx, draft, task.source.mapping)
        try:
            return await self._fill(task, first, draft, earlier[0] if earlier else None)
        except BaseException:
            async with self._store.write() as tx:
                await frameworks.discard(tx, draft.id)
            raise

    async def _fill(self, task: _Import, parts: list[Part], draft: Version, before: Version | None) -> Imported:
        count = 0
        while parts:
            items, relations = task.sorted(parts)
            async with self._store.write() as tx:
                await frameworks.add_items(tx, draft.id, items, position=count)
                await frameworks.add_relations(tx, draft.id, relations)
            count += len(items)
            if count > MAX_ITEMS:
                raise BadInput("framework.too_large", f"The framework has more than {MAX_ITEMS} items.", "Split it.")
            parts = await asyncio.to_thread(task.next_parts)
        task.judge(count)
        how, about = task.how, task.about
        done = replace(
            draft,
            title=about.title or task.source.name,
            version=how.version or about.version,
            source=how.source or about.source,
            licence=how.licence or about.licence,
            items=count,
            skipped=task.fault_count,
        )
        async with self._store.write() as tx:
            await frameworks.complete(tx, done)
            await audit.append(
                tx,
                at=done.imported,
                event="framework.imported",
                actor="operator",
                subjects=(done.framework_id, done.digest),
            )
            difference = await frameworks.difference(tx, before.id, done.id) if before else None
        return Imported(version=done, faults=tuple(task.faults), difference=difference)


class _Import:
    """One import: what has been read, and what was wrong."""

    def __init__(self, source: Source, how: HowToImport, format_name: str, digest: str) -> None:
        self.source = source
        self.how = how
        self.format_name = format_name
        self.digest = digest
        self.about = About()
        self.faults: list[Fault] = []
        self.fault_count = 0
        self._parts: Iterator[Part] = iter(READERS[format_name].read(source))
        self._keys: set[str] = set()
        self._has_relations = False  # a crosswalk has nothing else
        self._placed: set[tuple[str, str]] = set()

    def next_parts(self) -> list[Part]:
        """Read on; empty at the end."""
        parts = list(islice(self._parts, _AT_ONCE))
        for part in parts:
            if isinstance(part, About):
                self.about = About(
                    title=part.title or self.about.title,
                    version=part.version or self.about.version,
                    source=part.source or self.about.source,
                    licence=part.licence or self.about.licence,
                )
        return parts

    def sorted(self, parts: list[Part]) -> tuple[list[Item], list[Relation]]:
        """The items and the relations, each once; faults are noted."""
        items: list[Item] = []
        relations: list[Relation] = []
        for part in parts:
            if isinstance(part, Item):
                if part.key in self._keys:
                    name = part.code or part.key
                    place = f"{part.place}, {name}" if isinstance(part, PlacedItem) else name
                    self._note(Fault(place, "It stands in the file twice; the first one counts."))
                else:
                    self._keys.add(part.key)
                    items.append(part)
            elif isinstance(part, Relation):
                self._has_relations = True
                if part.kind != CHILD or (part.source, part.target) not in self._placed:
                    relations.append(part)
                if part.kind == CHILD:
                    self._placed.add((part.source, part.target))
            elif isinstance(part, Fault):
                self._note(part)
        return items, relations

    def judge(self, count: int) -> None:
        """Refuse a file that has nothing, or rows that cannot be read and that nobody wants left out.

        Raises:
            BadInput: ``framework.empty``, ``framework.bad_rows``.
        """
        if self.faults and not self.how.skip_bad:
            told = [f"{fault.place}: {fault.message}" for fault in self.faults[:_TOLD]]
            more = [f"… and {self.fault_count - _TOLD} more."] if self.fault_count > _TOLD else []
            message = "\n".join([f"{self.fault_count} rows cannot be read; nothing was imported.", *told, *more])
            raise BadInput("framework.bad_rows", message, "Mend them, or import the rest with --skip-bad (skipBad).")
        if not count and not self._has_relations:
            raise BadInput("framework.empty", "The framework has no items.", "Check that the file is whole.")

    def _note(self, fault: Fault) -> None:
        self.fault_count += 1
        if len(self.faults) < _MAX_FAULTS:
            self.faults.append(fault)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _slug(text: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if unicodedata.category(c)[0] != "M")
    return re.sub(r"[\W_]+", "-", bare).strip("-")[:60].strip("-") or "framework"
