"""A program in JavaScript that does what it is told: one JSON object a line in, and one a line out."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from protocols.jsonld.contexts import BUNDLED
from scripts.benchmark.processes import stop_gently
from scripts.interop_peers.peer import PeerMissing

__all__ = ["Driven", "install_packages"]

_START_SECONDS = 60.0
_QUIET = ("--no-audit", "--no-fund", "--loglevel=error")


class Driven:
    """One process of it, which knows the JSON-LD contexts that lernode knows, so that none is fetched."""

    def __init__(self, name: str, driver: Path) -> None:
        """
        Args:
            name: of the agent, for what is said of it.
            driver: the script.
        """
        self._name = name
        self._driver = driver
        self._log = Path()
        self._process: asyncio.subprocess.Process | None = None
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def start(
        self, folder: Path, port: int, *, log: str = "log", environment: Mapping[str, str] | None = None
    ) -> None:
        """Start it where its packages are.

        Raises:
            RuntimeError: it ended; its log says why.
            TimeoutError: it is not ready in time.
        """
        for script in (self._driver, Path(__file__).with_suffix(".mjs")):
            shutil.copy(script, folder)  # Node.js looks for packages beside the script
        contexts = folder / "contexts.json"
        contexts.write_text(json.dumps({url: entry.load() for url, entry in BUNDLED.items()}), encoding="utf-8")
        self._log = folder / log
        with self._log.open("wb") as written:
            self._process = await asyncio.create_subprocess_exec(
                "node", self._driver.name, str(port), contexts.name,
                cwd=folder, env={**os.environ, **(environment or {})},
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=written, limit=2**24,
            )  # fmt: skip
        ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[0] = ready
        self._reading = asyncio.create_task(self._read())
        async with asyncio.timeout(_START_SECONDS):
            await ready

    async def stop(self) -> None:
        """Stop it, gently first; also where it did not start."""
        await stop_gently(self._process)
        if self._reading is not None:
            await self._reading

    async def ask(self, what: str, **how: Any) -> Any:
        """Have it do something; what it answers.

        Raises:
            ValueError: it could not.
            RuntimeError: it ended.
        """
        if self._process is None or self._process.stdin is None:
            raise RuntimeError(f"{self._name} does not run.")
        key = next(self._ids)
        self._waiting[key] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"id": key, "do": what, "with": how}).encode() + b"\n")
        return await self._waiting[key]

    async def _read(self) -> None:
        """Hand out the driver's answers until it ends; what is still waited for then has failed."""
        assert self._process is not None and self._process.stdout is not None
        async for line in self._process.stdout:
            if line.startswith(b'{"id":'):
                self._answered(json.loads(line))
        log = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
        for waiting in self._waiting.values():
            waiting.set_exception(RuntimeError(f"{self._name} ended:\n{log}"))

    def _answered(self, answer: Mapping[str, Any]) -> None:
        waiting = self._waiting.pop(answer["id"])
        if waiting.cancelled():
            return
        if "error" in answer:
            waiting.set_exception(ValueError(answer["error"]))
        else:
            waiting.set_result(answer["ok"])


async def install_packages(
    folder: Path, name: str, packages: Sequence[str], *, compiled: Sequence[str] = (), wheel: str | None = None
) -> None:
    """Packages of npm into ``folder``, made anew; quick where they are there already.

    Args:
        name: of the agent, for what is said of it.
        compiled: those of them that are compiled here, with the headers of Node.js at hand.
        wheel: a package of PyPI with a native library, which is laid out in the folder ``native``.

    Raises:
        PeerMissing: there is no npm, or no compiler.
        RuntimeError: a step of it failed.
    """
    stamp, wanted = folder / "installed", "\n".join((*packages, *([f"native {wheel}"] if wheel else ())))
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    programs = ("node", "npm", *(("make", "c++") if compiled else ()))
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise PeerMissing(f"{name} needs {' and '.join(missing)}, not found here.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    await _run(folder, "npm", "install", "--ignore-scripts", *_QUIET, *packages)
    if compiled:
        await _run(folder, "npm", "rebuild", *_QUIET, *compiled)
    if wheel is not None:
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
        await _run(folder, *pip, "download", "--quiet", "--no-deps", "--only-binary=:all:", wheel)
        shutil.unpack_archive(next(folder.glob("*.whl")), folder / "native", "zip")
    stamp.write_text(wanted, encoding="utf-8")


async def _run(folder: Path, *command: str) -> None:
    """A step of the installation. Node.js is compiled against with its own headers, which are not fetched."""
    headers = Path(shutil.which("node") or "node").resolve().parent.parent
    more = {"npm_config_nodedir": str(headers)} if (headers / "include" / "node").is_dir() else {}
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=sys.stderr, env={**os.environ, **more})
    if await process.wait():
        raise RuntimeError(f"This failed: {' '.join(command)}")
