"""A list of learners issued with one command, and a folder of records verified with one, by one process and by two.

Each learner is known by an e-mail address; each record has two status entries, is signed with eddsa-rdfc-2022 and
stored. The folder is verified with every check, against the DID document and the status lists of the running issuer.
"""

from __future__ import annotations

import asyncio
import re
import resource
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.processes import NodeProcess, free_ports, resident_mib
from scripts.benchmark.timing import Plan, progress, spread

__all__ = ["Taken", "measure", "run_command"]

_ISSUE = Target(8.0)
_MEMORY = Target(250.0)
_TWICE = Target(1.8, is_floor=True)
_LOOK_EVERY_SECONDS = 0.05
_ROUNDS = 3
_RATE = re.compile(r"([0-9,]+) a second")


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
    issued = await run_command(node, *issue)
    await node.start()
    try:
        await run_command(node, *issue, "--out", str(folder / "records"))
        verify = ("verify", str(folder / "records"), "--any-issuer", "--jobs")
        runs: dict[str, list[Taken]] = {"1": [], "2": []}
        for _ in range(_ROUNDS):
            for jobs, found in runs.items():
                found.append(await run_command(node, *verify, jobs))
    finally:
        await node.stop()
    return [*_of_issuing(learners, issued), *_of_verifying(learners, runs)]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a command took.

    Attributes:
        seconds: from its start to its end.
        cpu: seconds of CPU, of all its processes; what it would have taken one core that does nothing else.
        sizes: its memory in MiB, from time to time.
        output: what it printed.
    """

    seconds: float
    cpu: float
    sizes: list[float]
    output: str

    @property
    def rate(self) -> float:
        """How many a second, as the command itself says: without its own start."""
        said = _RATE.search(self.output)
        if said is None:
            raise RuntimeError("the command does not say how fast it was")
        return float(said[1].replace(",", ""))


async def run_command(node: NodeProcess, *arguments: str) -> Taken:
    """Run ``lernode`` with these arguments on a node, and see what it takes."""
    sizes: list[float] = []
    began, cpu_before = time.perf_counter(), _cpu_of_children()
    process = await node.command(*arguments)
    ended = asyncio.ensure_future(process.communicate())
    while not ended.done():
        size = resident_mib(process.pid)
        sizes += [] if size is None else [size]
        await asyncio.wait({ended}, timeout=_LOOK_EVERY_SECONDS)
    output, _ = ended.result()
    if process.returncode != 0:
        raise RuntimeError(f"lernode {arguments[0]} ended with {process.returncode}")
    return Taken(time.perf_counter() - began, _cpu_of_children() - cpu_before, sizes, output.decode())


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _of_issuing(learners: int, took: Taken) -> list[Figure]:
    about = f"issue {learners:,} records from a list"
    target = _ISSUE if learners == Plan().learners else None
    figures = [
        Figure("lists.issue", about, took.seconds, "s", (took.seconds, took.seconds), target=target),
        Figure("lists.issue.cpu", f"{about}: CPU time", took.cpu, "s", (took.cpu, took.cpu)),
    ]
    # The node is opened first, for which Argon2id takes 256 MiB for a moment; the list itself is what follows.
    issuing = took.sizes[len(took.sizes) // 2 :]
    if issuing:
        about = f"{about}: memory in its second half"
        figures.append(Figure("lists.memory", about, max(issuing), "MiB", spread(issuing), target=_MEMORY))
    return figures


def _of_verifying(learners: int, runs: dict[str, list[Taken]]) -> list[Figure]:
    figures = []
    for jobs, found in runs.items():
        about = f"verify a folder, {jobs} at once"
        rates = [each.rate for each in found]
        figures.append(Figure(f"lists.verify.{jobs}", about, statistics.median(rates), "/s", spread(rates)))
        of_cpu = [1000 * each.cpu / learners for each in found]
        name = f"lists.verify.{jobs}.cpu"
        figures.append(Figure(name, f"{about}: CPU time a file", statistics.median(of_cpu), "ms", spread(of_cpu)))
    pairs = list(zip(runs["1"], runs["2"], strict=True))
    ratios = [two.rate / one.rate for one, two in pairs]
    whole = [one.seconds / two.seconds for one, two in pairs]
    about = "verify a folder, two processes over one"
    return [
        *figures,
        Figure("lists.verify.ratio", about, statistics.median(ratios), "times", spread(ratios), target=_TWICE),
        Figure(
            "lists.verify.whole.ratio",
            f"{about}: the whole command, its start included",
            statistics.median(whole),
            "times",
            spread(whole),
        ),
    ]
