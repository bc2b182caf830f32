"""Nodes to measure: made as ``lernode init --local`` makes them, run as ``lernode run`` in processes of their own."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import aiohttp

from node.app import create
from node.cli.client import Api
from node.cli.init import settings_of, write_catalogue
from node.config import to_toml
from node.http.admin_socket import admin_socket_path
from storage.secrets import Strength

__all__ = ["NodeProcess", "free_ports", "lernode", "resident_mib", "stop_gently"]

_REPOSITORY = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_LOOK_EVERY_SECONDS = 0.005


class NodeProcess:
    """One node on a port of loopback. It answers by policy, so that nobody has to consent while it is measured."""

    def __init__(
        self,
        home: Path,
        port: int,
        *,
        issuer: bool = False,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        environment: Mapping[str, str] | None = None,
        strength: Strength = Strength.MODERATE,
    ) -> None:
        """
        Args:
            port: 0 for a node that listens nowhere.
            settings: more of its configuration, by section.
            environment: more of what its processes are started with.
            strength: how hard it is to try passphrases.
        """
        self.home = home
        self.port = port
        self._settings = settings or {}
        self._environment = environment or {}
        self._issuer = issuer
        self._strength = strength
        self.passphrase = secrets.token_urlsafe(18)
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def api(self) -> Api:
        """Its admin API."""
        if self._session is None:
            raise RuntimeError("The node does not run.")
        return Api(self._session, is_own_node=False)

    async def make(self) -> None:
        """Make its folder; an issuer believes its own records, as it also verifies here."""
        trust = (f"did:web:localhost%3A{self.port}",) if self._issuer else ()
        no_port = self.port == 0
        values = settings_of(self.home.name, None, self.port, True, self._issuer, trust, True, no_port=no_port)
        for section, more in self._settings.items():
            values[section] = {**values.get(section, {}), **more}
        await create(self.home, self.passphrase, to_toml(values), issuer=self._issuer, strength=self._strength)
        if self._issuer:
            write_catalogue(self.home)

    def replica(self, name: str, port: int) -> NodeProcess:
        """One more process of a made node whose store is on a server: a folder and a port of its own."""
        home = self.home.with_name(name)
        shutil.copytree(self.home, home, ignore=shutil.ignore_patterns("admin.sock*"))
        environment = {**self._environment, "LERNODE_NODE_LISTEN_PORT": str(port)}
        other = NodeProcess(home, port, issuer=self._issuer, settings=self._settings, environment=environment)
        other.passphrase = self.passphrase
        return other

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> float:
        """Start the process; seconds until its public port takes a connection, or its owner's socket where it has none.

        Raises:
            RuntimeError: it ended, or does not listen in time; its log says why.
        """
        with self._log.open("ab") as log:
            began = time.perf_counter()
            self._process = await lernode(
                "run",
                "--home",
                str(self.home),
                passphrase=self.passphrase,
                environment=self._environment,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
            )
            while not await self._listens():
                if self._process.returncode is not None or time.perf_counter() - began > _START_SECONDS:
                    raise RuntimeError(f"The node did not start:\n{self._log.read_text()[-2000:]}")
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
            took = time.perf_counter() - began
        self._session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(admin_socket_path(self.home))))
        return took

    async def command(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start a command with this node; what it prints can be read, its progress is thrown away."""
        home = ("--home", str(self.home))
        return await lernode(
            *arguments,
            *home,
            passphrase=self.passphrase,
            environment=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def stop(self) -> None:
        """Stop the process, gently first."""
        await self._close_session()
        await stop_gently(self._process)

    async def kill(self) -> None:
        """End the process with SIGKILL, which leaves it no time for anything."""
        if self.runs and self._process is not None:
            self._process.kill()
            await self._process.wait()
        await self._close_session()

    async def _close_session(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def resident_mib(self) -> float | None:
        """Memory that is resident now (VmRSS, Linux only)."""
        return None if self._process is None else resident_mib(self._process.pid)

    def cpu_seconds(self) -> float:
        """CPU time of the process until now (Linux only)."""
        if self._process is None:
            return 0.0
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def _log(self) -> Path:
        return self.home.with_suffix(".log")

    async def _listens(self) -> bool:
        try:
            if self.port:
                _reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            else:
                _reader, writer = await asyncio.open_unix_connection(str(admin_socket_path(self.home)))
        except OSError:
            return False
        writer.close()
        return True


async def stop_gently(process: asyncio.subprocess.Process | None) -> None:
    """End a process that may have been started, and that may have ended."""
    if process is None or process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def resident_mib(pid: int) -> float | None:
    """Memory of a process that is resident now (VmRSS, Linux only)."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmRSS:")), None)


async def lernode(
    *arguments: str,
    passphrase: str | None = None,
    environment: Mapping[str, str] | None = None,
    stdout: int,
    stderr: IO[bytes] | int | None = None,
) -> asyncio.subprocess.Process:
    """Start a command of lernode."""
    env = {**os.environ, **(environment or {}), **({"LERNODE_PASSPHRASE": passphrase} if passphrase else {})}
    command = (sys.executable, "-m", "node.cli.main", *arguments)
    return await asyncio.create_subprocess_exec(*command, cwd=_REPOSITORY, env=env, stdout=stdout, stderr=stderr)


def free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody listens on now."""
    while True:
        first = 20_000 + secrets.randbelow(10_000)
        try:
            for port in range(first, first + count):
                with socket.create_server(("127.0.0.1", port)):
                    pass
        except OSError:
            continue
        return first
