"""JSON as lernode accepts it from outside: one meaning a text, bounded in size and depth.

RFC 8259 leaves room for texts that two parsers read differently; RFC 7493 (I-JSON) closes it. A document
that is signed must have one reading only, so duplicate keys, NaN, Infinity, lone surrogates and numbers
that a double cannot hold are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from protocols.errors import BadInput

__all__ = ["MAX_BYTES", "MAX_DEPTH", "dumps", "loads", "loads_object"]

MAX_BYTES = 1 << 20
MAX_DEPTH = 64


def loads(data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """Parse I-JSON (RFC 7493) within limits.

    Raises:
        BadInput: ``json.too_large``, ``json.too_deep``, ``json.malformed`` or ``json.ambiguous``.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > max_bytes:
        raise BadInput("json.too_large", f"The JSON text is larger than {max_bytes} bytes.", "Send less.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput("json.malformed", "The text is not UTF-8.", "Encode it as UTF-8.") from None
    _check_depth(text, max_depth)
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_float)
    except BadInput:
        raise
    except (ValueError, RecursionError):
        raise BadInput("json.malformed", "The text is not JSON.", "Check it with a JSON tool.") from None
    if "\\u" in text:
        _refuse_surrogates(value)
    return value


def loads_object(data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Like :func:`loads`, for a text that must be a JSON object.

    Raises:
        BadInput: as :func:`loads`, and ``json.not_object``.
    """
    value = loads(data, max_bytes=max_bytes, max_depth=max_depth)
    if not isinstance(value, dict):
        raise BadInput("json.not_object", "The JSON text is not an object.", "Send a JSON object.")
    return value


def dumps(value: Mapping[str, Any] | list[Any]) -> bytes:
    """Compact UTF-8 JSON; key order is kept as given."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _check_depth(text: str, limit: int) -> None:
    depth = 0
    in_string = escaped = False
    if text.count("{") + text.count("[") <= limit:
        return
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "{[":
            depth += 1
            if depth > limit:
                raise BadInput("json.too_deep", f"The JSON text nests deeper than {limit}.", "Flatten it.")
        elif char in "}]":
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise BadInput("json.ambiguous", "An object has the same key twice.", "Remove one of them.")
    return result


def _refuse_constant(_name: str) -> NoReturn:
    raise BadInput("json.ambiguous", "NaN and Infinity are not JSON.", "Use a finite number.")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise BadInput("json.ambiguous", "A number is too large for a double.", "Write it as a string.")
    return value


def _refuse_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadInput("json.ambiguous", "A string has a lone surrogate.", "Use valid Unicode.") from None
