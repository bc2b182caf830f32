"""Why a record or a presentation does not answer a query: a stable code and a sentence without any value."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Reason"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason.

    Attributes:
        code: stable, e.g. ``"pex.field_missing"``.
        message: one sentence for a person; names paths and properties, never what a record says.
        where: what it is about: a field's first path, or a descriptor's id; empty where it is about the whole.
    """

    code: str
    message: str
    where: str = ""
