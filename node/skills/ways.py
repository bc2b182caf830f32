"""Finds what counts for the skills of a job profile: through exact matches, CASE associations, and what stands under.

One step of a crosswalk, in either direction, from the skill or from what stands up to three steps under it. What is
only near (``closeMatch`` and its kin) is found too, and told apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from node.skills.frameworks import carried
from node.skills.matching import THROUGH, Through, Way
from node.skills.profile import JobProfile, Requirement
from storage import crosswalks
from storage.crosswalks import Related
from storage.engine import Transaction
from storage.frameworks import CHILD, FoundItem

__all__ = ["Crosswalk", "ways_of"]

_ORDER = tuple(Through)
_DEEPEST = 3
_MOST_BELOW = 300
_MOST_WAYS = 400


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """What was found for a profile.

    Attributes:
        ways: by the position of the requirement, the surest first.
        known: the positions of requirements whose skill is in a framework of this node.
    """

    ways: Mapping[int, tuple[Way, ...]]
    known: frozenset[int]

    def names(self, profile: JobProfile, positions: Iterable[int] | None = None) -> frozenset[str]:
        """Every URL and code by which a record may attest something that counts for these requirements, or for all."""
        wanted = range(len(profile.requirements)) if positions is None else positions
        return frozenset(
            name
            for position in wanted
            for name in (
                *_names(profile.requirements[position]),
                *(name for way in self.ways.get(position, ()) for name in way.names),
            )
        )


async def ways_of(tx: Transaction, profile: JobProfile) -> Crosswalk:
    """What counts for each requirement of a profile, by the frameworks and crosswalks of this node."""
    own = await crosswalks.named(tx, {name for each in profile.requirements for name in _names(each)})
    names = [_all_names(each, own) for each in profile.requirements]
    wanted = frozenset[str]().union(*names)
    below = await _below(tx, wanted)
    at_an_end = wanted | {each.relation.source for each in below}
    outgoing = await crosswalks.related(tx, at_an_end, tuple(THROUGH), target=False)
    incoming = await crosswalks.related(tx, at_an_end, tuple(THROUGH), target=True)
    others = {each.relation.target for each in outgoing} | {each.relation.source for each in (*incoming, *below)}
    graph = _Graph(
        await crosswalks.named(tx, others), _by(outgoing, "source"), _by(incoming, "target"), _by(below, "target")
    )
    ways: dict[int, tuple[Way, ...]] = {}
    for position, mine in enumerate(names):
        each_once = {(way.names, way.through): way for way in reversed(list(graph.ways(mine))) if not way.names <= mine}
        ordered = sorted(each_once.values(), key=lambda way: (_ORDER.index(way.through), way.skill, way.relation))
        ways[position] = tuple(ordered[:_MOST_WAYS])
    known = frozenset(position for position, each in enumerate(profile.requirements) if _is_known(each, own))
    return Crosswalk(ways, known)


@dataclass(frozen=True, slots=True)
class _Graph:
    """What is related to what, as far as it was read.

    Attributes:
        items: by URL and code.
        outgoing, incoming: matches by the name at their source, or target.
        tree: what stands under a name.
    """

    items: Mapping[str, Sequence[FoundItem]]
    outgoing: Mapping[str, Sequence[Related]]
    incoming: Mapping[str, Sequence[Related]]
    tree: Mapping[str, Sequence[Related]]

    def ways(self, names: frozenset[str]) -> Iterator[Way]:
        """What counts for the skill with these names: its matches, what stands under it, and the matches of that."""
        yield from self._matches(names)
        for child in _under(names, self.tree):
            way = self._way(child, child.relation.source)
            yield way
            for match in self._matches(way.names):
                if match.through is not Through.NEAR:
                    relation = f"{CHILD}, {match.relation}"
                    yield replace(
                        match, through=Through.CHILD, relation=relation, source=f"{way.source}, {match.source}"
                    )

    def _matches(self, names: frozenset[str]) -> Iterator[Way]:
        for name in names:
            for each in self.outgoing.get(name, ()):
                yield self._way(each, each.relation.target)
            for each in self.incoming.get(name, ()):
                yield self._way(each, each.relation.source)

    def _way(self, each: Related, name: str) -> Way:
        found = self.items.get(name, ())
        kind = each.relation.kind
        return Way(
            names=frozenset({name} | {part for one in found for part in (one.item.url, one.item.code) if part}),
            skill=found[0].item.name if found else name,
            through=Through.CHILD if kind == CHILD else THROUGH[kind],
            relation=kind,
            source=each.framework,
            framework=found[0].framework if found else None,
        )


def _names(requirement: Requirement) -> Iterator[str]:
    for name in (requirement.skill.url, requirement.skill.code):
        if name:
            yield name


def _all_names(requirement: Requirement, own: Mapping[str, Sequence[FoundItem]]) -> frozenset[str]:
    """The names of the skill, and those that frameworks have for the item with its URL."""
    names = set(_names(requirement))
    for found in own.get(requirement.skill.url or requirement.skill.code or "", ()):
        names |= {name for name in (found.item.key, found.item.url, found.item.code) if name}
    return frozenset(names)


def _is_known(requirement: Requirement, own: Mapping[str, Sequence[FoundItem]]) -> bool:
    return any(name in own or carried().get(name) is not None for name in _names(requirement))


async def _below(tx: Transaction, names: frozenset[str]) -> list[Related]:
    found: list[Related] = []
    level, seen = names, set(names)
    for _ in range(_DEEPEST):
        rows = await crosswalks.related(tx, level, (CHILD,), target=True)
        found += rows
        level = frozenset(each.relation.source for each in rows) - seen
        seen |= level
        if not level or len(found) >= _MOST_BELOW * len(names):
            break
    return found


def _under(names: frozenset[str], tree: Mapping[str, Sequence[Related]]) -> Iterator[Related]:
    level, seen = set(names), set(names)
    count = 0
    for _ in range(_DEEPEST):
        following: set[str] = set()
        for name in sorted(level):
            for each in tree.get(name, ()):
                if each.relation.source not in seen and count < _MOST_BELOW:
                    seen.add(each.relation.source)
                    following.add(each.relation.source)
                    count += 1
                    yield each
        level = following


def _by(rows: Sequence[Related], end: str) -> dict[str, list[Related]]:
    found: dict[str, list[Related]] = {}
    for each in rows:
        found.setdefault(getattr(each.relation, end), []).append(each)
    return found
