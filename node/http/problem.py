"""Errors as problem JSON (RFC 9457): every answer that is not a success has a stable code and says what to do."""

from __future__ import annotations

import errno
import logging
import traceback
from collections.abc import Awaitable, Callable

from aiohttp import web

from protocols import strict_json
from protocols.errors import BadInput, LernodeError, NotNow, PeerFault, WrongState

__all__ = ["MEDIA_TYPE", "problem_middleware", "problem_response", "problem_urn", "status_of"]

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger("lernode.http")
_STATUS: tuple[tuple[type[LernodeError], int], ...] = (
    (BadInput, 400),
    (PeerFault, 400),
    (WrongState, 409),
    (NotNow, 503),
)
_CLIENT_LEFT = 499  # as reverse proxies count it
_COME_AGAIN = frozenset({503, 507})
_COME_AGAIN_SECONDS = 5
_BY_CODE = {
    "json.too_large": 413,
    "envelope.too_large": 413,
    "http.media_type": 415,
    "http.unauthorised": 401,
    "store.full": 507,
    "node.disk_full": 507,
}
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


def status_of(error: LernodeError) -> int:
    """The HTTP status that says whose turn it is."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if error.code.endswith(".unknown") and isinstance(error, WrongState):
        return 404
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem_urn(code: str) -> str:
    """The ``type`` of a problem for which no specification has a URL."""
    return f"urn:lernode:error:{code}"


def problem_response(status: int, code: str, message: str, hint: str = "") -> web.Response:
    """A problem document; ``type`` is the stable code as a URN."""
    body = {"type": problem_urn(code), "title": message, "status": status, "code": code}
    if hint:
        body["detail"] = hint
    headers = {"Retry-After": str(_COME_AGAIN_SECONDS)} if status in _COME_AGAIN else None
    return web.Response(status=status, body=strict_json.dumps(body), content_type=MEDIA_TYPE, headers=headers)


@web.middleware
async def problem_middleware(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn every error into a problem document; what was not foreseen is logged without its text."""
    try:
        return await handler(request)
    except LernodeError as error:
        return problem_response(status_of(error), error.code, error.message, error.hint)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code = "json.too_large" if error.status == 413 else f"http.{error.status}"
        response = problem_response(error.status, code, error.reason)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NO_SPACE:
            full = NotNow("node.disk_full", "There is no space left for a file of the node.", "Free disk space.")
            return problem_response(status_of(full), full.code, full.message, full.hint)
        if isinstance(error, ConnectionError) and (request.transport is None or request.transport.is_closing()):
            return web.Response(status=_CLIENT_LEFT)  # for the count of requests alone: nobody is there to read it
        # Where, but not the message: it may quote personal data.
        _log.error("unforeseen %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
        return problem_response(500, "http.internal", "The node failed at this.", "Report it with the node's log.")
