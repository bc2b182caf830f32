"""Holds what was presented, or what this node holds itself, against a job profile.

Promises: for a presentation every record is verified for the match, as the verifier's policy says, so that none counts
that would not be accepted. For the holder's own records the index of skills answers; a record counts without more ado
only where its issuer's status list was looked at, and with ``check`` those that decide are verified now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from node.records.reached import reached_in
from node.records.summary import skills_of, summary
from node.roles.checker import Checker
from node.roles.verifier import Verifier
from node.runtime.world import World
from node.skills.frameworks import SkillIndex
from node.skills.matching import Evidence, Line, Report, Standing, Unknown, match
from node.skills.profile import JobProfile
from node.skills.ways import Crosswalk, ways_of
from protocols.credentials import model
from protocols.credentials.verification import Check, CheckResult, Outcome, VerificationResult
from storage import credentials, record_skills
from storage.engine import Store, Transaction
from storage.record_skills import Attested
from storage.record_terms import IssuedState

__all__ = ["Matched", "Matching"]

_FIRST_LOOK = 5
_WHOLE_LOOK = 1000
_MOST_CHECKED = 200
_MOST_UNKNOWN = 100
_BESIDE_RECORDS = frozenset({Check.QUERY, Check.SKILLS})
"""What of a presentation says nothing about whether its records hold."""


@dataclass(frozen=True, slots=True)
class Matched:
    """A match, and what it was made of.

    Attributes:
        at: as of when.
    """

    profile: JobProfile
    report: Report
    at: datetime
    exchange_id: str | None = None
    peer: str | None = None


class Matching:
    """Matches records with profiles."""

    def __init__(self, *, store: Store, checker: Checker, verifier: Verifier, skills: SkillIndex, world: World) -> None:
        self._store = store
        self._checker = checker
        self._verifier = verifier
        self._skills = skills
        self._world = world

    async def crosswalk(self, profile: JobProfile) -> Crosswalk:
        """What counts for the skills of a profile."""
        async with self._store.read() as tx:
            return await ways_of(tx, profile)

    async def own(self, profile: JobProfile, *, check: bool) -> Matched:
        """How the records that this node holds stand to a profile.

        Args:
            check: verify the records that decide a requirement now.
        """
        now = self._world.clock()
        async with self._store.read() as tx:
            crosswalk = await ways_of(tx, profile)
            attested = await _attesting(tx, crosswalk.names(profile), _FIRST_LOOK)
        portfolio = _Portfolio(profile, crosswalk, now, attested)
        report = await self._checked(portfolio) if check else portfolio.match()
        undecided = [position for position, line in enumerate(report.lines) if _may_change(line)]
        if undecided:
            # What was stored last does not do; an older record may.
            async with self._store.read() as tx:
                portfolio.attested = await _attesting(tx, crosswalk.names(profile, undecided), _WHOLE_LOOK, attested)
            report = await self._checked(portfolio) if check else portfolio.match()
        return Matched(profile, report, now)

    async def presented(self, exchange_id: str, profile: JobProfile, *, trust: Sequence[str] = ()) -> Matched:
        """How what a peer presented stands to a profile; it is verified for that.

        Raises:
            WrongState: ``exchange.unknown``, ``exchange.nothing_presented``.
        """
        result = await self._verifier.look_again(exchange_id, trust=trust)
        evidence = _presented(result)
        crosswalk = await self.crosswalk(profile)
        names = {name for each in evidence for name in (each.skill.url, each.skill.code) if name}
        known = await self._skills.known(names)
        unknown = [
            Unknown(record=each.record, record_name=each.record_name, skill=each.skill)
            for each in evidence
            if not {each.skill.url, each.skill.code} & known
        ]
        report = _match(profile, evidence, crosswalk, unknown[:_MOST_UNKNOWN])
        return Matched(profile, report, self._world.clock(), exchange_id)

    async def _checked(self, portfolio: _Portfolio) -> Report:
        """The match, repeated until all that decides it was verified."""
        while True:
            report = portfolio.match()
            deciding = dict.fromkeys(line.used.evidence.record for line in report.lines if line.used is not None)
            fresh = [record for record in deciding if record not in portfolio.standings]
            if not fresh or len(portfolio.standings) >= _MOST_CHECKED:
                return report
            for record in fresh:
                portfolio.standings[record] = await self._verify(record)

    async def _verify(self, record_id: str) -> tuple[Standing, str]:
        async with self._store.read() as tx:
            record = await credentials.get_held(tx, record_id)
        policy = self._checker.policies.holder()
        return _standing(await self._checker.check(record.document, policy, expected="credential"))


@dataclass(slots=True)
class _Portfolio:
    """The holder's own records, as far as they were read and verified by now."""

    profile: JobProfile
    crosswalk: Crosswalk
    now: datetime
    attested: Sequence[Attested]
    standings: dict[str, tuple[Standing, str]] = field(default_factory=dict)

    def match(self) -> Report:
        evidence = [_held(each, self.now, self.standings.get(each.record_id)) for each in self.attested]
        return _match(self.profile, evidence, self.crosswalk)


def _may_change(line: Line) -> bool:
    """Whether a record that was not read yet may change how a requirement stands."""
    return line.outcome.value != "met" and line.used is not None and line.code != "record.not_checked"


def _match(
    profile: JobProfile, evidence: Sequence[Evidence], crosswalk: Crosswalk, unknown: Sequence[Unknown] = ()
) -> Report:
    return match(profile, evidence, ways=crosswalk.ways, known=crosswalk.known, unknown=unknown)


async def _attesting(
    tx: Transaction, names: frozenset[str], each: int, more: Sequence[Attested] = ()
) -> list[Attested]:
    urls = [name for name in names if model.is_url(name)]
    codes = [name for name in names if not model.is_url(name)]
    found = {one.id: one for one in (*more, *await record_skills.attesting(tx, urls, codes, each=each))}
    return sorted(found.values(), key=lambda one: (one.stored_at, one.id), reverse=True)


def _held(attested: Attested, now: datetime, checked: tuple[Standing, str] | None = None) -> Evidence:
    standing, reason = checked or _as_noted(attested, now)
    return Evidence(
        record=attested.record_id,
        record_name=attested.record_name,
        issuer=attested.issuer,
        skill=attested.skill,
        reached=attested.reached,
        standing=standing,
        reason=reason,
    )


def _as_noted(attested: Attested, now: datetime) -> tuple[Standing, str]:
    if attested.state is not IssuedState.ACTIVE:
        return Standing.FAILS, f"its issuer has {attested.state.value} it."
    if attested.valid_until is not None and attested.valid_until < now:
        return Standing.FAILS, f"it was valid until {attested.valid_until:%Y-%m-%d}."
    if attested.state_at is None:
        return Standing.UNKNOWN, "its status was not looked at since it was stored; match with a check."
    return Standing.HOLDS, f"its status was looked at on {attested.state_at:%Y-%m-%d}."


def _presented(result: VerificationResult) -> list[Evidence]:
    """The skills of each record of a verified presentation; where the whole does not hold, none of its records does."""
    whole = [c for c in result.checks if c.check not in _BESIDE_RECORDS]
    over_all = _of_checks(whole, result.required - _BESIDE_RECORDS)
    evidence: list[Evidence] = []
    for number, credential, around in _numbered(result):
        document = credential.document or {}
        standing, reason = _standing(credential)
        for doubt in (None if around is None else _of_checks(around.checks, around.required), over_all):
            if doubt is not None and standing is Standing.HOLDS:
                standing, reason = doubt
        about, reached = summary(document), reached_in(document)
        evidence += [
            Evidence(
                record=number,
                record_name=about.name,
                issuer=credential.issuer or "",
                skill=skill,
                reached=reached.get(skill, ()),
                standing=standing,
                reason=reason,
            )
            for skill in skills_of(model.alignments(document))
        ]
    return evidence


def _numbered(result: VerificationResult) -> Iterator[tuple[str, VerificationResult, VerificationResult | None]]:
    """The records, by their places: those of a presentation, and those in a learner record with that one around."""
    for number, credential in enumerate(result.credentials, start=1):
        yield str(number), credential, None
        for place, inner in enumerate(credential.relied_on, start=1):
            yield f"{number}.{place}", inner, credential


def _standing(result: VerificationResult) -> tuple[Standing, str]:
    return _of_checks(result.checks, result.required) or (Standing.HOLDS, "it verifies.")


def _of_checks(checks: Sequence[CheckResult], required: frozenset[Check]) -> tuple[Standing, str] | None:
    """Why something does not hold, or is not known to; None where it holds."""
    failed = next((c for c in checks if c.outcome is Outcome.FAIL), None)
    if failed is not None:
        return Standing.FAILS, failed.reason
    open_ = next((c for c in checks if c.outcome is Outcome.NOT_CHECKED and c.check in required), None)
    return None if open_ is None else (Standing.UNKNOWN, open_.reason)
