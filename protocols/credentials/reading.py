"""Taking a document in for verification: once, within limits, as a value that nobody else holds."""

from __future__ import annotations

from typing import Any

from protocols import strict_json
from protocols.errors import BadInput

__all__ = ["read_document"]


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
