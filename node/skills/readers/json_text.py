"""JSON framework files, within the size that a framework may have."""

from __future__ import annotations

from typing import Any

from protocols import strict_json

__all__ = ["MAX_BYTES", "parse"]

MAX_BYTES = 64 << 20


def parse(text: str) -> dict[str, Any]:
    """The object in a JSON text.

    Raises:
        BadInput: ``json.*``.
    """
    return strict_json.loads_object(text, max_bytes=MAX_BYTES)
