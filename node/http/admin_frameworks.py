"""Admin operations about frameworks of skills: the part of the table, and what it calls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from node.http import framework_schemas as f
from node.http.admin_operation import Call, Nothing, Operation
from node.http.schemas import Page
from node.roles.framework_packages import Place
from node.roles.frameworks import HowToImport, Imported
from protocols.errors import BadInput, WrongState
from storage import frameworks
from storage.frameworks import Change, Difference, FoundItem, Item, Relation, Version

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["FRAMEWORK_OPERATIONS"]


async def import_framework(node: Node, call: Call[f.FrameworkImport, Path]) -> f.ImportView:
    """Import a framework from the body, or from a URL.

    Raises:
        BadInput: ``framework.*``, ``net.*``.
    """
    query = call.query
    how = HowToImport(
        name=query.name,
        format=query.format,
        encoding=query.encoding,
        mapping=_mapping(query.columns),
        skip_bad=query.skip_bad,
        version=query.version or "",
        source=query.source or "",
        licence=query.licence or "",
    )
    if query.url is not None:
        return _import_view(await node.frameworks.import_url(query.url, how))
    stem = Path(query.file or query.name or "framework").stem
    return _import_view(await node.frameworks.import_file(call.body, how, stem=stem))


async def take_framework(node: Node, call: Call[f.FrameworkToTake, Path]) -> f.ImportView:
    """Take a package from the body, or from a URL.

    Raises:
        BadInput: ``framework.*``, ``net.*``.
        NotNow: ``publication.unchecked``, ``net.*``.
    """
    query = call.query
    if query.url is not None:
        taken = await node.packages.take_url(query.url, publisher=query.publisher, name=query.name)
    else:
        taken = await node.packages.take_file(call.body, publisher=query.publisher, name=query.name)
    return _import_view(taken)


async def publish_framework(node: Node, call: Call[Nothing, Nothing]) -> f.PublishedView:
    """Sign the last version of a framework, and give it to anybody who asks.

    Raises:
        WrongState: ``framework.unknown``, ``did.none``.
        BadInput: ``framework.no_licence``.
    """
    version, publication = await node.packages.publish(call.id)
    return f.PublishedView(
        id=version.framework_id,
        number=version.number,
        title=version.title,
        url=node.packages.url(version.framework_id),
        manifest=publication.manifest.decode(),
    )


async def framework_package(node: Node, call: Call[f.PackageQuery, Nothing]) -> f.PackageView:
    """A piece of the package of a published framework.

    Raises:
        WrongState: ``framework.not_published``.
    """
    query = call.query
    found = await node.packages.published(call.id)
    place = Place(query.items, None if query.relations < 0 else query.relations)
    lines, after = await node.packages.piece(found.version_id, place)
    following = after or place
    return f.PackageView(
        manifest=found.manifest.decode(),
        lines=lines.decode(),
        items=following.items,
        relations=-1 if following.relations is None else following.relations,
        more=after is not None,
    )


async def list_frameworks(node: Node, call: Call[f.FrameworksQuery, Nothing]) -> Page[f.FrameworkView]:
    """The frameworks, each in its latest version; or what is being imported."""
    async with node.store.read() as tx:
        found = await (frameworks.drafts(tx) if call.query.importing else frameworks.versions(tx))
    newest = {version.framework_id: version for version in reversed(found)}
    return Page(items=[_view(version) for version in sorted(newest.values(), key=lambda each: each.framework_id)])


async def framework(node: Node, call: Call[Nothing, Nothing]) -> f.FrameworkDetail:
    """One framework with its versions."""
    async with node.store.read() as tx:
        latest = await frameworks.latest(tx, call.id)
        found = await frameworks.versions(tx, call.id)
    return f.FrameworkDetail(latest=_view(latest), versions=[_view(version) for version in found])


async def remove_framework(node: Node, call: Call[Nothing, Nothing]) -> f.FrameworkView:
    """Forget a framework; the answer says what it was."""
    async with node.store.read() as tx:
        found = await frameworks.latest(tx, call.id)
    await node.frameworks.remove(call.id)
    return _view(found)


async def compare(node: Node, call: Call[f.DiffQuery, Nothing]) -> f.DifferenceView:
    """What is other between two versions.

    Raises:
        WrongState: ``framework.one_version``.
    """
    query = call.query
    async with node.store.read() as tx:
        new = await frameworks.latest(tx, call.id, query.new)
        if query.old is None and new.number == 1:
            raise WrongState("framework.one_version", "There is no earlier version.", "Import a newer one first.")
        earlier = [v for v in await frameworks.versions(tx, call.id) if v.number < new.number]
        old = await frameworks.latest(tx, call.id, query.old or earlier[0].number)
        return _difference(await frameworks.difference(tx, old.id, new.id, limit=query.limit))


async def tree(node: Node, call: Call[f.TreeQuery, Nothing]) -> Page[f.SkillItemView]:
    """The items that stand under one, or at the top."""
    query = call.query
    async with node.store.read() as tx:
        version = await frameworks.latest(tx, call.id, query.number)
        key = None if query.at is None else (await frameworks.item(tx, query.at, framework_id=call.id)).item.key
        found = await frameworks.children(tx, version, key, after=query.after, limit=query.limit)
    return Page(items=[_item_view(each) for each in found])


async def search(node: Node, call: Call[f.SkillsQuery, Nothing]) -> Page[f.SkillItemView]:
    """The items that fit words, a code or a URL: those with that very code or URL come first."""
    query = call.query
    async with node.store.read() as tx:
        exact = await frameworks.items(tx, query.q, framework_id=query.framework)
        fitting = await frameworks.search(tx, query.q, framework_id=query.framework, limit=query.limit)
    found = {(each.framework_id, each.item.key): each for each in (*exact, *fitting)}
    return Page(items=[_item_view(each) for each in found.values()][: query.limit])


async def skill(node: Node, call: Call[f.SkillQuery, Nothing]) -> f.SkillDetail:
    """One skill with what it is related to, in all frameworks.

    Raises:
        WrongState: ``skill.unknown``.
    """
    async with node.store.read() as tx:
        found = await frameworks.item(tx, call.query.code, framework_id=call.query.framework)
        related = await frameworks.related(tx, found.item)
    return f.SkillDetail(
        item=_item_view(found),
        labels=[f.LabelView(text=label.text, language=label.language) for label in found.item.labels],
        relations=[_relation(found.item, relation, name) for relation, name in related],
    )


FRAMEWORK_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="importFramework",
        method="POST",
        path="/admin/frameworks",
        summary="Import a framework of skills from the body or a URL, or a new version of one that is here already.",
        about="Nothing is seen of it before it is whole. See docs/frameworks.md for the formats.",
        handler=import_framework,
        query=f.FrameworkImport,
        response=f.ImportView,
        upload=True,
        status=201,
    ),
    Operation(
        name="takeFramework",
        method="POST",
        path="/admin/frameworks/take",
        summary="Take a framework that another node has signed and published, from the body or a URL.",
        about="Its signature, digest and size are checked, and who has signed it; see docs/frameworks.md.",
        handler=take_framework,
        query=f.FrameworkToTake,
        response=f.ImportView,
        upload=True,
        status=201,
    ),
    Operation(
        name="publishFramework",
        method="POST",
        path="/admin/frameworks/{id}/publish",
        summary="Sign the last version of a framework, and give it to anybody who asks.",
        handler=publish_framework,
        response=f.PublishedView,
    ),
    Operation(
        name="frameworkPackage",
        method="GET",
        path="/admin/frameworks/{id}/package",
        summary="The package of a published framework, piece by piece, to be handed over as a file.",
        handler=framework_package,
        query=f.PackageQuery,
        response=f.PackageView,
    ),
    Operation(
        name="listFrameworks",
        method="GET",
        path="/admin/frameworks",
        summary="The frameworks, each in its latest version; or those that are being imported.",
        handler=list_frameworks,
        query=f.FrameworksQuery,
        response=Page[f.FrameworkView],
    ),
    Operation(
        name="framework",
        method="GET",
        path="/admin/frameworks/{id}",
        summary="One framework with all its versions.",
        handler=framework,
        response=f.FrameworkDetail,
    ),
    Operation(
        name="removeFramework",
        method="DELETE",
        path="/admin/frameworks/{id}",
        summary="Forget a framework with all its versions; records keep the URLs of their skills.",
        handler=remove_framework,
        response=f.FrameworkView,
    ),
    Operation(
        name="compareFramework",
        method="GET",
        path="/admin/frameworks/{id}/diff",
        summary="What was added, removed, changed and moved between two versions.",
        handler=compare,
        query=f.DiffQuery,
        response=f.DifferenceView,
    ),
    Operation(
        name="frameworkTree",
        method="GET",
        path="/admin/frameworks/{id}/tree",
        summary="The items at the top of a framework, or those under one.",
        handler=tree,
        query=f.TreeQuery,
        response=Page[f.SkillItemView],
    ),
    Operation(
        name="searchSkills",
        method="GET",
        path="/admin/skills",
        summary="Skills and occupations by words, code or URL, in all frameworks or in one.",
        handler=search,
        query=f.SkillsQuery,
        response=Page[f.SkillItemView],
    ),
    Operation(
        name="skill",
        method="GET",
        path="/admin/skills/one",
        summary="One skill with its names and all that it is related to, in this and other frameworks.",
        handler=skill,
        query=f.SkillQuery,
        response=f.SkillDetail,
    ),
)


def _mapping(text: str | None) -> dict[str, str]:
    pairs = [each.partition("=") for each in (text or "").split(",") if each.strip()]
    if not all(sign and column.strip() for _, sign, column in pairs):
        raise BadInput("framework.mapping", "A column mapping is not of the form name=Title,code=ID.", "Mend it.")
    return {name.strip(): column.strip() for name, _, column in pairs}


def _import_view(done: Imported) -> f.ImportView:
    return f.ImportView(
        framework=_view(done.version),
        unchanged=done.unchanged,
        faults=[f.FaultView(place=fault.place, message=fault.message) for fault in done.faults],
        difference=None if done.difference is None else _difference(done.difference),
    )


def _view(version: Version) -> f.FrameworkView:
    return f.FrameworkView(
        id=version.framework_id,
        number=version.number,
        title=version.title,
        version=version.version,
        source=version.source,
        licence=version.licence,
        format=version.format,
        digest=version.digest,
        signed_by=version.signed_by,
        items=version.items,
        skipped=version.skipped,
        imported=version.imported,
    )


def _difference(found: Difference) -> f.DifferenceView:
    return f.DifferenceView(
        counts=dict(found.counts),
        added=[_change(each) for each in found.added],
        removed=[_change(each) for each in found.removed],
        changed=[_change(each) for each in found.changed],
        moved=[_change(each) for each in found.moved],
    )


def _change(change: Change) -> f.ChangeView:
    return f.ChangeView(
        key=change.key,
        code=change.code,
        old_name=change.old_name,
        new_name=change.new_name,
        old_parent=change.old_parent,
        new_parent=change.new_parent,
    )


def _item_view(found: FoundItem) -> f.SkillItemView:
    item = found.item
    return f.SkillItemView(
        key=item.key,
        code=item.code,
        url=item.url,
        name=item.name,
        description=item.description,
        kind=item.kind,
        parent=item.parent,
        framework=found.framework_id,
        framework_title=found.framework,
        number=found.number,
    )


def _relation(item: Item, relation: Relation, name: str | None) -> f.RelationView:
    outgoing = relation.source in (item.key, item.code)
    return f.RelationView(
        kind=relation.kind,
        other=relation.target if outgoing else relation.source,
        other_name=name,
        outgoing=outgoing,
        importance=None if relation.importance is None else relation.importance / 100,
        level=None if relation.level is None else relation.level / 100,
    )
