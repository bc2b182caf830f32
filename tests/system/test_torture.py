"""The crash harness: a short run on each engine loses and doubles nothing, and what is lost or doubled is found."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from node.config import STORE_FILE
from scripts.torturing import plan, servers
from scripts.torturing.__main__ import main
from scripts.torturing.plan import COLLEGE, LEARNER, Act, Fault
from scripts.torturing.run import FAULTS, Options, Outcome, torture
from scripts.torturing.verdict import judge
from tests.store_files import changed

pytestmark = pytest.mark.system


def run(engine: str, kills: int, seed: int, folder: Path, faults: frozenset[str] = frozenset(FAULTS)) -> Outcome:
    options = Options(engine=engine, kills=kills, seed=seed, minutes=None, faults=faults, folder=folder)
    return asyncio.run(torture(options, print))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the user of the database can pass, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="lernode-torture-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_nodes_that_are_killed_cut_off_filled_up_and_put_wrong_lose_and_double_nothing(
    engine: str, folder: Path
) -> None:
    if engine == "postgresql" and (why := servers.why_not()) is not None:
        pytest.skip(why)
    outcome = run(engine, 6, 11, folder)
    assert outcome.kills == 6
    assert {check.name: check.findings for check in outcome.checks if check.findings} == {}
    assert outcome.counts["records issued"] > 0
    assert outcome.counts["records revoked"] > 0


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A run in which nothing breaks, and so nothing is to be found."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, run("sqlite", 0, 3, folder, frozenset())


DAMAGE = {
    "a record is lost": (LEARNER, "DELETE FROM held_credentials WHERE id = (SELECT MIN(id) FROM held_credentials)"),
    "an exchange is lost": (COLLEGE, "DELETE FROM exchanges WHERE protocol LIKE '%/present-proof/%'"),
    "an exchange ends on one side only": (
        LEARNER,
        "UPDATE exchanges SET state = 'abandoned' WHERE protocol LIKE '%/issue-credential/%'",
    ),
    "a message was delivered and not processed": (
        LEARNER,
        "DELETE FROM inbox WHERE received = (SELECT MAX(received) FROM inbox)",
    ),
    "a holder does not know of a revocation": (LEARNER, "UPDATE held_credentials SET state = 'active'"),
    "a revocation that was answered is undone": (COLLEGE, "UPDATE issued_credentials SET state = 'active'"),
    "a presentation is not verified": (COLLEGE, "DELETE FROM verifications"),
    "a receipt is lost": (LEARNER, "DELETE FROM receipts"),
    "a job never ends": (LEARNER, "UPDATE jobs SET state = 'buried'"),
}


@pytest.mark.parametrize("damage", list(DAMAGE))
async def test_what_is_lost_or_doubled_is_found(finished: tuple[Path, Outcome], tmp_path: Path, damage: str) -> None:
    folder, outcome = finished
    assert outcome.is_whole
    homes = {name: tmp_path / name for name in (COLLEGE, LEARNER)}
    for name, home in homes.items():
        shutil.copytree(folder / name / "home", home)
    logs = {name: folder / f"{name}.log" for name in homes}
    before = await judge(homes[COLLEGE], homes[LEARNER], outcome.told, logs)
    assert not any(check.findings for check in before.checks)
    where, sql = DAMAGE[damage]
    assert changed(homes[where] / STORE_FILE, sql) > 0
    after = await judge(homes[COLLEGE], homes[LEARNER], outcome.told, logs)
    assert any(check.findings for check in after.checks)


async def test_a_promise_that_is_not_kept_is_found(finished: tuple[Path, Outcome]) -> None:
    folder, outcome = finished
    logs = {name: folder / f"{name}.log" for name in (COLLEGE, LEARNER)}
    homes = (folder / COLLEGE / "home", folder / LEARNER / "home")
    told = outcome.told
    promised = replace(told, exchanges={**told.exchanges, Act.OFFER: [*told.exchanges[Act.OFFER], "never-begun"]})
    assert any(check.findings for check in (await judge(*homes, promised, logs)).checks)
    begun = replace(told, exchanges={**told.exchanges, Act.OFFER: told.exchanges[Act.OFFER][1:]})
    assert any(check.findings for check in (await judge(*homes, begun, logs)).checks), "more than was asked for"


def test_a_seed_gives_one_plan_with_as_many_kills_as_were_asked_for() -> None:
    drawn = plan.draw(7, 300, is_postgresql=True, faults=frozenset(FAULTS))
    assert drawn == plan.draw(7, 300, is_postgresql=True, faults=frozenset(FAULTS))
    assert drawn != plan.draw(8, 300, is_postgresql=True, faults=frozenset(FAULTS))
    assert sum(step.fault.is_kill for step in drawn) == 300
    assert {step.fault for step in drawn} == set(Fault)
    only = plan.draw(7, 300, is_postgresql=False, faults=frozenset({"kill", "network"}))
    assert {step.fault for step in only} == {Fault.KILL, Fault.CUT}


def test_the_plan_can_be_printed_without_a_run() -> None:
    printed = CliRunner().invoke(main, ["--plan", "--seed", "7", "--kills", "5"])
    again = CliRunner().invoke(main, ["--plan", "--seed", "7", "--kills", "5"])
    assert printed.exit_code == 0
    assert printed.output == again.output
    assert printed.output.count(" kill ") == 5


def test_a_fault_that_there_is_not_is_refused() -> None:
    refused = CliRunner().invoke(main, ["--faults", "flood"])
    assert refused.exit_code == 2
    assert "kill, network, disk, clock" in refused.output
