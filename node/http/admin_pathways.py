"""Admin operations about published catalogues, gaps and paths: the part of the table, and what it calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from node.http import pathway_schemas as p
from node.http.admin_matching import matched_by, view_line
from node.http.admin_operation import Call, Nothing, Operation
from node.http.schemas import Page
from node.roles.pathways import Closing, Gap, read_costs
from node.skills.profile import JobProfile
from storage.catalogues import SignedCatalogue

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["PATHWAY_OPERATIONS"]


async def publish_catalogue(node: Node, call: Call[p.CatalogueToPublish, Path]) -> p.PublishedCatalogueView:
    """Sign what this node awards, and give it to anybody who asks.

    Raises:
        BadInput: ``catalogue.*``.
        WrongState: ``did.none``.
    """
    costs = read_costs(call.body) if call.body.stat().st_size else {}
    return _catalogue(await node.pathways.publish(costs, days=call.query.days))


async def take_catalogue(node: Node, call: Call[p.CatalogueToTake, Path]) -> p.PublishedCatalogueView:
    """Keep the catalogue of another node.

    Raises:
        BadInput: ``catalogue.*``, ``publication.*``, ``net.*``.
        NotNow: ``publication.unchecked``, ``net.*``.
    """
    query = call.query
    if query.url is not None:
        return _catalogue(await node.pathways.take_url(query.url, publisher=query.publisher))
    return _catalogue(await node.pathways.take(call.body.read_bytes(), publisher=query.publisher))


async def list_catalogues(node: Node, _call: Call[Nothing, Nothing]) -> Page[p.PublishedCatalogueView]:
    """The catalogues that this node has published or taken."""
    return Page(items=[_catalogue(each) for each in await node.pathways.every()])


async def forget_catalogue(node: Node, call: Call[Nothing, Nothing]) -> p.PublishedCatalogueView:
    """Forget the catalogue of an issuer; the answer says what it was.

    Raises:
        WrongState: ``catalogue.unknown``.
    """
    return _catalogue(await node.pathways.forget(call.id))


async def gap(node: Node, call: Call[Nothing, p.NewGap]) -> p.GapView:
    """What is missing for a job, and what closes it.

    Raises:
        WrongState: ``job_profile.unknown``, ``exchange.unknown``, ``exchange.nothing_presented``.
    """
    body = call.body
    return _gap(await node.pathways.gap(await matched_by(node, body), wished=body.wished, unit=body.unit))


PATHWAY_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="publishCatalogue",
        method="POST",
        path="/admin/catalogues/publish",
        summary="Sign what the node awards, with the costs in the body, and give it to anybody who asks.",
        handler=publish_catalogue,
        query=p.CatalogueToPublish,
        response=p.PublishedCatalogueView,
        upload=True,
    ),
    Operation(
        name="takeCatalogue",
        method="POST",
        path="/admin/catalogues",
        summary="Keep the catalogue that another node has signed, from the body or a URL.",
        handler=take_catalogue,
        query=p.CatalogueToTake,
        response=p.PublishedCatalogueView,
        upload=True,
        status=201,
    ),
    Operation(
        name="listCatalogues",
        method="GET",
        path="/admin/catalogues",
        summary="The signed catalogues that the node has published or taken.",
        handler=list_catalogues,
        response=Page[p.PublishedCatalogueView],
    ),
    Operation(
        name="forgetCatalogue",
        method="DELETE",
        path="/admin/catalogues/{id}",
        summary="Forget the catalogue of an issuer, by its DID.",
        handler=forget_catalogue,
        response=p.PublishedCatalogueView,
    ),
    Operation(
        name="pathways",
        method="POST",
        path="/admin/pathways",
        summary="What is missing for a job, and which achievements of trusted issuers close it, cheapest set first.",
        handler=gap,
        body=p.NewGap,
        response=p.GapView,
    ),
)


def _catalogue(found: SignedCatalogue) -> p.PublishedCatalogueView:
    return p.PublishedCatalogueView(
        issuer=found.issuer,
        own=found.own,
        name=found.name,
        source=found.source,
        sequence=found.sequence,
        valid_until=found.valid_until,
        taken=found.taken,
        document=found.document.decode(),
    )


def _gap(found: Gap) -> p.GapView:
    profile = found.matched.profile

    def view(some: Sequence[Closing]) -> list[p.ClosingView]:
        return [_closing(each, profile) for each in some]

    return p.GapView(
        profile=profile.name,
        number=profile.number,
        title=profile.title,
        missing=[view_line(line) for line in found.missing.values()],
        unit=found.unit,
        cost=str(found.choice.cost),
        exact=found.choice.exact,
        bound=float(found.choice.bound),
        path=view(found.path),
        open=[profile.requirements[each].skill.name for each in sorted(found.choice.open)],
        uncosted=view(found.uncosted),
        untrusted=view(found.untrusted),
        catalogues=found.catalogues,
    )


def _closing(found: Closing, profile: JobProfile) -> p.ClosingView:
    names = {position: profile.requirements[position].skill.name for position in found.closes}
    return p.ClosingView(
        achievement=found.offer.achievement_id,
        name=found.offer.name,
        issuer=found.offer.issuer,
        closes={names[position]: way for position, way in found.closes.items()},
        levels_open=[names[position] for position in sorted(found.levels_open)],
        costs={unit: str(cost) for unit, cost in found.offer.costs.items()},
        trusted=found.trusted,
    )
