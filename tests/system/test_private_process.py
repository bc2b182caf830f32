"""A node that runs leaves its secrets in no core dump, command line, environment of children, or log."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.processes import PASSPHRASE, Template

pytestmark = pytest.mark.system

_PROGRAM = """
import ctypes, os, subprocess, sys
from node.runtime.private_process import close_up
close_up()
PR_GET_DUMPABLE = 3
print(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))
print(os.environ.get("LERNODE_PASSPHRASE"))
print(subprocess.run([sys.executable, "-c", "import os; print(os.environ.get('LERNODE_PASSPHRASE'))"],
                     capture_output=True, text=True).stdout.strip())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux's")
def test_a_process_that_closed_up_cannot_be_dumped_and_its_children_know_no_secret() -> None:
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env={**os.environ, "LERNODE_PASSPHRASE": PASSPHRASE}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert run.stdout.split() == ["0", "None", "None"]


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="there is no /proc")
async def test_a_node_that_runs_writes_no_core_and_shows_no_secret(tmp_path: Path) -> None:
    template = Template(tmp_path / "made")
    await template.make()
    learner = template.copy(tmp_path / "nodes")["learner"]
    try:
        await learner.start()
        assert learner.process is not None
        about = Path(f"/proc/{learner.process.pid}")
        (limit,) = [line for line in about.joinpath("limits").read_text().splitlines() if "core file" in line]
        assert limit.split()[4:6] == ["0", "0"]
        assert PASSPHRASE.encode() not in about.joinpath("cmdline").read_bytes()
    finally:
        await learner.kill()
    files = [file for file in (tmp_path / "nodes").rglob("*") if file.is_file()]
    assert any(file.suffix == ".log" for file in files)
    assert [file for file in files if PASSPHRASE.encode() in file.read_bytes()] == []
