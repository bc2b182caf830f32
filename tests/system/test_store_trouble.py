"""A disk that is really full, a server that is away or takes no writes: refused, read on, and back by itself."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.postgresql import binaries, initialise, postgres_command, run_as_owner
from tests.system.alone import ended, make, ready, refusal, running, status, tell
from tests.system.processes import ACHIEVEMENTS, DEADLINE_SECONDS, Peer, connect, expect_done
from tests.system.test_command_line import lernode

pytestmark = pytest.mark.system

_SMALL_DISK = 32 << 20


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user may enter."""
    with tempfile.TemporaryDirectory(prefix="lernode-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def small_disk(open_folder: Path) -> Iterator[Path]:
    """A file system of its own with little room, which the test fills."""
    folder = open_folder / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK},mode=0755", "lernode-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("only root, where it may mount, can make a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room there is; the file to delete."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return filler


class Server:
    """A PostgreSQL server of one test, which may be killed."""

    def __init__(self, folder: Path) -> None:
        programs = binaries()
        if programs is None:
            pytest.skip("PostgreSQL is not installed; scripts/test installs it where it may (Debian: postgresql)")
        folder.mkdir(mode=0o755)
        self._programs, self.folder = programs, folder
        initialise(programs, folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://lernode@/node?host={self.folder}"

    def sql(self, *statements: str, database: str = "postgres") -> None:
        psql = [self._programs / "psql", "-h", self.folder, "-U", "lernode", "-d", database, "-q"]
        subprocess.run([*psql, *(word for each in statements for word in ("-c", each))], check=True)

    def start(self) -> None:
        command = postgres_command(self._programs, self.folder, durable=True)
        with (self.folder.parent / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **run_as_owner())  # type: ignore[call-overload]
        while subprocess.run([self._programs / "pg_isready", "-q", "-h", self.folder], check=False).returncode:
            assert self._process.poll() is None
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, as when it crashes."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()


@pytest.fixture
def postgres(open_folder: Path) -> Iterator[Server]:
    server = Server(open_folder / "postgres")
    server.start()
    yield server
    server.stop()


class Scene:
    """A college that issued a record to a learner, and what becomes of both."""

    def __init__(self, session: aiohttp.ClientSession, college: Peer, learner: Peer) -> None:
        self.session, self.college, self.learner = session, college, learner
        self.connection, self.status_path = "", ""
        self.document: dict[str, Any] = {}
        self.taken: list[str] = []

    async def prepare(self) -> None:
        self.connection = await connect(self.college, self.learner)
        _, offer = await self.offer()
        await expect_done(self.college, offer["id"])
        (held,) = (await self.learner.ask("GET", "/admin/records"))["items"]
        self.document = (await self.learner.ask("GET", f"/admin/records/{held['id']}"))["document"]
        self.status_path = urlsplit(self.document["credentialStatus"][0]["statusListCredential"]).path

    async def offer(self) -> tuple[int, dict[str, Any]]:
        award = {"connection": self.connection, "achievement": ACHIEVEMENTS[0]}
        answered, offer = await self.college.call("POST", "/admin/credentials/offers", award)
        if answered < 300:
            self.taken.append(offer["id"])
        return answered, offer

    async def refused(self) -> tuple[int, dict[str, Any]]:
        """The first refusal: what is said before the store is asked for more than it can is done."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                answered, problem = await self.offer()
                if answered >= 300:
                    return answered, problem

    async def not_ready(self) -> tuple[str, str | None]:
        """Why, and when to ask again."""
        return await refusal(self.session, self.college, "/ready")

    async def read(self) -> None:
        """Everything that is only read is still there."""
        assert await status(self.session, self.college, "/health") == 200
        assert await status(self.session, self.college, "/.well-known/did.json") == 200
        assert await status(self.session, self.college, self.status_path) == 200
        assert (await self.college.ask("GET", "/admin/issued"))["items"]
        body = {"document": self.document, "anyIssuer": True}
        assert (await self.college.ask("POST", "/admin/verify", body))["verified"]

    async def writable(self) -> str:
        async with self.session.get(f"{self.college.inner_url}/metrics") as response:
            lines = (await response.text()).splitlines()
        (value,) = (line.split()[1] for line in lines if line.startswith("lernode_database_writable "))
        return value

    async def go_on(self) -> None:
        """The node comes back by itself, and what it took before and after is done, once."""
        await ready(self.session, self.college)
        assert await self.writable() == "1.0"
        answered, offer = await self.offer()
        assert answered < 300, offer
        for exchange in self.taken:
            await expect_done(self.college, exchange)
        issued = (await self.college.ask("GET", "/admin/issued?limit=1000"))["items"]
        assert len(issued) == len(self.taken)
        for peer in (self.college, self.learner):
            tell(peer)
            assert await ended(peer) == 0
            code, printed = await lernode(peer, "db", "check")
            assert code == 0, printed


@asynccontextmanager
async def scene_of(learner: Path, college: Path, postgres: Server | None = None) -> AsyncIterator[Scene]:
    """The two, running, with their folders in these places."""
    issuer = await make(college / "college", "college", postgres.url if postgres else None)
    holder = await make(learner / "learner", "learner")
    async with running(issuer, holder) as session:
        scene = Scene(session, issuer, holder)
        await scene.prepare()
        yield scene


async def test_a_full_disk_is_named_and_read_from_until_there_is_room_again(tmp_path: Path, small_disk: Path) -> None:
    async with scene_of(tmp_path, small_disk) as scene:
        filler = fill(small_disk)
        assert await scene.not_ready() == ("store.full", "5")
        answered, problem = await scene.refused()
        assert (answered, problem["code"]) == (507, "store.full")
        assert "Free disk space" in problem["detail"]
        await scene.read()
        assert await scene.writable() == "0.0"
        filler.unlink()
        await scene.go_on()


async def test_a_server_without_room_is_named_and_read_from_until_there_is_room_again(
    tmp_path: Path, small_disk: Path, postgres: Server
) -> None:
    owner = pwd.getpwnam("postgres")
    place = small_disk / "space"
    place.mkdir()
    os.chown(place, owner.pw_uid, owner.pw_gid)
    postgres.sql(f"CREATE TABLESPACE small LOCATION '{place}'", "CREATE DATABASE node TABLESPACE small")
    async with scene_of(tmp_path, tmp_path, postgres) as scene:
        filler = fill(small_disk)
        answered, problem = await scene.refused()
        assert (answered, problem["code"]) == (507, "store.full")
        assert await scene.not_ready() == ("store.full", "5")
        assert await scene.writable() == "0.0"
        await scene.read()
        filler.unlink()
        await scene.go_on()


async def test_a_server_that_may_only_be_read_is_read_from_until_it_takes_writes_again(
    tmp_path: Path, postgres: Server
) -> None:
    postgres.sql("CREATE DATABASE node")
    async with scene_of(tmp_path, tmp_path, postgres) as scene:
        postgres.sql("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        answered, problem = await scene.refused()
        assert (answered, problem["code"]) == (503, "store.read_only")
        assert await scene.not_ready() == ("store.read_only", "5")
        assert await scene.writable() == "0.0"
        await scene.read()
        postgres.sql(
            "SET default_transaction_read_only = off",
            "ALTER SYSTEM RESET default_transaction_read_only",
            "SELECT pg_reload_conf()",
        )
        await scene.go_on()


async def test_a_server_that_crashes_is_named_and_the_node_goes_on_once_it_is_back(
    tmp_path: Path, postgres: Server
) -> None:
    postgres.sql("CREATE DATABASE node")
    async with scene_of(tmp_path, tmp_path, postgres) as scene:
        postgres.stop()
        assert await scene.not_ready() == ("store.unreachable", "5")
        answered, problem = await scene.refused()
        assert (answered, problem["code"]) == (503, "store.unreachable")
        assert await status(scene.session, scene.college, "/health") == 200
        assert await scene.writable() == "0.0"
        await asyncio.to_thread(postgres.start)
        await scene.go_on()
