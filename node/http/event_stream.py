"""The stream of events for a client that keeps a connection open: server-sent events, in order, from where it left.

Spec: WHATWG HTML §9.2 Server-sent events. Each event's ``id`` is its number, ``event`` its type, ``data`` the
CloudEvent that a webhook would get. A client that comes again with ``Last-Event-ID`` misses nothing that is still
kept; where something is not, it is told so by an event ``gap`` first, and has to read anew what it follows. A server
that stops says so by an event ``end``, and the client comes again, where there are replicas to another one.

A stream holds one page of events at a time and waits until the client has taken it, so a slow client costs no memory;
one that takes nothing for a while is cut off and may come again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

from node.events.envelope import cloud_event, personal_data
from node.http.admin_operation import EVENT_STREAM
from node.http.schemas import EventsQuery, topics_of
from protocols import strict_json
from protocols.errors import BadInput, NotNow
from storage import events
from storage.engine import Store
from storage.events import Event

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["MAX_STREAMS", "Follower", "stream_events"]

MAX_STREAMS = 32
_PAGE = 100
_TAKES_NOTHING_SECONDS = 60.0
_NEW = b"retry: 3000\n\n"
_HEARTBEAT = b": heartbeat\n\n"
_END = b'event: end\ndata: {"code":"node.stopping"}\n\n'


async def stream_events(
    node: Node, request: web.Request, query: EventsQuery, stopping: asyncio.Event
) -> web.StreamResponse:
    """Write events until the client goes, takes nothing, or the server stops.

    Raises:
        BadInput: ``event.topic_unknown``; ``http.query_malformed`` for a ``Last-Event-ID`` that is none.
        NotNow: ``events.too_many_streams``.
    """
    topics = topics_of(query.topics)
    open_streams = node.event_streams
    if len(open_streams) >= MAX_STREAMS:
        raise NotNow("events.too_many_streams", "As many clients follow the events as may.", "Close one, or wait.")
    follower = Follower(node, topics, stopping)
    open_streams.add(follower)
    try:
        await follower.begin(_last_seen(request, query))
        response = web.StreamResponse(headers={"Content-Type": EVENT_STREAM, "Cache-Control": "no-store"})
        # What waits in the connection's buffer is all that a client that does not read can hold.
        await response.prepare(request)
        with suppress(ConnectionError, TimeoutError):
            await follower.write_to(response)
    finally:
        open_streams.discard(follower)
    return response


class Follower:
    """One client: where it is in the order of events, and a bell for new ones.

    Attributes:
        place: the number of the event after which it goes on.
    """

    def __init__(self, node: Node, topics: tuple[str, ...], stopping: asyncio.Event) -> None:
        self._store: Store = node.store
        self._include = node.config.events.include
        self._source = node.config.node.endpoint.rstrip("/")
        self._heartbeat = node.config.events.heartbeat_seconds
        self._topics = topics
        self._stopping = stopping
        self.place = 0
        self._gap = False

    async def begin(self, last_seen: int | None) -> None:
        """Take up after the event with this number; None: after the newest."""
        async with self._store.read() as tx:
            oldest, newest = await events.bounds(tx)
        self.place = newest if last_seen is None else last_seen
        # A number that was never given out is of another store; nothing can be said of what lies between.
        self._gap = last_seen is not None and not (oldest - 1 <= last_seen <= newest)
        if self._gap:
            self.place = max(oldest - 1, 0)

    async def write_to(self, response: web.StreamResponse) -> None:
        """Write what there is, then what comes, and a heartbeat where nothing does."""
        bell = asyncio.Event()
        stop_listening = self._store.listen(events.CHANNEL, bell.set)
        try:
            await _write(response, _NEW + (_gap(self.place) if self._gap else b""))
            while not self._stopping.is_set():
                bell.clear()
                while not self._stopping.is_set() and (page := await self._next_page()):
                    for chunk in page:
                        await _write(response, chunk)
                if not await self._woken(bell):
                    await _write(response, _HEARTBEAT)
            await _write(response, _END)
        finally:
            stop_listening()

    async def _next_page(self) -> list[bytes]:
        async with self._store.read() as tx:
            found = await events.page(tx, after=self.place, topics=self._topics, limit=_PAGE)
            chunks = [self._chunk(event, await personal_data(tx, event, self._include)) for event in found]
        if found:
            self.place = found[-1].seq
        return chunks

    def _chunk(self, event: Event, personal: dict[str, object]) -> bytes:
        data = strict_json.dumps(cloud_event(event, self._source, personal))
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.type.encode(), data)

    async def _woken(self, bell: asyncio.Event) -> bool:
        """Whether there may be something new; else it is time for a heartbeat."""
        waits = [asyncio.ensure_future(bell.wait()), asyncio.ensure_future(self._stopping.wait())]
        try:
            done, _ = await asyncio.wait(waits, timeout=self._heartbeat, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return bool(done)


async def _write(response: web.StreamResponse, chunk: bytes) -> None:
    """Write, and wait until the client has room for more.

    Raises:
        TimeoutError: it takes nothing.
        ConnectionError: it went.
    """
    async with asyncio.timeout(_TAKES_NOTHING_SECONDS):
        await response.write(chunk)


def _gap(place: int) -> bytes:
    return b"event: gap\ndata: %s\n\n" % strict_json.dumps({"after": place})


def _last_seen(request: web.Request, query: EventsQuery) -> int | None:
    text = request.headers.get("Last-Event-ID")
    if text is None:
        return query.after
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadInput(
            "http.query_malformed", "Last-Event-ID is not the id of an event of this stream.", "Leave it out."
        )
    return int(text)
