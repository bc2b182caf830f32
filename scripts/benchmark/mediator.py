"""What a mediator that holds very much costs: one learner's pickup, beside that of a mediator that holds little.

Everything goes through ``storage/mediation.py`` on an SQLite store like a node's, each step in a unit of work of its
own, durable before it counts. A pickup is what one visit of a learner makes a mediator do: say how much there is, hand
over ten messages, forget them, say how much there is.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from protocols.keys import KeyPair
from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.processes import resident_mib
from scripts.benchmark.timing import Plan, progress, spread
from storage import connections, keys, mediation
from storage.connections import Connection
from storage.engine import Store
from storage.engines import open_store
from storage.mediation import Holding, Quota
from storage.secrets import Strength, Vault

__all__ = ["measure"]

_BYTES = 1500
_OF_EACH = 100
_BATCH = 10
_BATCH_BYTES = 512 * 1024
_AT_ONCE = 500
_PICKUPS = 200
_QUOTA = Quota(messages=10_000, total_bytes=1 << 30, recipients=10)
_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_GROWTH = Target(2.0)
_MEMORY = Target(16.0)


def measure(plan: Plan) -> list[Figure]:
    """The figures of a mediator."""
    with tempfile.TemporaryDirectory(prefix="lernode-bench-") as folder:
        return asyncio.run(_measure(Path(folder), clients=plan.learners // 10))


@dataclass
class _Mediator:
    store: Store
    clients: list[str]

    async def fill(self) -> None:
        """``_OF_EACH`` messages for each client, as they would come: now for one, now for another."""
        for number in range(_OF_EACH):
            for first in range(0, len(self.clients), _AT_ONCE):
                async with self.store.write() as tx:
                    for client in self.clients[first : first + _AT_ONCE]:
                        envelope = number.to_bytes(4, "big") + os.urandom(_BYTES - 4)
                        held = await mediation.hold(
                            tx, client, f"key-{client}", envelope, _QUOTA, _NOW, id=f"{client}-{number}"
                        )
                        assert held is Holding.HELD

    async def pick_up(self, client: str) -> float:
        """Seconds of CPU that one pickup takes, SQLite's threads included."""
        began = time.process_time()
        async with self.store.read() as tx:
            await mediation.times(tx, client)
        async with self.store.read() as tx:
            found = await mediation.batch(tx, client, limit=_BATCH, max_bytes=_BATCH_BYTES)
        assert len(found) == _BATCH
        async with self.store.write() as tx:
            assert await mediation.acknowledge(tx, client, [held.id for held in found]) == _BATCH
            await mediation.times(tx, client)
        return time.process_time() - began


async def _measure(folder: Path, *, clients: int) -> list[Figure]:
    progress(f"mediator: hold {clients * _OF_EACH:,} messages for {clients:,} learners ...")
    small = await _open(folder / "small", 1)
    large = await _open(folder / "large", clients)
    before = resident_mib(os.getpid())
    await large.fill()
    after = resident_mib(os.getpid())
    alone, among = await _compare(small, large)
    end = resident_mib(os.getpid())
    await small.store.close()
    await large.store.close()
    about = f"pickup of {_BATCH} messages"
    ratios = [much / little for much, little in zip(among, alone, strict=True)]
    figures = [
        _milliseconds("mediator.alone", f"{about}, {_OF_EACH} held in all", alone),
        _milliseconds("mediator.among", f"{about}, {clients * _OF_EACH:,} held in all", among),
        Figure(
            "mediator.growth", f"{about}, among {clients * _OF_EACH:,} over among {_OF_EACH}",
            statistics.median(ratios), "times", spread(ratios), target=_GROWTH,
        ),
    ]  # fmt: skip
    if before is not None and after is not None and end is not None:
        grown = max(after, end) - before
        about = f"memory grown by holding {clients * _OF_EACH:,} messages and picking some up"
        figures.append(Figure("mediator.memory", about, grown, "MiB", (grown, grown), target=_MEMORY))
    return figures


async def _compare(small: _Mediator, large: _Mediator) -> tuple[list[float], list[float]]:
    """Pickups in turn, so that what else the machine does falls on both; medians of ten at a time."""
    alone: list[float] = []
    among: list[float] = []
    for turn in range(_PICKUPS // _BATCH):
        of_one, of_many = [], []
        await small.fill()  # ten pickups take all of it
        for step in range(_BATCH):
            of_one.append(await small.pick_up(small.clients[0]))
            of_many.append(await large.pick_up(large.clients[(turn * _BATCH + step) * 7 % len(large.clients)]))
        alone.append(statistics.median(of_one))
        among.append(statistics.median(of_many))
    return alone, among


async def _open(folder: Path, clients: int) -> _Mediator:
    store = await open_store(folder / "store.db", create=True)
    vault = await Vault.create(store, "a passphrase for a benchmark", entropy=os.urandom, strength=Strength.INTERACTIVE)
    names = [f"c{number:04d}" for number in range(clients)]
    async with store.write() as tx:
        for name in names:
            pair = KeyPair.from_seed(os.urandom(32))
            await keys.add(tx, vault, pair, "connection", _NOW)
            await connections.add(tx, _connection(name, pair.verkey))
            await mediation.add_client(tx, name, _NOW, limit=clients)
            await mediation.add_recipient(tx, name, f"key-{name}", _QUOTA, _NOW)
    return _Mediator(store, names)


def _connection(name: str, verkey: str) -> Connection:
    return Connection(
        id=name,
        state="completed",
        role="responder",
        my_did=f"did:example:{name}",
        my_verkey=verkey,
        thid=name,
        wire="didcomm/v2",
        created=_NOW,
        updated=_NOW,
    )


def _milliseconds(name: str, about: str, seconds: list[float]) -> Figure:
    values = [each * 1000 for each in seconds]
    return Figure(name, about, statistics.median(values), "ms", spread(values))
