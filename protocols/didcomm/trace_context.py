"""Which trace of distributed work a message belongs to (W3C Trace Context §3.2, ``traceparent``).

v1 carries it as the decorator ``~traceparent``, v2 as the header ``traceparent``, with the value of the HTTP header of
that name. It is not Aries RFC 0034, whose ``~trace`` asks whoever handles a message to report to a third party.
``tracestate``, which says what others add to a trace, is neither written nor read. Whether a trace is told to a peer,
and whether a peer's is believed, is left to the node.
"""

from __future__ import annotations

import re

import msgspec

from protocols.didcomm.message import PlainMessage, Wire

__all__ = ["carried", "carrying"]

_DECORATOR = "~traceparent"
_HEADER = "traceparent"
_MAX_CHARS = 256
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)


def carried(message: PlainMessage) -> str | None:
    """The ``traceparent`` of a message in version 00; None where it has none, or one that is not well-formed.

    What is not well-formed is ignored (§3.2.2.3): nothing that a trace says is worth refusing a message.
    """
    value = message.headers.get(_HEADER) if message.wire is Wire.V2 else message.body.get(_DECORATOR)
    if not isinstance(value, str) or len(value) > _MAX_CHARS:
        return None
    found = _FORM.fullmatch(value)
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if version == "ff" or not int(trace_id, 16) or not int(parent_id, 16) or (version == "00" and more is not None):
        return None
    return f"00-{trace_id}-{parent_id}-{int(flags, 16) & 1:02x}"


def carrying(message: PlainMessage, traceparent: str) -> PlainMessage:
    """``message``, saying that it belongs to this trace."""
    if message.wire is Wire.V2:
        return msgspec.structs.replace(message, headers={**message.headers, _HEADER: traceparent})
    return msgspec.structs.replace(message, body={**message.body, _DECORATOR: traceparent})
