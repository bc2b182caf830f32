"""Three processes, of which the learner listens nowhere: SIGKILL at every other step loses and doubles nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from node.app import create
from node.cli.init import settings_of, write_catalogue
from node.config import STORE_FILE, to_toml
from storage.secrets import Strength
from tests.system.processes import ACHIEVEMENTS, PASSPHRASE, Peer, expect_done, free_ports, once

pytestmark = pytest.mark.system

_ports = free_ports()
MOST_KILLS = 4
MOMENTS = ("mediator before it arrives", "mediator after it answered", "learner before it hears")


@dataclass
class Scene:
    """A college, a mediator behind a relay, and a learner without a port."""

    college: Peer
    mediator: Peer
    learner: Peer
    session: aiohttp.ClientSession
    strike: Callable[[Scene, web.Request, bytes], Awaitable[web.Response]] | None = None
    requests: int = 0
    killed: int = 0
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def relay(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests += 1
        return await (self.strike or forward)(self, request, body)

    async def kill(self, peer: Peer) -> None:
        """SIGKILL, and start again; not one that is starting."""
        if all(task.done() for task in self._tasks):
            self.killed += 1
            await peer.kill()
            self._tasks.add(asyncio.ensure_future(peer.start()))

    async def settle(self) -> None:
        await asyncio.gather(*self._tasks)


async def forward(scene: Scene, request: web.Request, body: bytes) -> web.Response:
    headers = {"Content-Type": request.headers["Content-Type"]}
    try:
        async with scene.session.post(f"{scene.mediator.inner_url}/didcomm", data=body, headers=headers) as answer:
            kept = {"Content-Type": answer.headers.get("Content-Type", "text/plain")}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)
    except (aiohttp.ClientError, OSError):
        return web.Response(status=502)


async def make_peer(folder: Path, name: str, *, port: int, public: int, **sections: dict[str, Any]) -> Peer:
    issuer = name == "college"
    values = settings_of(name, None, public, True, issuer, (), name == "learner")
    values["node"] |= {"listen_port": port}
    values["delivery"] = {"first_retry_seconds": 0.05, "max_retry_seconds": 0.4}
    for section, keys in sections.items():
        values[section] = values.get(section, {}) | keys
    home = folder / name
    await create(home, PASSPHRASE, to_toml(values), issuer=issuer, strength=Strength.INTERACTIVE)
    if issuer:
        write_catalogue(home)
    return Peer(name, home, port, public)


@asynccontextmanager
async def three(folder: Path, *, live: bool) -> AsyncIterator[Scene]:
    """The three, running; where the learner has a WebSocket, without the relay between."""
    at_college, inner, outer = next(_ports), next(_ports), next(_ports)
    mediation = {"enabled": True, "grant": "invited"}
    scene = Scene(
        college=await make_peer(folder, "college", port=at_college, public=at_college),
        mediator=await make_peer(folder, "mediator", port=inner, public=inner if live else outer, mediation=mediation),
        learner=await make_peer(folder, "learner", port=0, public=0, mediation={"live": live, "poll_seconds": 1}),
        session=aiohttp.ClientSession(),
    )
    app = web.Application(client_max_size=4 << 20)
    app.router.add_post("/didcomm", scene.relay)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", outer).start()
        await asyncio.gather(*(peer.start() for peer in (scene.college, scene.mediator, scene.learner)))
        yield scene
    finally:
        await scene.settle()
        for peer in (scene.college, scene.mediator, scene.learner):
            await peer.kill()
        await runner.cleanup()
        await scene.session.close()


async def get_mediation(scene: Scene) -> None:
    """What ``lernode mediate LINK`` does."""
    invitation = await scene.mediator.ask("POST", "/admin/invitations", {})
    body = {"invitation": invitation["url"], "direct": True}
    made = await scene.learner.ask("POST", "/admin/connections", body)

    async def connected() -> Any:
        found = await scene.learner.ask("GET", f"/admin/connections/{made['id']}")
        return found["state"] == "completed"

    async def granted() -> Any:
        found = await scene.learner.ask("GET", f"/admin/mediators/{made['id']}")
        return found["state"] == "granted"

    await scene.learner.eventually(connected)
    await scene.learner.ask("POST", "/admin/mediators", {"connection": made["id"]})
    await scene.learner.eventually(granted)


async def connect(scene: Scene) -> str:
    """The college's connection with the learner."""
    invitation = await scene.college.ask("POST", "/admin/invitations", {})
    made = await scene.learner.eventually(
        lambda: scene.learner.ask("POST", "/admin/connections", {"invitation": invitation["url"]})
    )

    async def complete() -> Any:
        page = await scene.college.ask("GET", "/admin/connections")
        return next((c["id"] for c in page["items"] if c["state"] == "completed"), None)

    mine = str(await scene.college.eventually(complete))
    path = f"/admin/connections/{made['id']}"
    await scene.learner.eventually(lambda: state_is(scene.learner, path, "completed"))
    return mine


async def state_is(peer: Peer, path: str, state: str) -> bool:
    return bool((await peer.ask("GET", path))["state"] == state)


async def offer_all(scene: Scene, to_learner: str) -> list[str]:
    offers = []
    for number, name in enumerate(ACHIEVEMENTS):
        award = {"connection": to_learner, "achievement": name}
        offers.append(await once(scene.college, "/admin/credentials/offers", award, "issue-credential", after=number))
    return offers


async def expect_nothing_lost_or_doubled(scene: Scene) -> None:
    scene.strike = None
    await scene.settle()
    assert scene.learner.count("held_credentials") == len(ACHIEVEMENTS)
    assert scene.college.count("issued_credentials") == len(ACHIEVEMENTS)

    async def nothing_held() -> bool:
        return scene.mediator.count("mediated_messages") == 0

    await scene.mediator.eventually(nothing_held)
    with sqlite3.connect(f"file:{scene.mediator.home / STORE_FILE}?mode=ro", uri=True) as store:
        assert store.execute("SELECT held_messages, held_bytes FROM mediation_clients").fetchall() == [(0, 0)]


def striking(moment: str) -> Callable[[Scene, web.Request, bytes], Awaitable[web.Response]]:
    """Every other request meets a SIGKILL."""

    async def strike(scene: Scene, request: web.Request, body: bytes) -> web.Response:
        if scene.requests % 2 == 0 or scene.killed == MOST_KILLS:
            return await forward(scene, request, body)
        if moment == MOMENTS[0]:
            await scene.kill(scene.mediator)
            return web.Response(status=502)
        answer = await forward(scene, request, body)
        await scene.kill(scene.mediator if moment == MOMENTS[1] else scene.learner)
        return web.Response(status=502) if moment == MOMENTS[1] else answer

    return strike


@pytest.mark.parametrize("moment", MOMENTS)
async def test_killed_at_every_other_step_everything_still_arrives_once(tmp_path: Path, moment: str) -> None:
    async with three(tmp_path, live=False) as scene:
        await get_mediation(scene)
        to_learner = await connect(scene)
        await scene.learner.kill()
        scene.strike = striking(moment)
        offers = await offer_all(scene, to_learner)
        await scene.learner.start()
        for offer in offers:
            await expect_done(scene.college, offer)
        await expect_nothing_lost_or_doubled(scene)
        assert scene.killed >= 3


async def test_a_mediator_killed_again_and_again_under_a_live_learner_loses_nothing(tmp_path: Path) -> None:
    async with three(tmp_path, live=True) as scene:
        await get_mediation(scene)
        to_learner = await connect(scene)
        offers = []
        for number, name in enumerate(ACHIEVEMENTS):
            award = {"connection": to_learner, "achievement": name}
            path = "/admin/credentials/offers"
            offers.append(await once(scene.college, path, award, "issue-credential", after=number))
            await scene.kill(scene.mediator)
            await scene.settle()
        for offer in offers:
            await expect_done(scene.college, offer)
        await expect_nothing_lost_or_doubled(scene)
