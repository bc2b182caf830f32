"""How a command reaches the node: through the admin API, over the socket of the node that runs.

Where none runs, the node is opened in this process for the time of the command, without listening for peers, and
served on a socket in a private folder, so that commands have one way only.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from aiohttp import web

from node.cli.options import Setting, read_secret
from node.cli.output import note
from node.cli.progress import waiting
from node.http.admin_socket import admin_socket_path, is_answered, open_admin_socket
from node.http.schemas import Problem, StatusView
from protocols.errors import BadInput, LernodeError, NotNow, WrongState

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["Api", "segment", "with_api"]

T = TypeVar("T")
_TIMEOUT = aiohttp.ClientTimeout(total=120)
_LOOK_EVERY_SECONDS = 0.05
_DELIVERY_LOOKS = 100  # five seconds
_BY_STATUS: dict[int, type[LernodeError]] = {
    400: BadInput,
    404: WrongState,
    409: WrongState,
    413: BadInput,
    503: NotNow,
}


class Api:
    """The admin API, with typed answers.

    Attributes:
        is_own_node: whether the node lives in this process only, so that no peer's answer can arrive.
    """

    def __init__(self, session: aiohttp.ClientSession, *, is_own_node: bool) -> None:
        self._session = session
        self.is_own_node = is_own_node
        self.spoke_to_peer = False

    async def get(self, path: str, kind: type[T], **query: str | int | float | None) -> T:
        """GET; parameters that are None are left out.

        Raises:
            LernodeError: what the node answered, or ``node.unreachable``.
        """
        params = {name: str(value) for name, value in query.items() if value is not None}
        return await self._ask("GET", path, kind, params=params)

    async def get_however_long(self, path: str, kind: type[T], **query: str | int | None) -> T:
        """GET what may take as long as it takes.

        Raises:
            LernodeError: what the node answered, or ``node.unreachable``.
        """
        params = {name: str(value) for name, value in query.items() if value is not None}
        return await self._ask("GET", path, kind, params=params, timeout=aiohttp.ClientTimeout(total=None))

    async def post(self, path: str, kind: type[T], body: msgspec.Struct | None = None, *, to_peer: bool = False) -> T:
        """POST.

        Args:
            to_peer: what is asked for sends a message to a peer.

        Raises:
            LernodeError: what the node answered, or ``node.unreachable``.
        """
        self.spoke_to_peer = self.spoke_to_peer or to_peer
        data = None if body is None else msgspec.json.encode(body)
        return await self._ask("POST", path, kind, data=data, headers={"Content-Type": "application/json"})

    async def upload(self, path: str, kind: type[T], content: IO[bytes] | None, **query: str | int | None) -> T:
        """POST a file, as it is read; it may take as long as it takes.

        Raises:
            LernodeError: what the node answered, or ``node.unreachable``.
        """
        params = {name: str(value) for name, value in query.items() if value is not None}
        headers = {"Content-Type": "application/octet-stream"}
        forever = aiohttp.ClientTimeout(total=None)
        return await self._ask("POST", path, kind, params=params, data=content, headers=headers, timeout=forever)

    async def delete(self, path: str, kind: type[T]) -> T:
        """DELETE.

        Raises:
            LernodeError: what the node answered, or ``node.unreachable``.
        """
        return await self._ask("DELETE", path, kind)

    async def stream(self, path: str, **query: str | int | None) -> AsyncIterator[str]:
        """The data of server-sent events, as they come, until the node stops.

        Raises:
            LernodeError: what the node answered, or ``node.unreachable``.
        """
        params = {name: str(value) for name, value in query.items() if value is not None}
        headers = {"Accept": "text/event-stream"}
        forever = aiohttp.ClientTimeout(total=None)
        try:
            async with self._session.get(
                f"http://node{path}", params=params, headers=headers, timeout=forever
            ) as response:
                if response.status >= 400:
                    raise _as_error(response.status, await response.read())
                async for line in response.content:
                    if line == b"event: end\n":
                        return
                    if line.startswith(b"data: "):
                        yield line.removeprefix(b"data: ").decode().rstrip("\n")
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise NotNow("node.unreachable", "The node does not answer.", "Look at its log, then try again.") from None

    async def _ask(self, method: str, path: str, kind: type[T], **more: Any) -> T:
        try:
            async with self._session.request(method, f"http://node{path}", **more) as response:
                raw = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise NotNow("node.unreachable", "The node does not answer.", "Look at its log, then try again.") from None
        if response.status >= 400:
            raise _as_error(response.status, raw)
        return msgspec.json.decode(raw, type=kind)


def segment(text: str) -> str:
    """Text as one segment of a path.

    Raises:
        BadInput: ``cli.empty``.
    """
    if not text:
        raise BadInput("cli.empty", "An argument that should name something is empty.", "List what there is first.")
    return quote(text, safe="")


def with_api(setting: Setting, work: Callable[[Api], Awaitable[T]]) -> T:
    """Run ``work`` with the node that ``setting`` means.

    Raises:
        LernodeError: see :class:`Api`, and what opening the node raises.
    """

    async def go() -> T:
        path = admin_socket_path(setting.home)
        if is_answered(path):
            async with _session(path) as session:
                return await work(Api(session, is_own_node=False))
        async with _own_node(setting) as own_path, _session(own_path) as session:
            api = Api(session, is_own_node=True)
            before = (await api.get("/admin/status", StatusView)).outbox.waiting
            result = await work(api)
            if api.spoke_to_peer:
                await _deliver(api, before)
            return result

    return asyncio.run(go())


def _session(path: Path) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)), timeout=_TIMEOUT)


@asynccontextmanager
async def _own_node(setting: Setting) -> AsyncIterator[Path]:
    # The whole node is imported only where this process has to be one, and while the passphrase is worked on.
    from node.config import load  # noqa: PLC0415
    from node.runtime.unlocking import unlock  # noqa: PLC0415

    config = load(setting.home)
    secret = read_secret(setting)
    async with waiting("Opening the node"):
        imported = asyncio.create_task(asyncio.to_thread(import_module, "node.app"))
        unlocked = await unlock(setting.home, secret, config=config)
        await imported
        from node.app import Node  # noqa: PLC0415

        node = await Node.of(unlocked)
    try:
        await node.start(listen=False)
        async with _served(node) as path:
            yield path
    finally:
        await node.stop()


@asynccontextmanager
async def _served(node: Node) -> AsyncIterator[Path]:
    from node.http.admin import admin_app  # noqa: PLC0415 - see above

    runner = web.AppRunner(admin_app(node, token=None), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    with tempfile.TemporaryDirectory(prefix="lernode-") as folder:
        served = await open_admin_socket(runner, Path(folder))
        try:
            yield served.path
        finally:
            await served.close()
            await runner.cleanup()


async def _deliver(api: Api, before: int) -> None:
    """Give what this command sent a moment to arrive."""
    async with waiting("Delivering"):
        for _ in range(_DELIVERY_LOOKS):
            if (await api.get("/admin/status", StatusView)).outbox.waiting <= before:
                break
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        else:
            note("A message is not delivered yet; it goes out when the node runs.")
    note("The node does not run, so no answer can arrive. Start it with: lernode run")


def _as_error(status: int, raw: bytes) -> LernodeError:
    try:
        problem = msgspec.json.decode(raw, type=Problem)
    except msgspec.DecodeError:
        return LernodeError("node.answer", f"The node answers {status} without saying why.", "Look at its log.")
    return _BY_STATUS.get(status, LernodeError)(problem.code, problem.title, problem.detail)
