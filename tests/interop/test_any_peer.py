"""A walk with any peer, here a second lernode whose owner does what is asked of him; and what its report shows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from node.http import schemas as s
from protocols.credentials.model import Version
from scripts.benchmark.processes import NodeProcess, free_ports
from scripts.interop_peers.any_peer import Manner, walk_with_any_peer
from scripts.interop_peers.invitation_report import PeerReport

_BY_HAND = {"policy": {"accept_offers": False, "share_records": False}, "verify": {"require_domain": False}}


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[NodeProcess]:
    node = NodeProcess(tmp_path / "peer", free_ports(1), issuer=True, settings=_BY_HAND)
    await node.make()
    try:
        await node.start()
        yield node
    finally:
        await node.stop()


class Owner:
    """The human on the other side."""

    def __init__(self, peer: NodeProcess) -> None:
        self._peer = peer
        self._doing: list[asyncio.Task[None]] = []

    def told(self, text: str) -> None:
        for word, act in self._acts.items():
            if text.startswith(word):
                self._doing.append(asyncio.create_task(act()))

    async def done(self) -> None:
        await asyncio.gather(*self._doing)

    @property
    def _acts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {"Accept": self._accept, "Answer": self._present, "Decline": self._decline, "Offer": self._begin}

    async def _accept(self) -> None:
        await self._peer.api.post(f"/admin/exchanges/{await self._waiting()}/accept", s.ExchangeDetail)

    async def _present(self) -> None:
        await self._peer.api.post(f"/admin/exchanges/{await self._waiting()}/present", s.ExchangeDetail, s.Present())

    async def _decline(self) -> None:
        path = f"/admin/exchanges/{await self._waiting()}/decline"
        await self._peer.api.post(path, s.ExchangeDetail, s.Decline(reason="no"))

    async def _begin(self) -> None:
        (connection,) = (await self._peer.api.get("/admin/connections", s.Page[s.ConnectionView])).items
        award = s.AwardOverConnection(connection=connection.id, achievement="weld-101", data_model="1.1")
        await self._peer.api.post("/admin/credentials/offers", s.ExchangeView, award)

    async def _waiting(self) -> str:
        async with asyncio.timeout(20):
            while True:
                page = await self._peer.api.get("/admin/exchanges", s.Page[s.ExchangeView], waiting="true")
                if page.items:
                    return page.items[0].id
                await asyncio.sleep(0.05)


@pytest.fixture
async def report(peer: NodeProcess) -> PeerReport:
    invitation = await peer.api.post("/admin/invitations", s.InvitationView, s.NewInvitation())
    owner = Owner(peer)
    manner = Manner(port=free_ports(1), seconds=8, data_model=Version.V1_1)
    walked = await walk_with_any_peer(invitation.url, manner, owner.told, lambda _step: None)
    await owner.done()
    return walked


async def test_every_step_with_a_peer_whose_owner_does_his_part_goes_well(report: PeerReport, tmp_path: Path) -> None:
    assert report.run.ok, report.run.table()
    assert [step.name for step in report.run.steps] == [
        "invitation accepted, connection complete",
        "trust ping, answered",
        "discover features 2.0, disclosed",
        "discover features 1.0, disclosed",
        "record offered, requested, issued and acknowledged",
        "presentation requested, received and verified",
        "offer declined with a problem report",
        "issue-credential/2 as holder",
        "connection ended",
    ]
    page = report.write(tmp_path / "report")
    written = json.loads(page.with_name("report.json").read_text(encoding="utf-8"))
    types = {message["type"].rsplit("/", 1)[-1] for message in written["messages"]}
    assert {"request", "response", "offer-credential", "presentation", "hangup"} <= types
    for text in (page.read_text(encoding="utf-8"), json.dumps(written)):
        assert '"proofValue": "z' not in text and "&quot;proofValue&quot;: &quot;z" not in text
        assert "Structural Welding" in text
    HTMLParser().feed(page.read_text(encoding="utf-8"))


async def test_a_peer_that_is_not_there_fails_the_first_step_and_ends_the_walk(peer: NodeProcess) -> None:
    invitation = await peer.api.post("/admin/invitations", s.InvitationView, s.NewInvitation())
    await peer.stop()
    manner = Manner(port=free_ports(1), seconds=1)
    walked = await walk_with_any_peer(invitation.url, manner, lambda _text: None, lambda _step: None)
    (step,) = walked.run.steps
    assert step.outcome == "failed"
    assert "within 1 s" in step.reason
