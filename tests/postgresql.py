"""A real PostgreSQL server for a run of the tests, started by who needs it first and shared by all of its processes.

The server runs under a keeper, a process of its own (this module as a program), which waits until none of the run's
processes is left, however they ended, and then stops the server and removes its folder. It does not wait for the disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import IO

import pytest

from scripts.postgresql import binaries, initialise, postgres_command, run_as_owner

__all__ = ["new_store_url", "pg_dump"]

ROOT = Path(__file__).resolve().parents[1]
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
_READY_SECONDS = 60.0
_held: list[IO[str]] = []
_numbers = itertools.count()


def new_store_url() -> str:
    """The URL of an empty place for a store: a schema of its own in the server of this run."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed; scripts/test installs it where it may (Debian: postgresql)")
    folder = _server(programs)
    schema = f"t{os.getpid()}_{next(_numbers)}"
    psql = [programs / "psql", "-h", folder, "-U", "lernode", "-d", "postgres", "-qc", f"CREATE SCHEMA {schema}"]
    subprocess.run(psql, check=True)
    return f"postgresql://lernode@/postgres?host={folder}&search_path={schema}"


def pg_dump(url: str) -> list[str]:
    """What PostgreSQL's own tool writes of a store, line by line, without the name of its schema."""
    programs = binaries()
    assert programs is not None
    server, _, schema = url.partition("&search_path=")
    command = [programs / "pg_dump", "--inserts", "-n", schema, server]
    written = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # Its two lines of \\restrict hold a random word.
    return [line for line in written.replace(f"{schema}.", "").splitlines() if "restrict " not in line]


def _server(programs: Path) -> Path:
    """The folder with the socket of the run's server, which is there as long as this process is."""
    folder = Path(tempfile.gettempdir()) / f"lernode-postgres-{_RUN[:12]}"
    if _held:
        return folder
    folder.mkdir(mode=0o755, exist_ok=True)
    users = (folder / "users").open("w")
    fcntl.flock(users, fcntl.LOCK_SH)
    _held.append(users)
    with (folder / "start").open("w") as start:
        fcntl.flock(start, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            keeper = [sys.executable, "-m", "tests.postgresql", str(programs), str(folder)]
            with (folder / "log").open("w") as log:
                subprocess.run(["setsid", "--fork", *keeper], check=True, cwd=ROOT, stdout=log, stderr=log)
            deadline = time.monotonic() + _READY_SECONDS
            while not (folder / "ready").exists():
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.05)
    return folder


def _keep(programs: Path, folder: Path) -> None:
    initialise(programs, folder)
    server = subprocess.Popen(postgres_command(programs, folder, durable=False), **run_as_owner())
    try:
        probe = [programs / "pg_isready", "-q", "-h", folder]
        while subprocess.run(probe, check=False).returncode and server.poll() is None:
            time.sleep(0.05)
        (folder / "ready").touch()
        with (folder / "users").open() as users:
            fcntl.flock(users, fcntl.LOCK_EX)  # until the last process of the run is gone
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.send_signal(signal.SIGQUIT)
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), Path(sys.argv[2]))
