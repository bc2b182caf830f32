"""JSON as lernode accepts it from outside: one meaning a text, bounded in size, depth and number of values.

RFC 8259 leaves room for texts that two parsers read differently; RFC 7493 (I-JSON) closes it. A document
that is signed must have one reading only, so duplicate keys, NaN, Infinity, lone surrogates and numbers
that a double cannot hold are refused. The limits keep the time for any text of MAX_BYTES under a tenth of a second.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import accumulate
from math import isinf
from typing import Any, NoReturn

import orjson

from protocols.errors import BadInput

__all__ = ["MAX_BYTES", "MAX_DEPTH", "dumps", "loads", "loads_object"]

MAX_BYTES = 1 << 20
MAX_DEPTH = 64

_BYTES_A_VALUE = 12
"""A text in which values are on average shorter than this, with what stands between them, is made to keep one busy."""
_FEW_VALUES = 1 << 12
_FEW_CONTAINERS = 8
_MARKS = b"{[,"
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - _STEP.keys())
# Of a text that is JSON: every escape is of no surrogate, or of both halves of a pair.
_IS_PAIRED = re.compile(
    r"(?:[^\\]++|\\[^u]|\\u(?![dD][89a-fA-F])|\\u[dD][89abAB]..\\u[dD][c-fC-F])*+", re.DOTALL
).fullmatch
_AS_GIVEN = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
_AS_READ = _AS_GIVEN | orjson.OPT_STRICT_INTEGER
_EXACT_DIGITS = 15
_MOST_DIGITS = 310


def loads(
    data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH, max_values: int | None = None
) -> Any:
    """Parse I-JSON (RFC 7493) within limits.

    Args:
        max_values: how many objects, lists and members these may have together; by default, what a text of
            ``max_bytes`` may need.

    Raises:
        BadInput: ``json.too_large``, ``json.too_complex``, ``json.too_deep``, ``json.malformed`` or
            ``json.ambiguous``.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > max_bytes:
        raise BadInput("json.too_large", f"The JSON text is larger than {max_bytes} bytes.", "Send less.")
    most = max_values or max(max_bytes // _BYTES_A_VALUE, _FEW_VALUES)
    if len(raw) > most or not _is_flat(raw, min(max_depth, _FEW_CONTAINERS)):
        _check_limits(raw, most, max_depth)
    try:
        value = orjson.loads(raw)
        # A text that comes back the same, byte for byte, had every key once and nothing that has two readings.
        if orjson.dumps(value, option=_AS_READ) == raw:
            return value
    except (ValueError, TypeError):
        pass  # which may be of orjson's own making
    return _read_with_care(raw, max_depth)


def loads_object(
    data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH, max_values: int | None = None
) -> dict[str, Any]:
    """Like :func:`loads`, for a text that must be a JSON object.

    Raises:
        BadInput: as :func:`loads`, and ``json.not_object``.
    """
    value = loads(data, max_bytes=max_bytes, max_depth=max_depth, max_values=max_values)
    if not isinstance(value, dict):
        raise BadInput("json.not_object", "The JSON text is not an object.", "Send a JSON object.")
    return value


def dumps(value: Mapping[str, Any] | list[Any]) -> bytes:
    """Compact UTF-8 JSON; key order is kept as given.

    Raises:
        TypeError: a value is none of JSON.
        ValueError: a number is not finite, or a string has a lone surrogate.
    """
    try:
        text = orjson.dumps(value, option=_AS_GIVEN)
    except TypeError:
        text = b"null"
    if b"null" not in text:  # as which orjson writes NaN, where this has to refuse
        return text
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _read_with_care(raw: bytes, max_depth: int) -> Any:
    """The value of a text that is not written in the one compact way, or that is refused."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput("json.malformed", "The text is not UTF-8.", "Encode it as UTF-8.") from None
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_float, parse_int=_int
        )
    except BadInput:
        raise
    except RecursionError:
        raise _too_deep(max_depth) from None
    except ValueError:
        raise BadInput("json.malformed", "The text is not JSON.", "Check it with a JSON tool.") from None
    if "\\u" in text and not _IS_PAIRED(text):
        raise BadInput("json.ambiguous", "A string has a lone surrogate.", "Use valid Unicode.")
    return value


def _is_flat(raw: bytes, most: int) -> bool:
    """Whether a text has at most so many objects and lists; of an envelope, which is one long string, known at once."""
    for mark in (b"{", b"["):
        at = raw.find(mark)
        while at >= 0:
            most -= 1
            if most < 0:
                return False
            at = raw.find(mark, at + 1)
    return True


def _check_limits(raw: bytes, most: int, max_depth: int) -> None:
    containers = raw.count(b"{") + raw.count(b"[")
    # A short text cannot have too many.
    if len(raw) > most and containers + raw.count(b",") > most and sum(map(_outside_strings(raw).count, _MARKS)) > most:
        raise BadInput("json.too_complex", "The JSON text has too many values.", "Send fewer at a time.")
    if containers > max_depth and _depth(raw) > max_depth:
        raise _too_deep(max_depth)


def _depth(raw: bytes) -> int:
    """How deep a text nests, if it is JSON; made of steps in C, as a loop over the text would take too long."""
    brackets = _outside_strings(raw).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _outside_strings(raw: bytes) -> bytes:
    return b"".join(raw.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])


def _too_deep(limit: int) -> BadInput:
    return BadInput("json.too_deep", f"The JSON text nests deeper than {limit}.", "Flatten it.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise BadInput("json.ambiguous", "An object has the same key twice.", "Remove one of them.")
    return result


def _refuse_constant(_name: str) -> NoReturn:
    raise BadInput("json.ambiguous", "NaN and Infinity are not JSON.", "Use a finite number.")


def _float(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise _no_double()
    return value


def _int(text: str) -> int:
    if len(text) <= _EXACT_DIGITS:
        return int(text)
    # Others read it as the nearest double (RFC 7493 §2.2), so it has to be one.
    value = int(text) if len(text) <= _MOST_DIGITS else None
    try:
        if value is not None and float(value) == value:
            return value
    except OverflowError:
        pass
    raise _no_double()


def _no_double() -> BadInput:
    return BadInput("json.ambiguous", "A number is none that a double can hold.", "Write it as a string.")
