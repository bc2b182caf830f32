"""The schema: from nothing to the newest, forward only, all or nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from protocols.errors import LernodeError, WrongState
from storage import dids, keys
from storage.dids import DidPurpose, OwnKey
from storage.engine import Store
from storage.migrate import Migration, bundled, load
from storage.secrets import Vault
from tests.storage.rows import key

FIRST = Migration(1, "first", "CREATE TABLE a (x INTEGER NOT NULL) STRICT;\nINSERT INTO a VALUES (1);\n")
SECOND = Migration(
    2,
    "second",
    """-- A comment; with a semicolon.
CREATE TABLE b (x INTEGER NOT NULL) STRICT;
CREATE TRIGGER b_stays BEFORE DELETE ON b BEGIN
  SELECT RAISE(ABORT, 'no; never');
END;
INSERT INTO b SELECT x FROM a;
""",
)


def dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    lines = list(connection.iterdump())
    connection.close()
    return lines


async def open_and_close(path: Path, *migrations: Migration, create: bool = True) -> None:
    await (await Store.open(path, create=create, migrations=migrations)).close()


async def test_the_bundled_migrations_run_from_nothing_and_then_never_again(path: Path) -> None:
    await open_and_close(path, *bundled())
    first = dump(path)
    await open_and_close(path, *bundled())
    assert dump(path) == first
    assert any("CREATE TABLE outbox" in line for line in first)


async def test_every_table_is_strict(store: Store) -> None:
    async with store.read() as tx:
        rows = await tx.all("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    assert [row["name"] for row in rows if not row["sql"].endswith("STRICT")] == []


async def test_an_older_store_gets_what_is_new(path: Path) -> None:
    await open_and_close(path, FIRST)
    await open_and_close(path, FIRST, SECOND, create=False)
    assert 'INSERT INTO "b" VALUES(1);' in dump(path)


@pytest.mark.parametrize(
    ("method", "did", "fragment"),
    [("web", "did:web:a.example", "key-1"), ("key", "did:key:z6Mkx", "z6Mkx"), ("peer:4", "did:peer:4zQ", "key-0")],
)
async def test_a_did_of_an_older_store_keeps_its_key(
    path: Path, vault: Vault, method: str, did: str, fragment: str
) -> None:
    await open_and_close(path, *bundled()[:2])
    pair = key("mine")
    connection = sqlite3.connect(path)
    sealed = vault.seal(f"keys/{pair.verkey}", pair.seed)
    connection.execute("INSERT INTO keys VALUES (?, 'issuer', ?, 1)", (pair.verkey, sealed))
    connection.execute("INSERT INTO dids VALUES (?, NULL, ?, 'issuer', ?, 'active', 1)", (did, method, pair.verkey))
    connection.commit()
    connection.close()
    opened = await Store.open(path)
    async with opened.read() as tx:
        own = await dids.default(tx, DidPurpose.ISSUER)
        assert own is not None and (own.did, own.keys) == (did, (OwnKey(fragment, pair.verkey),))
        assert await keys.get(tx, vault, pair.verkey) == pair
    await opened.close()


async def test_contents_of_a_time_before_they_were_sealed_are_refused_and_not_lost(path: Path) -> None:
    before = [migration for migration in bundled() if migration.version < 8]
    await open_and_close(path, *before)
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO batches VALUES ('list', 'https://college.example/achievements/1', 1)")
    connection.commit()
    connection.close()
    as_it_was = dump(path)
    with pytest.raises(LernodeError) as caught:
        await open_and_close(path, *bundled())
    assert caught.value.code == "store.migration_failed"
    assert dump(path) == as_it_was


async def test_a_store_newer_than_the_code_is_refused_untouched(path: Path) -> None:
    await open_and_close(path, FIRST, SECOND)
    before = dump(path)
    with pytest.raises(WrongState) as caught:
        await open_and_close(path, FIRST)
    assert caught.value.code == "store.newer"
    assert "pgrade" in caught.value.hint
    assert dump(path) == before


@pytest.mark.parametrize(
    "broken",
    [
        "CREATE TABLE c (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);",
        "INSERT INTO a VALUES (2);\nINSERT INTO a VALUES (NULL);",
        "CREATE TABLE c (x INTEGER REFERENCES a (rowid)) STRICT;\nCREATE TABLE d (",
        "CREATE TABLE p (x INTEGER PRIMARY KEY) STRICT;\n"
        "CREATE TABLE c (x INTEGER REFERENCES p (x)) STRICT;\nINSERT INTO c VALUES (7);",
    ],
    ids=["unknown table", "constraint", "unfinished", "dangling reference"],
)
async def test_a_failed_migration_leaves_nothing_behind(path: Path, broken: str) -> None:
    await open_and_close(path, FIRST)
    before = dump(path)
    with pytest.raises(LernodeError) as caught:
        await open_and_close(path, FIRST, SECOND, Migration(3, "third", broken))
    assert caught.value.code == "store.migration_failed"
    assert dump(path) == before


async def test_a_migration_that_changed_after_it_ran_is_refused(path: Path) -> None:
    await open_and_close(path, FIRST)
    with pytest.raises(LernodeError) as caught:
        await open_and_close(path, replace(FIRST, sql=FIRST.sql + "-- edited\n"))
    assert caught.value.code == "store.migration_changed"


def test_files_are_read_in_order_and_line_ends_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "0002_second.sql").write_bytes(b"SELECT 2;\r\n")
    (tmp_path / "0001_first.sql").write_bytes(b"SELECT 1;\n")
    (tmp_path / "README.md").write_text("not a migration")
    found = load(tmp_path)
    assert [(m.version, m.name) for m in found] == [(1, "first"), (2, "second")]
    assert found[1].checksum == Migration(2, "second", "SELECT 2;\n").checksum


@pytest.mark.parametrize("names", [["0002_b.sql"], ["0001_a.sql", "0003_c.sql"], ["0001_a.sql", "0001_b.sql"]])
def test_a_gap_in_the_numbers_is_refused(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(LernodeError) as caught:
        load(tmp_path)
    assert caught.value.code == "store.migration_gap"
