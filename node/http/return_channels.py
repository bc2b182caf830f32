"""The two channels that a peer can hold open to this node: a waiting HTTP request, and a WebSocket.

Limits: one message at a time is read from a WebSocket and carried out before the next is read, so that a fast peer
waits in its own network buffers; a peer that does not read what it is sent, stays silent before it said anything valid,
or sends one refused message after another, is cut off. Where as many WebSockets are open as may be, one that belongs to
no connection makes room, so that strangers keep no client out by holding sockets open.
"""

from __future__ import annotations

import asyncio
import logging

from aiohttp import WSMsgType, web

from node.runtime.channels import Channels
from node.runtime.inbound import Inbound
from protocols.errors import LernodeError, NotNow

__all__ = ["HttpReturn", "Sockets"]

_log = logging.getLogger("lernode.sockets")
_HEARTBEAT_SECONDS = 30.0
_FIRST_MESSAGE_SECONDS = 30.0
_SEND_SECONDS = 30.0
_MAX_FAULTS = 16


class HttpReturn:
    """An HTTP request whose response can carry one envelope."""

    stays_open = False

    def __init__(self) -> None:
        self._offered: asyncio.Future[tuple[bytes, str]] = asyncio.get_running_loop().create_future()
        self._written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def send(self, envelope: bytes, media_type: str) -> None:
        """As :class:`node.runtime.channels.Channel`."""
        await self.reply(envelope, media_type)
        if not await asyncio.shield(self._written):
            raise _closed()

    async def reply(self, envelope: bytes, media_type: str) -> None:
        """As :class:`node.runtime.channels.Channel`."""
        if self._offered.done():
            raise _closed()
        self._offered.set_result((envelope, media_type))

    async def answer(self, seconds: float) -> web.Response:
        """The response: with an envelope where one is offered in time, else an empty 202."""
        try:
            async with asyncio.timeout(seconds):
                envelope, media_type = await asyncio.shield(self._offered)
        except TimeoutError:
            self._offered.cancel()
            return web.Response(status=202)
        return web.Response(status=200, body=envelope, headers={"Content-Type": media_type})

    def finish(self, *, written: bool) -> None:
        """The response left, or it did not."""
        self._offered.cancel()
        if not self._written.done():
            self._written.set_result(written)


class _Socket:
    """A WebSocket as a channel."""

    stays_open = True

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def send(self, envelope: bytes, media_type: str) -> None:
        """As :class:`node.runtime.channels.Channel`; the media type is seen in the envelope."""
        del media_type
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._socket.send_bytes(envelope)
        except (TimeoutError, ConnectionError, RuntimeError):
            await self._socket.close()
            raise _closed() from None

    reply = send


class Sockets:
    """Serves WebSockets at the DIDComm endpoint."""

    def __init__(
        self, inbound: Inbound, channels: Channels, *, max_bytes: int, max_sockets: int, idle_seconds: float
    ) -> None:
        self._inbound = inbound
        self._channels = channels
        self._max_bytes = max_bytes
        self._max_sockets = max_sockets
        self._idle_seconds = idle_seconds
        self._open: dict[web.WebSocketResponse, tuple[_Socket, web.Request]] = {}

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One WebSocket, until either side ends it.

        Raises:
            NotNow: ``http.too_many_sockets``.
        """
        if len(self._open) >= self._max_sockets and not self._make_room():
            raise NotNow("http.too_many_sockets", "Too many WebSockets are open here.", "Try again later, or poll.")
        # Without compression: what is encrypted does not shrink, and what shrinks may burst.
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, max_msg_size=self._max_bytes, compress=False)
        channel = _Socket(socket)
        self._open[socket] = (channel, request)
        try:
            await socket.prepare(request)
            await self._converse(socket, channel)
        finally:
            self._open.pop(socket, None)
            self._channels.close(channel)
            await socket.close()
        return socket

    async def close(self) -> None:
        """End every WebSocket; peers open new ones, or poll."""
        await asyncio.gather(*(socket.close(code=1001) for socket in list(self._open)), return_exceptions=True)

    def _make_room(self) -> bool:
        """End the oldest WebSocket over which no peer has been authenticated; whether there was one."""
        for socket, (channel, request) in self._open.items():
            if not self._channels.connections_of(channel):
                del self._open[socket]
                if request.transport is not None:
                    request.transport.abort()  # without a farewell, for which it could let the node wait
                return True
        return False

    async def _converse(self, socket: web.WebSocketResponse, channel: _Socket) -> None:
        patience, faults = _FIRST_MESSAGE_SECONDS, 0
        while faults < _MAX_FAULTS:
            try:
                message = await socket.receive(timeout=patience)
            except TimeoutError:
                return
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                return
            data = message.data if isinstance(message.data, bytes) else message.data.encode("utf-8", "surrogatepass")
            try:
                await self._inbound.receive(data, channel)
            except LernodeError:
                faults += 1  # it was counted, logged and, where there is somebody to tell, reported
            else:
                patience = self._idle_seconds


def _closed() -> NotNow:
    return NotNow("channel.closed", "The peer closed the channel.", "It is tried again when the peer comes back.")
