"""Who asks: the person whose bearer token it is, or the user of this machine at the other end of the socket."""

from __future__ import annotations

import pwd
import socket
import struct
from contextvars import ContextVar

from aiohttp import web

__all__ = ["PERSON", "person_of"]

PERSON: ContextVar[str | None] = ContextVar("person", default=None)
"""Whose token the request that is being answered bears."""
_UNKNOWN = "local"


def person_of(request: web.Request) -> str:
    """A name that is the same for the same person, e.g. ``token:registrar`` or ``local:ada``."""
    return PERSON.get() or _user_of(request)


def _user_of(request: web.Request) -> str:
    connection = request.transport.get_extra_info("socket") if request.transport else None
    if connection is None or connection.family != socket.AF_UNIX or not hasattr(socket, "SO_PEERCRED"):
        return _UNKNOWN
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    user = struct.unpack("3i", raw)[1]
    try:
        return f"local:{pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"local:{user}"
