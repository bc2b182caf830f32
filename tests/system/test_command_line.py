"""The commands between running nodes, as a person types them."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.system.processes import ACHIEVEMENTS, PASSPHRASE, Peer, Template, connect, network

pytestmark = pytest.mark.system


async def lernode(peer: Peer, *arguments: str) -> tuple[int | None, str]:
    """Run a command for the node; its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "node.cli.main", *arguments, "--home", str(peer.home),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "LERNODE_PASSPHRASE": PASSPHRASE},
    )  # fmt: skip
    printed, _ = await process.communicate()
    return process.returncode, printed.decode()


def ask_the_learner(peers: dict[str, Peer]) -> None:
    """Let the learner be asked before anything leaves, and the employer believe nobody."""
    for name, setting in (("learner", "share_records"), ("employer", "issuers")):
        config = peers[name].home / "lernode.toml"
        lines = config.read_text(encoding="utf-8").splitlines()
        config.write_text("\n".join(line for line in lines if not line.startswith(setting)), encoding="utf-8")


async def test_a_presentation_that_is_refused_ends_with_1_and_every_next_step_can_be_typed(tmp_path: Path) -> None:
    template = Template(tmp_path / "template")
    await template.make()
    async with network(template, tmp_path / "nodes", lambda net: net.forward, ask_the_learner) as net:
        await connect(net.college, net.learner)
        await connect(net.employer, net.learner)
        code, printed = await lernode(net.college, "issue", ACHIEVEMENTS[0], "--to", "learner", "--wait", "30")
        assert code == 0, printed
        assert f"Next: lernode records --home {net.college.home}" in printed
        code, printed = await lernode(net.college, "issue", *ACHIEVEMENTS[1:3], "--to", "learner", "--wait", "30")
        assert (code, net.learner.count("held_credentials")) == (0, 3), printed
        code, printed = await lernode(net.employer, "request", "learner", "--type", "OpenBadgeCredential")
        assert code == 0, printed
        assert f"lernode verify --home {net.employer.home}" in printed

        async def waiting() -> str | None:
            page = await net.learner.ask("GET", "/admin/exchanges?waiting=true")
            return next((str(item["id"]) for item in page["items"]), None)

        request = await net.learner.eventually(waiting)
        code, printed = await lernode(net.learner, "present", request, "--yes")
        assert "the verifier did not take it" in printed
        assert code == 1


async def test_what_a_person_sees_of_a_peer(tmp_path: Path) -> None:
    template = Template(tmp_path / "template")
    await template.make()
    async with network(template, tmp_path / "nodes", lambda net: net.forward, ask_the_learner) as net:
        await connect(net.college, net.learner)
        code, printed = await lernode(net.college, "status", "learner")
        assert code == 0, printed
        assert "answers now      yes" in printed
        (issuing,) = [line.split() for line in printed.splitlines() if line.startswith("issue-credential/2.0")]
        assert "holder" in issuing
        code, link = await lernode(net.college, "invite", "--lasting")
        code, printed = await lernode(net.learner, "accept", link.splitlines()[0])
        assert "Connected with" in printed, printed
        code, link = await lernode(net.college, "invite", "--lasting")
        code, printed = await lernode(net.learner, "accept", link.splitlines()[0])
        assert "You keep the connection with" in printed, printed
        code, printed = await lernode(net.college, "status", "nobody")
        assert code == 2, printed


async def test_a_person_asks_by_a_link_of_waci_and_another_answers_it(tmp_path: Path) -> None:
    template = Template(tmp_path / "template")
    await template.make()
    async with network(template, tmp_path / "nodes", lambda net: net.forward, ask_the_learner) as net:
        asking = ("request", "--link", "--didcomm", "v2", "--type", "OpenBadgeCredential", "--purpose", "The job")
        code, link = await lernode(net.employer, *asking)
        assert code == 0, link
        code, printed = await lernode(net.learner, "accept", link.splitlines()[0])
        assert code == 0, printed
        assert "Connected with" in printed
        assert "lernode present" in printed
