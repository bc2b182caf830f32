"""What an operation of the admin API is, and how a request becomes typed values.

One :class:`Operation` gives both its route and its part of the OpenAPI document, so that the two cannot differ.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from aiohttp import web
from multidict import MultiMapping

from node.http.person import person_of
from node.runtime.tracing import Kind
from protocols import strict_json
from protocols.errors import BadInput

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["EVENT_STREAM", "Answer", "Call", "Nothing", "Operation", "operation_handler"]

_MAX_BODY_BYTES = 4 << 20
_MAX_UPLOAD_BYTES = 1 << 30
EVENT_STREAM = "text/event-stream"
_PREFIXES = frozenset({"", "admin", "1.0"})


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters, or an empty object."""


Q = TypeVar("Q")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """One request, read.

    Attributes:
        id: what ``{id}`` in the path stands for; empty where the path has none.
        stopping: set when the server shuts down; whoever waits stops waiting then.
        accept: the media types that the client would like.
        person: who asks, see :mod:`node.http.person`.
    """

    id: str
    query: Q
    body: B
    stopping: asyncio.Event
    accept: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer with another status, or of another media type, than its operation usually has."""

    value: Any
    status: int
    media_type: str = "application/json"


Stream = Callable[["Node", web.Request, Any, asyncio.Event], Awaitable[web.StreamResponse]]
"""Writes events to a client for as long as it reads, given the query and what is set when the server stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One entry of the table.

    Attributes:
        name: the operationId.
        path: with ``{id}`` where it names one thing.
        about: a sentence or two beyond the summary.
        query, body, response: Structs; requests with fields that they do not know are refused.
        upload: the body is a file of any type, and the handler gets its path as the call's body.
        also: further statuses that a response may have.
        stream: answers instead where the client accepts ``text/event-stream``.
    """

    name: str
    method: str
    path: str
    summary: str
    handler: Callable[[Node, Call[Any, Any]], Awaitable[Any]]
    response: Any
    about: str = ""
    query: type[msgspec.Struct] = Nothing
    body: type[msgspec.Struct] | None = None
    status: int = 200
    also: tuple[int, ...] = ()
    stream: Stream | None = None
    upload: bool = False

    @property
    def tag(self) -> str:
        """What it is about: the first word of the path after the prefix."""
        return next(word for word in self.path.split("/") if word not in _PREFIXES)


def operation_handler(
    node: Node, operation: Operation, stopping: asyncio.Event
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of an operation."""

    async def handle(request: web.Request) -> web.StreamResponse:
        # Whoever reaches this API acts for the node's owner, so the trace that the request names is taken as it is.
        with node.tracer.span(operation.name, Kind.SERVER, parent=request.headers.get("traceparent")) as span:
            span.say("http.request.method", operation.method)
            span.say("http.route", operation.path)
            response = await answer(request)
            span.say("http.response.status_code", response.status)
        return response

    async def answer(request: web.Request) -> web.StreamResponse:
        query = _query(request.query, operation.query)
        if operation.stream is not None and EVENT_STREAM in request.headers.get("Accept", ""):
            return await operation.stream(node, request, query, stopping)
        with ExitStack() as stack:
            if operation.upload:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lernode-"))
                body: Any = await _upload(request, Path(folder))
            else:
                body = await _body(request, operation.body) if operation.body is not None else Nothing()
            accept = request.headers.get("Accept", "")
            call = Call(request.match_info.get("id", ""), query, body, stopping, accept, person_of(request))
            result = await operation.handler(node, call)
        given = result if isinstance(result, Answer) else Answer(value=result, status=operation.status)
        body_bytes = msgspec.json.encode(given.value)
        return web.Response(status=given.status, body=body_bytes, headers={"Content-Type": given.media_type})

    return handle


def _query(given: MultiMapping[str], kind: type[msgspec.Struct]) -> Any:
    values = dict(given.items())
    if len(values) != len(given):
        raise BadInput("http.query_malformed", "A query parameter is given twice.", "Give each one once.")
    return _convert(values, kind, "http.query_malformed", "query", strict=False)


async def _upload(request: web.Request, folder: Path) -> Path:
    """The body as a file, of which only a piece at a time is in memory."""
    path = folder / "upload"
    size = 0
    with path.open("wb") as file:
        async for piece in request.content.iter_chunked(1 << 18):
            size += len(piece)
            if size > _MAX_UPLOAD_BYTES:
                raise BadInput("http.upload_too_large", "The file has more than 1 GiB.", "Send less.")
            await asyncio.to_thread(file.write, piece)
    return path


async def _body(request: web.Request, kind: type[msgspec.Struct]) -> Any:
    raw = await request.read()
    if not raw.strip():
        return _convert({}, kind, "http.body_malformed", "body")
    if request.content_type != "application/json":
        raise BadInput("http.media_type", "The body is not declared as JSON.", "Send Content-Type: application/json.")
    given = strict_json.loads_object(raw, max_bytes=_MAX_BODY_BYTES)
    return _convert(given, kind, "http.body_malformed", "body")


def _convert(
    values: Mapping[str, Any], kind: type[msgspec.Struct], code: str, place: str, *, strict: bool = True
) -> Any:
    try:
        return msgspec.convert(values, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise BadInput(code, f"The {place} is wrong: {error}.", "See the operation in /openapi.json.") from None
