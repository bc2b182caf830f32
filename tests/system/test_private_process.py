"""A node that runs leaves its secrets in no core dump, command line, environment of children, or log."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.processes import PASSPHRASE, Template

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
_SECRET = re.compile(r"LERNODE_(?!SECTION_|KEYS_)(?:[A-Z0-9]+_)*(?:PASSPHRASE|PASSWORD|PIN|TOKEN|KEY)\b")
_PROGRAM = """
import ctypes, json, os, subprocess, sys
from node.runtime.private_process import close_up
kept = close_up()
PR_GET_DUMPABLE = 3
child = subprocess.run([sys.executable, "-c", "import json, os; print(json.dumps(sorted(os.environ)))"],
                       capture_output=True, text=True)
print(json.dumps({
    "dumpable": ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0),
    "here": sorted(os.environ),
    "child": json.loads(child.stdout),
    "kept": sorted(name for name in kept if name.startswith("LERNODE_")),
}))
"""


def secret_variables() -> set[str]:
    """Every variable of the environment for a secret that the sources or the manual name."""
    files = [*ROOT.joinpath("node").rglob("*.py"), *ROOT.joinpath("docs").glob("*.md")]
    found = {name for file in files for name in _SECRET.findall(file.read_text(encoding="utf-8"))}
    return found | {f"LERNODE_NEW_{name}" for name in ("PASSPHRASE", "KEY")}


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux's")
def test_a_process_that_closed_up_cannot_be_dumped_and_its_children_know_no_secret() -> None:
    secrets = secret_variables()
    assert {"LERNODE_PASSPHRASE", "LERNODE_MAIL_PASSWORD", "LERNODE_PKCS11_PIN"} < secrets
    environment = os.environ | dict.fromkeys(secrets, "sesame") | {"LERNODE_NODE_LABEL": "shown"}
    run = subprocess.run([sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, text=True, check=True)
    found = json.loads(run.stdout)
    assert found["dumpable"] == 0
    for names in (found["here"], found["child"]):
        assert [name for name in names if name.startswith("LERNODE_")] == ["LERNODE_NODE_LABEL"]
    assert found["kept"] == [
        "LERNODE_DATABASE_PASSWORD", "LERNODE_MAIL_PASSWORD", "LERNODE_NODE_LABEL", "LERNODE_PKCS11_PIN"
    ]  # fmt: skip


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
