"""Admin operations about the skills that the held records attest: the part of the table, and what it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from node.http import profile_schemas as p
from node.http.admin_operation import Call, Nothing, Operation
from node.http.schemas import Page
from node.skills.held import ProfiledSkill, SkillRecord, in_terms_of
from node.skills.page import skill_page
from node.skills.picture import picture

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["PROFILE_OPERATIONS"]


async def profile(node: Node, call: Call[p.ProfileQuery, Nothing]) -> Page[p.ProfiledSkillView]:
    """The skills, by framework and name."""
    found = await _skills(node, call.query.framework)
    ids = [skill.id for skill in found]
    start = ids.index(call.query.after) + 1 if call.query.after in ids else 0
    page = found[start : start + call.query.limit]
    return Page(items=[_view(skill) for skill in page], next=page[-1].id if start + len(page) < len(found) else None)


async def skill(node: Node, call: Call[p.ProfiledSkillQuery, Nothing]) -> p.ProfiledSkillDetail:
    """One skill with a page of its records.

    Raises:
        WrongState: ``profiled_skill.unknown``, ``profiled_skill.ambiguous``.
    """
    query = call.query
    found = await node.skill_profile.one(query.skill)
    records = await node.skill_profile.records(found, after=query.after, limit=query.limit)
    more = records[-1].place if len(records) == query.limit else None
    return p.ProfiledSkillDetail(skill=_view(found), records=[_record(each) for each in records], next=more)


async def draw(node: Node, call: Call[p.ProfileQuery, Nothing]) -> p.PictureView:
    """The picture and the page of all skills."""
    found = await _skills(node, call.query.framework)
    now = node.world.clock()
    return p.PictureView(svg=picture(found, f"Skills of {node.label}"), html=skill_page(found, node.label, now))


async def _skills(node: Node, framework: str | None) -> list[ProfiledSkill]:
    found = await node.skill_profile.skills()
    return found if framework is None else in_terms_of(found, framework)


def _view(skill: ProfiledSkill) -> p.ProfiledSkillView:
    return msgspec.convert(skill, p.ProfiledSkillView, from_attributes=True)


def _record(record: SkillRecord) -> p.SkillRecordView:
    return msgspec.convert(record, p.SkillRecordView, from_attributes=True)


PROFILE_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="skillProfile",
        method="GET",
        path="/admin/profile/skills",
        summary="Every skill that held records attest: by which, how strong in its parts, and what it is matched with.",
        about="By framework and name; there is no score. See docs/portfolio.md.",
        handler=profile,
        query=p.ProfileQuery,
        response=Page[p.ProfiledSkillView],
    ),
    Operation(
        name="profiledSkill",
        method="GET",
        path="/admin/profile/skill",
        summary="One skill of the profile, with all records that attest it, the latest awarded first.",
        handler=skill,
        query=p.ProfiledSkillQuery,
        response=p.ProfiledSkillDetail,
    ),
    Operation(
        name="drawSkillProfile",
        method="GET",
        path="/admin/profile/picture",
        summary="The skill profile as a picture (SVG) and as an accessible page (HTML) with the same as a table.",
        handler=draw,
        query=p.ProfileQuery,
        response=p.PictureView,
    ),
)
