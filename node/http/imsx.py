"""Errors of the Open Badges API as 1EdTech says them: Imsx_StatusInfo (OB 3.0 §C.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from node.http.problem import status_of
from protocols import strict_json
from protocols.errors import LernodeError

__all__ = ["imsx_middleware"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_STATUS = {
    "oauth.no_token": 401,
    "oauth.invalid_token": 401,
    "oauth.insufficient_scope": 403,
    "http.too_many": 429,
}
_MINOR = {
    400: "invalid_data",
    401: "unauthorizedrequest",
    403: "forbidden",
    404: "not_found",
    405: "not_allowed",
    406: "not_acceptable",
    429: "server_busy",
    503: "server_busy",
}
_BY_CODE = {"http.query_malformed": "invalid_query_parameter"}
_RETRY_SECONDS = "60"


@web.middleware
async def imsx_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say every error as Imsx_StatusInfo; what was not foreseen goes on to the node's own middleware."""
    try:
        return await handler(request)
    except LernodeError as error:
        status = _STATUS.get(error.code) or status_of(error)
        return _status_info(status, error.code, str(error))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = _status_info(error.status, f"http.{error.status}", error.reason)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response


def _status_info(status: int, code: str, description: str) -> web.Response:
    minor = _BY_CODE.get(code) or _MINOR.get(status, "internal_server_error" if status >= 500 else "invalid_data")
    body = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": f"{description} [{code}]",
        "imsx_codeMinor": {
            "imsx_codeMinorField": [{"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}]
        },
    }
    response = web.Response(status=status, body=strict_json.dumps(body), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    if status in (401, 403):
        # RFC 6750 §3.1: no error where no token was sent.
        why = {"oauth.invalid_token": "invalid_token", "oauth.insufficient_scope": "insufficient_scope"}.get(code)
        response.headers["WWW-Authenticate"] = f'Bearer error="{why}"' if why else "Bearer"
    if status in (429, 503):
        response.headers["Retry-After"] = _RETRY_SECONDS
    return response
