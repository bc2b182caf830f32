"""The demo, as a person runs it: three real processes, and stores that can be looked at afterwards."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

_TIMEOUT = 120


def _lernode(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LERNODE_")}
    command = [sys.executable, "-m", "node.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, env=environment, check=False)


def _three_free_ports() -> int:
    """The first of three neighbouring ports that nobody listens on."""
    for first in range(30_000 + os.getpid() * 9 % 2_400, 32_700, 3):
        if all(_is_free(first + offset) for offset in range(3)):
            return first
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def test_demo_takes_a_record_the_whole_way_and_leaves_the_stores(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    ran = _lernode("demo", "--json", "--folder", str(folder), "--port", str(_three_free_ports()))
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["ok"] is True
    sent = [message["type"] for step in report["steps"] for message in step["messages"]]
    for wanted in ("didexchange/1.1/complete", "issue-credential/3.0/ack", "present-proof/3.0/ack"):
        assert wanted in sent
    assert all(message["bytes"] > 0 for step in report["steps"] for message in step["messages"])

    key = ("--passphrase-file", str(folder / "passphrase"), "--json")
    held = json.loads(_lernode("records", "--home", str(folder / "learner"), *key).stdout)
    assert [record["name"] for record in held["items"]] == ["Structural Welding, Level 1"]
    issued = json.loads(_lernode("records", "--issued", "--home", str(folder / "college"), *key).stdout)
    assert [record["state"] for record in issued["items"]] == ["revoked"]


def test_demo_does_not_touch_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    ran = _lernode("demo", "--again", "--folder", str(tmp_path))
    assert ran.returncode != 0
    assert "not empty" in ran.stderr
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "mine"


def test_demo_fails_where_a_port_is_taken(tmp_path: Path) -> None:
    port = _three_free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        ran = _lernode("demo", "--json", "--folder", str(tmp_path / "demo"), "--port", str(port))
    assert ran.returncode == 3
    assert json.loads(ran.stdout)["code"].startswith(("demo.", "node."))
