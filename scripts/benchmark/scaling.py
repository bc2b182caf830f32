"""One issuer as one process on SQLite, and as one and two on PostgreSQL: exchanges and issues a second, and CPU time.

All of them run at once, each behind a load balancer with TLS and with a learner of its own, and are asked in turn in
every round, so that what else the machine does falls on all alike. An exchange goes from the offer to the
acknowledgement.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from node.http import schemas as s
from scripts.benchmark.figures import Figure
from scripts.benchmark.processes import NodeProcess
from scripts.benchmark.timing import Plan, progress, spread
from scripts.topology.servers import Missing
from scripts.topology.topology import Topology, connect, running
from storage.secrets import Strength

__all__ = ["measure"]

_KINDS = {"sqlite": (1, False), "postgresql-1": (1, True), "postgresql-2": (2, True)}
_BASELINE = "sqlite"
_ACHIEVEMENT = "weld-101"
_TOGETHER = 8
_WAIT_SECONDS = 60


def measure(plan: Plan) -> list[Figure]:
    """The figures of replicas; none where a program is missing."""
    with tempfile.TemporaryDirectory(prefix="lernode-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the database's user has to reach its own folder
        try:
            return asyncio.run(_measure(folder, plan))
        except Missing as missing:
            progress(f"scaling: {missing}")
            return []


@dataclass
class _Kind:
    """One way to run an issuer, and what was seen of it: rates, and CPU milliseconds of its processes for each."""

    topology: Topology
    connection: str
    rates: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    async def round(self, what: str, work: Callable[[NodeProcess], Awaitable[object]], count: int) -> None:
        """Do it so many times, some at once, spread over the replicas."""
        replicas = list(self.topology.replicas.values())
        left = iter([replica for replica, _ in zip(cycle(replicas), range(count), strict=False)])

        async def worker() -> None:
            for replica in left:
                await work(replica)

        before, began = sum(replica.cpu_seconds() for replica in replicas), time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(_TOGETHER)))
        took, used = time.perf_counter() - began, sum(replica.cpu_seconds() for replica in replicas) - before
        self.rates.setdefault(what, []).append(count / took)
        self.cpu.setdefault(what, []).append(1000 * used / count)

    async def exchange(self, replica: NodeProcess) -> None:
        """From the offer to the acknowledgement."""
        award = s.AwardOverConnection(connection=self.connection, achievement=_ACHIEVEMENT)
        offered = await replica.api.post("/admin/credentials/offers", s.ExchangeView, award)
        path = f"/admin/exchanges/{offered.id}"
        ended = await replica.api.get(path, s.ExchangeDetail, wait=_WAIT_SECONDS, state="done,abandoned")
        if ended.state != "done":
            raise RuntimeError("An exchange did not end well.")

    async def issue(self, replica: NodeProcess) -> None:
        """Sign and keep one record."""
        award = s.Award(achievement=_ACHIEVEMENT, email="ada@example.org")
        await replica.api.post("/admin/credentials/issue", s.IssuedDetail, award)


async def _measure(folder: Path, plan: Plan) -> list[Figure]:
    progress("scaling: start one issuer on SQLite, one and two on PostgreSQL, each behind a load balancer ...")
    async with AsyncExitStack() as stack:
        kinds: dict[str, _Kind] = {}
        for name, (replicas, on_server) in _KINDS.items():
            place = folder / name
            place.mkdir(mode=0o755)
            topology = await stack.enter_async_context(
                running(place, Strength.INTERACTIVE, replicas=replicas, on_server=on_server)
            )
            one = next(iter(topology.replicas.values()))
            kinds[name] = _Kind(topology, await connect(one, topology.learner))
        for number in range(plan.pairs + 1):
            progress(f"scaling: round {number} ..." if number else "scaling: warm up ...")
            for kind in kinds.values():
                await kind.round("exchange", kind.exchange, plan.exchanges if number else _TOGETHER)
                await kind.round("issue", kind.issue, 2 * plan.exchanges if number else _TOGETHER)
        return [figure for what in ("exchange", "issue") for figure in _figures(kinds, what)]


def _figures(kinds: dict[str, _Kind], what: str) -> list[Figure]:
    found = []
    baseline = kinds[_BASELINE].rates[what][1:]
    for name, kind in kinds.items():
        rates, cpu = kind.rates[what][1:], kind.cpu[what][1:]
        ratio = statistics.median(rate / base for rate, base in zip(rates, baseline, strict=True))
        found += [
            Figure(
                name=f"scaling.{what}.{name}",
                about=f"{what}, {name}",
                value=statistics.median(rates),
                unit="/s",
                spread=spread(rates),
                baseline=f"{what}, {_BASELINE}",
                ratio=ratio,
            ),
            Figure(
                f"scaling.{what}.{name}.cpu",
                f"{what}, {name}: CPU time of the issuer",
                statistics.median(cpu),
                "ms",
                spread(cpu),
            ),
        ]
    return found
