"""Return-route: may answers come back over the channel that a message came in by (Aries RFC 0092; in DIDComm v2 the
extension of the same name).

v1 says it in the ``~transport`` decorator, v2 in the header ``return_route``. Whether a channel can carry answers, and
which of them, is left to the node. A value that is not defined asks for nothing, as the RFC has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire

__all__ = ["NO_RETURN", "Return", "ReturnRoute", "asked", "asking"]

_DECORATOR = "~transport"
_NAME = "return_route"
_THREAD = "return_route_thread"


class ReturnRoute(StrEnum):
    """RFC 0092 §Reference."""

    NONE = "none"
    ALL = "all"
    THREAD = "thread"


@dataclass(frozen=True, slots=True)
class Return:
    """What may come back.

    Attributes:
        thid: the one thread whose messages may, where ``route`` is ``thread``.
    """

    route: ReturnRoute
    thid: str | None = None

    def covers(self, thid: str) -> bool:
        """Whether a message of this thread may come back."""
        return self.route is ReturnRoute.ALL or (self.route is ReturnRoute.THREAD and thid == self.thid)


NO_RETURN = Return(ReturnRoute.NONE)


def asked(message: PlainMessage) -> Return:
    """What the sender of ``message`` asks for.

    Raises:
        PeerFault: ``message.malformed`` where it is not said as the RFC has it.
    """
    raw = message.headers if message.wire is Wire.V2 else Fields(message.body).optional_mapping(_DECORATOR) or {}
    fields = Fields(raw, where="return route")
    route = fields.optional_text(_NAME, max_chars=32)
    if route == ReturnRoute.ALL:
        return Return(ReturnRoute.ALL)
    if route == ReturnRoute.THREAD:
        return Return(ReturnRoute.THREAD, fields.optional_text(_THREAD, max_chars=128) or message.thid)
    return NO_RETURN


def asking(message: PlainMessage) -> PlainMessage:
    """``message``, asking that whatever there is for its sender comes back the same way."""
    if message.wire is Wire.V2:
        return msgspec.structs.replace(message, headers={**message.headers, _NAME: ReturnRoute.ALL.value})
    return msgspec.structs.replace(message, body={**message.body, _DECORATOR: {_NAME: ReturnRoute.ALL.value}})
