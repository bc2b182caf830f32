"""The nodes of the demo: real ``lernode run`` processes, and what their logs say they sent."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import aiohttp

from node.app import create
from node.cli.client import Api
from node.cli.init import settings_of, write_catalogue
from node.config import to_toml
from node.http.admin_socket import admin_socket_path
from protocols.errors import NotNow

__all__ = ["DemoNode", "start_nodes", "stop_nodes"]

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


@dataclass
class DemoNode:
    """One of the three."""

    name: str
    label: str
    folder: Path
    port: int
    issuer: bool = False
    trust: str | None = None
    _process: asyncio.subprocess.Process | None = None
    _session: aiohttp.ClientSession | None = None
    _log: IO[str] | None = field(default=None, repr=False)

    @property
    def home(self) -> Path:
        """The node's folder."""
        return self.folder / self.name

    @property
    def api(self) -> Api:
        """Its admin API."""
        if self._session is None:
            raise NotNow("demo.not_started", "The node does not run.", "Start it first.")
        return Api(self._session, is_own_node=False)

    async def make(self) -> None:
        """Make the node's folder."""
        trust = (self.trust,) if self.trust else ()
        values = settings_of(self.label, None, self.port, True, self.issuer, trust, False)
        passphrase = (self.folder / "passphrase").read_text(encoding="utf-8").strip()
        await create(self.home, passphrase, to_toml(values), issuer=self.issuer)
        if self.issuer:
            write_catalogue(self.home)

    async def start(self) -> None:
        """Start ``lernode run`` and wait until it answers.

        Raises:
            NotNow: ``demo.not_started``, with the last line of its log.
        """
        log = self.folder / f"{self.name}.log"
        with log.open("wb") as sink:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "node.cli.main",
                "run",
                "--home",
                str(self.home),
                "--passphrase-file",
                str(self.folder / "passphrase"),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=sink,
            )
        self._log = log.open(encoding="utf-8")
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await self._listens():
                    if self._process.returncode is not None:
                        raise NotNow("demo.not_started", f"The {self.name} node ended.", f"Read {log}.")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise NotNow("demo.not_started", f"The {self.name} node does not answer.", f"Read {log}.") from None
        connector = aiohttp.UnixConnector(str(admin_socket_path(self.home)))
        self._session = aiohttp.ClientSession(connector=connector)

    async def stop(self) -> None:
        """Stop the process, gently first."""
        if self._session is not None:
            await self._session.close()
        if self._log is not None:
            self._log.close()
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def new_deliveries(self) -> list[dict[str, Any]]:
        """What the node has delivered since this was last asked, as its log says."""
        lines = [json.loads(text) for text in self._log or () if text.startswith("{")]
        return [
            {
                "at": entry["at"],
                "from": self.name,
                "type": entry["type"].removeprefix("https://didcomm.org/"),
                "bytes": entry["bytes"],
                "seconds": entry["seconds"],
            }
            for entry in lines
            if entry.get("message") == "delivered"
        ]

    async def _listens(self) -> bool:
        try:
            _reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


async def start_nodes(nodes: list[DemoNode]) -> str:
    """Make and start the nodes side by side."""
    await asyncio.gather(*(node.make() for node in nodes))
    await asyncio.gather(*(node.start() for node in nodes))
    places = ", ".join(f"{node.label} on port {node.port}" for node in nodes)
    return f"{places}. Stores under {nodes[0].folder}."


async def stop_nodes(nodes: list[DemoNode]) -> None:
    """Stop those that run."""
    await asyncio.gather(*(node.stop() for node in nodes))
