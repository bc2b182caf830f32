"""One run: make two nodes, let them work while everything breaks, heal everything, and look what is left."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any

import asyncpg

from node.app import create
from node.cli.init import settings_of, write_catalogue
from node.config import STORE_FILE, to_toml
from scripts.torturing import clocks, disks, plan
from scripts.torturing.clocks import Clock
from scripts.torturing.disks import Disk
from scripts.torturing.driver import Driver, Told
from scripts.torturing.nodes import PASSPHRASE, End, Node, Refused
from scripts.torturing.plan import COLLEGE, LEARNER, Fault, Step
from scripts.torturing.relay import Relay
from scripts.torturing.servers import Server
from scripts.torturing.verdict import Check, judge
from storage.secrets import Strength

__all__ = ["FAULTS", "Options", "Outcome", "torture"]

FAULTS = ("kill", "network", "disk", "clock")
_READY_SECONDS = 60.0
_PATIENCE_SECONDS = 20.0
_LOOK_EVERY_SECONDS = 0.1
_TELL_EVERY_SECONDS = 15.0
_REST_SECONDS = 240.0
_BROKEN_FOR_SECONDS = 8.0
"""How long after a fault on purpose it may still be why a node ends."""

_AT_WORK = {
    "messages": "SELECT COUNT(*) FROM outbox WHERE state = 'queued'",
    "jobs": "SELECT COUNT(*) FROM jobs WHERE state = 'queued'",
    "exchanges": "SELECT COUNT(*) FROM exchanges WHERE state NOT IN ('done', 'abandoned', 'completed', 'revoke-sent')",
}
"""What is not over. A notice is over when it is sent, for its holder may not have the record, and then says nothing."""

_UNFORESEEN = re.compile(r"^unforeseen |: [A-Z]\w+$")
"""What a node says of an error that is not one of its own: the name of a type, where its own have codes."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is asked for.

    Attributes:
        engine: ``sqlite`` or ``postgresql``.
        minutes: after how long no more faults begin; None for no limit.
        folder: an empty one, for the nodes and their logs.
    """

    engine: str
    kills: int
    seed: int
    minutes: float | None
    faults: frozenset[str]
    folder: Path


@dataclass(slots=True)
class Outcome:
    """What was done, and what was found.

    Attributes:
        skipped: why faults that were wanted could not be had here.
        network: what became of messages.
    """

    skipped: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    healing_seconds: float = 0.0
    starts: int = 0
    start_seconds: list[float] = field(default_factory=list)
    told: Told = field(default_factory=Told)
    network: Counter[str] = field(default_factory=Counter)
    ends: list[End] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    checks: list[Check] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How often a process was killed."""
        return sum(number for fault, number in self.faults.items() if Fault(fault).is_kill)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is lost or doubled."""
        return bool(self.checks) and not any(check.findings for check in self.checks)


async def torture(options: Options, say: Say) -> Outcome:
    """Run it; what is found stands in the outcome."""
    run = _Run(options, say)
    try:
        await run.make()
        await run.torment()
        await run.heal()
        await run.judge()
    finally:
        await run.end()
    return run.outcome


@dataclass(slots=True)
class _Place:
    """A node with all that can break around it."""

    node: Node
    relay: Relay
    server: Server | None
    disk: Disk | None
    clock: Clock | None
    is_full: bool = False
    was_full: float = 0.0


class _Run:
    def __init__(self, options: Options, say: Say) -> None:
        self.outcome = Outcome()
        self._options = options
        self._say = say
        self._faults = set(options.faults)
        for name, why in (("disk", disks.why_not()), ("clock", clocks.why_not())):
            if name in self._faults and why is not None:
                self._faults.discard(name)
                self.outcome.skipped.append(why)
                say(f"Skipped: {why}.")
        self._places: dict[str, _Place] = {}
        self._chance = Random(f"{options.seed}/backends")
        self._driver: Driver | None = None
        self._passing: set[asyncio.Task[None]] = set()
        self._turns: defaultdict[tuple[Fault, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._began = 0.0

    # Making -------------------------------------------------------------------------------------------------------

    async def make(self) -> None:
        """Two nodes that run, and know each other."""
        self._options.folder.chmod(0o755)  # the user of the database has to pass
        ports = _free_ports(4)
        addresses = {COLLEGE: (next(ports), next(ports)), LEARNER: (next(ports), next(ports))}
        trusted = f"did:web:localhost%3A{addresses[COLLEGE][1]}"
        for name, (inner, public) in addresses.items():
            await self._make_one(name, inner, public, trusted)
        for place in self._places.values():
            await place.relay.start()
            place.node.keep()
        async with asyncio.timeout(_READY_SECONDS):
            for place in self._places.values():
                await place.node.ready.wait()
        connection = await self._connect()
        self._driver = Driver(self._places[COLLEGE].node, connection, plan.acts(self._options.seed))
        self.outcome.told = self._driver.told

    async def _make_one(self, name: str, inner: int, public: int, trusted: str) -> None:
        folder = self._options.folder / name
        disk = Disk(folder) if "disk" in self._faults else None
        folder.mkdir(exist_ok=True)
        server = None
        if self._options.engine == "postgresql":
            server = Server(folder / "server", self._options.folder / f"{name}-postgresql.log")
        clock = Clock(self._options.folder / f"{name}-clock") if "clock" in self._faults else None
        fates = plan.fates(self._options.seed, name) if "network" in self._faults else None
        node = Node(
            name,
            folder / "home",
            inner,
            clock.environment if clock else {},
            lambda: self._is_broken(self._places[name]),
        )
        self._places[name] = _Place(node, Relay(public, node.inner_url, fates), server, disk, clock)
        if server is not None:
            async with asyncio.timeout(_READY_SECONDS):
                await server.make()
        is_issuer = name == COLLEGE
        url = server.url if server else None
        values = settings_of(name, None, public, True, is_issuer, (trusted,) if is_issuer else (), True, url)
        values["node"] |= {"listen_port": inner}
        values["network"] |= {"timeout_seconds": 3}
        values["delivery"] = {"first_retry_seconds": 0.05, "max_retry_seconds": 0.15, "lease_seconds": 4.0}
        # A cut of minutes is longer than so many tries as are usual, at this pace.
        values["delivery"] |= {"max_attempts": 100_000}
        await create(node.home, PASSPHRASE, to_toml(values), issuer=is_issuer, strength=Strength.INTERACTIVE)
        if is_issuer:
            write_catalogue(node.home)

    async def _connect(self) -> str:
        college, learner = (self._places[name].node for name in (COLLEGE, LEARNER))
        invitation = await college.call("POST", "/admin/invitations", {})
        await learner.call("POST", "/admin/connections", {"invitation": invitation["url"]})
        async with asyncio.timeout(_READY_SECONDS):
            while True:
                found = (await college.call("GET", "/admin/connections"))["items"]
                if found and found[0]["state"] == "completed":
                    return str(found[0]["id"])
                await asyncio.sleep(_LOOK_EVERY_SECONDS)

    # Breaking -----------------------------------------------------------------------------------------------------

    async def torment(self) -> None:
        """Let the driver work while the faults of the plan strike."""
        assert self._driver is not None
        options = self._options
        steps = plan.draw(
            options.seed,
            options.kills,
            is_postgresql=options.engine == "postgresql",
            faults=frozenset(self._faults),
        )
        (options.folder / "plan.txt").write_text("".join(f"{n} {step}\n" for n, step in enumerate(steps)))
        self._began = time.monotonic()
        driving = asyncio.create_task(self._driver.go_on())
        telling = asyncio.create_task(self._tell())
        try:
            for number, step in enumerate(steps):
                if options.minutes is not None and time.monotonic() - self._began > options.minutes * 60:
                    self._say(f"The time is over after {number} of {len(steps)} faults.")
                    break
                if driving.done():
                    break
                await self._strike(step)
            if not options.kills and options.minutes is not None:
                await asyncio.sleep(options.minutes * 60)
        finally:
            telling.cancel()
            driving.cancel()
            ended = await asyncio.gather(driving, telling, return_exceptions=True)
        if isinstance(ended[0], Exception):
            raise ended[0]
        self.outcome.seconds = time.monotonic() - self._began

    async def _strike(self, step: Step) -> None:
        if step.fault.is_kill:
            await self._kill(step)
            return
        await asyncio.sleep(step.after)
        task = asyncio.create_task(self._pass(step))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _kill(self, step: Step) -> None:
        place = self._places[step.target]
        if step.starting:
            await self._wait(place.node.starting)
            await asyncio.sleep(step.after)
        else:
            # While the other is down, nothing goes on that could be lost.
            for each in self._places.values():
                await self._wait(each.node.ready)
            since = max(each.node.ready_since for each in self._places.values())
            await asyncio.sleep(max(0.0, step.after - (time.monotonic() - since)))
        self.outcome.faults[step.fault.value] += 1
        if step.fault is Fault.KILL:
            place.node.kill()
        elif place.server is not None and step.fault is Fault.KILL_SERVER:
            await place.server.kill()
        elif place.server is not None:
            place.server.kill_backend(self._chance)

    async def _wait(self, ready: asyncio.Event) -> None:
        """Until a victim is there; for one that cannot start now, not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await ready.wait()

    async def _pass(self, step: Step) -> None:
        """A fault that lasts for a while; one of a kind at a time."""
        async with self._turns[step.fault, step.target]:
            await self._last(step)

    async def _last(self, step: Step) -> None:
        self.outcome.faults[step.fault.value] += 1
        place = self._places.get(step.target)
        if step.fault is Fault.CUT:
            for each in self._places.values():
                each.relay.cut(silent=step.silent)
            await asyncio.sleep(step.seconds)
            for each in self._places.values():
                each.relay.mend()
        elif place is not None and place.disk is not None and step.fault is Fault.FILL:
            place.is_full = True
            place.disk.fill()
            await asyncio.sleep(step.seconds)
            place.disk.empty()
            place.is_full, place.was_full = False, time.monotonic()
        elif place is not None and place.clock is not None:
            place.clock.set(step.offset)
            await asyncio.sleep(step.seconds)
            place.clock.set(0)

    def _is_broken(self, place: _Place) -> bool:
        full = place.is_full or (place.was_full > 0 and time.monotonic() - place.was_full < _BROKEN_FOR_SECONDS)
        return full or (place.server is not None and place.server.is_broken)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(_TELL_EVERY_SECONDS)
            told = self.outcome.told
            begun = sum(len(ids) for ids in told.exchanges.values())
            self._say(
                f"{time.monotonic() - self._began:6.0f} s: {self.outcome.kills} of {self._options.kills} kills, "
                f"{sum(self.outcome.faults.values()) - self.outcome.kills} other faults, {begun} exchanges, "
                f"{len(told.revoked)} revocations"
            )

    # Healing ------------------------------------------------------------------------------------------------------

    async def heal(self) -> None:
        """Break nothing any more, and wait until everything that waits is done."""
        assert self._driver is not None
        began = time.monotonic()
        self._say("Everything heals.")
        await asyncio.gather(*self._passing)
        async with asyncio.timeout(_REST_SECONDS):
            for place in self._places.values():
                await place.node.ready.wait()
                await _has_its_database(place.node)
            await asyncio.gather(*(place.relay.heal() for place in self._places.values()))
        await self._rest()
        await self._driver.do_one_of_each()
        await self._rest()
        self.outcome.healing_seconds = time.monotonic() - began

    async def _rest(self) -> None:
        """Until nothing waits at either node; what never comes to rest is a finding."""
        last, since = None, time.monotonic()
        while True:
            await self._decline_what_waits()
            now = {name: await self._at_work(place) for name, place in self._places.items()}
            if now != last:
                last, since = now, time.monotonic()
            if not any(number for each in now.values() for number in each.values()):
                return
            if time.monotonic() - since > _REST_SECONDS:
                left = [f"{name}: {each}" for name, each in now.items() if any(each.values())]
                self.outcome.checks.append(Check("everything comes to rest", 1, left))
                return
            await asyncio.sleep(_LOOK_EVERY_SECONDS * 3)

    async def _decline_what_waits(self) -> None:
        """A request for records that the learner did not have when it came waits for a person, who says no."""
        learner = self._places[LEARNER].node
        for waiting in (await learner.call("GET", "/admin/exchanges?waiting=true"))["items"]:
            with suppress(Refused):
                await learner.call("POST", f"/admin/exchanges/{waiting['id']}/decline", {"reason": "Not now."})

    async def _at_work(self, place: _Place) -> dict[str, int]:
        if place.server is None:
            with closing(sqlite3.connect(f"file:{place.node.home / STORE_FILE}?mode=ro", uri=True)) as store:
                return {name: store.execute(sql).fetchone()[0] for name, sql in _AT_WORK.items()}
        connection = await asyncpg.connect(place.server.url)
        try:
            return {name: await connection.fetchval(sql) for name, sql in _AT_WORK.items()}
        finally:
            await connection.close()

    # Judging ------------------------------------------------------------------------------------------------------

    async def judge(self) -> None:
        """Look for what is lost or doubled, by the nodes' own commands and side by side."""
        checks = self.outcome.checks
        for name, place in self._places.items():
            said = await place.node.command("log", "verify")
            checks.append(
                Check(f"lernode log verify at the {name}", 1, [said.stdout + said.stderr] * bool(said.returncode))
            )
        for name, place in self._places.items():
            code = await place.node.stop()
            if code:
                self.outcome.ends.append(End(name, code, 0.0, explained=False))
            said = await place.node.command("db", "check")
            checks.append(
                Check(f"lernode db check at the {name}", 1, [said.stdout + said.stderr] * bool(said.returncode))
            )
        nodes = {name: place.node for name, place in self._places.items()}
        logs = {name: node.log for name, node in nodes.items()}
        verdict = await judge(nodes[COLLEGE].home, nodes[LEARNER].home, self.outcome.told, logs)
        checks += verdict.checks
        self.outcome.counts = verdict.counts
        checks.append(self._own_ends())
        checks.append(_unforeseen(logs))

    def _own_ends(self) -> Check:
        for place in self._places.values():
            node = place.node
            self.outcome.ends += node.ends
            self.outcome.starts += node.starts
            self.outcome.start_seconds += node.start_seconds
            self.outcome.network += place.relay.counts
        found = [
            f"The {end.node} ended by itself with {end.code} after {end.after:.1f} s."
            for end in self.outcome.ends
            if not end.explained
        ]
        return Check("no node ends by itself, unless its disk or database is broken", self.outcome.starts, found)

    async def end(self) -> None:
        """Leave no process and no mount behind; what was on a small disk stays in the folder."""
        for task in self._passing:
            task.cancel()
        for place in self._places.values():
            if place.disk is not None:
                place.disk.empty()
            await place.node.stop()
            await place.relay.stop()
            if place.server is not None:
                await place.server.stop()
            if place.disk is not None:
                await asyncio.to_thread(place.disk.unmount)


async def _has_its_database(node: Node) -> None:
    """Wait until a node, which runs, can use its store; a server that was killed last may still recover."""
    while True:
        try:
            await node.call("GET", "/admin/exchanges?limit=1")
            return
        except Refused as refused:
            if refused.status != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _unforeseen(logs: Mapping[str, Path]) -> Check:
    """Errors that no part of a node foresaw: a traceback in a log, or what is said in its place."""
    findings: Counter[str] = Counter()
    number = 0
    for name, log in logs.items():
        with log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                number += 1
                if line.startswith("Traceback"):
                    findings[f"The log of the {name} has a traceback."] += 1
                elif '"level": "error"' in line or '"level": "critical"' in line:
                    with suppress(ValueError):  # cut off by a kill
                        said: dict[str, Any] = json.loads(line)
                        if "place" in said or _UNFORESEEN.search(said["message"]):
                            findings[f"{name}: {said['message']} {said.get('error', '')} {said.get('place', '')}"] += 1
    return Check(
        "no error that was not foreseen is in a log", number, [f"{n} times: {what}" for what, n in findings.items()]
    )


def _free_ports(number: int) -> Iterator[int]:
    """Ports of loopback that nobody listens on, under those that outgoing connections get."""
    port = 21_000 + os.getpid() * 97 % 9_000
    while number:
        port = 21_000 + (port - 21_000 + 1) % 9_000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        number -= 1
        yield port
