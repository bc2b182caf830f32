"""What the admin API takes and gives about frameworks of skills."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from node.http.schemas import Name, Text, Time, _View

__all__ = [
    "ChangeView",
    "DiffQuery",
    "DifferenceView",
    "FaultView",
    "FrameworkDetail",
    "FrameworkImport",
    "FrameworkToTake",
    "FrameworkView",
    "FrameworksQuery",
    "ImportView",
    "LabelView",
    "PackageQuery",
    "PackageView",
    "PublishedView",
    "RelationView",
    "SkillDetail",
    "SkillItemView",
    "SkillQuery",
    "SkillsQuery",
    "TreeQuery",
]

_Number = Annotated[int, Meta(ge=1)]


class _Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    pass


class FrameworkImport(_Query, frozen=True, kw_only=True):
    """How a framework file is imported."""

    name: Annotated[Name | None, Meta(description="Its short name here; else that of its title.")] = None
    url: Annotated[Text | None, Meta(description="Fetch it from there; the body is empty then.")] = None
    file: Annotated[Text | None, Meta(description="What the file is called.")] = None
    format: Annotated[Name | None, Meta(description="Else it is recognised.")] = None
    encoding: Annotated[Name | None, Meta(description="Where it is not UTF-8, e.g. `windows-1252`.")] = None
    columns: Annotated[
        Text | None, Meta(description="For CSV, which column is what: `name=Title,code=ID`; kept for the next version.")
    ] = None
    skip_bad: Annotated[bool, Meta(description="Leave out rows that cannot be read, and import the rest.")] = False
    version: Annotated[Text | None, Meta(description="Its version, where the file does not say.")] = None
    source: Annotated[Text | None, Meta(description="Who publishes it, where the file does not say.")] = None
    licence: Annotated[Text | None, Meta(description="Its licence, where the file does not say.")] = None


class FrameworkToTake(_Query, frozen=True, kw_only=True):
    """A package of another node, in the body or at a URL."""

    url: Annotated[Text | None, Meta(description="Fetch it from there; the body is empty then.")] = None
    publisher: Annotated[Name | None, Meta(description="The DID that has to have signed it.")] = None
    name: Annotated[Name | None, Meta(description="Its short name here; else as its publisher calls it.")] = None


class PackageQuery(_Query, frozen=True, kw_only=True):
    """From where a package is read on: what `items` and `relations` of the piece before said."""

    items: Annotated[int, Meta(ge=-1)] = -1
    relations: Annotated[int, Meta(ge=-1, description="-1 while there are items.")] = -1


class PublishedView(_View, frozen=True, kw_only=True):
    """A framework that is published."""

    id: Name
    number: int
    title: str
    url: str
    manifest: Annotated[str, Meta(description="The first line of the package: what is signed.")]


class PackageView(_View, frozen=True, kw_only=True):
    """A piece of a package."""

    manifest: str
    lines: str
    items: int
    relations: int
    more: bool


class FrameworksQuery(_Query, frozen=True, kw_only=True):
    """Which frameworks."""

    importing: Annotated[bool, Meta(description="Those that are being imported, with their items so far.")] = False


class DiffQuery(_Query, frozen=True, kw_only=True):
    """Which versions are compared, by their numbers; else the last two."""

    old: _Number | None = None
    new: _Number | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class TreeQuery(_Query, frozen=True, kw_only=True):
    """Which items."""

    at: Annotated[Text | None, Meta(description="The items under the one with this code or URL; else the top.")] = None
    number: Annotated[_Number | None, Meta(description="The version; else the last.")] = None
    after: Annotated[int, Meta(ge=-1, description="The position after which to go on.")] = -1
    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000


class SkillsQuery(_Query, frozen=True, kw_only=True):
    """Which skills."""

    q: Annotated[Text, Meta(description="Words, or the beginnings of words, in its code or names.")] = ""
    framework: Name | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 20


class SkillQuery(_Query, frozen=True, kw_only=True):
    """Which skill."""

    code: Annotated[Text, Meta(description="Its code or URL.")]
    framework: Name | None = None


class FrameworkView(_View, frozen=True, kw_only=True):
    """A version of a framework."""

    id: Annotated[str, Meta(description="Its short name here.")]
    number: Annotated[int, Meta(description="Counts the imports, from 1.")]
    title: str
    version: Annotated[str, Meta(description="As its publisher gives it.")]
    source: str
    licence: str
    format: str
    digest: str
    signed_by: str | None
    items: int
    skipped: int
    imported: Time


class FrameworkDetail(_View, frozen=True, kw_only=True):
    """A framework with all versions that are kept, the newest first."""

    latest: FrameworkView
    versions: list[FrameworkView]


class FaultView(_View, frozen=True, kw_only=True):
    """What could not be read."""

    place: str
    message: str


class ChangeView(_View, frozen=True, kw_only=True):
    """An item that is not the same in two versions."""

    key: str
    code: str | None
    old_name: str | None
    new_name: str | None
    old_parent: str | None
    new_parent: str | None


class DifferenceView(_View, frozen=True, kw_only=True):
    """What is other in a later version."""

    counts: Annotated[dict[str, int], Meta(description="How many there are in all.")]
    added: list[ChangeView]
    removed: list[ChangeView]
    changed: list[ChangeView]
    moved: list[ChangeView]


class ImportView(_View, frozen=True, kw_only=True):
    """How an import ended."""

    framework: FrameworkView
    unchanged: Annotated[bool, Meta(description="The file is the very one of the last version.")]
    faults: list[FaultView]
    difference: DifferenceView | None


class SkillItemView(_View, frozen=True, kw_only=True):
    """A skill, an occupation, or a group of them."""

    key: str
    code: str | None
    url: str | None
    name: str
    description: str
    kind: str
    parent: str | None
    framework: str
    framework_title: str
    number: int


class LabelView(_View, frozen=True, kw_only=True):
    """A further name."""

    text: str
    language: str


class RelationView(_View, frozen=True, kw_only=True):
    """A relation to another item, seen from this one."""

    kind: str
    other: str
    other_name: str | None
    outgoing: Annotated[bool, Meta(description="From this item to the other one.")]
    importance: Annotated[float | None, Meta(description="O*NET: 1 to 5.")]
    level: Annotated[float | None, Meta(description="O*NET: 0 to 7.")]


class SkillDetail(_View, frozen=True, kw_only=True):
    """A skill with its names and relations; several where frameworks share a code."""

    item: SkillItemView
    labels: list[LabelView]
    relations: list[RelationView]
