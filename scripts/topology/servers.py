"""The servers that are not lernode's: PostgreSQL, which waits for its disk, and HAProxy with the file of docker/."""

from __future__ import annotations

import asyncio
import csv
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from scripts.benchmark.processes import stop_gently
from scripts.postgresql import binaries, initialise, postgres_command, run_as_owner

__all__ = ["Balancer", "Database", "Missing", "haproxy"]

_CONFIG = Path(__file__).resolve().parents[2] / "docker" / "haproxy.cfg"
_START_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.05


class Missing(Exception):
    """A program that is needed is not installed; says which, and how to get it."""


def haproxy() -> str:
    """Where HAProxy is.

    Raises:
        Missing: it is not installed.
    """
    found = shutil.which("haproxy", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
    if found is None:
        raise Missing("HAProxy is not installed. On Debian or Ubuntu: sudo apt install haproxy")
    return found


class Database:
    """A PostgreSQL server of its own in a folder, which waits for the disk as in production."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """
        Raises:
            Missing: it is not installed.
        """
        programs = binaries()
        if programs is None:
            raise Missing("PostgreSQL is not installed. On Debian or Ubuntu: sudo apt install postgresql")
        self._programs = programs
        self._durable = durable
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """For ``database.url``."""
        return f"postgresql://lernode@/postgres?host={self._folder}"

    async def start(self) -> None:
        """Make the cluster and start its server.

        Raises:
            RuntimeError: it does not start; its log stands in the folder.
        """
        self._folder.mkdir(mode=0o755)
        initialise(self._programs, self._folder)
        with (self._folder / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *postgres_command(self._programs, self._folder, durable=self._durable), stderr=log, **run_as_owner()
            )
        async with asyncio.timeout(_START_SECONDS):
            while await self._probe():
                if self._process.returncode is not None:
                    raise RuntimeError(f"PostgreSQL did not start:\n{(self._folder / 'log').read_text()[-2000:]}")
                await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def stop(self) -> None:
        """Stop it, without waiting for who is connected."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
            await self._process.wait()

    async def _probe(self) -> int:
        command = (str(self._programs / "pg_isready"), "-q", "-h", str(self._folder))
        return await (await asyncio.create_subprocess_exec(*command)).wait()


class Balancer:
    """HAProxy, and what it says of the servers behind it."""

    def __init__(self, folder: Path, environment: Mapping[str, str], statistics_port: int) -> None:
        """
        Args:
            environment: what ``docker/haproxy.cfg`` asks for.
            statistics_port: of loopback, where it tells what it sees.

        Raises:
            Missing: it is not installed.
        """
        self._program = haproxy()
        self._log = folder / "haproxy.log"
        self._environment = {**environment, "STATISTICS_BIND": f"127.0.0.1:{statistics_port}"}
        self._statistics = f"http://127.0.0.1:{statistics_port}/;csv"
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Start it.

        Raises:
            RuntimeError: it does not start; its log stands in the folder.
        """
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                self._program,
                "-db",
                "-f",
                str(_CONFIG),
                env={**os.environ, **self._environment},
                stdout=log,
                stderr=log,
            )
        self._session = aiohttp.ClientSession()
        async with asyncio.timeout(_START_SECONDS):
            while not await self.servers():
                if self._process.returncode is not None:
                    raise RuntimeError(f"HAProxy did not start:\n{self._log.read_text()[-2000:]}")
                await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def stop(self) -> None:
        """Stop it."""
        if self._session is not None:
            await self._session.close()
        await stop_gently(self._process)

    async def servers(self) -> dict[str, dict[str, str]]:
        """Its own statistics of each server, by name; none where it does not answer."""
        if self._session is None:
            return {}
        try:
            async with self._session.get(self._statistics) as response:
                text = await response.text()
        except (aiohttp.ClientError, OSError):
            return {}
        rows = csv.DictReader(text.removeprefix("# ").splitlines())
        return {row["svname"]: row for row in rows if row["svname"] not in {"FRONTEND", "BACKEND"}}

    async def until(self, server: str, *, is_in: bool) -> None:
        """Wait until the server takes requests, or takes none."""
        async with asyncio.timeout(_START_SECONDS):
            while (await self.servers()).get(server, {}).get("status", "").startswith("UP") is not is_in:
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
