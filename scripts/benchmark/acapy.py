"""Full exchanges a second of lernode over ACA-Py's, in the same run, on the same record.

ACA-Py is installed into ``.interop`` by what the interoperability matrix uses, and set up as its own performance demo
sets it up (``demo/runners/performance.py`` and ``support/agent.py`` there): two agents with Askar wallets in SQLite,
options that let them answer by themselves, exchanges begun through the admin API, and webhooks that say how they go.
It offers the record that lernode issued, and both are asked for that very record: ACA-Py presents every record that
fits a request, so that a request by skill would make it slower with each exchange.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from aiohttp import web

from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.pair import Pair, by_id
from scripts.benchmark.processes import free_ports
from scripts.benchmark.timing import Plan, progress, spread
from scripts.interop_peers.acapy_agent import AcaPyAgent, install, version
from scripts.interop_peers.peer import PeerMissing

__all__ = ["measure"]

_FOLDER = Path(__file__).resolve().parents[2] / ".interop" / "acapy"
_WARM_UP = 3
_TARGET = Target(10.0, is_floor=True)
_DEADLINE_SECONDS = 60.0
_AT_ONCE = nullcontext()
_SECURING = {"issuer": {"securing": "Ed25519Signature2020"}}
_VERIFY = {"verify": {"require_domain": False}}
_DEMO = ("--auto-ping-connection", "--auto-respond-messages", "--preserve-exchange-records", "--public-invites")
_FABER = (
    "--auto-accept-invites", "--auto-accept-requests", "--monitor-ping", "--auto-respond-credential-proposal",
    "--auto-respond-credential-request", "--auto-verify-presentation",
)  # fmt: skip
_ALICE = (
    "--auto-accept-invites", "--auto-accept-requests", "--auto-respond-credential-offer", "--auto-store-credential",
    "--monitor-ping", "--auto-respond-presentation-request",
)  # fmt: skip


class _Exchanging(Protocol):
    async def exchange(self, turn: AbstractAsyncContextManager[object] = _AT_ONCE) -> None:
        """One whole exchange; ``turn`` is held while an agent is told to begin a part of it."""


@dataclass(frozen=True, slots=True)
class _Load:
    """How exchanges are driven.

    Attributes:
        count: exchanges that are timed.
        at_once: exchanges in hand.
        begun_at_once: parts of exchanges that are being begun.
    """

    name: str
    about: str
    count: int
    at_once: int
    begun_at_once: int


_LOADS = (
    _Load("demo", "as ACA-Py's demo drives", 300, 300, 10),  # its --count, none waited for, and its --threads
    *(_Load(f"{n}", f"{n} at once", count, n, n) for n, count in ((1, 10), (8, 40), (64, 64))),
)


class _Turn:
    """Held while an agent is told to begin a part of an exchange.

    Attributes:
        moved: when a part was begun last.
    """

    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self.moved = time.perf_counter()

    async def __aenter__(self) -> None:
        await self._free.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._free.release()
        self.moved = time.perf_counter()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a number of exchanges went.

    Attributes:
        rate: of those that ended well, a second.
        failures: why others did not.
    """

    rate: float
    failures: list[str]


def measure(plan: Plan) -> list[Figure]:
    """The figures of both, and one over the other; nothing where ACA-Py cannot be had."""
    try:
        asyncio.run(install(_FOLDER))
    except (PeerMissing, RuntimeError) as error:
        progress(f"ACA-Py is left out: {error}")
        return []
    return asyncio.run(_measure(plan))


async def _measure(plan: Plan) -> list[Figure]:
    figures: list[Figure] = []
    for load in _LOADS:
        progress(f"acapy: {load.count} exchanges of each of {plan.pairs} pairs of both kinds, {load.about} ...")
        figures += _figures(load, [await _round(load) for _ in range(plan.pairs)])
    return figures


def _figures(load: _Load, rounds: list[tuple[_Outcome, _Outcome]]) -> list[Figure]:
    about = f"full exchanges, {load.about}"
    names = ("lernode", f"ACA-Py {version(_FOLDER)}")
    figures = []
    for index, name in enumerate(names):
        rates = [outcomes[index].rate for outcomes in rounds]
        failures = [failure for outcomes in rounds for failure in outcomes[index].failures]
        key = f"acapy.{load.name}.{name.split()[0].lower()}"
        figures.append(Figure(key, f"{about}, {name}", statistics.median(rates), "/s", spread(rates)))
        figures.append(
            Figure(f"{key}.failed", f"{about}, {name}: failed", len(failures), "", (len(failures), len(failures)))
        )
        for failure in sorted(set(failures)):
            progress(f"acapy: {name}: {failures.count(failure)} times: {failure}")
    ratios = [ours.rate / theirs.rate for ours, theirs in rounds if theirs.rate]
    if ratios:  # where ACA-Py ended none, nothing can be a number of times as many
        figures.append(
            Figure(f"acapy.{load.name}.ratio", f"{about}, over ACA-Py", statistics.median(ratios), "times",
                   spread(ratios), target=_TARGET)
        )  # fmt: skip
    return figures


async def _round(load: _Load) -> tuple[_Outcome, _Outcome]:
    """New pairs, as the stores of earlier rounds would slow later ones."""
    with tempfile.TemporaryDirectory(prefix="lernode-bench-") as folder:
        ours = Pair(
            Path(folder),
            free_ports(2),
            lambda record: {"definition": by_id(record)},
            data_model="1.1",
            settings={**_SECURING, **_VERIFY},
        )
        try:
            await ours.start()
            record = await ours.record()
            found = await _exchanges(ours, load)
        finally:
            await ours.stop()
        theirs = _AcaPyPair(Path(folder), free_ports(5), record)
        try:
            await theirs.start()
            return found, await _exchanges(theirs, load)
        finally:
            await theirs.stop()


async def _exchanges(pair: _Exchanging, load: _Load) -> _Outcome:
    async with asyncio.timeout(_DEADLINE_SECONDS):
        for _ in range(_WARM_UP):
            await pair.exchange()
    in_hand, turn = asyncio.Semaphore(load.at_once), _Turn(load.begun_at_once)
    done: list[float] = []
    failures: list[str] = []

    async def exchange() -> None:
        async with in_hand:
            try:
                await pair.exchange(turn)
                done.append(time.perf_counter())
            except (RuntimeError, ValueError, TimeoutError) as error:
                failures.append(f"{type(error).__name__}: {error}"[:200])

    began = time.perf_counter()
    running = {asyncio.create_task(exchange()) for _ in range(load.count)}
    while running:
        ended, running = await asyncio.wait(running, timeout=_DEADLINE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not ended and time.perf_counter() - turn.moved > _DEADLINE_SECONDS:
            failures += [f"Nothing began or ended for {_DEADLINE_SECONDS:.0f} seconds."] * len(running)
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            break
    return _Outcome(len(done) / (max(done, default=began + 1) - began), failures)


class _AcaPyPair:
    """Two agents of ACA-Py, named as in its demo: Faber issues and verifies, Alice holds."""

    def __init__(self, folder: Path, port: int, record: Mapping[str, Any]) -> None:
        """
        Args:
            port: the first of five: two for each agent, and one for their webhooks.
            record: what Faber offers; its ids are written anew.
        """
        self._faber = AcaPyAgent(_FOLDER, folder / "faber", "Faber")
        self._alice = AcaPyAgent(_FOLDER, folder / "alice", "Alice")
        self._port = port
        self._record = {name: value for name, value in record.items() if name != "proof"}
        self._connection = ""
        self._hooks = _Webhooks()

    async def start(self) -> None:
        """Start both, and connect them."""
        await self._hooks.start(self._port + 4)
        hooks = f"http://127.0.0.1:{self._port + 4}"
        await asyncio.gather(
            self._faber.start(self._port, *_DEMO, *_FABER, "--webhook-url", f"{hooks}/faber"),
            self._alice.start(self._port + 2, *_DEMO, *_ALICE, "--webhook-url", f"{hooks}/alice"),
        )
        wanted = {"handshake_protocols": ["https://didcomm.org/didexchange/1.1"], "use_did_method": "did:peer:4"}
        made = await self._faber.post("/out-of-band/create-invitation", wanted, auto_accept="true")
        await self._alice.post("/out-of-band/receive-invitation", made["invitation"])
        async with asyncio.timeout(_DEADLINE_SECONDS):
            while not self._connection:
                found = (await self._faber.get("/connections"))["results"]
                ready = (one["connection_id"] for one in found if one["rfc23_state"] == "completed")
                self._connection = next(ready, "")
                await asyncio.sleep(0.05)
        issuer = {**self._record["issuer"], "id": await self._faber.make_did()}
        subject = {**self._record["credentialSubject"], "id": await self._alice.make_did()}
        self._record |= {"issuer": issuer, "credentialSubject": subject}

    async def stop(self) -> None:
        """Stop both."""
        await asyncio.gather(self._faber.stop(), self._alice.stop())
        await self._hooks.stop()

    async def exchange(self, turn: AbstractAsyncContextManager[object] = _AT_ONCE) -> None:
        """One whole exchange."""
        record = f"urn:uuid:{uuid4()}"
        options = {
            "proofType": "Ed25519Signature2020",
            "credentialStatus": {"type": self._record["credentialStatus"]["type"]},
        }
        detail = {"credential": {**self._record, "id": record}, "options": options}
        offer = {"connection_id": self._connection, "filter": {"ld_proof": detail}, "auto_remove": True}
        async with turn:
            offered = await self._faber.post("/issue-credential-2.0/send", offer)
        await self._over(offered["cred_ex_id"])
        dif = {"options": {"challenge": str(uuid4()), "domain": "faber"}, "presentation_definition": by_id(record)}
        request = {"connection_id": self._connection, "presentation_request": {"dif": dif}, "auto_verify": True}
        async with turn:
            asked = await self._faber.post("/present-proof-2.0/send-request", request)
        ended = await self._over(asked["pres_ex_id"])
        if ended.get("verified") != "true":
            raise RuntimeError("A presentation did not verify.")

    async def _over(self, exchange_id: str) -> Mapping[str, Any]:
        ended = await self._hooks.over(exchange_id)
        if ended["state"] == "abandoned":
            raise RuntimeError(f"ACA-Py gave up: {ended.get('error_msg')}")
        return ended


class _Webhooks:
    """Takes what the agents tell."""

    def __init__(self) -> None:
        self._over: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_post("/{agent}/topic/{topic}/", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def over(self, exchange_id: str) -> Mapping[str, Any]:
        """What is told of an exchange when it is over."""
        return await self._future(exchange_id)

    def _future(self, exchange_id: str) -> asyncio.Future[Mapping[str, Any]]:
        return self._over.setdefault(exchange_id, asyncio.get_running_loop().create_future())

    async def _take(self, request: web.Request) -> web.Response:
        told = await request.json()
        exchange_id = told.get("cred_ex_id") or told.get("pres_ex_id")
        if exchange_id and told.get("state") in ("done", "deleted", "abandoned"):
            future = self._future(exchange_id)
            if not future.done():
                future.set_result(told)
        return web.Response()
