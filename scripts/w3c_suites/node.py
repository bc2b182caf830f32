"""The node that is tested: made anew, run as ``lernode run`` runs it, with a DID for each kind of key."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from node.app import create
from node.config import to_toml
from node.http.admin_socket import admin_socket_path

__all__ = ["NodeUnderTest", "Ports"]

_REPOSITORY = Path(__file__).resolve().parents[2]
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
_KEYS = ("ed25519", "p256", "p384")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the node listens, and where the gate with TLS before it does."""

    public: int
    admin: int
    public_tls: int
    admin_tls: int


class NodeUnderTest:
    """One node, and the DIDs that it issues under by kind of key."""

    def __init__(self, home: Path, ports: Ports, certificate: Path) -> None:
        self._home = home
        self._ports = ports
        self._certificate = certificate
        self._passphrase = secrets.token_urlsafe(18)
        self._process: asyncio.subprocess.Process | None = None
        self.dids: Mapping[str, str] = {}

    async def start(self) -> None:
        """Make it, start it and give it its DIDs.

        Raises:
            RuntimeError: it did not start; its log says why.
        """
        settings: dict[str, dict[str, Any]] = {
            "node": {
                "label": "lernode",
                "listen_port": self._ports.public,
                "endpoint": f"https://localhost:{self._ports.public_tls}",
            },
            "admin": {"port": self._ports.admin},
            "network": {"allowed_networks": ["127.0.0.0/8", "::1/128"]},
            "verify": {"contexts": {_EXAMPLES: "examples.json"}},
            "vc_api": {"conformance": True, "issuer_signs": False},
        }
        await create(self._home, self._passphrase, to_toml(settings))
        vocabulary = {"@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}}
        (self._home / "examples.json").write_text(json.dumps(vocabulary), encoding="utf-8")
        # The gate's certificate stands in for those that the system believes.
        environment = {**os.environ, "LERNODE_PASSPHRASE": self._passphrase, "SSL_CERT_FILE": str(self._certificate)}
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "node.cli.main", "run", "--home", str(self._home),
                cwd=_REPOSITORY, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        await asyncio.wait_for(self._answers(), _START_SECONDS)
        self.dids = {key: await self._make_did(key) for key in _KEYS}

    async def stop(self) -> None:
        """Stop it, gently first."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    @property
    def _log(self) -> Path:
        return self._home.with_suffix(".log")

    async def _answers(self) -> None:
        while True:
            if self._process is None or self._process.returncode is not None:
                raise RuntimeError(f"The node did not start:\n{self._log.read_text()[-2000:]}")
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", self._ports.admin)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return

    async def _make_did(self, key: str) -> str:
        wanted: dict[str, Any] = {"method": "key", "purpose": "issuer", "keys": [key]}
        connector = aiohttp.UnixConnector(str(admin_socket_path(self._home)))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post("http://node/admin/dids", json=wanted) as response,
        ):
            made = await response.json(content_type=None)
            if response.status != 201:
                raise RuntimeError(f"The node made no DID: {made}")
            return str(made["did"])
