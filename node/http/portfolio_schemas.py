"""What the admin API takes and gives about résumés, own statements, and what is shown by links."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from node.http.schemas import Id, Name, Text, Time, _Given, _View

__all__ = [
    "EntryView",
    "GivenEntry",
    "GivenResume",
    "LinkView",
    "NewOwnStatement",
    "NewShare",
    "PaperView",
    "PrintResume",
    "ResumeAsFile",
    "ResumeFileView",
    "ResumePreview",
    "ResumeView",
    "SendResume",
    "ShareView",
]

_Long = Annotated[str, Meta(max_length=5000)]
_Pointers = Annotated[
    list[Annotated[str, Meta(max_length=500)]],
    Meta(max_length=64, description="JSON Pointers to what is shown of it; none for all of it."),
]


class GivenEntry(_Given, frozen=True, kw_only=True):
    """One record of a résumé."""

    record: Id
    reveal: _Pointers = msgspec.field(default_factory=list)
    text: Annotated[_Long, Meta(description="Your own words about it.")] = ""


class GivenResume(_Given, frozen=True, kw_only=True):
    """A résumé, whole."""

    title: Name
    text: _Long = ""
    entries: Annotated[list[GivenEntry], Meta(max_length=50)] = msgspec.field(default_factory=list)


class EntryView(_View, frozen=True, kw_only=True):
    """One record of a résumé."""

    record_id: str
    name: Annotated[str | None, Meta(description="None where the record is not held any more.")]
    issuer: str | None
    own_statement: bool
    reveal: list[str]
    text: str


class ResumeView(_View, frozen=True, kw_only=True):
    """A résumé."""

    id: str
    title: str
    text: str
    entries: list[EntryView]
    updated: Time


class ResumePreview(_View, frozen=True, kw_only=True):
    """A résumé as it would be shown now."""

    presentation: msgspec.Raw


class SendResume(_Given, frozen=True, kw_only=True):
    """To whom."""

    connection: Id


class NewShare(_Given, frozen=True, kw_only=True):
    """How long it is shown."""

    days: Annotated[int, Meta(ge=1, le=366)] = 30


class PrintResume(_Given, frozen=True, kw_only=True):
    """How it is printed."""

    link: Annotated[bool, Meta(description="Let the code be a link also where the records would fit into it.")] = False
    days: Annotated[int, Meta(ge=1, le=366, description="How long the link is good, where there is one.")] = 30


class ResumeAsFile(_Given, frozen=True, kw_only=True):
    """How a résumé is written into a file."""

    format: Annotated[Name, Meta(description="`ler-rs`: LER-RS of HR Open.")] = "ler-rs"
    name: Annotated[Name | None, Meta(description="Of whom it is about; else that of the node.")] = None


class ResumeFileView(_View, frozen=True, kw_only=True):
    """A résumé as a file."""

    document: msgspec.Raw


class ShareView(_View, frozen=True, kw_only=True):
    """What is, or was, shown by a link."""

    id: str
    state: Annotated[str, Meta(description="`open`, `expired` or `withdrawn`.")]
    title: Annotated[str | None, Meta(description="None once it is withdrawn.")]
    record_ids: list[str]
    created: Time
    expires: Time
    withdrawn: Time | None
    views: int
    last_view: Time | None


class LinkView(_View, frozen=True, kw_only=True):
    """A new link. The node keeps only a hash of what it ends with: the link cannot be shown again."""

    share: ShareView
    url: str


class PaperView(_View, frozen=True, kw_only=True):
    """A résumé to print."""

    pdf: Annotated[bytes, Meta(description="The file, in base64.")]
    offline: Annotated[bool, Meta(description="Whether its code holds the records themselves, and not a link.")]
    share: ShareView | None


class NewOwnStatement(_Given, frozen=True, kw_only=True):
    """What you say of yourself."""

    name: Text
    text: _Long
    skills: Annotated[list[Name], Meta(max_length=20, description="Codes or URLs.")] = msgspec.field(
        default_factory=list
    )
