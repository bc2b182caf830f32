"""Taking a document in for verification: once, within limits, as a value that nobody else holds."""

from __future__ import annotations

from typing import Any

from protocols import strict_json
from protocols.credentials.data_integrity.document import EmbeddedProofs
from protocols.credentials.secured import Secured
from protocols.errors import BadInput
from protocols.jsonld.processor import Processor

__all__ = ["read_document", "read_secured", "secured_item"]


def read_secured(document: Any, processor: Processor) -> Secured:
    """The credential or presentation that ``document`` (bytes, text, or a parsed object) is, in whatever format.

    What it is follows from its content, never from a media type that came along.

    Raises:
        BadInput: ``json.*``.
    """
    return EmbeddedProofs(read_document(document), processor)


def secured_item(item: Any, processor: Processor) -> Secured:
    """The same, for what stands in a presentation, which was read with it.

    Raises:
        BadInput: ``structure.*``, ``json.*``.
    """
    if not isinstance(item, dict):
        raise BadInput("structure.item", "What stands in the presentation is not a credential.")
    return EmbeddedProofs(item, processor)


def read_document(document: Any) -> dict[str, Any]:
    """The JSON object that ``document`` (text, or a parsed object) holds.

    A parsed object is copied by way of its JSON, so that it means the same as its text would, is as bounded in size
    and depth, and is not changed by others while it is being checked.

    Raises:
        BadInput: ``json.*``.
    """
    if isinstance(document, dict):
        try:
            document = strict_json.dumps(document)
        except (TypeError, ValueError, RecursionError):
            raise BadInput("json.malformed", "The document is not made of JSON values.", "Send JSON.") from None
    if not isinstance(document, bytes | str):
        raise BadInput("json.not_object", "The document is not a JSON object.", "Send a JSON object.")
    return strict_json.loads_object(document)
