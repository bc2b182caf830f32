"""A node as a real process that is started again whenever it ends, as a service manager does."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from node.http.admin_socket import admin_socket_path

__all__ = ["PASSPHRASE", "End", "Node", "Refused", "Unsure"]

PASSPHRASE = "correct horse battery staple"
_REPOSITORY = Path(__file__).resolve().parents[2]
_LOOK_EVERY_SECONDS = 0.02
_PAUSE_SECONDS = 0.3
_CALL_SECONDS = 30.0
_STOP_SECONDS = 30.0


class Unsure(Exception):
    """A call was cut off: it may have been carried out or not."""


class Refused(Exception):
    """A node said no; its code says why."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class End:
    """A process that ended though nobody killed it."""

    node: str
    code: int
    after: float
    explained: bool


class Node:
    """One node, kept running."""

    def __init__(
        self, name: str, home: Path, port: int, environment: Mapping[str, str], explained: Callable[[], bool]
    ) -> None:
        """
        Args:
            port: where it listens itself, behind its relay.
            environment: more than it needs of itself.
            explained: whether something that is broken on purpose now would make it end.
        """
        self.name = name
        self.home = home
        self.log = home.parent.parent / f"{name}.log"
        self.inner_url = f"http://127.0.0.1:{port}"
        self.ready = asyncio.Event()
        self.starting = asyncio.Event()
        self.ready_since = 0.0
        self.starts = 0
        self.start_seconds: list[float] = []
        self.ends: list[End] = []
        self._port = port
        self._environment = environment
        self._explained = explained
        self._nursery: asyncio.subprocess.Process | None = None
        self._pid: int | None = None
        self._killed = False
        self._last_code = 0
        self._keeping: asyncio.Task[None] | None = None

    def keep(self) -> None:
        """Start it, and start it again whenever it ends."""
        self._keeping = asyncio.create_task(self._keep(), name=self.name)

    def kill(self) -> None:
        """SIGKILL: no time to finish anything."""
        if self._pid is not None:
            self._killed = True
            self.ready.clear()
            _signal(self._pid, signal.SIGKILL)

    async def stop(self) -> int:
        """End it for good, gently; its exit code."""
        if self._keeping is None:
            return 0
        keeping, self._keeping = self._keeping, None
        if self._pid is not None:
            _signal(self._pid, signal.SIGTERM)
        done, _pending = await asyncio.wait({keeping}, timeout=_STOP_SECONDS)
        if not done:
            self.kill()
            await keeping
        if self._nursery is not None:
            self._nursery.kill()
            await self._nursery.wait()
        return self._last_code if done else -signal.SIGKILL

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One call of the admin API.

        Raises:
            Unsure: it was cut off.
            Refused: the node said no.
        """
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.UnixConnector(str(admin_socket_path(self.home))),
                    timeout=aiohttp.ClientTimeout(total=_CALL_SECONDS),
                ) as session,
                session.request(method, f"http://node{path}", json=body) as response,
            ):
                answer = await response.json()
                if response.status >= 400:
                    raise Refused(response.status, str(answer.get("code", answer.get("type"))))
                return answer
        except (aiohttp.ClientError, OSError, TimeoutError, json.JSONDecodeError) as error:
            raise Unsure(type(error).__name__) from error

    async def status_list(self, list_id: str) -> bytes | None:
        """A list as it is published now, or None where it is not answered."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_CALL_SECONDS)) as session,
                session.get(f"{self.inner_url}/status/{list_id}") as response,
            ):
                return await response.read() if response.status == 200 else None
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None

    async def _keep(self) -> None:
        while self._keeping is not None:
            nursery = await self._ready_nursery()
            began = time.monotonic()
            self._killed = False
            nursery.stdin.write(b"\n")  # type: ignore[union-attr]
            self._pid = int(await nursery.stdout.readline())  # type: ignore[union-attr]
            self.starts += 1
            self.starting.set()
            watching = asyncio.create_task(self._announce(began))
            self._last_code = int(await nursery.stdout.readline())  # type: ignore[union-attr]
            self._pid = None
            watching.cancel()
            self.ready.clear()
            self.starting.clear()
            if not self._killed and self._keeping is not None:
                self.ends.append(End(self.name, self._last_code, time.monotonic() - began, self._explained()))
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _ready_nursery(self) -> asyncio.subprocess.Process:
        if self._nursery is None:
            self._nursery = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "scripts.torturing.nursery", str(self.home), str(self.log)),
                cwd=_REPOSITORY,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**_environment(), **self._environment},
            )
            await self._nursery.stdout.readline()  # type: ignore[union-attr]
        return self._nursery

    async def _announce(self, began: float) -> None:
        while True:
            with suppress(OSError):
                _reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.close()
                self.ready_since = time.monotonic()
                self.start_seconds.append(self.ready_since - began)
                self.ready.set()
                return
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What a command of ``lernode`` with this node says."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "node.cli.main", *words, "--home", str(self.home), "--json"),
            cwd=_REPOSITORY,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
        )
        out, err = await process.communicate()
        return subprocess.CompletedProcess(words, process.returncode or 0, out.decode(), err.decode())


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _environment() -> dict[str, str]:
    return {"LERNODE_PASSPHRASE": PASSPHRASE, "PATH": os.environ["PATH"]}
