"""SIGKILL while a list is issued: typed again, the command gives everybody one record and nobody two."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from node.config import STORE_FILE
from storage import credentials
from storage.engines import open_store
from storage.secrets import Vault
from tests.admin.helpers import make_node
from tests.opening import KEY, KEY_TEXT

pytestmark = pytest.mark.system

LEARNERS = 1200


async def start(home: Path, learners: Path, out: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "node.cli.main", "issue", "weld-101", "--csv", str(learners), "--out", str(out),
        "--json", "--home", str(home),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"LERNODE_KEY": KEY_TEXT, "PATH": os.environ["PATH"]},
    )  # fmt: skip


def rows(home: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{home / STORE_FILE}?mode=ro", uri=True)) as store:
        return store.execute(sql).fetchall()


async def kill_after(process: asyncio.subprocess.Process, home: Path, issued: int, more: float) -> None:
    """SIGKILL a moment after so many records are there."""
    while process.returncode is None and rows(home, "SELECT COUNT(*) FROM issued_credentials")[0][0] < issued:  # type: ignore[operator]
        await asyncio.sleep(0.005)
    await asyncio.sleep(more)
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    await process.communicate()


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_list_whose_issuing_is_killed_again_and_again_ends_whole(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    home, learners, out = tmp_path / "n", tmp_path / "learners.csv", tmp_path / "out"
    await make_node(home, "College", issuer=True)
    learners.write_text(
        "name,email\n" + "".join(f"Learner {n},l{n}@example.org\n" for n in range(LEARNERS)), encoding="utf-8"
    )
    for enough in sorted(chance.sample(range(LEARNERS), 3)):
        await kill_after(await start(home, learners, out), home, enough, chance.uniform(0, 0.1))
    last = await start(home, learners, out)
    outcome = json.loads((await last.communicate())[0])
    assert last.returncode == 0
    assert [row["line"] for row in outcome["issued"]] == list(range(2, LEARNERS + 2))

    counted = "SELECT COUNT(*), COUNT(subject_key), COUNT(DISTINCT credential_key) FROM issued_credentials"
    assert rows(home, counted)[0] == (LEARNERS, 0, LEARNERS)
    counted = "SELECT COUNT(DISTINCT row_key), COUNT(DISTINCT issued_id) FROM batch_rows"
    assert rows(home, counted)[0] == (LEARNERS, LEARNERS), "no gap"
    per_purpose = "SELECT purpose, COUNT(*), COUNT(DISTINCT idx) FROM {} GROUP BY purpose ORDER BY purpose"
    expected = [("revocation", LEARNERS, LEARNERS), ("suspension", LEARNERS, LEARNERS)]
    assert rows(home, per_purpose.format("status_entries")) == expected, "no index is lost"
    assert rows(home, per_purpose.format("issued_statuses")) == expected, "none is shared"
    assert rows(home, "SELECT SUM(allocated) FROM status_lists") == [(2 * LEARNERS,)]
    stored = await issued(home)
    files = [json.loads(file.read_bytes())["id"] for file in out.glob("*.json")]
    assert len(files) == LEARNERS
    assert set(files) == stored


async def issued(home: Path) -> set[str]:
    """The ids of the records in the store, as its passphrase opens them."""
    store = await open_store(home / STORE_FILE)
    await Vault.unlock(store, KEY)
    found: list[credentials.IssuedCredential] = []
    async with store.read() as tx:
        while page := await credentials.list_issued(tx, after=found[-1].id if found else None, limit=1000):
            found += page
    await store.close()
    return {record.credential_id for record in found}
