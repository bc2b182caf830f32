"""Records issued and presented while replicas are killed and stopped; then everything is held against everything.

What has to hold, or :class:`Broken` says what does not: every record that was offered is issued once, held once and
verifies; offers arrive in the order in which they were made; a replica that is down is taken out by the balancer and
the others go on; what one replica changed, all of them serve at once and alike; ``lernode db check`` finds nothing.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import aiohttp
import msgspec

from node.cli.client import Api, segment
from node.http import schemas as s
from protocols.errors import NotNow
from scripts.benchmark.processes import NodeProcess
from scripts.topology.topology import Topology, connect, eventually

__all__ = ["Broken", "Plan", "Run"]

T = TypeVar("T")
_ACHIEVEMENT = "weld-101"
_TOGETHER = 3
_PAGE = 100


class Broken(Exception):
    """Something that has to hold does not; says what."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is done.

    Attributes:
        records: at least so many; more, as long as replicas are still struck.
        strikes: how often a replica is killed or stopped, in turn.
        revoked: how many records are revoked at the same time in the end.
    """

    records: int
    strikes: int
    revoked: int
    seed: int


@dataclass
class Run:
    """One run; :meth:`go` gives what is to be told, line by line."""

    topology: Topology
    plan: Plan
    _chance: random.Random = field(init=False)
    _struck: set[str] = field(default_factory=set)
    _done: int = 0
    _asked_again: int = 0
    _presented: dict[str, str] = field(default_factory=dict)
    _out: list[float] = field(default_factory=list)
    _back: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.plan.seed)

    async def go(self) -> list[tuple[str, str]]:
        """Everything, in order.

        Raises:
            Broken: see the module.
        """
        began = time.perf_counter()
        replicas = list(self.topology.replicas.values())
        to_learner = await connect(replicas[0], self.topology.learner)
        asks_at = await connect(self.topology.verifier, self.topology.learner)
        striking = asyncio.create_task(self._strike())
        try:
            await self._work(to_learner, asks_at, striking)
        finally:
            striking.cancel()
            await asyncio.gather(striking, return_exceptions=True)
        offers = await self._once_and_in_order()
        took = time.perf_counter() - began
        await self._changed_at_one_seen_at_all(to_learner)
        share = await self._share()
        await self._whole()
        kills = (self.plan.strikes + 1) // 2
        return [
            ("replicas killed, and stopped", f"{kills}, {self.plan.strikes - kills}"),
            ("records offered, issued, held and verified", f"{offers}, in {took:.0f} s"),
            ("offers asked for again, as the replica died on it", str(self._asked_again)),
            ("offers arrived in the order in which they were made", "yes"),
            ("a replica that is down gets nothing more after", f"{_span(self._out)} s"),
            ("a replica that is started takes part after", f"{_span(self._back)} s"),
            *share,
            ("records revoked at once, by all replicas", str(self.plan.revoked)),
            ("every replica serves the same status lists and DID document", "yes"),
            ("lernode db check on issuer, learner and verifier", "nothing lost, doubled or altered"),
        ]

    async def _work(self, to_learner: str, asks_at: str, striking: asyncio.Task[None]) -> None:
        """Offer one after the other; take each the whole way beside the next ones."""
        room = asyncio.Semaphore(_TOGETHER)
        under_way: list[asyncio.Task[None]] = []

        async def whole_way(offer_id: str) -> None:
            try:
                await self._take(offer_id, asks_at)
            finally:
                room.release()

        try:
            while len(under_way) < self.plan.records or not striking.done():
                await room.acquire()
                for task in under_way:
                    if task.done():
                        task.result()
                under_way.append(asyncio.create_task(whole_way(await self._offer(to_learner))))
            await asyncio.gather(*under_way)
            await striking
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _offer(self, to_learner: str) -> str:
        award = s.AwardOverConnection(connection=to_learner, achievement=_ACHIEVEMENT)
        offered = await self._asked(lambda api: api.post("/admin/credentials/offers", s.ExchangeView, award))
        return offered.id

    async def _take(self, offer_id: str, asks_at: str) -> None:
        """From the offer to the verified presentation."""

        async def over() -> s.ExchangeDetail | None:
            row = await self._asked(lambda api: api.get(f"/admin/exchanges/{offer_id}", s.ExchangeDetail))
            return row if row.state in {"done", "abandoned"} else None

        ended = await eventually(over)
        _hold(ended.state == "done", f"an offer ended with {ended.error}")
        _hold(len(ended.issued_ids) == 1, "an offer has other than one record")
        path = f"/admin/issued/{ended.issued_ids[0]}"
        record = await self._asked(lambda api: api.get(path, s.IssuedDetail))
        api = self.topology.verifier.api
        query = s.NewRequest(connection=asks_at, purpose="To see.", definition=_the(record.credential_id))
        asked = await api.post("/admin/presentations/requests", s.ExchangeView, query)

        async def shown() -> s.ExchangeDetail | None:
            row = await api.get(f"/admin/exchanges/{asked.id}", s.ExchangeDetail)
            return row if row.state in {"done", "abandoned"} else None

        _hold((await eventually(shown)).state == "done", "a presentation was abandoned")
        seen = await api.get(f"/admin/exchanges/{asked.id}/verification", s.VerificationView)
        _hold(seen.verified, "a presentation does not verify")
        self._presented[record.id] = asked.id
        self._done += 1

    async def _strike(self) -> None:
        """Kill a replica, stop a replica, and so on; each time the others have to bring a record to its end."""
        balancer = self.topology.balancer
        for number in range(self.plan.strikes):
            name = self._chance.choice(sorted(self.topology.replicas))
            replica = self.topology.replicas[name]
            before, began = self._done, time.perf_counter()
            self._struck.add(name)
            await (replica.stop() if number % 2 else replica.kill())
            await balancer.until(name, is_in=False)
            self._out.append(time.perf_counter() - began)
            await eventually(lambda before=before: self._went_on(before))  # type: ignore[misc]
            began = time.perf_counter()
            await replica.start()
            await balancer.until(name, is_in=True)
            self._back.append(time.perf_counter() - began)
            self._struck.discard(name)

    async def _went_on(self, before: int) -> bool | None:
        return True if self._done > before else None

    async def _asked(self, ask: Callable[[Api], Awaitable[T]]) -> T:
        """The answer of a replica; of another one, where it died meanwhile."""
        while True:
            name = self._chance.choice(sorted(self.topology.replicas.keys() - self._struck))
            try:
                return await ask(self.topology.replicas[name].api)
            except (NotNow, RuntimeError):  # it was killed since it was chosen
                self._asked_again += 1
                await asyncio.sleep(0)

    async def _once_and_in_order(self) -> int:
        """Hold the ends of every offer against each other; how many there were."""
        offered = await _offers(next(iter(self.topology.replicas.values())))
        received = await _offers(self.topology.learner)
        _hold({row.state for row in offered} == {"done"}, "an offer is not done")
        _hold([row.thread_id for row in received] == [row.thread_id for row in offered], "offers came in another order")
        held = await _all(self.topology.learner, "/admin/records", s.HeldView)
        issued = await _all(next(iter(self.topology.replicas.values())), "/admin/issued", s.IssuedView)
        _hold(len(held) == len(issued) == len(offered), "records are missing, or there twice")
        return len(offered)

    async def _changed_at_one_seen_at_all(self, to_learner: str) -> None:
        replicas = list(self.topology.replicas.values())
        records = sorted(self._presented)[: self.plan.revoked]
        revoke = s.StatusChange(action="revoke")
        await asyncio.gather(
            *(
                replicas[n % len(replicas)].api.post(f"/admin/issued/{record}/status", s.IssuedView, revoke)
                for n, record in enumerate(records)
            )
        )
        for record, request in sorted(self._presented.items())[: self.plan.revoked + 1]:
            path = f"/admin/exchanges/{request}/verify"
            seen = await self.topology.verifier.api.post(path, s.VerificationView, s.VerifyExchange())
            _hold(seen.verified is (record not in records), "a verifier does not see what was revoked")
        key = s.NewKey(kind="p256")
        await replicas[1].api.post(f"/admin/dids/{segment(self.topology.issuer_did)}/keys", s.DidView, key)
        detail = await replicas[0].api.get(f"/admin/issued/{records[0]}", s.IssuedDetail)
        paths = {entry["statusListCredential"] for entry in msgspec.json.decode(detail.document)["credentialStatus"]}
        paths = {path.removeprefix(f"https://{self.topology.issuer_host}") for path in paths}
        async with aiohttp.ClientSession() as session:
            for path in (*sorted(paths), "/.well-known/did.json"):
                answers = {await _served(session, replica, path) for replica in replicas}
                _hold(len(answers) == 1, f"replicas serve different answers at {path}")
        # An invitation of one replica is answered at whichever the balancer chooses.
        for replica in replicas:
            await connect(replica, self.topology.verifier)

    async def _share(self) -> list[tuple[str, str]]:
        servers = await self.topology.balancer.servers()
        mine = {name: servers[name] for name in sorted(self.topology.replicas)}
        requests = ", ".join(f"{row['stot']}" for row in mine.values())
        again = sum(int(row["wretr"]) + int(row["wredis"]) for row in mine.values())
        failed = sum(int(row["hrsp_5xx"]) + int(row["eresp"]) for row in mine.values())
        return [
            ("requests that each replica got", requests),
            ("requests given to another replica, and failed answers", f"{again}, {failed}"),
        ]

    async def _whole(self) -> None:
        """Stop all nodes and check their stores."""
        await asyncio.gather(*(node.stop() for node in self.topology.nodes))
        one = next(iter(self.topology.replicas.values()))
        for node in (one, self.topology.learner, self.topology.verifier):
            code = await (await node.command("db", "check")).wait()
            _hold(code == 0, f"lernode db check on {node.home.name} ends with {code}")


async def _offers(node: NodeProcess) -> list[s.ExchangeView]:
    """Its exchanges of records, the oldest first."""
    found = await _all(node, "/admin/exchanges", s.ExchangeView)
    return [row for row in reversed(found) if "/issue-credential/" in row.protocol]


async def _all(node: NodeProcess, path: str, kind: type[T]) -> list[T]:
    found: list[T] = []
    after: str | None = None
    while True:
        page: s.Page[T] = await node.api.get(path, s.Page[kind], limit=_PAGE, after=after)  # type: ignore[valid-type]
        found += page.items
        after = page.next
        if after is None:
            return found


async def _served(session: aiohttp.ClientSession, replica: NodeProcess, path: str) -> tuple[str | None, bytes]:
    async with session.get(f"http://127.0.0.1:{replica.port}{path}") as response:
        _hold(response.status == 200, f"a replica answers {response.status} at {path}")
        return response.headers.get("ETag"), await response.read()


def _the(record: str) -> dict[str, Any]:
    """A request for the very record."""
    field = {"path": ["$.id"], "filter": {"type": "string", "const": record}}
    return {"id": str(uuid4()), "input_descriptors": [{"id": "record", "constraints": {"fields": [field]}}]}


def _hold(condition: bool, otherwise: str) -> None:
    if not condition:
        raise Broken(otherwise)


def _span(seconds: list[float]) -> str:
    return f"{min(seconds):.1f} – {max(seconds):.1f}" if seconds else "-"
