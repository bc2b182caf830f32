"""A process of ACA-Py (OpenWallet Foundation, PyPI ``acapy-agent``): installed, started, asked, stopped."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from protocols.jsonld.contexts import BUNDLED
from scripts.benchmark.processes import stop_gently
from scripts.interop_peers.peer import PeerMissing

__all__ = ["AcaPyAgent", "install", "version"]

_PACKAGE = "acapy-agent>=1.4,<2"
"""The newest that the Python takes: 1.4 for 3.12, newer ones for 3.13."""
_OLDEST_PYTHON = (3, 12)
_PLUGINS = Path(__file__).with_name("acapy_plugin")
_START_SECONDS = 60.0
_TIMEOUT = aiohttp.ClientTimeout(total=60)


async def install(folder: Path) -> None:
    """A virtual environment with the package in ``folder``; quick where it is there already.

    Raises:
        PeerMissing: there is no Python that it runs on.
    """
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == _PACKAGE:
        return
    shutil.rmtree(folder, ignore_errors=True)
    await _run(_python(), "-m", "venv", str(folder / "venv"))
    python = str(folder / "venv" / "bin" / "python")
    await _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", _PACKAGE)
    stamp.write_text(_PACKAGE, encoding="utf-8")


def version(folder: Path) -> str:
    """Of the package that is installed in ``folder``."""
    found = next(folder.glob("venv/lib/python*/site-packages/acapy_agent-*.dist-info"), None)
    return found.name.removeprefix("acapy_agent-").removesuffix(".dist-info") if found else "not installed"


class AcaPyAgent:
    """One agent, without a ledger, with an Askar wallet in SQLite, driven through its admin API."""

    def __init__(self, folder: Path, home: Path, label: str) -> None:
        """
        Args:
            folder: where ACA-Py is installed.
            home: a folder for its wallet, which is made anew, beside its log.
            label: with which it introduces itself.
        """
        self._folder = folder
        self._home = home
        self._label = label
        self._admin = ""
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self, port: int, *options: str) -> None:
        """Start it with a new wallet, for peers on ``port`` and for its owner on ``port + 1``.

        Raises:
            RuntimeError: it ended; its log says why.
            TimeoutError: it is not ready in time.
        """
        self._admin = f"http://127.0.0.1:{port + 1}"
        shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir(parents=True)
        contexts = self._home / "contexts.json"
        contexts.write_text(json.dumps({url: entry.load() for url, entry in BUNDLED.items()}), encoding="utf-8")
        paths = {"HOME": str(self._home), "LERNODE_CONTEXTS": str(contexts), "PYTHONPATH": str(_PLUGINS)}
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                str(self._folder / "venv" / "bin" / "aca-py"), "start",
                "--no-ledger", "--label", self._label, "--log-level", "warning",
                "--wallet-type", "askar", "--wallet-name", "wallet", "--wallet-key", "only a test", "--auto-provision",
                "--admin", "127.0.0.1", str(port + 1), "--admin-insecure-mode",
                "--inbound-transport", "http", "127.0.0.1", str(port), "--outbound-transport", "http",
                "--endpoint", f"http://127.0.0.1:{port}",
                "--plugin", "lernode_contexts",
                *options,
                cwd=self._home, stdout=log, stderr=log, env={**os.environ, **paths},
            )  # fmt: skip
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, connector=aiohttp.TCPConnector(limit=0))
        async with asyncio.timeout(_START_SECONDS):
            while not await self._is_ready():
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Stop it, gently first; also where it did not start."""
        if self._session is not None:
            await self._session.close()
        await stop_gently(self._process)

    async def make_did(self) -> str:
        """A did:key with an Ed25519 key in its wallet."""
        wanted = {"method": "key", "options": {"key_type": "ed25519"}}
        return str((await self.post("/wallet/did/create", wanted))["result"]["did"])

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """GET of its admin API.

        Raises:
            ValueError: it answers with an error.
        """
        return await self._ask("GET", path, query)

    async def post(self, path: str, body: Mapping[str, Any] | None, **query: str) -> dict[str, Any]:
        """POST to its admin API.

        Raises:
            ValueError: it answers with an error.
        """
        return await self._ask("POST", path, query, json=body)

    @property
    def _log(self) -> Path:
        return self._home.with_suffix(".log")

    async def _is_ready(self) -> bool:
        if self._process is None or self._process.returncode is not None:
            raise RuntimeError(f"ACA-Py did not start:\n{self._log.read_text(encoding='utf-8')[-2000:]}")
        try:
            return bool((await self.get("/status/ready"))["ready"])
        except aiohttp.ClientError:
            return False

    async def _ask(self, method: str, path: str, query: Mapping[str, str], **more: Any) -> dict[str, Any]:
        if self._session is None:
            raise RuntimeError("ACA-Py does not run.")
        async with self._session.request(method, self._admin + path, params=query, **more) as response:
            text = await response.text()
        if response.status >= 400:
            raise ValueError(f"ACA-Py answers {response.status} to {path}: {text.strip()}")
        answer: dict[str, Any] = json.loads(text)
        return answer


def _python() -> str:
    """A Python that ACA-Py runs on, the newest first; pyenv's names in the PATH need not work.

    Raises:
        PeerMissing: there is none.
    """
    known = [shutil.which(f"python3.{minor}") for minor in (13, 12)]
    known += [str(path) for path in sorted(Path.home().glob(".pyenv/versions/3.1[23].*/bin/python"), reverse=True)]
    for python in (*filter(None, known), sys.executable):
        test = f"import sys, ensurepip; sys.exit(sys.version_info < {_OLDEST_PYTHON})"
        if subprocess.run([python, "-c", test], capture_output=True, check=False).returncode == 0:
            return python
    raise PeerMissing("ACA-Py needs Python 3.12 or newer, and there is none here. Install python3.12, then try again.")


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stdout=sys.stderr)
    if await process.wait():
        raise RuntimeError(f"This failed: {' '.join(command)}")
