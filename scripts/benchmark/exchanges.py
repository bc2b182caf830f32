"""Full exchanges a second between two node processes on this machine.

One exchange is the whole way of a record: offered, requested, issued, verified by the holder, stored and acknowledged;
then asked for by skill, presented, verified and acknowledged. That is seven encrypted messages over HTTP, each one a
durable unit of work at both ends. Both nodes and what measures them share the machine.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from scripts.benchmark.figures import Figure
from scripts.benchmark.pair import Pair
from scripts.benchmark.processes import free_ports
from scripts.benchmark.raw import SIGN, raw_batches
from scripts.benchmark.timing import Plan, compare, progress, spread

__all__ = ["measure"]

_SKILL = "51-4121.00"
_CONCURRENCY = (1, 8)
_WARM_UP = 4


def measure(plan: Plan) -> list[Figure]:
    """The figures of exchanges."""
    return asyncio.run(_measure(plan))


async def _measure(plan: Plan) -> list[Figure]:
    figures = []
    for concurrency in _CONCURRENCY:
        progress(f"exchanges: {plan.exchanges} of each of {plan.pairs} pairs of processes, {concurrency} at once ...")
        rates, raws = [], []
        for _ in range(plan.pairs):
            raws.append(statistics.median(compare({SIGN: raw_batches()[SIGN]}, Plan.quick()).rates[SIGN]))
            rates.append(await _round(plan.exchanges, concurrency))
        figures.append(
            Figure(
                name=f"exchange.concurrency-{concurrency}",
                about=f"full exchanges, two processes, {concurrency} at once",
                value=statistics.median(rates),
                unit="/s",
                spread=spread(rates),
                baseline=SIGN,
                ratio=statistics.median(rate / raw for rate, raw in zip(rates, raws, strict=True)),
            )
        )
    return figures


async def _round(count: int, concurrency: int) -> float:
    """Exchanges a second between two new nodes, as the stores of earlier rounds would slow later ones."""
    with tempfile.TemporaryDirectory(prefix="lernode-bench-") as folder:
        pair = Pair(Path(folder), free_ports(2), lambda _record: {"skills": [_SKILL]})
        try:
            await pair.start()
            await _exchanges(pair, _WARM_UP + concurrency, concurrency)
            began = time.perf_counter()
            await _exchanges(pair, count, concurrency)
            return count / (time.perf_counter() - began)
        finally:
            await pair.stop()


async def _exchanges(pair: Pair, count: int, concurrency: int) -> None:
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await pair.exchange()

    await asyncio.gather(*(worker() for _ in range(concurrency)))
