"""A PostgreSQL server of its own for a node, with nobody else on it, that can be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from scripts.postgresql import binaries, initialise, postgres_command, run_as_owner

__all__ = ["Server", "why_not"]

_LOOK_EVERY_SECONDS = 0.03
_PAUSE_SECONDS = 0.2
_RECOVERY_SECONDS = 5.0


def why_not() -> str | None:
    """Why there can be no server here, or None."""
    return None if binaries() else "PostgreSQL is not installed (Debian: apt install postgresql)"


class Server:
    """A cluster in a folder, kept running.

    It does not wait for the disk: what a killed process has written is the system's, and the system goes on. What a
    loss of power does is not tried here.
    """

    def __init__(self, folder: Path, log: Path) -> None:
        found = binaries()
        assert found is not None
        self._programs = found
        self._folder = folder
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._broken_at = 0.0

    @property
    def url(self) -> str:
        """Where a store in it is."""
        return f"postgresql://lernode@/postgres?host={self._folder}"

    @property
    def is_broken(self) -> bool:
        """Whether it was killed, or ended, a moment ago."""
        return time.monotonic() - self._broken_at < _RECOVERY_SECONDS

    async def make(self) -> None:
        """Make the cluster and start it."""
        self._folder.mkdir()
        await asyncio.to_thread(initialise, self._programs, self._folder)
        self._keeping = asyncio.create_task(self._keep())
        while not await self.answers():
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def answers(self) -> bool:
        """Whether it takes connections."""
        probe = await asyncio.create_subprocess_exec(
            self._programs / "pg_isready", "-q", "-h", self._folder, stdout=subprocess.DEVNULL
        )
        return await probe.wait() == 0

    async def kill(self) -> None:
        """SIGKILL the postmaster and everything under it."""
        self._broken_at = time.monotonic()
        process = self._process
        if process is not None and process.returncode is None:
            under = _children(process.pid)
            process.send_signal(signal.SIGKILL)
            for pid in under:
                _kill(pid)
            await process.wait()

    def kill_backend(self, chance: Random) -> None:
        """SIGKILL one process that works for the node."""
        self._broken_at = time.monotonic()
        process = self._process
        if process is not None and process.returncode is None:
            working = [pid for pid in _children(process.pid) if b"[local]" in _command(pid)]
            if working:
                _kill(chance.choice(working))

    async def stop(self) -> None:
        """End it for good."""
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGQUIT)
            await process.wait()

    async def _keep(self) -> None:
        while True:
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *postgres_command(self._programs, self._folder, durable=False),
                    stdout=log,
                    stderr=log,
                    **run_as_owner(),
                )
            await self._process.wait()
            self._broken_at = time.monotonic()
            await asyncio.sleep(_PAUSE_SECONDS)


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
