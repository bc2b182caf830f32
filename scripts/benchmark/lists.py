"""A list of learners issued with one command, and a folder of records verified with one, by one process and by two.

Each learner is known by an e-mail address; each record has two status entries, is signed with eddsa-rdfc-2022 and
stored. The folder is verified with every check, against the DID document and the status lists of the running issuer.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.processes import NodeProcess, free_ports, resident_mib
from scripts.benchmark.timing import Plan, progress, spread

__all__ = ["measure"]

_ISSUE = Target(8.0)
_MEMORY = Target(250.0)
_TWICE = Target(1.8, is_floor=True)
_LOOK_EVERY_SECONDS = 0.05
_ROUNDS = 3


def measure(plan: Plan) -> list[Figure]:
    """The figures of lists and folders."""
    progress(f"lists: issue {plan.learners:,} records from a list, and verify them as a folder {_ROUNDS} times ...")
    with tempfile.TemporaryDirectory(prefix="lernode-bench-") as folder:
        return asyncio.run(_measure(Path(folder), plan.learners))


async def _measure(folder: Path, learners: int) -> list[Figure]:
    node = NodeProcess(folder / "college", free_ports(1), issuer=True)
    await node.make()
    rows = "".join(f"Learner {n},learner{n}@example.org,2026-05-31\n" for n in range(learners))
    (folder / "list.csv").write_text("name,email,date\n" + rows, encoding="utf-8")
    issue = ("issue", "weld-101", "--csv", str(folder / "list.csv"))
    took, sizes = await _run(node, *issue)
    await node.start()
    try:
        await _run(node, *issue, "--out", str(folder / "records"))
        verify = ("verify", str(folder / "records"), "--any-issuer", "--jobs")
        seconds: dict[str, list[float]] = {"1": [], "2": []}
        for _ in range(_ROUNDS):
            for jobs, found in seconds.items():
                found.append((await _run(node, *verify, jobs))[0])
    finally:
        await node.stop()
    return [*_of_issuing(learners, took, sizes), *_of_verifying(learners, seconds)]


async def _run(node: NodeProcess, *arguments: str) -> tuple[float, list[float]]:
    """The seconds that a command takes, and its memory in MiB from time to time."""
    sizes = []
    began = time.perf_counter()
    process = await node.command(*arguments)
    ended = asyncio.ensure_future(process.wait())
    while not ended.done():
        size = resident_mib(process.pid)
        sizes += [] if size is None else [size]
        await asyncio.wait({ended}, timeout=_LOOK_EVERY_SECONDS)
    if ended.result() != 0:
        raise RuntimeError(f"lernode {arguments[0]} ended with {ended.result()}")
    return time.perf_counter() - began, sizes


def _of_issuing(learners: int, took: float, sizes: list[float]) -> list[Figure]:
    about = f"issue {learners:,} records from a list"
    target = _ISSUE if learners == Plan().learners else None
    figures = [Figure("lists.issue", about, took, "s", (took, took), target=target)]
    # The node is opened first, for which Argon2id takes 256 MiB for a moment; the list itself is what follows.
    issuing = sizes[len(sizes) // 2 :]
    if issuing:
        about = f"{about}: memory in its second half"
        figures.append(Figure("lists.memory", about, max(issuing), "MiB", spread(issuing), target=_MEMORY))
    return figures


def _of_verifying(learners: int, seconds: dict[str, list[float]]) -> list[Figure]:
    rates = {jobs: sorted(learners / took for took in found) for jobs, found in seconds.items()}
    ratios = sorted(one / two for one, two in zip(seconds["1"], seconds["2"], strict=True))
    middle = _ROUNDS // 2
    figures = [
        Figure(f"lists.verify.{jobs}", f"verify a folder, {jobs} at once", found[middle], "/s", spread(found))
        for jobs, found in rates.items()
    ]
    about = "verify a folder, two processes over one"
    return [*figures, Figure("lists.verify.ratio", about, ratios[middle], "times", spread(ratios), target=_TWICE)]
