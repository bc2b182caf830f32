"""Connections by invitations of Out-of-Band 2.0, which speak DIDComm v2 from the first message on.

An invitation for one peer is from a DID that becomes the connection's own. One for many is answered under a fresh DID
for each of them, which takes the invitation's place by ``from_prior``: peers that compare notes share nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from node.events.emit import emit
from node.events.types import ConnectionChanged
from node.roles.peer_dids import PeerDids
from node.runtime.delivery import Outbox
from node.runtime.exchanges import ExchangeKind, Exchanges, Situation
from node.runtime.inbound import Incoming, Introduction
from node.runtime.sealing import v2_service
from node.runtime.world import World
from protocols.did import peer4
from protocols.did.document import DidDocument
from protocols.did.resolver import Resolver
from protocols.did.syntax import did_of
from protocols.didcomm import problem_report
from protocols.didcomm.message import Wire
from protocols.errors import BadInput, NotNow, PeerFault, WrongState
from protocols.machine import Step
from protocols.out_of_band import contact, goals, machine
from protocols.out_of_band import messages as oob
from protocols.trust_ping.messages import Ping
from storage import audit, connections, exchanges, invitations
from storage.connections import Connection
from storage.dids import DidPurpose
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow

__all__ = ["CONTACT", "Contact", "Opening"]

CONTACT = ExchangeKind("https://didcomm.org/out-of-band/2", contact.Exchange)


Keep = Callable[[Transaction, Connection, oob.Invitation], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Opening:
    """The first step of an exchange that answers an invitation."""

    kind: ExchangeKind
    step: Step[Any]


class Contact:
    """What a person does about such invitations, and what answers to them do."""

    def __init__(
        self,
        *,
        store: Store,
        dids: PeerDids,
        resolver: Resolver,
        exchanges: Exchanges,
        outbox: Outbox,
        world: World,
        label: str,
        accept_connections: bool,
    ) -> None:
        self._store = store
        self._dids = dids
        self._resolver = resolver
        self._exchanges = exchanges
        self._outbox = outbox
        self._world = world
        self._label = label
        self._accept_connections = accept_connections

    async def invite(self, tx: Transaction, *, goal: str | None, goal_code: str) -> tuple[oob.Invitation, str]:
        """An invitation from a fresh did:peer:2, which most agents of v2 can resolve; and the key behind it.

        Raises:
            WrongState: ``invitation.person_decides`` where its first message would not be let in.
        """
        if goal_code in (goals.STREAMLINED_VC, goals.STREAMLINED_VP) and not self._accept_connections:
            raise WrongState(
                "invitation.person_decides",
                "Such a link lets in whoever answers it, and here a person decides who is connected.",
                "Make one without --didcomm v2, or set policy.accept_connections.",
            )
        own = await self._dids.create(tx, DidPurpose.INVITATION, method="peer:2")
        invitation = oob.Invitation(
            self._world.new_id(), (own.did,), label=self._label, goal_code=goal_code if goal else None, goal=goal,
            accept=(Wire.V2.value,), wire=Wire.V2,
        )  # fmt: skip
        return invitation, own.keys[0].verkey

    async def accept(
        self,
        invitation: oob.Invitation,
        names: Sequence[str],
        opening: Opening | None,
        keep: Keep,
        *,
        reuse: bool,
        direct: bool = False,
    ) -> Connection:
        """Answer an invitation from a DID for this connection.

        Args:
            names: by what the invitation names its sender.
            opening: what it is answered with; None for a trust ping.
            keep: called with the connection where there is no opening, for what came with the invitation.
            reuse: use the connection with that peer again, where there is one; it is told by a ping there.
            direct: past any mediator, as for speaking with a mediator itself.

        Raises:
            BadInput: ``invitation.no_service``, ``did.*``.
            NotNow: ``did.unreachable``.
        """
        their_did = names[0]
        if v2_service(await self._resolver.resolve(their_did)) is None:
            raise BadInput("invitation.no_service", "The invitation names no way to answer it.", "Ask for a new one.")
        now = self._world.clock()
        async with self._store.write() as tx:
            known = await connections.find_by_invitation(tx, invitation.id)
            mine = [c for c in known if c.role == machine.Role.RECEIVER.value and c.state != connections.ENDED]
            if mine:
                return mine[-1]
            old = await connections.find_completed_with(tx, names) if reuse else None
            if old is not None:
                await self._tell_known(tx, old, invitation, opening)
                if opening is None:
                    await keep(tx, old, invitation)
                return old
            # A peer that has a did:peer:4 can resolve one.
            method = "peer:4" if their_did.startswith(peer4.PREFIX) else "peer:2"
            own = await self._dids.create(tx, DidPurpose.CONNECTION, direct=direct, method=method)
            begun = opening.step.exchange.thid if opening else None
            step = contact.answer(invitation.id, new_id=self._world.new_id, begun=begun)
            connection = Connection(
                id=self._world.new_id(),
                state=step.exchange.state.value,
                role=step.exchange.role.value,
                my_did=own.did,
                my_verkey=own.keys[0].verkey,
                their_did=their_did,
                their_label=invitation.label or None,
                invitation_id=invitation.id,
                inviter=their_did,
                thid=step.exchange.thid,
                wire=Wire.V2.value,
                created=now,
                updated=now,
            )
            await connections.add(tx, connection)
            await self._follow(tx, connection, None, step)
            if opening is not None:
                await self._exchanges.apply(tx, opening.kind, connection, None, opening.step)
            else:
                await keep(tx, connection, invitation)
            await audit.append(tx, at=now, event="invitation.accepted", actor="operator", subjects=(connection.id,))
        return connection

    async def _tell_known(
        self, tx: Transaction, connection: Connection, invitation: oob.Invitation, opening: Opening | None
    ) -> None:
        """A peer that is connected already hears that its invitation was read."""
        if opening is not None:
            await self._exchanges.apply(tx, opening.kind, connection, None, opening.step)
            return
        message_id = self._world.new_id()
        await self._outbox.put(
            tx, connection, Ping(message_id, message_id, pthid=invitation.id, response_requested=False)
        )

    async def accept_request(self, tx: Transaction, situation: Situation) -> None:
        """Let a peer in that answered an invitation."""
        step = contact.accept(situation.value, new_id=self._world.new_id)
        await self._follow(tx, situation.connection, situation.row, step)

    async def reject_request(self, tx: Transaction, situation: Situation, reason: str) -> None:
        """Do not let it in."""
        step = contact.reject(situation.value, explain=reason, new_id=self._world.new_id)
        await self._follow(tx, situation.connection, situation.row, step)

    async def introduce(self, incoming: Incoming) -> Introduction:
        """Look at the first message of a stranger, outside any unit of work: resolving its DID may need the network.

        Raises:
            PeerFault: ``message.unknown_sender`` where it answers no invitation, ``out_of_band.no_service``, ``did.*``.
        """
        message = incoming.message
        if message.pthid is None or message.from_ is None:
            raise PeerFault("message.unknown_sender", "There is no connection with that sender.", "Connect first.")
        did = did_of(message.from_)
        document = await self._document_of(did)
        goes_on = self._accept_connections and not contact.is_greeting(message)
        stranger = self._stranger(did, document, incoming)
        return Introduction(lambda tx: self._admit(tx, stranger, incoming), stranger, goes_on=goes_on)

    async def greet(self, tx: Transaction, connection: Connection, incoming: Incoming) -> Connection:
        """Note that a peer whose invitation was answered has answered."""
        if (connection.role, connection.state) != (machine.Role.RECEIVER.value, contact.State.REQUEST_SENT.value):
            return connection
        row = await self._exchange_of(tx, connection)
        if not problem_report.is_problem_report(incoming.message):
            return await self._follow(tx, connection, row, contact.receive_any(CONTACT.value(row)))
        report = problem_report.decode(incoming.message)
        if report.thid != row.thid or report.is_warning:
            return connection
        return await self._follow(tx, connection, row, contact.receive_report(CONTACT.value(row), report))

    async def _admit(self, tx: Transaction, stranger: Connection, incoming: Incoming) -> Connection:
        now = self._world.clock()
        step = contact.receive_first(incoming.message)
        if not step.exchange.greets and not self._accept_connections:
            raise PeerFault(
                "out_of_band.greet_first", "A person decides who is connected.", "Answer the invitation with a ping."
            )
        invitation = await invitations.find(tx, step.exchange.pthid)
        if invitation is None or invitation.verkey != incoming.recipient:
            raise PeerFault("out_of_band.wrong_invitation", "There is no such invitation.", "Ask for a new one.")
        if not await invitations.mark_used(tx, invitation.id, now):
            raise PeerFault("invitation.closed", "The invitation was used or has expired.", "Ask for a new one.")
        connection = replace(stranger, id=self._world.new_id())
        if invitation.multi_use:
            own = await self._dids.create(tx, DidPurpose.CONNECTION, method=self._dids.method_of(incoming.recipient))
            verkey = own.keys[0].verkey
            connection = replace(
                connection, my_did=own.did, my_verkey=verkey, my_prior_verkey=incoming.recipient, knows_my_did=False
            )
        await connections.add(tx, connection)
        if invitation.multi_use:
            await connections.retire_mine(tx, replace(connection, my_verkey=incoming.recipient), now)
        await self._follow(tx, connection, None, step)
        return await connections.get(tx, connection.id)

    def _stranger(self, did: str, document: DidDocument, incoming: Incoming) -> Connection:
        """Who answers as a connection that is not stored yet, spoken to under the invitation's DID."""
        if v2_service(document) is None:
            raise PeerFault(
                "out_of_band.no_service", "The DID document says of no way to answer it in DIDComm v2.", "Add one."
            )
        now = self._world.clock()
        return Connection(
            id="",
            state=contact.State.START.value,
            role=machine.Role.SENDER.value,
            my_did=self._dids.did_of(incoming.recipient),
            my_verkey=incoming.recipient,
            knows_my_did=True,
            their_did=did,
            invitation_id=incoming.message.pthid,
            thid=incoming.message.thid,
            wire=Wire.V2.value,
            created=now,
            updated=now,
        )

    async def _follow(
        self, tx: Transaction, connection: Connection, row: ExchangeRow | None, step: Step[contact.Exchange]
    ) -> Connection:
        """Save the connection in the state of its exchange, then carry the step out."""
        changed = replace(connection, state=step.exchange.state.value, updated=self._world.clock())
        await connections.save(tx, changed)
        await emit(
            tx,
            self._world,
            ConnectionChanged(connection_id=changed.id, role=changed.role, state=changed.state),
        )
        await self._exchanges.apply(tx, CONTACT, changed, row, step, error_code=step.exchange.problem)
        return changed

    async def _exchange_of(self, tx: Transaction, connection: Connection) -> ExchangeRow:
        row = await exchanges.find(tx, connection.id, connection.thid, CONTACT.protocol)
        if row is None:
            raise WrongState("exchange.unknown", "The connection has no exchange.", "Report this as a bug.")
        return row

    async def _document_of(self, did: str) -> DidDocument:
        try:
            return await self._resolver.resolve(did)
        except NotNow:
            raise
        except BadInput as error:
            raise PeerFault(error.code, error.message, error.hint) from None
