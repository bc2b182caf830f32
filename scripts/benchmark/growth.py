"""How long an issuer takes for one offer, verification, revocation and page of records, the more it has issued.

The records are put straight into the store, sealed and indexed as its own are. Each step is a call of the admin API,
one after the other. Sizes follow each other in one store, and engines follow each other.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from node.config import STORE_FILE, load
from node.http import schemas as s
from node.runtime.opening import open_node_store
from node.runtime.world import World
from scripts.benchmark.bulk import fill
from scripts.benchmark.figures import Figure
from scripts.benchmark.processes import NodeProcess, free_ports
from scripts.benchmark.timing import Plan, progress
from scripts.topology.servers import Database, Missing
from scripts.topology.topology import connect
from storage.secrets import Strength, Vault

__all__ = ["measure"]

_ACHIEVEMENT = "weld-101"
_TIMES = 100
_PAGE = 100


def measure(plan: Plan) -> list[Figure]:
    """The figures of growth, on both engines where PostgreSQL is installed."""
    with tempfile.TemporaryDirectory(prefix="lernode-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the database's user has to reach its own folder
        return asyncio.run(_measure(folder, plan.stored))


async def _measure(folder: Path, sizes: tuple[int, ...]) -> list[Figure]:
    figures = await _of_engine(folder, "sqlite", sizes, None)
    try:
        database = Database(folder / "postgresql")
    except Missing as missing:
        progress(f"growth: {missing}")
        return figures
    try:
        await database.start()
        return figures + await _of_engine(folder, "postgresql", sizes, database)
    finally:
        await database.stop()


async def _of_engine(folder: Path, engine: str, sizes: tuple[int, ...], database: Database | None) -> list[Figure]:
    first = free_ports(2)
    settings = {} if database is None else {"database": {"url": database.url}}
    college = NodeProcess(
        folder / f"college-{engine}", first, issuer=True, settings=settings, strength=Strength.INTERACTIVE
    )
    learner = NodeProcess(folder / f"learner-{engine}", first + 1, strength=Strength.INTERACTIVE)
    figures: list[Figure] = []
    try:
        await asyncio.gather(college.make(), learner.make())
        await asyncio.gather(college.start(), learner.start())
        issuer = _Issuer(college, await connect(college, learner))
        await learner.stop()  # what it does must not count
        template = await issuer.template()
        for size in sizes:
            await college.stop()
            progress(f"growth: {engine}, fill the store up to {size:,} records ...")
            await _fill(college, issuer.connection, template, size)
            took = await college.start()
            figures.append(_one(f"growth.{engine}.{size}.start", f"{engine}, {size:,} records: start", took, "s"))
            for step, work in issuer.steps().items():
                times = await _times(work)
                for name, value in (("p50", statistics.median(times)), ("p99", statistics.quantiles(times, n=100)[98])):
                    about = f"{engine}, {size:,} records: {step}, {name}"
                    key = f"growth.{engine}.{size}.{step.replace(' ', '-')}.{name}"
                    figures.append(Figure(key, about, value, "ms", (min(times), max(times))))
            if database is None:
                stored = (college.home / STORE_FILE).stat().st_size
                key = f"growth.{engine}.{size}.bytes"
                figures.append(_one(key, f"{engine}, {size:,} records: file", stored / 2**20, "MiB"))
    finally:
        await asyncio.gather(college.stop(), learner.stop())
    return figures


@dataclass
class _Issuer:
    node: NodeProcess
    connection: str

    async def template(self) -> bytes:
        """A record as it is issued."""
        await self._issue()
        page = await self.node.api.get("/admin/issued", s.Page[s.IssuedView], limit=1)
        detail = await self.node.api.get(f"/admin/issued/{page.items[0].id}", s.IssuedDetail)
        return bytes(detail.document)

    def steps(self) -> dict[str, Callable[[int], Awaitable[object]]]:
        """What is measured, by name."""
        api = self.node.api
        offer = s.AwardOverConnection(connection=self.connection, achievement=_ACHIEVEMENT)
        revoke = s.StatusChange(action="revoke")
        documents: list[bytes] = []
        targets: list[str] = []

        async def prepare() -> None:
            page = await api.get("/admin/issued", s.Page[s.IssuedView], limit=_TIMES + 1)
            targets.extend(record.id for record in page.items)
            documents.append(await self.template())

        async def verify(_number: int) -> object:
            if not documents:
                await prepare()
            body = s.DocumentToVerify(document=msgspec.json.decode(documents[0]), any_issuer=True)
            return await api.post("/admin/verify", dict[str, Any], body)

        async def change(number: int) -> object:
            return await api.post(f"/admin/issued/{targets[number]}/status", s.IssuedView, revoke)

        async def page_of(_number: int) -> object:
            return await api.get("/admin/issued", s.Page[s.IssuedView], limit=_PAGE)

        async def page_of_subject(number: int) -> object:
            return await api.get("/admin/issued", s.Page[s.IssuedView], subject=f"mailto:{targets[number]}@example.org")

        return {
            "offer": lambda _number: api.post("/admin/credentials/offers", s.ExchangeView, offer),
            "issue": lambda _number: self._issue(),
            "verify": verify,
            "revoke": change,
            "list page": page_of,
            "list of a subject": page_of_subject,
        }

    async def _issue(self) -> None:
        award = s.Award(achievement=_ACHIEVEMENT, email="ada@example.org")
        await self.node.api.post("/admin/credentials/issue", s.IssuedDetail, award)


async def _times(work: Callable[[int], Awaitable[object]]) -> list[float]:
    """Milliseconds that each took, after a first one that does not count."""
    times = []
    for number in range(_TIMES + 1):
        began = time.perf_counter()
        await work(number)
        times.append(1000 * (time.perf_counter() - began))
    return times[1:]


async def _fill(college: NodeProcess, connection: str, template: bytes, size: int) -> None:
    config = load(college.home)
    store = await open_node_store(college.home, config)
    try:
        await Vault.unlock(store, college.passphrase)
        async with store.read() as tx:
            row = await tx.one("SELECT COUNT(*) AS n FROM issued_credentials")
        missing = size - (row["n"] if row else 0)
        issuer = f"did:web:localhost%3A{college.port}"
        await fill(store, World(), issuer=issuer, connection_id=connection, document=template, count=max(0, missing))
        if store.shared:  # as its own autovacuum does after a while
            async with store.write() as tx:
                await tx.execute("ANALYZE")
    finally:
        await store.close()


def _one(name: str, about: str, value: float, unit: str) -> Figure:
    return Figure(name, about, value, unit, (value, value))
