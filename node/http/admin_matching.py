"""Admin operations about job profiles and matches: the part of the table, and what it calls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from node.http import matching_schemas as m
from node.http.admin_lookup import find_exchange
from node.http.admin_operation import Call, Nothing, Operation
from node.http.schemas import Page
from node.roles.matching import Matched
from node.roles.profiles import Asked, FromOccupation
from node.skills.asking import query_of
from node.skills.matching import Line, Used
from node.skills.profile import JobProfile

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["MATCHING_OPERATIONS", "definition_of_profile", "matched_by", "view_line"]

_SHOWN = 20


async def add_profile(node: Node, call: Call[Nothing, m.NewJobProfile]) -> JobProfile:
    """Keep a profile.

    Raises:
        BadInput: ``profile.*``.
        WrongState: ``skill.unknown``.
    """
    body = call.body
    taken = body.occupation
    occupation = None
    if taken is not None:
        occupation = FromOccupation(
            code=taken.code,
            framework=taken.framework,
            required_from=taken.required_from,
            wished_from=taken.wished_from,
            with_levels=taken.levels,
        )
    skills = [Asked(skill=each.skill, need=each.need) for each in body.skills]
    return await node.profiles.add(body.name, title=body.title or "", occupation=occupation, skills=skills)


async def add_profile_file(node: Node, call: Call[m.JobProfileFile, Path]) -> JobProfile:
    """Keep the profile in the body: JSON as it is exported, or a CSV of skills.

    Raises:
        BadInput: ``profile.*``.
    """
    return await node.profiles.add_file(call.body, name=call.query.name, title=call.query.title or "")


async def list_profiles(node: Node, _call: Call[Nothing, Nothing]) -> Page[JobProfile]:
    """Every profile in its last version."""
    return Page(items=await node.profiles.list())


async def profile(node: Node, call: Call[m.JobProfileQuery, Nothing]) -> JobProfile:
    """One profile.

    Raises:
        WrongState: ``job_profile.unknown``.
    """
    return await node.profiles.get(call.id, call.query.number)


async def remove_profile(node: Node, call: Call[Nothing, Nothing]) -> JobProfile:
    """Forget a profile; the answer says what it was."""
    return await node.profiles.remove(call.id)


async def query(node: Node, call: Call[m.JobProfileRequest, Nothing]) -> m.QueryView:
    """The presentation definition that asks for a profile."""
    found = await node.profiles.get(call.id, call.query.number)
    definition = await definition_of_profile(
        node, found, wished=call.query.wished, most=call.query.most, at_least=call.query.at_least
    )
    return m.QueryView(definition=definition)


async def definition_of_profile(node: Node, wanted: JobProfile, **how: Any) -> dict[str, Any]:
    """As :func:`node.skills.asking.query_of`, with what counts by the frameworks of the node.

    Raises:
        BadInput: ``profile.too_many_skills``, ``profile.too_few_skills``.
    """
    crosswalk = await node.matching.crosswalk(wanted)
    return query_of(wanted, crosswalk.ways, definition_id=node.world.new_id(), **how)


async def match(node: Node, call: Call[Nothing, m.NewMatch]) -> m.MatchView:
    """How records stand to a profile.

    Raises:
        WrongState: ``job_profile.unknown``, ``exchange.unknown``, ``exchange.nothing_presented``.
    """
    return _view(await matched_by(node, call.body))


async def matched_by(node: Node, wanted: m.NewMatch) -> Matched:
    """The match that is asked for."""
    profile = await node.profiles.get(wanted.profile, wanted.number)
    if wanted.exchange is None:
        return await node.matching.own(profile, check=wanted.check)
    async with node.store.read() as tx:
        row = await find_exchange(tx, wanted.exchange)
    return await node.matching.presented(row.id, profile, trust=wanted.trust)


MATCHING_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="addJobProfile",
        method="POST",
        path="/admin/job-profiles",
        summary="Keep a job profile, from an occupation or of skills; a new version of one that is there already.",
        handler=add_profile,
        body=m.NewJobProfile,
        response=JobProfile,
        status=201,
    ),
    Operation(
        name="addJobProfileFile",
        method="POST",
        path="/admin/job-profiles/file",
        summary="Keep the job profile in the body: JSON as it is exported, or a CSV of skills.",
        handler=add_profile_file,
        query=m.JobProfileFile,
        response=JobProfile,
        upload=True,
        status=201,
    ),
    Operation(
        name="listJobProfiles",
        method="GET",
        path="/admin/job-profiles",
        summary="The job profiles, each in its last version.",
        handler=list_profiles,
        response=Page[JobProfile],
    ),
    Operation(
        name="jobProfile",
        method="GET",
        path="/admin/job-profiles/{id}",
        summary="One job profile, as it is exported.",
        handler=profile,
        query=m.JobProfileQuery,
        response=JobProfile,
    ),
    Operation(
        name="removeJobProfile",
        method="DELETE",
        path="/admin/job-profiles/{id}",
        summary="Forget a job profile with all its versions.",
        handler=remove_profile,
        response=JobProfile,
    ),
    Operation(
        name="jobProfileQuery",
        method="GET",
        path="/admin/job-profiles/{id}/query",
        summary="The presentation definition that asks for a job profile, and for no more.",
        handler=query,
        query=m.JobProfileRequest,
        response=m.QueryView,
    ),
    Operation(
        name="match",
        method="POST",
        path="/admin/match",
        summary="How what was presented, or what the node holds, stands to a job profile, requirement by requirement.",
        about="A requirement is met, not met, or not checked, and says why. There is no score.",
        handler=match,
        body=m.NewMatch,
        response=m.MatchView,
    ),
)


def _view(matched: Matched) -> m.MatchView:
    return m.MatchView(
        profile=matched.profile.name,
        number=matched.profile.number,
        title=matched.profile.title,
        exchange=matched.exchange_id,
        at=matched.at,
        lines=[view_line(each) for each in matched.report.lines],
        unknown=[
            m.UnknownSkillView(
                record=each.record,
                record_name=each.record_name,
                skill=each.skill.name,
                framework=each.skill.framework,
                url=each.skill.url,
            )
            for each in matched.report.unknown
        ],
    )


def view_line(line: Line) -> m.LineView:
    """A line as it is shown."""
    return m.LineView(
        requirement=line.requirement,
        outcome=line.outcome.value,
        code=line.code,
        reason=line.reason,
        used=None if line.used is None else _used(line.used),
        others=[_used(each) for each in line.others[:_SHOWN]],
        more=max(0, len(line.others) - _SHOWN),
    )


def _used(used: Used) -> m.UsedView:
    evidence, way = used.evidence, used.way
    return m.UsedView(
        record=evidence.record,
        record_name=evidence.record_name,
        issuer=evidence.issuer,
        skill=evidence.skill.name,
        skill_url=evidence.skill.url,
        skill_code=evidence.skill.code,
        through=way.through.value,
        relation=way.relation or None,
        source=way.source or None,
        outcome=used.outcome.value,
        code=used.code,
        reason=used.reason,
        result=None if used.result is None else m.ReachedView(name=used.result.name, value=used.result.value),
    )
