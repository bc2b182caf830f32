"""A walk with any peer, here a second lernode whose owner does what is asked of him; and what its report shows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import pytest

from node.http import schemas as s
from protocols.credentials.model import Version
from protocols.didcomm.envelope_v2 import MEDIA_TYPE
from scripts.benchmark.processes import NodeProcess, free_ports
from scripts.interop_peers.any_peer import Manner, walk_with_any_peer
from scripts.interop_peers.invitation_report import PeerReport
from tests.node.wire_peer_v2 import WirePeerV2

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


async def walked(peer: NodeProcess, invitation: str) -> PeerReport:
    owner = Owner(peer)
    manner = Manner(port=free_ports(1), seconds=8, data_model=Version.V1_1)
    report = await walk_with_any_peer(invitation, manner, owner.told, lambda _step: None)
    await owner.done()
    return report


@pytest.mark.parametrize(
    ("didcomm", "features", "of_connecting"),
    [("v1", ("2.0", "1.0"), {"request", "response"}), ("v2", ("2.0",), {"ping", "ping-response"})],
)
async def test_every_step_with_a_peer_whose_owner_does_his_part_goes_well(
    peer: NodeProcess, tmp_path: Path, didcomm: Literal["v1", "v2"], features: tuple[str, ...], of_connecting: set[str]
) -> None:
    invitation = await peer.api.post("/admin/invitations", s.InvitationView, s.NewInvitation(didcomm=didcomm))
    report = await walked(peer, invitation.url)
    assert report.run.ok, report.run.table()
    assert [step.name for step in report.run.steps] == [
        "invitation accepted, connection complete",
        "trust ping, answered",
        *(f"discover features {version}, disclosed" for version in features),
        "record offered, requested, issued and acknowledged",
        "presentation requested, received and verified",
        "offer declined with a problem report",
        "issue-credential/2 as holder",
        "connection ended",
    ]
    page = report.write(tmp_path / "report")
    written = json.loads(page.with_name("report.json").read_text(encoding="utf-8"))
    types = {message["type"].rsplit("/", 1)[-1] for message in written["messages"]}
    assert of_connecting | {"offer-credential", "presentation", "hangup"} <= types
    for text in (page.read_text(encoding="utf-8"), json.dumps(written)):
        assert '"proofValue": "z' not in text and "&quot;proofValue&quot;: &quot;z" not in text
        assert "Structural Welding" in text
    HTMLParser().feed(page.read_text(encoding="utf-8"))


async def test_what_a_peer_offers_by_its_invitation_is_walked_too(peer: NodeProcess) -> None:
    award = s.OfferByLink(achievement="weld-101", data_model="1.1", didcomm="v2")
    invitation = await peer.api.post("/admin/invitations/offers", s.InvitationView, award)
    report = await walked(peer, invitation.url)
    assert report.run.ok, report.run.table()
    assert [step.name for step in report.run.steps].count("issue-credential/2 as holder") == 2
    formats = json.dumps([message.content for message in report.messages])
    assert "dif/credential-manifest/application@v1.0" in formats


@pytest.fixture
async def modern() -> AsyncIterator[WirePeerV2]:
    made = WirePeerV2()
    await made.start()
    yield made
    await made.stop()


async def test_a_peer_that_knows_no_more_than_a_ping_of_v2_fails_what_it_does_not_answer(modern: WirePeerV2) -> None:
    async def answer_the_greeting() -> None:
        greeting = await modern.hear("ping")
        assert greeting.from_ is not None
        modern.their_did = greeting.from_
        answer = modern.message("https://didcomm.org/trust-ping/2.0/ping-response", thid=greeting.id)
        await modern.post_to(endpoint, modern.sealed(answer), MEDIA_TYPE)

    manner = Manner(port=free_ports(1), seconds=2)
    endpoint = f"http://localhost:{manner.port}/didcomm"
    answering = asyncio.create_task(answer_the_greeting())
    report = await walk_with_any_peer(modern.invitation(), manner, lambda _text: None, lambda _step: None)
    await answering
    first, *others = [step for step in report.run.steps if step.name != "connection ended"]
    assert (first.outcome, {step.outcome for step in others}) == ("ok", {"failed", "not walked"})


async def test_a_peer_that_is_not_there_fails_the_first_step_and_ends_the_walk(peer: NodeProcess) -> None:
    invitation = await peer.api.post("/admin/invitations", s.InvitationView, s.NewInvitation())
    await peer.stop()
    manner = Manner(port=free_ports(1), seconds=1)
    walked = await walk_with_any_peer(invitation.url, manner, lambda _text: None, lambda _step: None)
    (step,) = walked.run.steps
    assert step.outcome == "failed"
    assert "within 1 s" in step.reason
