"""The topology of docker/compose.yaml as processes, through the loss of replicas; scripts/replicas runs it longer."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from scripts.postgresql import binaries
from scripts.topology.run import Plan, Run
from scripts.topology.servers import Missing, haproxy
from scripts.topology.topology import running
from storage.secrets import Strength

pytestmark = pytest.mark.system


async def test_replicas_are_killed_and_stopped_and_nothing_is_lost_doubled_or_out_of_order() -> None:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed; scripts/servers installs it where it may (Debian: postgresql)")
    try:
        haproxy()
    except Missing as missing:
        pytest.skip(f"{missing}; scripts/servers installs it where it may")
    # Not tmp_path: the database's user could not reach it, and paths of sockets have a hundred bytes.
    with tempfile.TemporaryDirectory(prefix="lernode-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with running(folder, Strength.INTERACTIVE) as topology:
            seen = dict(await Run(topology, Plan(records=4, strikes=2, revoked=2, seed=3)).go())
    assert seen["replicas killed, and stopped"] == "1, 1"
    assert seen["lernode db check on issuer, learner and verifier"] == "nothing lost, doubled or altered"
