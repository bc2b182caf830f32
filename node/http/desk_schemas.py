"""What the admin API takes and gives about the issuing desk."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from node.http.schemas import After, Limit, Name, Text, Time, _Given, _View

__all__ = [
    "CheckedView",
    "Decision",
    "ListToCheck",
    "MappingToKeep",
    "MappingView",
    "OrderDetail",
    "OrderView",
    "OrdersQuery",
    "PreviewView",
    "ProblemOfRow",
    "RanView",
    "RowView",
    "RowsQuery",
]

_Names = Annotated[
    dict[str, Name],
    Meta(
        max_length=6,
        description="Column (`name`, `email`, `did`, `email or did`, `date`, `result`) to the name that it has in the "
        "file; names joined by `+` are put together with a space.",
    ),
]
_DateFormat = Annotated[str, Meta(max_length=50, description="How dates are written, e.g. `%d.%m.%Y`; else ISO 8601.")]
_Encoding = Annotated[Name | None, Meta(description="Where it is not UTF-8 or UTF-16, e.g. `windows-1252`.")]


class MappingToKeep(_Given, frozen=True, kw_only=True):
    """Which column of a student system is what."""

    name: Name
    names: _Names
    date_format: _DateFormat = ""
    encoding: _Encoding = None


class MappingView(_View, frozen=True, kw_only=True):
    """A mapping that is kept."""

    name: str
    names: dict[str, str]
    date_format: str
    encoding: str | None


class ListToCheck(_Given, frozen=True, kw_only=True):
    """What is awarded to the learners of the file in the body, and how that is read."""

    achievement: Annotated[str, Meta(min_length=1, max_length=2000)]
    title: Annotated[Text, Meta(description="What people call the list, such as its file's name.")] = ""
    mapping: Annotated[Name | None, Meta(description="A mapping that is kept.")] = None
    columns: Annotated[
        Annotated[str, Meta(max_length=4000)] | None,
        Meta(description='As `names` of a mapping, in JSON: `{"name": "Student"}`; goes before the mapping.'),
    ] = None
    date_format: _DateFormat = ""
    encoding: _Encoding = None
    class_id: Annotated[Name | None, Meta(description="Of a OneRoster package: the class.")] = None
    line_item: Annotated[Name | None, Meta(description="Of a OneRoster package: the line item.")] = None
    by_mail: Annotated[bool, Meta(description="Offer each record by mail, instead of signing it at once.")] = False
    skip_bad: Annotated[bool, Meta(description="Leave out rows that are wrong.")] = False
    valid_from: Annotated[Time | None, Meta(description="Where a row has no date.")] = None
    valid_until: Time | None = None


class ProblemOfRow(_View, frozen=True, kw_only=True):
    """What is wrong with a row."""

    line: int
    column: str
    code: str
    message: str


class PreviewView(_View, frozen=True, kw_only=True):
    """A learner as the file was understood."""

    line: int
    name: str
    email: str | None
    did: str | None
    date: Time | None
    result: str | None


class CheckedView(_View, frozen=True, kw_only=True):
    """A file that was looked through; nothing of it was kept."""

    achievement: str
    good: Annotated[int, Meta(description="Rows without a problem.")]
    problems: list[ProblemOfRow]
    ignored_columns: Annotated[int, Meta(description="Columns that are not read.")]
    preview: Annotated[list[PreviewView], Meta(description="The first learners, as they were understood.")]


class OrdersQuery(_Given, frozen=True, kw_only=True):
    """Which page."""

    after: After = None
    limit: Limit = 100


class RowsQuery(_Given, frozen=True, kw_only=True):
    """Which rows: those after a line."""

    after: Annotated[int, Meta(ge=0)] = 0
    limit: Limit = 500


class Decision(_Given, frozen=True, kw_only=True):
    """Why."""

    reason: Text | None = None


class OrderView(_View, frozen=True, kw_only=True):
    """A list of the issuing desk."""

    id: str
    title: str
    achievement: str
    state: Literal["waiting", "approved", "declined"]
    by_mail: bool
    brought_by: str
    decided_by: str | None
    reason: str | None
    created: Time


class OrderDetail(OrderView, frozen=True, kw_only=True):
    """A list, and how many rows are in each state."""

    rows: dict[str, int]


class RowView(_View, frozen=True, kw_only=True):
    """A row of a list, and what became of it."""

    line: int
    state: Annotated[
        Literal["ready", "issued", "queued", "sent", "taken", "failed"],
        Meta(description="`queued` and `sent` are of invitations; `taken`: the learner has the record."),
    ]
    name: str
    email: str | None
    did: str | None
    record: Annotated[str | None, Meta(description="The issued record's id here.")]
    credential: Annotated[str | None, Meta(description="The credential's own id.")]
    issued_at: Time | None
    code: str | None
    message: str | None


class RanView(_View, frozen=True, kw_only=True):
    """The rows that were done now, and whether there is more to do."""

    done: list[RowView]
    left: int
