"""Mediation across agents: a learner of lernode behind a peer's mediator, and a peer's wallet behind a lernode.

Where the mediator has Pickup, neither the learner nor the wallet listens anywhere: what reaches them came through it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from scripts.interop_peers.lernode import Lernode
from scripts.interop_peers.peer import DataModel, MediatedPeer, Peer
from scripts.interop_peers.report import Run, StepFailed

__all__ = ["BehindNode", "BehindPeer", "walk_mediation"]

_DIDEXCHANGE = "https://didcomm.org/didexchange/1.1"
_LIVE = "Pickup 2.0, live"
_DATA_MODEL: DataModel = "1.1"


class _Way(Protocol):
    """One side behind a mediator, and a college that issues to it."""

    asking: str
    """Who asks whom to mediate, for the table."""
    issuing: str
    """Who issues to whom through whom, for the table."""
    how: str
    """How messages come from the mediator, for the table."""
    can_be_away: bool
    """Whether the mediator is asked for what waits."""

    async def ask(self) -> None:
        """Have it mediated for."""

    async def connect(self) -> None:
        """Connect it with the college, through the mediator."""

    async def issue(self) -> None:
        """Issue to it while it is there."""

    async def issue_while_away(self) -> None:
        """Issue to it while it is away, and let it come back."""


async def walk_mediation(run: Run, *ways: _Way) -> None:
    """Walk each way; how each step ended is in ``run``. A step needs all before it."""
    for way in ways:
        steps: list[tuple[str, str, Callable[[], Awaitable[None]]]] = [
            (way.asking, "asked to mediate, granted (Coordinate Mediation 1.0)", way.ask),
            (way.issuing, "invite, DID Exchange 1.1, by way of the mediator", way.connect),
            (way.issuing, f"issue, stored at once, acked ({way.how})", way.issue),
        ]
        if way.can_be_away:
            steps.append((way.issuing, "issue while it is away, then picked up, stored, acked", way.issue_while_away))
        is_well = True
        for direction, name, work in steps:
            if not is_well:
                run.not_walked(direction, name)
                continue
            try:
                await run.step(direction, name, work())
            except StepFailed:
                is_well = False


class BehindPeer:
    """A learner of lernode behind a peer; it says yes to whatever is offered."""

    def __init__(self, college: Lernode, learner: Lernode, peer: Peer, *, has_pickup: bool) -> None:
        """
        Args:
            learner: has to listen where the peer has no Pickup and sends messages on instead.
        """
        self._college = college
        self._learner = learner
        self._peer = peer
        self._to_learner = ""
        self.can_be_away = has_pickup
        self.how = _LIVE if has_pickup else "sent on"
        self.asking = f"lernode -> {peer.name}"
        self.issuing = f"lernode -> {peer.name} -> lernode"

    async def ask(self) -> None:
        """Have it mediated for."""
        url, _invitation = await self._peer.invite(_DIDEXCHANGE, self._peer.invites_with[0])
        connection = await self._learner.accept_invitation(url, direct=True)
        await self._learner.ask_to_mediate(connection, live=self.can_be_away)

    async def connect(self) -> None:
        """Connect it with the college, through the mediator."""
        invitation = await self._college.invite()
        await self._learner.accept_invitation(invitation.url)
        self._to_learner = await self._college.invited(invitation.id)

    async def issue(self) -> None:
        """Issue to it while it is there."""
        await _issued(self._college, (await self._college.offer(self._to_learner, _DATA_MODEL)).id)

    async def issue_while_away(self) -> None:
        """Issue to it while it is away, and let it come back."""
        await self._learner.stop()
        offered = await self._college.offer(self._to_learner, _DATA_MODEL)
        await self._college.has_sent()
        await self._learner.start()
        await _issued(self._college, offered.id)


class BehindNode:
    """A wallet of the peer's kind behind a lernode."""

    def __init__(self, college: Lernode, wallet: MediatedPeer, mediator: Lernode) -> None:
        self._college = college
        self._wallet = wallet
        self._mediator = mediator
        self._to_wallet = ""
        self.can_be_away = True
        self.how = _LIVE
        self.asking = f"{wallet.name} -> lernode"
        self.issuing = f"lernode -> lernode -> {wallet.name}"

    async def ask(self) -> None:
        """Have it mediated for."""
        await self._wallet.use_mediator((await self._mediator.invite()).url)

    async def connect(self) -> None:
        """Connect it with the college, through the mediator."""
        invitation = await self._college.invite()
        await self._wallet.accept_invitation(invitation.url, self._wallet.answers_with[0])
        self._to_wallet = await self._college.invited(invitation.id)

    async def issue(self) -> None:
        """Issue to it while it is there."""
        subject = await self._wallet.make_did()
        offered = await self._college.offer(self._to_wallet, _DATA_MODEL, subject)
        await self._stored(offered.id, offered.thread_id, subject)

    async def issue_while_away(self) -> None:
        """Issue to it while it is away, and let it come back.

        Raises:
            ValueError: the mediator held nothing for it.
        """
        subject = await self._wallet.make_did()
        await self._wallet.go_away()
        offered = await self._college.offer(self._to_wallet, _DATA_MODEL, subject)
        await self._college.has_sent()
        if not await self._mediator.held_for_others():
            raise ValueError("The mediator holds nothing.")
        await self._wallet.come_back()
        await self._stored(offered.id, offered.thread_id, subject)

    async def _stored(self, offer_id: str, thread: str, subject: str) -> None:
        await self._wallet.request_offered(thread, subject)
        await self._wallet.stored(thread)
        await _issued(self._college, offer_id)


async def _issued(college: Lernode, offer_id: str) -> None:
    """Wait until a record was issued and acknowledged."""
    ended = await college.ended(offer_id)
    if ended.state != "done" or not ended.issued_ids:
        raise ValueError(f"lernode ended as issuer with {ended.state}: {ended.error}")
