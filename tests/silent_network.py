"""A network between a node and PostgreSQL that can swallow everything without a word, as a proxy that hangs does."""

from __future__ import annotations

import asyncio
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

__all__ = ["SilentNetwork"]

_CHUNK = 1 << 16


class SilentNetwork:
    """Passes bytes on between a port of loopback and the server's socket, until it is told to be :meth:`silent`.

    Attributes:
        url: of the same store as ``url``, by way of this network.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
        self._database = f"{parts.path}?search_path={parse_qs(parts.query)['search_path'][0]}"
        self._heard = asyncio.Event()
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._pipes: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> SilentNetwork:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"postgresql://lernode@127.0.0.1:{port}{self._database}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    def silent(self) -> None:
        """Swallow whatever comes from now on, either way; connections are still taken, and nothing is closed."""
        self._heard.clear()
        self._is_open.clear()

    def open(self) -> None:
        """Serve new connections again; what was swallowed stays so, and those that it was swallowed of hear nothing."""
        self._is_open.set()

    async def swallowed(self) -> None:
        """Wait until something was."""
        await self._heard.wait()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pipes.add(task)
        try:
            inner_reader, inner_writer = await asyncio.open_unix_connection(self._target)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pass(reader, inner_writer))
                    both.create_task(self._pass(inner_reader, writer))
            finally:
                inner_writer.close()
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._pipes.discard(task)
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        swallows = False
        while data := await reader.read(_CHUNK):
            if not self._is_open.is_set():
                swallows = True
                self._heard.set()
            if not swallows:
                writer.write(data)
                await writer.drain()
        if not swallows:
            writer.close()
