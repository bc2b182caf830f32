"""The schema: from nothing to the newest, forward only, all or nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from protocols.errors import LernodeError, WrongState
from storage.engines import open_store
from storage.migrate import Migration, bundled, load
from tests.postgresql import pg_dump

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


def dump(place: str) -> list[str]:
    """The tables and what stands in them, as the database's own tools tell it."""
    if place.startswith("postgresql:"):
        return pg_dump(place)
    connection = sqlite3.connect(place.removeprefix("sqlite://"))
    lines = list(connection.iterdump())
    connection.close()
    return lines


async def open_and_close(place: str, *migrations: Migration, create: bool = True) -> None:
    await (await open_store(place, create=create, migrations=migrations)).close()


async def test_the_bundled_migrations_run_from_nothing_and_then_never_again(place: str) -> None:
    await open_and_close(place, *bundled())
    first = dump(place)
    await open_and_close(place, *bundled())
    assert dump(place) == first
    assert any("CREATE TABLE outbox" in line for line in first)


async def test_every_table_of_a_file_is_strict(path: Path) -> None:
    store = await open_store(path, create=True)
    async with store.read() as tx:
        # FTS5 makes tables of its own, which are not ours to make strict.
        rows = await tx.all(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
            "AND name NOT LIKE 'framework_words%'"
        )
    await store.close()
    assert [row["name"] for row in rows if not row["sql"].endswith("STRICT")] == []


async def test_an_older_store_gets_what_is_new(place: str) -> None:
    await open_and_close(place, FIRST)
    await open_and_close(place, FIRST, SECOND, create=False)
    assert any(line in {'INSERT INTO "b" VALUES(1);', "INSERT INTO b VALUES (1);"} for line in dump(place))


async def test_a_store_newer_than_the_code_is_refused_untouched(place: str) -> None:
    await open_and_close(place, FIRST, SECOND)
    before = dump(place)
    with pytest.raises(WrongState) as caught:
        await open_and_close(place, FIRST)
    assert caught.value.code == "store.newer"
    assert "pgrade" in caught.value.hint
    assert dump(place) == before


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
async def test_a_failed_migration_leaves_nothing_behind(place: str, broken: str) -> None:
    await open_and_close(place, FIRST)
    before = dump(place)
    with pytest.raises(LernodeError) as caught:
        await open_and_close(place, FIRST, SECOND, Migration(3, "third", broken))
    assert caught.value.code == "store.migration_failed"
    assert dump(place) == before


async def test_a_migration_that_changed_after_it_ran_is_refused(place: str) -> None:
    await open_and_close(place, FIRST)
    with pytest.raises(LernodeError) as caught:
        await open_and_close(place, replace(FIRST, sql=FIRST.sql + "-- edited\n"))
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
