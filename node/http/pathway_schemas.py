"""What the admin API takes and gives about published catalogues, gaps and paths."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from node.http.framework_schemas import _Query
from node.http.matching_schemas import LineView, NewMatch
from node.http.schemas import Name, Text, Time, _View

__all__ = ["CatalogueToPublish", "CatalogueToTake", "ClosingView", "GapView", "NewGap", "PublishedCatalogueView"]


class CatalogueToPublish(_Query, frozen=True, kw_only=True):
    """How long the edition is valid; the body is a CSV of costs, or empty."""

    days: Annotated[int, Meta(ge=1, le=3650)] = 365


class CatalogueToTake(_Query, frozen=True, kw_only=True):
    """A catalogue that another node has published, in the body or at a URL."""

    url: Annotated[Text | None, Meta(description="Fetch it from there; the body is empty then.")] = None
    publisher: Annotated[Name | None, Meta(description="The DID that has to have signed it.")] = None


class PublishedCatalogueView(_View, frozen=True, kw_only=True):
    """A signed catalogue."""

    issuer: str
    own: bool
    name: str
    source: str | None
    sequence: int
    valid_until: Time
    taken: Time
    document: Annotated[str, Meta(description="As signed.")]


class NewGap(NewMatch, frozen=True, kw_only=True):
    """Whose records are held against which job, and in what the cost is counted."""

    wished: Annotated[bool, Meta(description="Close what is wished, too.")] = False
    unit: Annotated[
        Name | None,
        Meta(description="`hours`, `credits`, `price in EUR` or `achievements`; else the one that most state."),
    ] = None


class ClosingView(_View, frozen=True, kw_only=True):
    """An achievement, and what of the gap it closes."""

    achievement: str
    name: str
    issuer: str
    closes: Annotated[dict[str, str], Meta(description="Skill -> the way by which the achievement's skill counts.")]
    levels_open: Annotated[list[str], Meta(description="Skills of which a level is asked for, still to be reached.")]
    costs: dict[str, str]
    trusted: Annotated[str, Meta(description="Why its issuer would be believed for it, or why not.")]


class GapView(_View, frozen=True, kw_only=True):
    """What is missing for a job, and the cheapest achievements that close it."""

    profile: Name
    number: int
    title: str
    missing: list[LineView]
    unit: str
    cost: str
    exact: Annotated[bool, Meta(description="Whether nothing is cheaper.")]
    bound: Annotated[float, Meta(description="It costs at most so many times the cheapest.")]
    path: list[ClosingView]
    open: Annotated[list[str], Meta(description="Skills that nothing in the path closes.")]
    uncosted: Annotated[list[ClosingView], Meta(description="What would close these, without a cost in that unit.")]
    untrusted: Annotated[list[ClosingView], Meta(description="What would close something, if its issuer were trusted.")]
    catalogues: int
