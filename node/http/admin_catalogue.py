"""Admin operations about the catalogue of achievements: the part of the table, and what it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from node.http import catalogue_schemas as c
from node.http.admin_operation import Call, Nothing, Operation
from node.http.admin_views import view_skills
from node.records.catalogue import Achievement
from node.roles.achievements import FromSkill
from protocols import strict_json
from protocols.errors import BadInput
from storage import achievements
from storage.achievements import Entry

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["CATALOGUE_OPERATIONS"]


async def catalogue(node: Node, call: Call[c.CatalogueQuery, Nothing]) -> c.CatalogueView:
    """What the node can award."""
    async with node.store.read() as tx:
        found = await achievements.entries(tx, retired=call.query.retired)
    return c.CatalogueView(items=[_view(entry) for entry in found])


async def add(node: Node, call: Call[Nothing, c.AchievementsToAdd]) -> c.CatalogueView:
    """Add achievements, all of them or none.

    Raises:
        BadInput: ``catalogue.*``.
        WrongState: ``catalogue.exists``, ``skill.unknown``, ``framework.unknown``.
    """
    body = call.body
    if (body.from_skill is None) == (not body.documents):
        raise BadInput("catalogue.nothing", "Neither documents nor a skill are given, or both.", "Give one of them.")
    if body.from_skill is None:
        added = await node.achievements.add(body.documents)
    else:
        added = [await node.achievements.add_from_skill(FromSkill(**msgspec.structs.asdict(body.from_skill)))]
    return c.CatalogueView(items=[_view(entry) for entry in added])


async def show(node: Node, call: Call[Nothing, Nothing]) -> c.AchievementDetail:
    """One achievement with its versions."""
    async with node.store.read() as tx:
        entry = await node.achievements.entry(tx, call.id)
        versions = await achievements.versions(tx, entry.achievement_id)
    return c.AchievementDetail(
        **_fields(entry),
        versions=[
            c.AchievementVersion(
                number=each.number, id=each.document["id"], made=each.made, current=each.current, used=each.used
            )
            for each in versions
        ],
    )


async def edit(node: Node, call: Call[Nothing, c.AchievementChange]) -> c.CatalogueEntry:
    """Change an achievement; in a new version where records were made from the current one.

    Raises:
        BadInput: ``catalogue.*``.
        WrongState: ``catalogue.*``, ``skill.unknown``, ``framework.unknown``.
    """
    body = call.body
    align = [(each.framework, each.code) for each in body.align]
    return _view(await node.achievements.edit(call.id, body.document, align=align, based_on=body.based_on))


async def retire(node: Node, call: Call[Nothing, c.Retirement]) -> c.CatalogueEntry:
    """Award an achievement no more, or again."""
    return _view(await node.achievements.retire(call.id, undo=call.body.undo))


def _view(entry: Entry) -> c.CatalogueEntry:
    return c.CatalogueEntry(**_fields(entry))


def _fields(entry: Entry) -> dict[str, Any]:
    item = Achievement.from_document(entry.document, slug=entry.slug)
    return {
        "id": item.id,
        "slug": item.slug,
        "name": item.name,
        "description": item.description,
        "number": entry.number,
        "retired": entry.retired,
        "skills": view_skills(item.skills),
        "document": msgspec.Raw(strict_json.dumps(item.document)),
    }


CATALOGUE_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="showCatalogue",
        method="GET",
        path="/admin/catalogue",
        summary="The achievements that the node can award, each in the version that it awards.",
        handler=catalogue,
        query=c.CatalogueQuery,
        response=c.CatalogueView,
    ),
    Operation(
        name="addAchievements",
        method="POST",
        path="/admin/catalogue",
        summary="Add achievements to the catalogue, all or none; or one made of an item of a framework.",
        handler=add,
        body=c.AchievementsToAdd,
        response=c.CatalogueView,
        status=201,
    ),
    Operation(
        name="getAchievement",
        method="GET",
        path="/admin/catalogue/{id}",
        summary="One achievement with its versions, by short name, `NAME@NUMBER`, or the id of a version.",
        handler=show,
        response=c.AchievementDetail,
    ),
    Operation(
        name="editAchievement",
        method="POST",
        path="/admin/catalogue/{id}",
        summary="Change an achievement; a version from which records were made stays, and a new one is awarded.",
        handler=edit,
        body=c.AchievementChange,
        response=c.CatalogueEntry,
    ),
    Operation(
        name="retireAchievement",
        method="POST",
        path="/admin/catalogue/{id}/retire",
        summary="Award an achievement no more, or with `undo` again; records of it stay as they are.",
        handler=retire,
        body=c.Retirement,
        response=c.CatalogueEntry,
    ),
)
