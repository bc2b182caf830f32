"""From the result of a verification to what the admin API and the command line show of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from node.http.schemas import AttachedView, ResultView, VerificationView
from node.records.attached import Attached, attached
from protocols.credentials.reading import stated
from protocols.credentials.verification import VerificationResult
from protocols.errors import BadInput
from storage.verifications import Verification

__all__ = ["view_attached", "view_attached_items", "view_kept_result", "view_result", "view_verification"]


def view_result(result: VerificationResult, *, show: bool = False) -> ResultView:
    """The result of a verification, with what is attached to the records in it that are verified.

    Args:
        show: with the documents, too.
    """
    view = view_kept_result(result.to_json(show=show))
    return _with_attached(view, result)


def _with_attached(view: ResultView, result: VerificationResult) -> ResultView:
    found = attached(result.document) if result.verified and result.document is not None else ()
    inside = [_with_attached(*pair) for pair in zip(view.credentials, result.credentials, strict=True)]
    return msgspec.structs.replace(view, attached=view_attached_items(found), credentials=inside)


def view_kept_result(result: Any) -> ResultView:
    """A result as it was kept, without the documents."""
    return msgspec.convert(result, ResultView)


def view_verification(kept: Verification) -> VerificationView:
    """A kept verification."""
    return VerificationView(
        id=kept.id,
        exchange_id=kept.exchange_id,
        at=kept.at,
        verified=kept.verified,
        document_digest=kept.document_digest,
        result=view_kept_result(kept.result),
    )


def view_attached(document: bytes) -> list[AttachedView]:
    """What is attached to a kept record; nothing where it cannot be read."""
    try:
        return view_attached_items(attached(stated(document)))
    except BadInput:
        return []


def view_attached_items(items: Iterable[Attached]) -> list[AttachedView]:
    """What is attached to a record."""
    return [
        AttachedView(property=item.property, types=list(item.types), id=item.id, texts=list(item.texts))
        for item in items
    ]
