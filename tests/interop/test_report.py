"""What an interoperability run says of its steps, and which Python its peer gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.interop_peers.acapy import AcaPy
from scripts.interop_peers.peer import PeerMissing
from scripts.interop_peers.report import Run, StepFailed


async def fails() -> None:
    raise ValueError("no answer")


async def answers() -> str:
    return "thread"


async def test_a_failed_step_fails_the_run_and_says_why() -> None:
    run = Run("Agent 1.0")
    assert await run.step("a -> b", "offer", answers()) == "thread"
    assert run.ok
    with pytest.raises(StepFailed):
        await run.step("a -> b", "request", fails())
    run.not_walked("a -> b", "revoke")
    assert not run.ok
    assert [step["outcome"] for step in run.to_json()["steps"]] == ["ok", "failed", "not walked"]
    assert "ValueError: no answer" in run.table()


async def test_a_step_that_was_left_out_is_no_success() -> None:
    run = Run("Agent 1.0")
    run.not_walked("a -> b", "revoke")
    assert not run.ok


async def test_without_a_python_for_it_the_peer_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("scripts.interop_peers.acapy_agent._OLDEST_PYTHON", (99, 0))
    with pytest.raises(PeerMissing, match="Install python3"):
        await AcaPy().install(tmp_path / "acapy")
