"""The report about a cohort of 100,000 learners, each with a record of 3 kB that attests three of 400 skills.

The node runs; time is that of the command from its start to its end, memory is the most that either process had.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path

from node.app import Node
from protocols import strict_json
from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.lists import Taken, run_command
from scripts.benchmark.processes import NodeProcess, free_ports
from scripts.benchmark.timing import Plan, progress, spread
from storage import credentials
from storage.credentials import IssuedCredential
from storage.secrets import Strength

__all__ = ["measure"]

_LEARNERS = 100_000
_SKILLS = 400
_EACH = 3
_AT_ONCE = 1000
_MEMORY = Target(200.0)
_LOOK_EVERY_SECONDS = 0.05
_BYTES = 3000


def measure(plan: Plan) -> list[Figure]:
    """The figures of reports."""
    learners = _LEARNERS if plan.learners == Plan().learners else _LEARNERS // 10
    progress(f"cohorts: issue to {learners:,} learners, and report ...")
    with tempfile.TemporaryDirectory(prefix="lernode-bench-") as folder:
        return asyncio.run(_measure(Path(folder), learners))


async def _measure(folder: Path, learners: int) -> list[Figure]:
    process = NodeProcess(folder / "college", free_ports(1), issuer=True, strength=Strength.INTERACTIVE)
    await process.make()
    node = await Node.open(process.home, process.passphrase)
    try:
        await _fill(node, learners)
    finally:
        await node.stop()
    await process.start()
    figures = []
    try:
        for name, more in (("skills", ()), ("learners", ("--learners",))):
            sizes: list[float] = []
            watching = asyncio.create_task(_watch(process, sizes))
            took = await run_command(process, "cohort", "report", *more, "--out", str(folder / f"{name}.csv"))
            watching.cancel()
            figures += _of(name, learners, took, sizes)
    finally:
        await process.stop()
    return figures


async def _watch(process: NodeProcess, sizes: list[float]) -> None:
    while True:
        size = process.resident_mib()
        sizes += [] if size is None else [size]
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _of(name: str, learners: int, took: Taken, sizes: list[float]) -> list[Figure]:
    about = f"report about {learners:,} learners, a line for each of the {name}"
    memory = [*sizes, *took.sizes]
    return [
        Figure(f"cohorts.{name}", about, took.seconds, "s", (took.seconds, took.seconds)),
        Figure(f"cohorts.{name}.memory", f"{about}: memory", max(memory), "MiB", spread(memory), target=_MEMORY),
    ]


async def _fill(node: Node, learners: int) -> None:
    chance = random.Random(1)
    for start in range(0, learners, _AT_ONCE):
        records = [_record(node, number, chance) for number in range(start, start + _AT_ONCE)]
        async with node.store.write() as tx:
            await credentials.add_issued(tx, *records)


def _record(node: Node, number: int, chance: random.Random) -> IssuedCredential:
    subject, credential_id = f"did:example:{number}", f"urn:uuid:{number:032}"
    alignments = [
        {"type": ["Alignment"], "targetName": f"Skill {each}", "targetUrl": f"https://skills.example/{each}"}
        for each in chance.sample(range(_SKILLS), _EACH)
    ]
    achievement = {"id": "urn:a", "type": ["Achievement"], "name": "A", "alignment": alignments}
    document = {
        "id": credential_id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "credentialSubject": {"id": subject, "achievement": achievement},
        "description": "x" * _BYTES,
    }
    return IssuedCredential(
        id=f"{number:032}",
        exchange_id=None,
        connection_id=None,
        document=strict_json.dumps(document),
        credential_id=credential_id,
        subject=subject,
        achievement_id="urn:a",
        issued_at=node.world.clock(),
    )
