"""How long a node takes to listen, and how much memory it has when it does nothing.

The node is an issuer with the demo's catalogue, sealed as strongly as ``lernode init`` seals, and it has no peers.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from pathlib import Path

from node.http.schemas import StatusView
from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.processes import NodeProcess, free_ports
from scripts.benchmark.timing import Plan, progress, spread

__all__ = ["measure"]

_SETTLE_SECONDS = 2.0
_START = Target(2.0)
_MEMORY = Target(90.0)


def measure(plan: Plan) -> list[Figure]:
    """The figures of an idle node."""
    progress(f"idle: start a node {plan.starts} times ...")
    with tempfile.TemporaryDirectory(prefix="lernode-bench-") as folder:
        starts, sizes = asyncio.run(_measure(Path(folder), plan.starts))
    figures = [Figure("start", "start to listening", statistics.median(starts), "s", spread(starts), target=_START)]
    if sizes:
        about = "memory of an idle node (VmRSS)"
        figures.append(Figure("memory", about, statistics.median(sizes), "MiB", spread(sizes), target=_MEMORY))
    else:
        progress("idle: this system does not tell VmRSS, so memory is not measured.")
    return figures


async def _measure(folder: Path, times: int) -> tuple[list[float], list[float]]:
    node = NodeProcess(folder / "node", free_ports(1), issuer=True)
    await node.make()
    await _once(node)  # warm up: compiled modules and the file system's cache
    measured = [await _once(node) for _ in range(times)]
    return [took for took, _ in measured], [size for _, size in measured if size is not None]


async def _once(node: NodeProcess) -> tuple[float, float | None]:
    try:
        took = await node.start()
        await node.api.get("/admin/status", StatusView)
        await asyncio.sleep(_SETTLE_SECONDS)
        return took, node.resident_mib()
    finally:
        await node.stop()
