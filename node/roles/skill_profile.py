"""The skill profile: what the held records attest, through the frameworks, crosswalks and trust that the node has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from node.roles.checker import Checker
from node.runtime.world import World
from node.skills.frameworks import carried
from node.skills.held import Attestation, Believed, Match, ProfiledSkill, SkillRecord, in_order, standing
from node.skills.matching import THROUGH
from node.trust.source import KnownOnce
from protocols.credentials.trust.scope import Achieved, Award
from protocols.credentials.verification import Outcome
from protocols.errors import WrongState
from storage import crosswalks, dids, record_skills, skill_awards
from storage.credentials import Skill
from storage.dids import DidPurpose
from storage.engine import Store, Transaction
from storage.frameworks import FoundItem
from storage.record_skills import Attested, Group
from storage.skill_awards import AwardedBy

__all__ = ["SkillProfile"]

_RECENT = 5
_CARRIED = "onet"
_SELF = Believed("self", "trust.self", "The holder's own statement.")
_ON_THE_WEB = " It is named by a web address, so that what it says rests on its web server."
_BY_OUTCOME = {Outcome.PASS: "trusted", Outcome.FAIL: "untrusted"}

_Named = tuple[str, str | None, str | None, str | None, str | None, bool]
"""Of a skill: name, code, URL, title of the framework, its short name, whether it is known."""


class SkillProfile:
    """Tells a learner's skills."""

    def __init__(self, store: Store, checker: Checker, world: World) -> None:
        self._store = store
        self._checker = checker
        self._world = world

    async def skills(self) -> list[ProfiledSkill]:
        """Every skill that a held record attests, with the latest records."""
        now = self._world.clock()
        async with self._store.read() as tx:
            groups = await record_skills.groups(tx, now)
            samples = await record_skills.get_all(tx, [group.sample for group in groups])
            parts = _parts(groups, samples, await _named(tx, samples.values()))
            recent = {
                skill_id: await record_skills.newest(tx, _keys(part), limit=_RECENT) for skill_id, part in parts.items()
            }
            shown = [row.award_id for rows in recent.values() for row in rows]
            awards = await skill_awards.get_all(tx, sorted({*(group.award_id for group in groups), *shown}))
            own = await _own(tx)
            matches = await _matches(tx, {skill_id: part[0] for skill_id, part in parts.items()})
        belief = _Belief(self._checker, awards, own)
        found = [
            ProfiledSkill(
                id=skill_id,
                name=named[0],
                code=named[1],
                url=named[2],
                framework=named[3],
                framework_id=named[4],
                known=named[5],
                matches=matches.get(skill_id, ()),
                attestations=tuple([await belief.attestation(group, samples[group.sample]) for group in members]),
                records=tuple([await belief.record(row, now) for row in recent[skill_id]]),
            )
            for skill_id, (named, members) in parts.items()
        ]
        return in_order(found)

    async def one(self, name: str) -> ProfiledSkill:
        """The skill with that id, code, URL or name.

        Raises:
            WrongState: ``profiled_skill.unknown``, ``profiled_skill.ambiguous``.
        """
        every = await self.skills()
        wanted = name.casefold()
        for fits in (
            [each for each in every if name in {each.id, each.code, each.url}],
            [each for each in every if each.name.casefold() == wanted],
            [each for each in every if wanted in each.name.casefold()],
        ):
            if len(fits) == 1:
                return fits[0]
            if fits:
                some = ", ".join(each.code or each.id for each in fits[:8])
                raise WrongState("profiled_skill.ambiguous", "Several skills fit.", f"Name one by its code: {some}.")
        raise WrongState("profiled_skill.unknown", "No held record attests such a skill.", "See: lernode skills")

    async def records(self, skill: ProfiledSkill, *, after: str | None = None, limit: int = 100) -> list[SkillRecord]:
        """The records that attest a skill, the latest awarded first; ``after`` is the place of one of them."""
        now = self._world.clock()
        async with self._store.read() as tx:
            groups = await record_skills.groups(tx, now)
            samples = await record_skills.get_all(tx, [group.sample for group in groups])
            parts = _parts(groups, samples, await _named(tx, samples.values()))
            before = None if after is None else (await record_skills.get_all(tx, [after])).get(after)
            place = None if before is None else (before.awarded, before.id)
            rows = await record_skills.newest(tx, _keys(parts[skill.id]), after=place, limit=limit)
            awards = await skill_awards.get_all(tx, sorted({row.award_id for row in rows}))
            belief = _Belief(self._checker, awards, await _own(tx))
        return [await belief.record(row, now) for row in rows]


class _Belief:
    """Whom the node believes, asked for each award once."""

    def __init__(self, checker: Checker, awards: Mapping[str, AwardedBy], own: frozenset[str]) -> None:
        self._checker = checker
        policies = checker.policies
        self._policy = replace(policies.verifier(), trust=KnownOnce(policies.trust()))
        self._awards = awards
        self._own = own
        self._known: dict[tuple[str, datetime], Believed] = {}

    async def attestation(self, group: Group, sample: Attested) -> Attestation:
        award = self._awards[group.award_id]
        return Attestation(
            issuer=award.issuer,
            issuer_name=award.issuer_name,
            believed=await self._believed(group.award_id, group.last),
            about=self._about(award),
            standing=standing(group.state, expired=group.expired),
            results=sample.reached,
            count=group.count,
            first=group.first,
            last=group.last,
        )

    async def record(self, row: Attested, now: datetime) -> SkillRecord:
        award = self._awards[row.award_id]
        return SkillRecord(
            place=row.id,
            record_id=row.record_id,
            name=row.record_name,
            issuer=award.issuer,
            issuer_name=award.issuer_name,
            believed=await self._believed(row.award_id, row.awarded),
            about=self._about(award),
            standing=standing(row.state, expired=row.valid_until is not None and row.valid_until <= now),
            awarded=row.awarded,
            expires=row.valid_until,
            results=row.reached,
        )

    def _about(self, award: AwardedBy) -> str:
        if award.subject is None:
            return "unnamed"
        return "holder" if award.subject in self._own else "other"

    async def _believed(self, award_id: str, at: datetime) -> Believed:
        award = self._awards[award_id]
        if award.issuer in self._own:
            return _SELF
        key = (award_id, at)
        if key not in self._known:
            achieved = tuple(Achieved(*each) for each in award.achievements)
            check = await self._checker.explain(Award(award.issuer or None, achieved, at), self._policy)
            reason = check.reason + (_ON_THE_WEB if award.issuer.startswith(("https://", "http://")) else "")
            self._known[key] = Believed(_BY_OUTCOME.get(check.outcome, "unclear"), check.code, reason)
        return self._known[key]


async def _own(tx: Transaction) -> frozenset[str]:
    """The DIDs that this node signs records and presentations with."""
    purposes = (DidPurpose.HOLDER, DidPurpose.ISSUER)
    return frozenset([each.did for purpose in purposes for each in await dids.page(tx, purpose=purpose)])


def _parts(
    groups: Sequence[Group], samples: Mapping[str, Attested], named: Mapping[bytes, _Named]
) -> dict[str, tuple[_Named, list[Group]]]:
    """By the id of a skill what it is called, and what attests it."""
    found: dict[str, tuple[_Named, list[Group]]] = {}
    ids: dict[tuple[str | None, ...], str] = {}
    for group in sorted(groups, key=lambda each: (each.skill_key, -each.last.timestamp(), each.sample)):
        name = named[samples[group.sample].skill_key]
        # What a framework of this node knows by its code in one record and by its URL in another is one skill.
        key = (name[4], name[1] or name[2]) if name[5] else (group.skill_key.hex(),)
        skill_id = ids.setdefault(key, group.skill_key.hex()[:12])
        found.setdefault(skill_id, (name, []))[1].append(group)
    return found


def _keys(part: tuple[_Named, list[Group]]) -> list[bytes]:
    return list(dict.fromkeys(group.skill_key for group in part[1]))


async def _named(tx: Transaction, samples: Iterable[Attested]) -> dict[bytes, _Named]:
    """What each skill is called: by the frameworks of the node, else by the record."""
    by_key: dict[bytes, Skill] = {}
    for sample in samples:
        by_key.setdefault(sample.skill_key, sample.skill)
    names = {name for skill in by_key.values() for name in (skill.url, skill.code) if name}
    found = await crosswalks.named(tx, names)
    return {key: _name_of(skill, found) for key, skill in by_key.items()}


def _name_of(skill: Skill, found: Mapping[str, Sequence[FoundItem]]) -> _Named:
    item = _item_of(skill, found)
    if item is not None:
        return item.item.name, item.item.code, item.item.url, item.framework, item.framework_id, True
    known = carried().get(skill.url or "") or (carried().get(skill.code or "") if not skill.url else None)
    if known is not None:
        return known.name, known.code, known.url, known.framework, _CARRIED, True
    return skill.name, skill.code, skill.url, skill.framework, None, False


def _item_of(skill: Skill, found: Mapping[str, Sequence[FoundItem]]) -> FoundItem | None:
    """The URL says which; a code only where one framework has it, or the one that the record names."""
    if skill.url and (exact := found.get(skill.url)):
        return exact[0]
    if skill.url or not skill.code:
        return None
    fits = found.get(skill.code, ())
    named = [each for each in fits if skill.framework in {each.framework, each.framework_id}]
    return next(iter(named or (fits if len(fits) == 1 else ())), None)


async def _matches(tx: Transaction, named: Mapping[str, _Named]) -> dict[str, tuple[Match, ...]]:
    by_name: dict[str, set[str]] = defaultdict(set)
    for skill_id, (_, code, url, *_more) in named.items():
        for name in (code, url):
            if name:
                by_name[name].add(skill_id)
    kinds = tuple(THROUGH)
    related = [one for end in (False, True) for one in await crosswalks.related(tx, by_name.keys(), kinds, target=end)]
    relations = dict.fromkeys(one.relation for one in related)
    ends = {end for relation in relations for end in (relation.source, relation.target)}
    items = await crosswalks.named(tx, ends)
    found: dict[str, dict[tuple[str, str], Match]] = defaultdict(dict)
    for relation in relations:
        for here, there, arrow in ((relation.source, relation.target, ""), (relation.target, relation.source, "← ")):
            for skill_id in by_name.get(here, ()):
                if skill_id in by_name.get(there, ()):
                    continue
                match = _match(f"{arrow}{relation.kind}", there, items)
                found[skill_id].setdefault((relation.kind, there), match)
    return {skill_id: tuple(each.values()) for skill_id, each in found.items()}


def _match(kind: str, name: str, items: Mapping[str, Sequence[FoundItem]]) -> Match:
    item = next(iter(items.get(name, ())), None)
    if item is not None:
        return Match(kind, item.item.code or name, item.item.name, item.framework_id, item.framework)
    known = carried().get(name)
    if known is not None:
        return Match(kind, known.code or name, known.name, _CARRIED, known.framework)
    return Match(kind, name, None, None, None)
