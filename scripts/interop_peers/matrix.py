"""The matrix: every exchange, in both directions, each step until both sides have what they should have."""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from typing import Literal, TypeVar

from node.http.schemas import NewRequest, VerificationView
from scripts.interop_peers.lernode import Lernode
from scripts.interop_peers.peer import DataModel, Peer
from scripts.interop_peers.records import OFFERS, Offer
from scripts.interop_peers.report import Run, StepFailed

__all__ = ["walk"]

T = TypeVar("T")
_DIDEXCHANGE = "https://didcomm.org/didexchange/"
_DISCOVER_FEATURES: tuple[Literal["1.0", "2.0"], ...] = ("1.0", "2.0")
_NEEDED = "https://didcomm.org/issue-credential/2.0"
_REASON = "not now"
_HANGING_UP = "hangup, connection ended"
_REVOKING = "revoked, verified again"


async def walk(run: Run, node: Lernode, peer: Peer, issuer: str) -> None:
    """Walk every row with a node and a peer that run; how each step ended is in ``run``.

    Args:
        issuer: the peer's DID that the node trusts.
    """
    matrix = _Matrix(run, node, peer)
    made = []
    for method in peer.answers_with:
        made.append(await matrix.connect_from_node(method))
    for service in peer.invites_with:
        made.append(await matrix.connect_from_peer(service, "1.1"))
    connection = next((one for one in made if one is not None), None)
    if connection is None:
        return
    mine, theirs = connection
    await matrix.ping(theirs)
    await matrix.discover(mine, theirs)
    await matrix.node_issues(mine)
    await matrix.peer_issues(theirs, issuer)
    await matrix.declined_by_peer(mine)
    await matrix.declined_by_node(theirs, issuer)
    await matrix.hang_up(made)


class _Matrix:
    """The rows; a connection is named by the id that it has on the side that acts."""

    def __init__(self, run: Run, node: Lernode, peer: Peer) -> None:
        self._run = run
        self._node = node
        self._peer = peer
        self._to = f"lernode -> {peer.name}"
        self._from = f"{peer.name} -> lernode"

    async def connect_from_node(self, method: str) -> tuple[str, str] | None:
        """The node invites; the connection's ids on both sides."""

        async def go() -> tuple[str, str]:
            invitation = await self._node.invite()
            theirs = await self._peer.accept_invitation(invitation.url, method)
            return await self._node.invited(invitation.id), theirs

        return await self._try(self._to, f"invite, DID Exchange 1.1, {method}", go())

    async def connect_from_peer(self, method: str | None, version: str) -> tuple[str, str] | None:
        """The peer invites."""

        async def go() -> tuple[str, str]:
            url, invitation = await self._peer.invite(_DIDEXCHANGE + version, method)
            mine = await self._node.accept_invitation(url)
            return mine, await self._peer.invited(invitation)

        return await self._try(self._from, f"invite, DID Exchange {version}, {method or 'service written out'}", go())

    async def ping(self, theirs: str) -> None:
        """The peer asks whether the node is there."""

        async def go() -> None:
            await self._peer.ping(theirs)
            await self._node.answered("trust_ping/1.0/ping_response")

        await self._try(self._from, "trust ping, answered", go())

    async def discover(self, mine: str, theirs: str) -> None:
        """Each asks the other which protocols it speaks."""

        async def go(asked: Awaitable[Collection[str]]) -> None:
            found = await asked
            if _NEEDED not in found:
                raise ValueError(f"{_NEEDED} is not among {sorted(found)}")

        for version in _DISCOVER_FEATURES:
            name = f"discover features {version}, disclosed"
            await self._try(self._to, name, go(self._node.features(mine, version)))
            await self._try(self._from, name, go(self._peer.features(theirs, version)))

    # The node is issuer and verifier ------------------------------------------------------------------------------

    async def node_issues(self, mine: str) -> None:
        """The node issues a record, asks for it in every way, and revokes it."""
        achievement = await self._node.achievement()
        skills = [skill.code for skill in achievement.skills if skill.code]
        queries = {
            "its first skill": NewRequest(connection=mine, skills=skills[:1]),
            "its last skill": NewRequest(connection=mine, skills=skills[-1:]),
            "its type": NewRequest(connection=mine, type="OpenBadgeCredential"),
        }
        shown, *others = self._peer.data_models
        issued = await self._try(self._to, _issuing(shown), self._issue(mine, shown))
        thread = None
        for how, query in queries.items():
            name = f"request by {how}, verified"
            if issued is None:
                self._run.not_walked(self._to, name)
            else:
                thread = await self._try(self._to, name, self._ask_peer(query)) or thread
        if self._peer.takes_status:
            if issued is None or thread is None:
                self._run.not_walked(self._to, _REVOKING)
            else:
                await self._try(self._to, _REVOKING, self._revoke(issued, thread))
        for data_model in others:
            await self._try(self._to, _issuing(data_model), self._issue(mine, data_model))

    async def _issue(self, mine: str, data_model: DataModel) -> str:
        subject = await self._peer.make_did()
        offered = await self._node.offer(mine, data_model, subject)
        await self._peer.request_offered(offered.thread_id, subject)
        await self._peer.stored(offered.thread_id)
        ended = await self._node.ended(offered.id)
        if ended.state != "done" or not ended.issued_ids:
            raise ValueError(f"lernode ended as issuer with {ended.state}: {ended.error}")
        return ended.issued_ids[0]

    async def _ask_peer(self, query: NewRequest) -> str:
        asked = await self._node.request(query)
        await self._peer.present(asked.thread_id)
        await self._node.ended(asked.id)
        found = await self._node.verification(asked.id)
        if not found.verified:
            raise ValueError(f"lernode did not verify it: {_failed(found)}")
        await self._peer.acknowledged(asked.thread_id)
        return asked.id

    async def _revoke(self, issued: str, exchange_id: str) -> None:
        await self._node.revoke(issued)
        again = await self._node.verification(exchange_id, again=True)
        if again.verified or _failed(again) != ["status.revoked"]:
            raise ValueError(f"lernode found this wrong with a revoked record: {_failed(again)}")

    async def declined_by_peer(self, mine: str) -> None:
        """The peer says no to an offer and to a request."""

        async def offer() -> None:
            offered = await self._node.offer(mine, "1.1", await self._peer.make_did())
            await self._peer.decline_offer(offered.thread_id, _REASON)
            await self._abandoned(offered.id)

        async def request() -> None:
            asked = await self._node.request(NewRequest(connection=mine, type="OpenBadgeCredential"))
            await self._peer.decline_proof(asked.thread_id, _REASON)
            await self._abandoned(asked.id)

        await self._try(self._to, "offer declined, problem report", offer())
        await self._try(self._to, "request declined, problem report", request())

    async def _abandoned(self, exchange_id: str) -> None:
        ended = await self._node.ended(exchange_id)
        if ended.state != "abandoned":
            raise ValueError(f"lernode ended with {ended.state}")

    # The peer is issuer and verifier ------------------------------------------------------------------------------

    async def peer_issues(self, theirs: str, issuer: str) -> None:
        """The peer issues each kind of record, and asks for it."""
        kinds = self._kinds
        for kind in kinds:
            issue = f"issue {kind.about}, {kind.proof_type}, stored, acked"
            ask = f"request {kind.about}, {kind.proof_type}, verified"
            offered = await self._try(self._from, issue, self._issue_to_node(theirs, issuer, kind))
            if offered is None:
                self._run.not_walked(self._from, ask)
            else:
                await self._try(self._from, ask, self._ask_node(theirs, kind, self._peer.proof_types[0]))
        await self._try(
            self._from, "request that names no proof type, verified", self._ask_node(theirs, kinds[-1], None)
        )

    @property
    def _kinds(self) -> list[Offer]:
        peer = self._peer
        return [kind for kind in OFFERS if kind.model in peer.data_models and kind.proof_type in peer.proof_types]

    async def _issue_to_node(self, theirs: str, issuer: str, kind: Offer) -> str:
        thread = await self._peer.offer(theirs, kind.credential(issuer), kind.proof_type)
        waiting = await self._node.asked(thread)
        await self._node.accept(waiting.id)
        ended = await self._node.ended(waiting.id)
        if ended.state != "done" or not ended.record_ids:
            raise ValueError(f"lernode ended as holder with {ended.state}: {ended.error}")
        await self._peer.issued(thread)
        return thread

    async def _ask_node(self, theirs: str, kind: Offer, proof_type: str | None) -> None:
        thread = await self._peer.request_proof(theirs, kind.definition(proof_type))
        waiting = await self._node.asked(thread)
        await self._node.present(waiting.id)
        await self._peer.verified(thread)
        ended = await self._node.ended(waiting.id)
        if ended.state != "done":
            raise ValueError(f"lernode ended as prover with {ended.state}: {ended.error}")

    async def declined_by_node(self, theirs: str, issuer: str) -> None:
        """The node says no to an offer and to a request."""
        kind = self._kinds[-1]

        async def offer() -> None:
            await decline(await self._peer.offer(theirs, kind.credential(issuer), kind.proof_type))

        async def request() -> None:
            await decline(await self._peer.request_proof(theirs, kind.definition(self._peer.proof_types[0])))

        async def decline(thread: str) -> None:
            waiting = await self._node.asked(thread)
            await self._node.decline(waiting.id, _REASON)
            await self._peer.declined(thread)

        await self._try(self._from, "offer declined, problem report", offer())
        await self._try(self._from, "request declined, problem report", request())

    async def hang_up(self, made: list[tuple[str, str] | None]) -> None:
        """Each ends a connection, the last ones that were made."""

        async def by_node(mine: str, theirs: str) -> None:
            await self._node.hang_up(mine)
            await self._peer.ended(theirs)

        async def by_peer(mine: str, theirs: str) -> None:
            await self._peer.hang_up(theirs)
            await self._node.peer_hung_up(mine)

        usable = [one for one in made if one is not None]
        await self._try(self._to, _HANGING_UP, by_node(*usable.pop()))
        if usable:
            await self._try(self._from, _HANGING_UP, by_peer(*usable.pop()))
        else:
            self._run.not_walked(self._from, _HANGING_UP)

    async def _try(self, direction: str, name: str, work: Awaitable[T]) -> T | None:
        try:
            return await self._run.step(direction, name, work)
        except StepFailed:
            return None


def _issuing(data_model: DataModel) -> str:
    return f"issue Open Badges 3.0 (VCDM {data_model}), stored, acked"


def _failed(found: VerificationView) -> list[str]:
    """The codes of the required checks that did not pass."""
    checks = [*found.result.checks, *(check for one in found.result.credentials for check in one.checks)]
    return [check.code for check in checks if check.required and check.outcome != "pass"]
