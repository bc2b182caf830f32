"""What is attached to a record, in a line each."""

from __future__ import annotations

from collections.abc import Iterable

from node.http.schemas import AttachedView

__all__ = ["attached_fields"]

_NAMES = {"termsOfUse": "terms of use", "refreshService": "refresh service"}


def attached_fields(items: Iterable[AttachedView]) -> list[tuple[str, str]]:
    """Terms of use, evidence and refresh services as names and values."""
    return [(_NAMES.get(item.property, item.property), _said(item)) for item in items]


def _said(item: AttachedView) -> str:
    words = "; ".join(f"{name}: {text}" for name, text in item.texts)
    return " · ".join(part for part in (", ".join(item.types), item.id, words) if part)
