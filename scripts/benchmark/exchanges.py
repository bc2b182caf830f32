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
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from node.config import STORE_FILE
from node.http import schemas as s
from scripts.benchmark.figures import Figure
from scripts.benchmark.processes import NodeProcess, free_ports
from scripts.benchmark.raw import SIGN, raw_batches
from scripts.benchmark.timing import Plan, compare, progress, spread
from storage import exchanges
from storage.engine import Store

__all__ = ["measure"]

_ACHIEVEMENT = "weld-101"
_SKILL = "51-4121.00"
_CONCURRENCY = (1, 8)
_DEADLINE_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.005
_WARM_UP = 4
T = TypeVar("T")


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
        port = free_ports(2)
        college = NodeProcess(Path(folder) / "college", port, issuer=True)
        learner = NodeProcess(Path(folder) / "learner", port + 1)
        pair = (college, learner)
        try:
            await asyncio.gather(*(node.make() for node in pair))
            await asyncio.gather(*(node.start() for node in pair))
            connection = await _connect(college, learner)
            # The bench looks into the store itself, so that watching costs the nodes nothing.
            store = await Store.open(college.home / STORE_FILE)
            try:
                await _exchanges(college, store, connection, _WARM_UP + concurrency, concurrency)
                began = time.perf_counter()
                await _exchanges(college, store, connection, count, concurrency)
                return count / (time.perf_counter() - began)
            finally:
                await store.close()
        finally:
            await asyncio.gather(*(node.stop() for node in pair))


async def _exchanges(college: NodeProcess, store: Store, connection: str, count: int, concurrency: int) -> None:
    left = iter(range(count))

    look_every = _LOOK_EVERY_SECONDS * concurrency  # so that watching many takes no more of the machine than one

    async def worker() -> None:
        for _ in left:
            await _exchange(college, store, connection, look_every)

    await asyncio.gather(*(worker() for _ in range(concurrency)))


async def _exchange(college: NodeProcess, store: Store, connection: str, look_every: float) -> None:
    offer = s.AwardOverConnection(connection=connection, achievement=_ACHIEVEMENT)
    offered = await college.api.post("/admin/credentials/offers", s.ExchangeView, offer)
    await _until_done(store, offered.id, look_every)
    request = s.NewRequest(connection=connection, skills=[_SKILL], purpose="To measure.")
    asked = await college.api.post("/admin/presentations/requests", s.ExchangeView, request)
    await _until_done(store, asked.id, look_every)
    seen = await college.api.get(f"/admin/exchanges/{asked.id}/verification", s.VerificationView)
    if not seen.verified:
        raise AssertionError("A presentation did not verify.")


async def _until_done(store: Store, exchange_id: str, look_every: float) -> None:
    async def over() -> str | None:
        async with store.read() as tx:
            row = await exchanges.get(tx, exchange_id)
        return row.state if row.state in {"done", "abandoned"} else None

    if await _eventually(over, look_every) != "done":
        raise AssertionError("An exchange was abandoned.")


async def _connect(college: NodeProcess, learner: NodeProcess) -> str:
    invitation = await college.api.post("/admin/invitations", s.InvitationView, s.NewInvitation())
    await learner.api.post("/admin/connections", s.ConnectionView, s.AcceptInvitation(invitation=invitation.url))

    async def made() -> str | None:
        page = await college.api.get("/admin/connections", s.Page[s.ConnectionView])
        return next((item.id for item in page.items if item.state == "completed"), None)

    return await _eventually(made)


async def _eventually(look: Callable[[], Awaitable[T | None]], look_every: float = _LOOK_EVERY_SECONDS) -> T:
    async with asyncio.timeout(_DEADLINE_SECONDS):
        while (found := await look()) is None:
            await asyncio.sleep(look_every)
        return found
