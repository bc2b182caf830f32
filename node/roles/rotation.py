"""Another DID for one end of a connection: by DID Rotate in v1 (Aries RFC 0794), by ``from_prior`` in v2 (DIDComm 2.1).

What is under way to the old name is still taken. A peer's new DID is believed because the old one says it: in v1 under
its key, in v2 by its signature.
"""

from __future__ import annotations

from dataclasses import replace

from node.roles.ending import Ending
from node.roles.peer_dids import PeerDids
from node.runtime.delivery import Outbox
from node.runtime.exchanges import ExchangeKind, Exchanges
from node.runtime.inbound import Inbound, Incoming, Introduction, find_peer
from node.runtime.world import World
from protocols.did import peer4
from protocols.did.document import DidDocument
from protocols.did.resolver import Resolver
from protocols.did.services import Service
from protocols.did.syntax import did_of
from protocols.did_rotate import machine
from protocols.did_rotate.messages import KNOWN_AS, Ack, Hangup, ProblemCode, ProblemReport, Rotate, decode
from protocols.didcomm.message import Wire
from protocols.errors import BadInput, LernodeError, PeerFault, WrongState
from protocols.machine import Send, Step
from protocols.trust_ping import machine as trust_ping
from storage import audit, connections, dids, exchanges, outbox
from storage.connections import Connection
from storage.dids import DidPurpose, DidState, OwnDid
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow, Filter

__all__ = ["DID_ROTATE", "Rotation"]

DID_ROTATE = ExchangeKind(KNOWN_AS, machine.Exchange)

_CODES = {
    "did.method_unsupported": ProblemCode.METHOD_UNSUPPORTED,
    "did.no_didcomm_service": ProblemCode.DOC_UNSUPPORTED,
}


class Rotation:
    """Changes this node's DIDs, and follows peers that change theirs."""

    def __init__(
        self,
        *,
        store: Store,
        dids: PeerDids,
        resolver: Resolver,
        exchanges: Exchanges,
        outbox: Outbox,
        ending: Ending,
        world: World,
    ) -> None:
        self._store = store
        self._dids = dids
        self._resolver = resolver
        self._exchanges = exchanges
        self._outbox = outbox
        self._ending = ending
        self._world = world

    def attach(self, inbound: Inbound) -> None:
        """Take part in what arrives."""
        inbound.register({}, {KNOWN_AS: self._introduce}, follow=self._follow)

    async def rotate(self, connection_id: str) -> Connection:
        """Give this node a fresh DID and key on a connection.

        In v2 it goes by the new DID at once; in v1 once the peer has acknowledged it.

        Raises:
            WrongState: ``connection.unknown``, ``did_rotate.wrong_state`` also while the last rotation is under way.
        """
        async with self._store.write() as tx:
            connection = await connections.get(tx, connection_id)
            machine.require_completed(connection.state)
            if connection.my_prior_verkey is not None or await _is_under_way(tx, connection):
                raise WrongState("did_rotate.wrong_state", "The last rotation is under way.", "Wait for the peer.")
            method = self._dids.method_of(connection.my_verkey)
            own = await self._dids.create(tx, DidPurpose.CONNECTION, method=method)
            if connection.wire == Wire.V2:
                return await self._rotate_now(tx, connection, own)
            step = machine.rotate(connection.state, own.did, new_id=self._world.new_id)
            await connections.add_my_name(tx, connection.id, own.keys[0].verkey, self._world.clock())
            await self._exchanges.apply(tx, DID_ROTATE, connection, None, step)
            return connection

    async def _rotate_now(self, tx: Transaction, connection: Connection, own: OwnDid) -> Connection:
        """From now on every message says that the new DID takes the place of the old one; a ping says it at once."""
        changed = await self._go_by(tx, connection, own, prior=connection.my_verkey)
        for effect in trust_ping.ping(new_id=self._world.new_id).effects:
            if isinstance(effect, Send):
                await self._outbox.put(tx, changed, effect.message)
        return changed

    async def _go_by(self, tx: Transaction, connection: Connection, own: OwnDid, *, prior: str | None) -> Connection:
        now = self._world.clock()
        await connections.retire_mine(tx, connection, now)
        changed = replace(
            connection,
            my_did=own.did,
            my_verkey=own.keys[0].verkey,
            my_prior_verkey=prior,
            knows_my_did=prior is None,
            updated=now,
        )
        await connections.save(tx, changed)
        await audit.append(tx, at=now, event="connection.rotated", actor="operator", subjects=(connection.id,))
        return changed

    # What peers' messages do ------------------------------------------------------------------------------------

    async def _introduce(self, incoming: Incoming) -> Introduction:
        """Look at a message before its unit of work: resolving a new DID may need the network."""
        message = decode(incoming.message)
        if not isinstance(message, Rotate):
            return Introduction(lambda tx: self._receive(tx, message, incoming))
        try:
            document = await self._resolver.resolve(message.to_did)
            service = document.didcomm_service()
        except BadInput as error:
            return self._refusal(message, error)
        return Introduction(
            lambda tx: self._receive_rotate(tx, message, service, incoming),
            answer_again=lambda tx: self._acknowledge_again(tx, message, incoming),
        )

    def _refusal(self, message: Rotate, error: LernodeError) -> Introduction:
        fault = PeerFault(error.code, error.message, error.hint)

        async def refuse(_tx: Transaction) -> Connection:
            raise fault

        code = _CODES.get(error.code, ProblemCode.UNRESOLVABLE)
        return Introduction(
            refuse, refusal=lambda told: machine.refusal(message, code, told.message, new_id=self._world.new_id)
        )

    async def _receive_rotate(
        self, tx: Transaction, message: Rotate, service: Service, incoming: Incoming
    ) -> Connection:
        connection = await self._peer(tx, incoming)
        step = machine.receive_rotate(message, new_id=self._world.new_id)
        if message.to_did == connection.their_did:
            await self._acknowledge(tx, connection, step, incoming.sender)
            return connection
        _require_present(connection, incoming)
        changed = await self._note_move(tx, connection, message.to_did, service)
        await self._exchanges.apply(tx, DID_ROTATE, changed, None, Step(step.exchange))
        await self._acknowledge(tx, changed, step, connection.their_verkey)
        return changed

    async def _acknowledge(
        self, tx: Transaction, connection: Connection, step: Step[machine.Exchange], their_verkey: str | None
    ) -> None:
        for effect in step.effects:
            if isinstance(effect, Send):  # RFC 0794 §Ack: it still goes to the prior DID
                await self._outbox.put(tx, connection, effect.message, to_verkey=their_verkey)

    async def _acknowledge_again(self, tx: Transaction, message: Rotate, incoming: Incoming) -> None:
        connection = await find_peer(tx, incoming, self._world.clock())
        if connection is None or connection.their_did != message.to_did:
            return
        if not await outbox.has_queued(tx, connection.id, thid=message.thid):
            step = machine.receive_rotate(message, new_id=self._world.new_id)
            await self._acknowledge(tx, connection, step, incoming.sender)

    async def _receive(self, tx: Transaction, message: Hangup | Ack | ProblemReport, incoming: Incoming) -> Connection:
        connection = await self._peer(tx, incoming)
        if isinstance(message, Hangup):
            _require_present(connection, incoming)
            return await self._ending.hear(tx, connection, message)
        row = _known(await exchanges.find(tx, connection.id, message.thid, KNOWN_AS))
        if isinstance(message, Ack):
            step = machine.receive_ack(DID_ROTATE.value(row))
            own = await dids.get(tx, step.exchange.to_did)
            connection = await self._go_by(tx, connection, own, prior=None)
        else:
            step = machine.receive_report(DID_ROTATE.value(row), message)
            await dids.set_state(tx, step.exchange.to_did, DidState.RETIRED)
        await self._exchanges.apply(tx, DID_ROTATE, connection, row, step, error_code=step.exchange.problem)
        return connection

    async def _follow(
        self, tx: Transaction, connection: Connection, incoming: Incoming, document: DidDocument
    ) -> Connection:
        """A message of v2 came under a new DID, and proved that the old one says so."""
        try:
            service = document.didcomm_service()
        except BadInput:
            service = None
        return await self._note_move(tx, connection, did_of(incoming.message.from_ or ""), service)

    async def _note_move(
        self, tx: Transaction, connection: Connection, did: str, service: Service | None
    ) -> Connection:
        now = self._world.clock()
        await connections.retire_theirs(tx, connection, now)
        changed = replace(
            connection,
            their_did=did,
            their_verkey=service.recipient_keys[0] if service else None,
            their_endpoint=service.endpoint if service else None,
            their_routing_keys=service.routing_keys if service else (),
            updated=now,
        )
        await connections.save(tx, changed)
        await audit.append(tx, at=now, event="peer.rotated", actor=connection.id, subjects=(connection.id,))
        return changed

    async def _peer(self, tx: Transaction, incoming: Incoming) -> Connection:
        connection = await find_peer(tx, incoming, self._world.clock())
        if connection is None:
            raise PeerFault("message.unknown_sender", "There is no connection with that sender.", "Connect first.")
        return connection


async def _is_under_way(tx: Transaction, connection: Connection) -> bool:
    which = Filter(protocol=KNOWN_AS, connection_id=connection.id, state=machine.RotationState.ROTATE_SENT.value)
    return bool(await exchanges.page(tx, which, limit=1))


def _require_present(connection: Connection, incoming: Incoming) -> None:
    """What is still taken from a DID that the peer has gone on from must not decide what becomes of the connection:
    that the old key is in other hands may be why.

    Raises:
        PeerFault: ``did_rotate.former_did``.
    """
    present = connection.their_verkey if incoming.wire is Wire.V1 else peer4.shortest(connection.their_did or "")
    if incoming.sender != present:
        raise PeerFault(
            "did_rotate.former_did", "The sender has gone on from that DID to another.", "Say it under the present one."
        )


def _known(row: ExchangeRow | None) -> ExchangeRow:
    if row is None:
        raise PeerFault("did_rotate.unknown_thread", "The message names no known rotation.", "Echo its thread.")
    return row
