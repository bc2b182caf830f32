"""How long the demo takes: from its first invitation to the second verification, once its three nodes are up."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
from pathlib import Path

from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.processes import free_ports, lernode
from scripts.benchmark.timing import Plan, progress, spread

__all__ = ["measure"]

_EXCHANGE = Target(3.0)


def measure(plan: Plan) -> list[Figure]:
    """The figures of the demo."""
    progress(f"demo: run it {plan.starts} times ...")
    runs = [asyncio.run(_run()) for _ in range(plan.starts)]
    starts, seconds = [run[0] for run in runs], [run[1] for run in runs]
    return [
        Figure("demo.start", "demo: make and start three nodes", statistics.median(starts), "s", spread(starts)),
        Figure("demo.exchange", "demo: exchange", statistics.median(seconds), "s", spread(seconds), target=_EXCHANGE),
    ]


async def _run() -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="lernode-bench-") as folder:
        arguments = ("demo", "--folder", str(Path(folder) / "demo"), "--port", str(free_ports(3)), "--json")
        process = await lernode(*arguments, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError("The demo failed; run scripts/demo to see how.")
    report = json.loads(output)
    return float(report["startSeconds"]), float(report["exchangeSeconds"])
