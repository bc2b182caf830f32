"""A backup of a running node is whole, opens nowhere else, and becomes the same node again on either engine."""

from __future__ import annotations

import asyncio
import gzip
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest
from click.testing import CliRunner

from node.app import Node
from node.cli.main import cli
from node.config import STORE_FILE
from node.roles.issuer import Award
from node.runtime import age_files, backups
from node.runtime.age_files import Recipient
from node.runtime.backups import Backup
from node.runtime.world import World
from protocols.errors import BadInput, WrongState
from storage import invariants, snapshot
from storage.engines import ENGINES, open_store
from storage.secrets import Vault
from tests.node.nodes import WELDING, Clock, Nodes, eventually, held, issued
from tests.opening import KEY
from tests.postgresql import empty_place_url, new_store_url

LOCK = "a passphrase for backups"
IDENTITY = pyrage.x25519.Identity.generate()
TO_IDENTITY = Recipient(str(IDENTITY.to_public()))  # as safe, and without the second of work that a passphrase costs


@pytest.fixture
async def college(nodes: Nodes) -> Node:
    node = await nodes.make("college", issuer=True)
    for number in range(3):
        await node.issuer.issue(Award(achievement_id=WELDING, subject_did=f"did:example:{number}"))
    await node.trail.sign()
    return node


async def write(node: Node, target: Path, lock: str | Recipient = LOCK) -> Path:
    await backups.write(node.store, node.home, target, lock, node.world.clock(), label=node.label)
    return target


async def rows(store: object) -> list[object]:
    async with store.read() as tx:  # type: ignore[attr-defined]
        return [part async for part in snapshot.dump(tx)]


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_restored_store_has_every_row_and_opens_with_the_key_of_the_node(
    nodes: Nodes, college: Node, tmp_path: Path, engine: str
) -> None:
    await nodes.stop(college)  # so that the node does not go on while the two are compared
    source = await open_store(college.home / STORE_FILE)
    file = tmp_path / "college.age"
    await backups.write(source, college.home, file, TO_IDENTITY, college.world.clock(), label="college")
    copy = Backup(file, str(IDENTITY).encode())
    assert backups.inspect(copy).rows["issued_credentials"] == 3
    place = new_store_url() if engine == "postgresql" else f"sqlite://{tmp_path}/restored.db"
    restored = await open_store(place, create=True)
    await backups.restore(copy, restored)
    assert await rows(restored) == await rows(source)
    await source.close()
    await Vault.unlock(restored, KEY)
    async with restored.read() as tx:
        assert [broken async for broken in invariants.check(tx)] == []
    with pytest.raises(WrongState) as caught:
        await backups.restore(copy, restored)
    assert caught.value.code == "store.not_empty"
    await restored.close()


async def test_the_file_tells_nothing_without_its_passphrase(college: Node, tmp_path: Path) -> None:
    file = await write(college, tmp_path / "college.age")
    assert file.read_bytes().startswith(b"age-encryption.org/v1")
    assert b"did:" not in file.read_bytes()
    with pytest.raises(BadInput) as caught:
        Backup(file, "wrong")
    assert caught.value.code == "age.wrong_secret"


async def test_a_backup_for_a_recipient_opens_with_its_identity_only(college: Node, tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    file = await write(college, tmp_path / "college.age", Recipient(str(identity.to_public())))
    assert backups.inspect(Backup(file, f"# made\n{identity}\n".encode())).rows["issued_credentials"] == 3
    with pytest.raises(BadInput):
        backups.inspect(Backup(file, str(pyrage.x25519.Identity.generate()).encode()))


@pytest.mark.skipif(shutil.which("age") is None, reason="the tool age is not installed (Debian: age)")
async def test_the_tool_age_opens_a_backup(college: Node, tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(str(identity), encoding="ascii")
    file = await write(college, tmp_path / "college.age", Recipient(str(identity.to_public())))
    command = ("age", "-d", "-i", str(tmp_path / "key"), str(file))
    age = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    opened, _ = await age.communicate()
    assert gzip.decompress(opened).startswith(b'{"format":"lernode-backup"')


async def test_what_is_there_is_not_overwritten(college: Node, tmp_path: Path) -> None:
    file = await write(college, tmp_path / "college.age", TO_IDENTITY)
    before = file.read_bytes()
    with pytest.raises(WrongState) as caught:
        await write(college, file, TO_IDENTITY)
    assert caught.value.code == "backup.exists"
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("lock", "secret"), [(LOCK, LOCK), (TO_IDENTITY, str(IDENTITY).encode())], ids=["passphrase", "identity"]
)
async def test_a_damaged_backup_is_refused(
    college: Node, tmp_path: Path, lock: str | Recipient, secret: str | bytes
) -> None:
    file = await write(college, tmp_path / "college.age", lock)
    whole = file.read_bytes()
    for cut in (1, 100, 1000):
        file.write_bytes(whole[:-cut])
        with pytest.raises(BadInput):
            backups.inspect(Backup(file, secret))


@pytest.mark.parametrize("cut", [21, 120, 1020])
async def test_a_backup_whose_contents_end_early_is_refused(college: Node, tmp_path: Path, cut: int) -> None:
    file, identity = await write(college, tmp_path / "college.age", TO_IDENTITY), str(IDENTITY).encode()
    plain = gzip.decompress(age_files.decrypt(file.read_bytes(), identity))
    file.write_bytes(age_files.encrypt(gzip.compress(plain[:-cut]), TO_IDENTITY))
    store = await open_store(tmp_path / "restored.db", create=True)
    for read in (
        lambda: asyncio.to_thread(backups.inspect, Backup(file, identity)),
        lambda: backups.restore(Backup(file, identity), store),
    ):
        with pytest.raises(BadInput) as caught:
            await read()
        assert caught.value.code == "backup.unreadable"
    async with store.read() as tx:
        assert await snapshot.is_empty(tx)
    await store.close()


async def test_a_node_backs_itself_up_and_keeps_the_newest(nodes: Nodes, tmp_path: Path) -> None:
    clock = Clock()
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    settings = {"folder": "backups", "recipient": recipient, "keep": 2, "every_hours": 24}
    node = await nodes.make("college", issuer=True, world=World(clock=clock), backup=settings)
    folder = node.home / "backups"

    async def made(count: int) -> None:
        async def look(_tx: object) -> bool:
            return len(backups.newest_first(folder)) == count

        await eventually(node, look)

    await made(1)
    first = backups.newest_first(folder)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    for days in (1.1, 2.2):
        await nodes.stop(node)
        clock.ahead = timedelta(days=days)
        node = await nodes.again(node)
        await made(2)

    async def first_is_gone(_tx: object) -> bool:
        return not first[0].exists()

    await eventually(node, first_is_gone)
    assert len(backups.newest_first(folder)) == 2
    assert (folder / "notes.txt").exists()


def test_backups_of_a_clock_that_was_ahead_neither_put_off_the_next_nor_keep_it_out(tmp_path: Path) -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    ahead, behind = [now + timedelta(days=days) for days in (300, 301)], [now - timedelta(days=days) for days in (1, 2)]
    for made in (*ahead, *behind):
        (tmp_path / made.strftime(backups.STAMP)).touch()
    assert backups.latest(tmp_path, now) == behind[0]
    (tmp_path / now.strftime(backups.STAMP)).touch()
    assert backups.rotate(tmp_path, 2, now) == 3
    assert backups.newest_first(tmp_path) == [tmp_path / made.strftime(backups.STAMP) for made in (now, behind[0])]


async def test_a_restore_that_was_killed_begins_again(college: Node, tmp_path: Path) -> None:
    file, key, home = (
        await write(college, tmp_path / "college.age", TO_IDENTITY),
        tmp_path / "key",
        tmp_path / "restored",
    )
    key.write_text(str(IDENTITY), encoding="ascii")
    # What it leaves: half a file, and a store without rows.
    await (await open_store(home / STORE_FILE, create=True)).close()
    (home / ".lernode.toml.part").write_text("[node", encoding="utf-8")
    arguments = ["restore", str(file), "--home", str(home), "--identity-file", str(key), "--yes"]
    result = await asyncio.to_thread(CliRunner().invoke, cli, arguments)
    assert result.exit_code == 0, result.output
    assert {path.name for path in home.iterdir()} >= {"lernode.toml", "node.sqlite"}
    assert not [*home.glob(".*")]
    again = await asyncio.to_thread(CliRunner().invoke, cli, arguments)
    assert isinstance(again.exception, WrongState)
    assert again.exception.code == "config.exists"


async def test_the_command_restores_into_postgresql(
    college: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await write(college, tmp_path / "college.age")
    before = await held_and_issued(college)
    monkeypatch.setenv("LERNODE_BACKUP_PASSPHRASE", LOCK)
    home, place = tmp_path / "restored", empty_place_url()
    arguments = ["restore", str(file), "--home", str(home), "--database", place, "--yes"]
    result = await asyncio.to_thread(CliRunner().invoke, cli, arguments)
    assert result.exit_code == 0, result.output
    restored = await Node.open(home, KEY)
    try:
        assert restored.store.shared
        assert await held_and_issued(restored) == before
    finally:
        await restored.stop()


async def held_and_issued(node: Node) -> tuple[list[str], list[str]]:
    return [record.id for record in await held(node)], [record.id for record in await issued(node)]
