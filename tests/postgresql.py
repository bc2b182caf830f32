"""A real PostgreSQL server for a run of the tests, started by who needs it first and shared by all of its processes.

The server runs under a keeper, a process of its own (this module as a program), which waits until none of the run's
processes is left, however they ended, and then stops the server and removes its folder. It does not wait for the disk,
and where there is room in memory its folder is there. New stores are copies of one that was migrated once.
"""

from __future__ import annotations

import asyncio
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
from storage.engines import open_store

__all__ = ["empty_place_url", "new_store_url", "pg_dump"]

ROOT = Path(__file__).resolve().parents[1]
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
_READY_SECONDS = 60.0
_MEMORY, _ENOUGH_BYTES = Path("/dev/shm"), 2 << 30
_MIGRATED = "migrated"
_held: list[IO[str]] = []
_databases: dict[str, str] = {}
"""Those of this process -> the test that made it."""
_numbers = itertools.count()


def empty_place_url() -> str:
    """The URL of an empty place for a store: a schema of its own in the server of this run."""
    programs = _programs()
    folder = _server(programs)
    schema = f"t{os.getpid()}_{next(_numbers)}"
    _run_sql(programs, folder, f"CREATE SCHEMA {schema}")
    return _url(folder, "postgres", schema)


def new_store_url() -> str:
    """The URL of a store without rows: a database of its own, until a later test of this process asks for one."""
    programs = _programs()
    folder = _server(programs)
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    done = [name for name, of in _databases.items() if of != test]
    name = f"t{os.getpid()}_{next(_numbers)}"
    # Files are copied, and not pages through the log, where there is a choice (from PostgreSQL 15 on).
    version = int((folder / "version").read_text())
    strategy = " STRATEGY file_copy" if version >= 15 else ""
    drop = [f"DROP DATABASE {each} WITH (FORCE)" for each in done]
    _run_sql(programs, folder, *drop, f"CREATE DATABASE {name} TEMPLATE {_MIGRATED}{strategy}")
    for each in done:
        del _databases[each]
    _databases[name] = test
    return _url(folder, name, "public")


def pg_dump(url: str) -> list[str]:
    """What PostgreSQL's own tool writes of a store, line by line, without the name of its schema."""
    programs = _programs()
    server, _, schema = url.partition("&search_path=")
    command = [programs / "pg_dump", "--inserts", "-n", schema, server]
    written = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # Its two lines of \\restrict hold a random word.
    return [line for line in written.replace(f"{schema}.", "").splitlines() if "restrict " not in line]


def _programs() -> Path:
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed; scripts/test installs it where it may (Debian: postgresql)")
    return programs


def _url(folder: Path, database: str, schema: str) -> str:
    return f"postgresql://lernode@/{database}?host={folder}&search_path={schema}"


def _run_sql(programs: Path, folder: Path, *statements: str) -> None:
    psql = [programs / "psql", "-h", folder, "-U", "lernode", "-d", "postgres", "-q", "-v", "ON_ERROR_STOP=1"]
    subprocess.run([*psql, *(word for statement in statements for word in ("-c", statement))], check=True)


def _place() -> Path:
    """In memory where that has room: a store has hundreds of files."""
    has_room = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ENOUGH_BYTES
    return (_MEMORY if has_room else Path(tempfile.gettempdir())) / f"lernode-postgres-{_RUN[:12]}"


def _server(programs: Path) -> Path:
    """The folder with the socket of the run's server, which is there as long as this process is."""
    if _held:
        return Path(_held[0].name).parent
    folder = _place()
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
    version = (initialise(programs, folder) / "PG_VERSION").read_text()
    (folder / "version").write_text(version, encoding="ascii")
    server = subprocess.Popen(postgres_command(programs, folder, durable=False), **run_as_owner())
    try:
        probe = [programs / "pg_isready", "-q", "-h", folder]
        while subprocess.run(probe, check=False).returncode and server.poll() is None:
            time.sleep(0.05)
        _run_sql(programs, folder, f"CREATE DATABASE {_MIGRATED}")
        asyncio.run(_migrate(_url(folder, _MIGRATED, "public")))
        (folder / "ready").touch()
        with (folder / "users").open() as users:
            fcntl.flock(users, fcntl.LOCK_EX)  # until the last process of the run is gone
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.send_signal(signal.SIGQUIT)
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


async def _migrate(url: str) -> None:
    await (await open_store(url, create=True)).close()


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), Path(sys.argv[2]))
