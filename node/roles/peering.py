"""Connections: invite, accept an invitation, and the messages that make a connection (RFC 0434, 0023, 0048)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from node.events.emit import emit
from node.events.types import ConnectionChanged
from node.net.invitation_fetch import InvitationFetcher
from node.roles.contact import CONTACT, Contact, Opening
from node.roles.peer_dids import PeerDids, wire_between
from node.roles.reuse import Reuse, inviters
from node.roles.routes import Routes
from node.runtime.delivery import Outbox
from node.runtime.exchanges import ExchangeKind, Exchanges, Situation, require_waiting
from node.runtime.inbound import Inbound, Incoming, Introduction
from node.runtime.keyring import Keyring
from node.runtime.world import World
from protocols.did.document import DidDocument
from protocols.did.resolver import Resolver
from protocols.did.services import DIDCOMM_V1_TYPES, QUEUE_ENDPOINT, RFC19_PROFILE, Service
from protocols.did_exchange import machine as did_exchange
from protocols.did_exchange.messages import Complete, Problem, ProblemCode, Request, Response, decode, protocol
from protocols.did_exchange.provenance import check_control
from protocols.didcomm import codec
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.message import Wire
from protocols.didcomm.versions import known_on_every_wire
from protocols.errors import BadInput, LernodeError, PeerFault, WrongState
from protocols.machine import Decision, Send, Step
from protocols.out_of_band import contact, link
from protocols.out_of_band import messages as oob
from protocols.trust_ping import machine as trust_ping
from protocols.trust_ping import messages as ping
from storage import audit, connections, exchanges, invitations
from storage import dids as own_dids
from storage.connections import Connection
from storage.dids import DidPurpose, DidState
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow

__all__ = ["DID_EXCHANGE", "Carried", "Invited", "Peering"]

DID_EXCHANGE = ExchangeKind("https://didcomm.org/didexchange/1", did_exchange.Exchange)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation as it is given out."""

    id: str
    url: str
    message: dict[str, object]
    verkey: str


class Carried(Protocol):
    """What goes with invitations besides the connection: messages of other protocols."""

    def first_readable(self, invitation: oob.Invitation) -> object:
        """Refuse a peer's invitation whose messages are broken; raises BadInput."""

    async def keep(self, tx: Transaction, connection: Connection, invitation: oob.Invitation) -> None:
        """A peer's invitation was answered on this connection."""

    async def completed(self, tx: Transaction, connection: Connection) -> None:
        """A connection with who invited is there."""

    async def joined(self, tx: Transaction, connection: Connection, invitation_id: str) -> None:
        """Somebody answers an invitation of this node."""

    def opening(self, invitation: oob.Invitation) -> Opening | None:
        """What a peer's invitation of 2.0 is answered with; None for a greeting."""


class _Nothing:
    """Invitations that go with nothing."""

    def first_readable(self, invitation: oob.Invitation) -> object:
        del invitation
        return None

    async def keep(self, tx: Transaction, connection: Connection, invitation: oob.Invitation) -> None:
        del tx, connection, invitation

    async def completed(self, tx: Transaction, connection: Connection) -> None:
        del tx, connection

    async def joined(self, tx: Transaction, connection: Connection, invitation_id: str) -> None:
        del tx, connection, invitation_id

    def opening(self, invitation: oob.Invitation) -> None:
        del invitation


class Peering:
    """What a person does about connections, and what peers' connection messages do."""

    def __init__(
        self,
        *,
        store: Store,
        keyring: Keyring,
        resolver: Resolver,
        fetcher: InvitationFetcher,
        exchanges: Exchanges,
        outbox: Outbox,
        world: World,
        routes: Routes,
        dids_of_peers: PeerDids,
        page_url: str,
        label: str,
        accept_connections: bool,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._resolver = resolver
        self._exchanges = exchanges
        self._routes = routes
        self._dids = dids_of_peers
        self._reuse = Reuse(exchanges, outbox, world, self._rejoined)
        self._contact = Contact(
            store=store,
            dids=self._dids,
            resolver=resolver,
            exchanges=exchanges,
            outbox=outbox,
            world=world,
            label=label,
            accept_connections=accept_connections,
        )
        self._fetcher = fetcher
        self._carried: Carried = _Nothing()
        self._outbox = outbox
        self._world = world
        self.page_url = page_url
        self._label = label
        deciders = {Decision.ACCEPT_CONNECTION: self._accept_request} if accept_connections else {}
        for kind in (DID_EXCHANGE, CONTACT):
            exchanges.register(kind.protocol, {}, deciders)

    def attach(self, inbound: Inbound) -> None:
        """Take part in what arrives."""
        self._reuse.attach(inbound)
        inbound.register(
            dict.fromkeys(known_on_every_wire(ping.PROTOCOL), self._on_ping),
            {DID_EXCHANGE.protocol: self._introduce},
            self._greet,
            self._contact.introduce,
            answer_again=dict.fromkeys(known_on_every_wire(ping.PROTOCOL), self._on_repeated_ping),
        )

    def carry(self, carried: Carried) -> None:
        """Say what goes with invitations besides the connection."""
        self._carried = carried

    # What a person does -----------------------------------------------------------------------------------------

    async def invite(
        self,
        *,
        multi_use: bool = False,
        goal: str | None = None,
        expires_in: timedelta | None = None,
        lasting: bool = False,
        wire: Wire = Wire.V1,
    ) -> Invited:
        """Make an out-of-band invitation; its URL also goes into a QR code.

        Args:
            wire: v1 for an invitation of 1.1 (RFC 0434), which agents of v1 can answer, and after which the two speak
                v2 where both can; v2 for one of 2.0 (DIDComm 2.1), which agents of v2 alone can answer.
            lasting: invite under the one DID that all such invitations share, by which peers know this node again;
                else with a fresh key, so that nobody can tell whose it is.

        Raises:
            BadInput: ``invitation.lasting`` for a lasting one of 2.0.
            WrongState: ``invitation.unreachable`` where nobody could answer it; ``mediator.refused``.
            NotNow: ``mediator.unconfirmed``: the mediator does not answer, and the invitation is closed.
        """
        async with self._store.write() as tx:
            invited = await self.invite_in(
                tx,
                multi_use=multi_use,
                goal=goal,
                goal_code="aries.rel.build",
                expires_in=expires_in,
                lasting=lasting,
                wire=wire,
            )
        await self.confirm(invited)
        return invited

    async def confirm(self, invited: Invited) -> None:
        """Wait until an invitation can be answered: where a mediator is between, until it knows whose it is.

        Raises:
            WrongState: ``mediator.refused``.
            NotNow: ``mediator.unconfirmed``: the mediator does not answer, and the invitation is closed.
        """
        try:
            await self._routes.confirmed([invited.verkey])
        except LernodeError:
            async with self._store.write() as tx:
                await invitations.close(tx, invited.id)
            raise

    async def invite_in(
        self,
        tx: Transaction,
        *,
        goal: str | None,
        goal_code: str,
        expires_in: timedelta | None,
        multi_use: bool = False,
        lasting: bool = False,
        requests: tuple[Attachment, ...] = (),
        wire: Wire = Wire.V1,
    ) -> Invited:
        """As :meth:`invite` in a unit of work at hand, after which it is confirmed; ``requests`` go with one of 1.1.

        Raises:
            BadInput: ``invitation.lasting``.
            WrongState: ``invitation.unreachable``, ``invitation.person_decides``.
        """
        if lasting and wire is Wire.V2:
            raise BadInput("invitation.lasting", "An invitation of 2.0 has a DID of its own.", "Leave one out.")
        now = self._world.clock()
        if (await self._routes.current(tx)).endpoint == QUEUE_ENDPOINT:
            raise WrongState(
                "invitation.unreachable",
                "Nobody could answer: this node does not listen, and has no mediator.",
                "Get a mediator first: lernode mediate LINK",
            )
        if wire is Wire.V2:
            invitation, verkey = await self._contact.invite(tx, goal=goal, goal_code=goal_code)
        else:
            service, verkey = await (self._lasting_service(tx) if lasting else self._fresh_service(tx))
            invitation = oob.Invitation(
                self._world.new_id(),
                (service,),
                label=self._label,
                goal_code=goal_code if goal else None,
                goal=goal,
                handshake_protocols=(protocol(1), protocol(0)),
                requests=requests,
            )
        plain = invitation.encode(wire)
        await invitations.add(
            tx,
            invitations.Invitation(
                id=invitation.id,
                message=codec.encode(plain),
                verkey=verkey,
                multi_use=multi_use,
                created=now,
                expires=now + expires_in if expires_in else None,
            ),
        )
        await audit.append(tx, at=now, event="invitation.created", actor="operator", subjects=(invitation.id,))
        return Invited(invitation.id, link.to_link(invitation, self.page_url), codec.encode_object(plain), verkey)

    async def accept(self, text: str, *, reuse: bool = True, direct: bool = False) -> Connection:
        """Answer an invitation, given as URL or JSON; the same one answered twice gives the same connection.

        Args:
            reuse: use the connection with that peer again, where there is one, instead of making another.
            direct: not by way of a mediator, as for speaking with a mediator.

        Raises:
            BadInput: ``invitation.*``, ``net.*`` or ``did_exchange.no_handshake``.
        """
        return await self.answer(await self.read(text), reuse=reuse, direct=direct)

    async def read(self, text: str) -> oob.Invitation:
        """The invitation that a person pasted: its URL, a short link to it, or its JSON.

        Raises:
            BadInput: ``invitation.*``, ``net.*``.
        """
        invitation = link.from_text(await self._fetcher.text(text))
        self._carried.first_readable(invitation)
        return invitation

    async def answer(self, invitation: oob.Invitation, *, reuse: bool = True, direct: bool = False) -> Connection:
        """As :meth:`accept`, for an invitation that was read."""
        if invitation.wire is Wire.V2:
            opening = self._carried.opening(invitation)
            names, keep = inviters(invitation), self._carried.keep
            return await self._contact.accept(invitation, names, opening, keep, reuse=reuse, direct=direct)
        service = await self._service_of(invitation)
        now = self._world.clock()
        async with self._store.write() as tx:
            known = await connections.find_by_invitation(tx, invitation.id)
            mine = [c for c in known if c.role == did_exchange.Role.REQUESTER.value and c.state != connections.ENDED]
            if mine:
                return mine[-1]
            if reuse and (old := await self._reuse.connection_for(tx, invitation)) is not None:
                await self._carried.keep(tx, old, invitation)
                return old
            own = await self._dids.create(tx, DidPurpose.CONNECTION, direct=direct)
            step = did_exchange.accept_invitation(
                invitation, my_did=own.did, label=self._label, new_id=self._world.new_id
            )
            connection = Connection(
                id=self._world.new_id(),
                state=step.exchange.state.value,
                role=step.exchange.role.value,
                my_did=own.did,
                my_verkey=own.keys[0].verkey,
                their_verkey=service.recipient_keys[0],
                their_label=invitation.label or None,
                their_endpoint=service.endpoint,
                their_routing_keys=service.routing_keys,
                invitation_id=invitation.id,
                inviter=inviters(invitation)[0],
                thid=step.exchange.thid,
                wire=Wire.V1.value,
                created=now,
                updated=now,
            )
            await connections.add(tx, connection)
            await self._tell(tx, connection)
            await self._exchanges.apply(tx, DID_EXCHANGE, connection, None, step)
            await self._carried.keep(tx, connection, invitation)
            await audit.append(tx, at=now, event="invitation.accepted", actor="operator", subjects=(connection.id,))
        return connection

    async def accept_connection(self, exchange_id: str) -> None:
        """Answer yes to a peer that came with an invitation, where policy leaves that to a person.

        Raises:
            WrongState: ``exchange.not_waiting``, ``exchange.unknown``.
        """
        async with self._store.write() as tx:
            row = await exchanges.get(tx, exchange_id)
            require_waiting(row, Decision.ACCEPT_CONNECTION)
            connection = await connections.get(tx, row.connection_id)
            kind = _kind_of(row)
            await self._accept_request(tx, Situation(kind, connection, row, kind.value(row)))

    async def decline_connection(self, exchange_id: str, reason: str) -> None:
        """Answer no.

        Raises:
            WrongState: ``exchange.not_waiting``, ``exchange.unknown``.
        """
        async with self._store.write() as tx:
            row = await exchanges.get(tx, exchange_id)
            require_waiting(row, Decision.ACCEPT_CONNECTION)
            connection = await connections.get(tx, row.connection_id)
            if _kind_of(row) is CONTACT:
                await self._contact.reject_request(tx, Situation(CONTACT, connection, row, CONTACT.value(row)), reason)
                return
            step = did_exchange.reject_request(DID_EXCHANGE.value(row), explain=reason, new_id=self._world.new_id)
            await self._follow(tx, connection, row, step)

    # What peers' messages do ------------------------------------------------------------------------------------

    async def _introduce(self, incoming: Incoming) -> Introduction:
        """Look at a DID Exchange message before its unit of work: resolving its DID may need the network."""
        message = decode(incoming.message)
        if isinstance(message, Request):
            document = await self._document_of(message.did)
            check_control(document, incoming.sender)
            stranger = self._stranger(message, document, incoming)
            return Introduction(
                lambda tx: self._receive_request(tx, message, document, incoming),
                stranger,
                lambda error: Problem(
                    self._world.new_id(),
                    message.thid,
                    ProblemCode.REQUEST_NOT_ACCEPTED.value,
                    error.message,
                    message.pthid,
                    message.minor,
                ),
                answer_again=lambda tx: self._answer_again(tx, message),
            )
        if isinstance(message, Response):
            document = await self._document_of(message.did)
            check_control(document, incoming.sender)
            return Introduction(
                lambda tx: self._receive_response(tx, message, document, incoming),
                answer_again=lambda tx: self._answer_again(tx, message),
            )
        return Introduction(lambda tx: self._receive_rest(tx, message, incoming))

    async def _receive_request(
        self, tx: Transaction, request: Request, document: DidDocument, incoming: Incoming
    ) -> Connection:
        invitation = await invitations.find(tx, request.pthid)
        if invitation is None or invitation.verkey != incoming.recipient:
            raise PeerFault("did_exchange.unknown_invitation", "There is no such invitation.", "Ask for a new one.")
        known = await connections.find_by_thid(tx, request.thid, role=did_exchange.Role.RESPONDER.value)
        row = await self._exchange_of(tx, known) if known else None
        if known is not None and known.their_verkey != incoming.sender:
            raise PeerFault("did_exchange.wrong_thread", "The thread belongs to another peer.", "Use a fresh id.")
        step = did_exchange.receive_request(
            request,
            invitation_id=invitation.id,
            sender=incoming.sender,
            exchange=DID_EXCHANGE.value(row) if row else None,
        )
        if known is None:
            if not await invitations.mark_used(tx, invitation.id, self._world.clock()):
                raise PeerFault("invitation.closed", "The invitation was used or has expired.", "Ask for a new one.")
            known = await self._new_responder(tx, request, document, incoming)
        await self._follow(tx, known, row, step)
        return await connections.get(tx, known.id)

    async def _new_responder(
        self, tx: Transaction, request: Request, document: DidDocument, incoming: Incoming
    ) -> Connection:
        own = await self._dids.create(tx, DidPurpose.CONNECTION)
        connection = replace(
            self._stranger(request, document, incoming),
            id=self._world.new_id(),
            my_did=own.did,
            my_verkey=own.keys[0].verkey,
            wire=wire_between(own.did, document).value,
        )
        await connections.add(tx, connection)
        return connection

    async def _accept_request(self, tx: Transaction, situation: Situation) -> None:
        if situation.kind is CONTACT:
            await self._contact.accept_request(tx, situation)
            return
        exchange: did_exchange.Exchange = situation.value
        invitation = await invitations.get(tx, exchange.pthid)
        step = did_exchange.respond(
            exchange,
            my_did=situation.connection.my_did,
            invitation_signer=self._keyring.get(invitation.verkey),
            new_id=self._world.new_id,
        )
        await self._follow(tx, situation.connection, situation.row, step)

    async def _receive_response(
        self, tx: Transaction, response: Response, document: DidDocument, incoming: Incoming
    ) -> Connection:
        connection = await connections.find_by_thid(tx, response.thid, role=did_exchange.Role.REQUESTER.value)
        if connection is None or connection.my_verkey != incoming.recipient:
            raise PeerFault("did_exchange.wrong_thread", "No request of this node has that thread.", "Echo its thid.")
        row = await self._exchange_of(tx, connection)
        step = did_exchange.receive_response(
            DID_EXCHANGE.value(row),
            response,
            invitation_keys=[connection.their_verkey] if connection.their_verkey else [],
            sender=incoming.sender,
            new_id=self._world.new_id,
        )
        service = document.didcomm_service()
        connection = replace(
            connection,
            their_did=response.did,
            their_verkey=_verkey_of(service, incoming.sender),
            their_endpoint=service.endpoint,
            their_routing_keys=service.routing_keys,
            wire=wire_between(connection.my_did, document).value,
        )
        await self._follow(tx, connection, row, step)
        return connection

    async def _receive_rest(
        self, tx: Transaction, message: Complete | Problem | Request | Response, incoming: Incoming
    ) -> Connection:
        connection = await connections.find_by_verkeys(tx, incoming.recipient, incoming.sender)
        if connection is None:
            raise PeerFault("message.unknown_sender", "There is no connection with that sender.", "Connect first.")
        row = await self._exchange_of(tx, connection)
        value = DID_EXCHANGE.value(row)
        if isinstance(message, Complete):
            step = did_exchange.receive_complete(value, message)
        elif isinstance(message, Problem):
            step = did_exchange.receive_problem_report(value, message)
        else:
            raise PeerFault("message.type", "That message does not belong here.", "Follow RFC 0023.")
        await self._follow(tx, connection, row, step)
        return connection

    async def _answer_again(self, tx: Transaction, message: Request | Response) -> None:
        """Send what answered a request or a response, unless one of the two goes by another DID since."""
        role = did_exchange.Role.RESPONDER if isinstance(message, Request) else did_exchange.Role.REQUESTER
        connection = await connections.find_by_thid(tx, message.thid, role=role.value)
        if connection is None or connection.their_did != message.did:
            return
        exchange: did_exchange.Exchange = DID_EXCHANGE.value(await self._exchange_of(tx, connection))
        if exchange.my_did not in {None, connection.my_did}:
            return
        invitation = await invitations.find(tx, exchange.pthid) if role is did_exchange.Role.RESPONDER else None
        signer = self._keyring.find(invitation.verkey) if invitation is not None else None
        answer = did_exchange.answer_again(exchange, invitation_signer=signer)
        if answer is not None:
            await self._outbox.put_again(tx, connection, answer)

    async def _on_repeated_ping(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        # One that came as a stranger's greeting is answered where it lets the stranger in.
        if connection.state == did_exchange.State.COMPLETED.value:
            await self._on_ping(tx, connection, incoming)

    async def _on_ping(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        """Answer a trust ping (RFC 0048)."""
        message = ping.decode(incoming.message)
        if isinstance(message, ping.Ping):
            await self._send_only(tx, connection, trust_ping.receive_ping(message, new_id=self._world.new_id))

    async def _greet(self, tx: Transaction, connection: Connection, incoming: Incoming) -> Connection:
        """Note what any authenticated message shows of a peer: what it has of ours, and which wire it speaks."""
        if connection.state == did_exchange.State.RESPONSE_SENT.value:
            # The requester has our response; its ``complete`` may be lost.
            row = await self._exchange_of(tx, connection)
            connection = await self._follow(tx, connection, row, did_exchange.implied_complete(DID_EXCHANGE.value(row)))
        greeted = await self._contact.greet(tx, connection, incoming)
        if greeted.state != connection.state and greeted.state == contact.State.COMPLETED.value:
            await self._carried.completed(tx, greeted)
        connection = greeted
        reached = incoming.recipient == connection.my_verkey
        noted = replace(
            connection,
            wire=incoming.wire.value,
            knows_my_did=connection.knows_my_did or reached,
            my_prior_verkey=None if reached else connection.my_prior_verkey,
        )
        if noted != connection:
            await connections.save(tx, noted)
        return noted

    # Helpers ----------------------------------------------------------------------------------------------------

    async def _rejoined(self, tx: Transaction, connection: Connection, invitation_id: str) -> None:
        await self._carried.joined(tx, connection, invitation_id)

    async def _follow(
        self,
        tx: Transaction,
        connection: Connection,
        row: exchanges.ExchangeRow | None,
        step: Step[did_exchange.Exchange],
    ) -> Connection:
        """Save the connection in the state of its exchange, then carry the step out."""
        now = self._world.clock()
        state = step.exchange.state
        changed = replace(
            connection,
            state=state.value,
            knows_my_did=connection.knows_my_did or state is did_exchange.State.COMPLETED,
            updated=now,
        )
        await connections.save(tx, changed)
        await self._tell(tx, changed)
        await self._exchanges.apply(tx, DID_EXCHANGE, changed, row, step, error_code=step.exchange.problem)
        if state is did_exchange.State.COMPLETED and connection.state != state.value:
            await self._go_on(tx, changed)
        return changed

    async def _go_on(self, tx: Transaction, connection: Connection) -> None:
        """The connection is there now: what went with its invitation has its turn."""
        if connection.role == did_exchange.Role.REQUESTER.value:
            await self._carried.completed(tx, connection)
        elif connection.invitation_id is not None:
            await self._carried.joined(tx, connection, connection.invitation_id)

    async def _tell(self, tx: Transaction, changed: Connection) -> None:
        """Let the institution's own systems know of a connection in another state."""
        await emit(
            tx,
            self._world,
            ConnectionChanged(connection_id=changed.id, role=changed.role, state=changed.state),
        )

    async def _send_only(self, tx: Transaction, connection: Connection, step: Step[object]) -> None:
        """Carry out a step of a protocol whose exchange needs no memory."""
        for effect in step.effects:
            if isinstance(effect, Send):
                await self._outbox.put(tx, connection, effect.message)

    async def _exchange_of(self, tx: Transaction, connection: Connection) -> ExchangeRow:
        row = await exchanges.find(tx, connection.id, connection.thid, DID_EXCHANGE.protocol)
        if row is None:
            raise WrongState("exchange.unknown", "The connection has no exchange.", "Report this as a bug.")
        return row

    async def _fresh_service(self, tx: Transaction) -> tuple[Service, str]:
        route = await self._routes.current(tx)
        pair = await self._keyring.create(tx, DidPurpose.INVITATION.value)
        await self._routes.announce(tx, route, [pair.verkey])
        service = Service(
            "#inline",
            DIDCOMM_V1_TYPES[0],
            route.endpoint,
            (pair.verkey,),
            route.routing_keys,
            (RFC19_PROFILE,),
            0,
        )
        return service, pair.verkey

    async def _lasting_service(self, tx: Transaction) -> tuple[str, str]:
        """The DID of all such invitations; another one where it leads to a place that is no longer this node's."""
        own = await own_dids.default(tx, DidPurpose.INVITATION)
        if own is not None and not self._dids.leads_by(own, await self._routes.current(tx)):
            await own_dids.set_state(tx, own.did, DidState.RETIRED)
            own = None
        if own is None:
            own = await self._dids.create(tx, DidPurpose.INVITATION)
        return own.did, own.keys[0].verkey

    async def _service_of(self, invitation: oob.Invitation) -> Service:
        for candidate in invitation.services:
            if isinstance(candidate, Service):
                return candidate
            try:
                return (await self._resolver.resolve(candidate)).didcomm_service()
            except LernodeError:
                continue
        raise BadInput("invitation.no_service", "The invitation names no way to answer it.", "Ask for a new one.")

    async def _document_of(self, did: str) -> DidDocument:
        try:
            return await self._resolver.resolve(did)
        except BadInput as error:
            raise PeerFault(error.code, error.message, error.hint) from None

    def _stranger(self, request: Request, document: DidDocument, incoming: Incoming) -> Connection:
        """The requester as a connection that is not stored yet, spoken to with the invitation's key."""
        service = document.didcomm_service()
        now = self._world.clock()
        return Connection(
            id="",
            state=did_exchange.State.REQUEST_RECEIVED.value,
            role=did_exchange.Role.RESPONDER.value,
            my_did="",
            my_verkey=incoming.recipient,
            their_did=request.did,
            their_verkey=_verkey_of(service, incoming.sender),
            their_label=request.label or None,
            their_endpoint=service.endpoint,
            their_routing_keys=service.routing_keys,
            invitation_id=request.pthid,
            thid=request.thid,
            wire=Wire.V1.value,
            created=now,
            updated=now,
        )


def _kind_of(row: ExchangeRow) -> ExchangeKind:
    return CONTACT if row.protocol == CONTACT.protocol else DID_EXCHANGE


def _verkey_of(service: Service, sender: str) -> str:
    """The key to write to: the one that the peer writes with, where its service lists that."""
    return sender if sender in service.recipient_keys or not service.recipient_keys else service.recipient_keys[0]
