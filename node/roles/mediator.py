"""Mediation for others: who may have it, and messages held until their recipients come (RFC 0211, 0685, 0094).

What a mediator holds it cannot read: envelopes are opened neither to be stored nor to be handed over. It sees for whom
a message is, how long it is and when it came, and not who sent it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from node.config import MediationConfig
from node.runtime.channels import Channel, Channels
from node.runtime.delivery import Outbox
from node.runtime.exchanges import ExchangeKind, Exchanges, Situation, require_waiting
from node.runtime.inbound import Anonymous, Inbound, Incoming
from node.runtime.keyring import Keyring
from node.runtime.wakeup import Worker
from node.runtime.world import World
from protocols.coordinate_mediation import machine as coordinate
from protocols.coordinate_mediation.messages import (
    FAMILY as COORDINATE_MEDIATION,
)
from protocols.coordinate_mediation.messages import (
    Action,
    KeylistQuery,
    KeylistUpdate,
    MediateDeny,
    MediateRequest,
    Pagination,
    Result,
    Update,
    Updated,
)
from protocols.didcomm.message import Wire
from protocols.errors import NotNow, PeerFault
from protocols.machine import Decision, Send, Step
from protocols.pickup import machine as pickup
from protocols.pickup.messages import DeliveryRequest, LiveDeliveryChange, MessagesReceived, StatusRequest
from protocols.routing import machine as routing
from protocols.routing import messages as routing_messages
from protocols.routing.names import as_did, name_of
from storage import audit, connections, dids, exchanges, mediation, meta
from storage.connections import Connection
from storage.dids import DidPurpose, OwnDid
from storage.engine import Store, Transaction
from storage.mediation import Added, Holding, Quota

__all__ = ["MEDIATION_KINDS", "Mediator"]

MEDIATION_KINDS = {major: ExchangeKind(f"{COORDINATE_MEDIATION}/{major}", coordinate.Exchange) for major in (1, 2, 3)}
"""Major version of Coordinate Mediation -> its exchanges."""

_ROUTING_DID = "mediation.routing_did"
_BATCH_BYTES = 512 * 1024
_LIVE_BATCH = 10
_PAGE = 100

PickupRequest = StatusRequest | DeliveryRequest | MessagesReceived | LiveDeliveryChange
CreateDid = Callable[[Transaction, DidPurpose], Awaitable[OwnDid]]

_CHANGED = {Action.ADD: "mediation.recipients_added", Action.REMOVE: "mediation.recipients_removed"}
_RESULTS = {
    Added.ADDED: Result.SUCCESS,
    Added.KNOWN: Result.NO_CHANGE,
    Added.TAKEN: Result.CLIENT_ERROR,
    Added.FULL: Result.CLIENT_ERROR,
}


@dataclass(slots=True)
class _Live:
    """A recipient that is handed over what comes, as long as its channel is open."""

    channel: Channel
    wire: Wire
    visit: pickup.Visit
    position: int
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Mediator:
    """Holds messages for peers."""

    def __init__(
        self,
        *,
        store: Store,
        keyring: Keyring,
        exchanges: Exchanges,
        outbox: Outbox,
        channels: Channels,
        world: World,
        config: MediationConfig,
        endpoint: str,
        create_did: CreateDid,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._exchanges = exchanges
        self._outbox = outbox
        self._world = world
        self._config = config
        self._endpoint = endpoint
        self._create_did = create_did
        self._quota = Quota(
            messages=config.max_messages, total_bytes=config.max_bytes, recipients=config.max_recipients
        )
        self._live: dict[str, _Live] = {}
        self._sweeper = Worker("mediation", world.clock, self._sweep)
        channels.watch(closed=self._end_live)
        for kind in MEDIATION_KINDS.values():
            exchanges.register(kind.protocol, {}, {Decision.GRANT_MEDIATION: self._decide})

    @property
    def is_offered(self) -> bool:
        """Whether this node mediates for others."""
        return self._config.enabled

    def attach(self, inbound: Inbound) -> None:
        """Take forwards, which need no sender; the rest comes through the dispatch of both sides of mediation."""
        if self._config.enabled:
            inbound.register_anonymous(dict.fromkeys(routing_messages.KNOWN_AS, self._on_forward))

    def start(self) -> None:
        """Begin to forget what is too old."""
        self._sweeper.start()

    async def stop(self) -> None:
        """Stop; live recipients come back."""
        await self._sweeper.stop()
        tasks = [live.task for live in self._live.values() if live.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What a person does -----------------------------------------------------------------------------------------

    async def grant(self, exchange_id: str) -> None:
        """Answer yes to a peer that asked, where the configuration leaves that to a person.

        Raises:
            WrongState: ``exchange.not_waiting``, ``exchange.unknown``.
            NotNow: ``mediator.full`` where there are as many clients as there may be.
        """
        async with self._store.write() as tx:
            situation = await self._waiting(tx, exchange_id)
            await self._grant(tx, situation)

    async def deny(self, exchange_id: str) -> None:
        """Answer no.

        Raises:
            WrongState: ``exchange.not_waiting``, ``exchange.unknown``.
        """
        async with self._store.write() as tx:
            situation = await self._waiting(tx, exchange_id)
            step = coordinate.deny(situation.value, new_id=self._world.new_id)
            await self._exchanges.apply(tx, situation.kind, situation.connection, situation.row, step)

    async def end(self, connection_id: str) -> None:
        """Mediate for a client no longer: what is held for it is forgotten, and it is told.

        Raises:
            WrongState: ``mediation_client.unknown``.
        """
        async with self._store.write() as tx:
            await mediation.end_client(tx, connection_id)
            connection = await connections.get(tx, connection_id)
            for kind in MEDIATION_KINDS.values():
                which = exchanges.Filter(
                    protocol=kind.protocol,
                    connection_id=connection_id,
                    role=coordinate.Role.MEDIATOR.value,
                    state=coordinate.State.GRANTED.value,
                )
                for row in await exchanges.page(tx, which):
                    step = coordinate.deny(kind.value(row), new_id=self._world.new_id)
                    await self._exchanges.apply(tx, kind, connection, row, step)
            await self._note(tx, connection_id, "mediation.ended", actor="operator")

    async def forget(self, tx: Transaction, connection_id: str) -> None:
        """The connection with a client has ended, and with it what is held for it."""
        if await mediation.find_client(tx, connection_id) is not None:
            await mediation.end_client(tx, connection_id)
            await self._note(tx, connection_id, "mediation.ended", actor=connection_id)

    # Coordination -----------------------------------------------------------------------------------------------

    async def on_request(self, tx: Transaction, connection: Connection, message: MediateRequest) -> None:
        """A peer asks for mediation; a request that was answered is answered again."""
        kind = MEDIATION_KINDS[message.major]
        if self._config.enabled and await exchanges.find(tx, connection.id, message.thid, kind.protocol) is None:
            await self._exchanges.apply(tx, kind, connection, None, coordinate.receive_request(message))
        else:
            await self.answer_again(tx, connection, message)

    async def answer_again(self, tx: Transaction, connection: Connection, message: MediateRequest) -> None:
        """What a request is answered with, and nothing done for it; nothing where it waits for an answer."""
        if not self._config.enabled:
            await self._outbox.put(tx, connection, MediateDeny(self._world.new_id(), message.thid, message.major))
            return
        kind = MEDIATION_KINDS[message.major]
        row = await exchanges.find(tx, connection.id, message.thid, kind.protocol)
        if row is not None and row.state != coordinate.State.REQUEST_RECEIVED:
            await self._outbox.put(tx, connection, coordinate.answer_again(kind.value(row), new_id=self._world.new_id))

    async def on_update(self, tx: Transaction, connection: Connection, message: KeylistUpdate) -> None:
        """A client names recipients, or takes some back."""
        relation = coordinate.receive_update(await self._relation(tx, connection, message.major))
        updated = [await self._update(tx, connection, each) for each in message.updates]
        for action, event in _CHANGED.items():
            number = sum(each.action is action and each.result is Result.SUCCESS for each in updated)
            if number:
                await self._note(tx, connection.id, event, actor=connection.id, details={"recipients": number})
        step = coordinate.answer_update(relation, message, updated, new_id=self._world.new_id)
        await self._send(tx, connection, step)

    async def on_query(self, tx: Transaction, connection: Connection, message: KeylistQuery) -> None:
        """A client asks which recipients are known as its own."""
        relation = await self._relation(tx, connection, message.major)
        client = await mediation.find_client(tx, connection.id)
        total = 0 if client is None else client.recipients
        limit = _PAGE if message.limit is None else message.limit
        found = await mediation.recipients_of(tx, connection.id, offset=message.offset, limit=limit) if limit else []
        page = Pagination(len(found), message.offset, max(0, total - message.offset - len(found)))
        names = [as_did(name) for name in found]
        step = coordinate.answer_query(relation, message, names, page, new_id=self._world.new_id)
        await self._send(tx, connection, step)

    async def _send(self, tx: Transaction, connection: Connection, step: Step[coordinate.Exchange]) -> None:
        """Carry out a step of a relation that stands in its client's row, and needs no exchange of its own."""
        for effect in step.effects:
            if isinstance(effect, Send):
                await self._outbox.put(tx, connection, effect.message)

    async def _update(self, tx: Transaction, connection: Connection, update: Update) -> Updated:
        name = name_of(update.recipient)
        if update.action is Action.REMOVE:
            removed = await mediation.remove_recipient(tx, connection.id, name)
            return Updated(update.recipient, update.action, Result.SUCCESS if removed else Result.NO_CHANGE)
        if self._keyring.owns(name):
            return Updated(update.recipient, update.action, Result.CLIENT_ERROR)
        added = await mediation.add_recipient(tx, connection.id, name, self._quota, self._world.clock())
        return Updated(update.recipient, update.action, _RESULTS[added])

    async def _relation(self, tx: Transaction, connection: Connection, major: int) -> coordinate.Exchange:
        """What was agreed with a peer: whether it is a client."""
        client = await mediation.find_client(tx, connection.id)
        state = coordinate.State.START if client is None else coordinate.State.GRANTED
        return coordinate.Exchange(thid="", role=coordinate.Role.MEDIATOR, state=state, major=major)

    async def _decide(self, tx: Transaction, situation: Situation) -> None:
        """Grant without a person where the configuration says so, or the peer is a client already."""
        is_client = await mediation.find_client(tx, situation.connection.id) is not None
        if is_client or self._config.grant == "invited":
            await self._grant(tx, situation)

    async def _grant(self, tx: Transaction, situation: Situation) -> None:
        now = self._world.clock()
        if not await mediation.add_client(tx, situation.connection.id, now, limit=self._config.max_clients):
            raise NotNow("mediator.full", "This node mediates for as many as it can.", "Raise mediation.max_clients.")
        route = await self._route(tx)
        step = coordinate.grant(
            situation.value,
            endpoint=self._endpoint,
            routing_keys=(route.keys[0].verkey,),
            routing_dids=(route.did,),
            new_id=self._world.new_id,
        )
        await self._exchanges.apply(tx, situation.kind, situation.connection, situation.row, step)

    async def _waiting(self, tx: Transaction, exchange_id: str) -> Situation:
        row = await exchanges.get(tx, exchange_id)
        require_waiting(row, Decision.GRANT_MEDIATION)
        kind = next(kind for kind in MEDIATION_KINDS.values() if kind.protocol == row.protocol)
        return Situation(kind, await connections.get(tx, row.connection_id), row, kind.value(row))

    async def _route(self, tx: Transaction) -> OwnDid:
        """The one route for all clients: who sends something cannot tell by it for which of them it is."""
        await tx.lock(_ROUTING_DID)
        known = await meta.get(tx, _ROUTING_DID)
        if known is not None:
            return await dids.get(tx, known)
        made = await self._create_did(tx, DidPurpose.CONNECTION)
        await meta.put(tx, _ROUTING_DID, made.did)
        return made

    async def _note(
        self,
        tx: Transaction,
        connection_id: str,
        event: str,
        *,
        actor: str,
        details: Mapping[str, int] | None = None,
    ) -> None:
        now = self._world.clock()
        await audit.append(tx, at=now, event=event, actor=actor, subjects=(connection_id,), details=details)

    # Forwarding -------------------------------------------------------------------------------------------------

    async def _on_forward(self, tx: Transaction, anonymous: Anonymous) -> None:
        """Hold what somebody sends for a client."""
        forward = routing_messages.decode(anonymous.message)
        now = self._world.clock()
        hold = routing.receive_forward(forward, is_own=self._keyring.owns, now=int(now.timestamp()))
        routing_did = await meta.get(tx, _ROUTING_DID)
        own = None if routing_did is None else await dids.get(tx, routing_did)
        if own is None or not _is_key_of(anonymous.recipient, own):
            raise PeerFault("routing.wrong_key", "That is not the routing key.", "Use the route of the DID document.")
        client = await mediation.recipient_of(tx, hold.recipient)
        if client is None:
            raise PeerFault("routing.unknown_recipient", "Nobody is known here by that.", "Use the current document.")
        for envelope in hold.envelopes:
            became = await mediation.hold(
                tx, client, hold.recipient, envelope, self._quota, now, id=self._world.new_id()
            )
            if became is Holding.FULL:
                raise NotNow("mediator.queue_full", "No more can be held for that recipient.", "Try again later.")
        tx.after_commit(lambda: self._ring(client))

    # Pickup -----------------------------------------------------------------------------------------------------

    async def on_pickup(
        self, tx: Transaction, connection: Connection, incoming: Incoming, message: PickupRequest
    ) -> None:
        """A client asks for what is held for it, or has it."""
        if await mediation.find_client(tx, connection.id) is None:
            raise PeerFault("mediator.no_client", "Nothing is held here for you.", "Ask for mediation first.")
        live = self._live.get(connection.id)
        is_live = live is not None and live.channel is incoming.channel
        state = pickup.State.LIVE if is_live else pickup.State.IDLE
        visit = pickup.Visit(pickup.Role.MEDIATOR, message.major, state)
        step = await self._answer(tx, connection, incoming, visit, message)
        for reply in step.messages:
            incoming.reply(reply)

    async def _answer(
        self,
        tx: Transaction,
        connection: Connection,
        incoming: Incoming,
        visit: pickup.Visit,
        message: PickupRequest,
    ) -> pickup.Visiting:
        now, new_id = int(self._world.clock().timestamp()), self._world.new_id
        if isinstance(message, MessagesReceived):
            await mediation.acknowledge(tx, connection.id, message.message_ids)
            return pickup.status_of(visit, message, await _queue(tx, connection.id), now=now, new_id=new_id)
        if isinstance(message, LiveDeliveryChange):
            queue = await _queue(tx, connection.id)
            stays_open = incoming.channel is not None and incoming.channel.stays_open
            step = pickup.answer_live_change(visit, message, queue, stays_open=stays_open, now=now, new_id=new_id)
            await self._change_live(tx, connection, incoming, step.visit)
            return step
        name = None if message.recipient is None else name_of(message.recipient)
        queue = await _queue(tx, connection.id, name)
        if isinstance(message, StatusRequest):
            return pickup.status_of(visit, message, queue, now=now, new_id=new_id)
        found = await mediation.batch(tx, connection.id, limit=message.limit, max_bytes=_BATCH_BYTES, recipient=name)
        return pickup.answer_delivery_request(visit, message, _contents(found), queue, now=now, new_id=new_id)

    # Live delivery ----------------------------------------------------------------------------------------------

    async def _change_live(
        self, tx: Transaction, connection: Connection, incoming: Incoming, visit: pickup.Visit
    ) -> None:
        """What is in the queue already has to be asked for; only what comes from now on is handed over."""
        channel = incoming.channel
        if visit.state is not pickup.State.LIVE or channel is None:
            tx.after_commit(lambda: self._end_live(connection.id, channel))
            return
        position = await mediation.last_position(tx, connection.id)
        tx.after_commit(lambda: self._begin_live(connection, _Live(channel, incoming.wire, visit, position)))

    def _begin_live(self, connection: Connection, live: _Live) -> None:
        before = self._live.get(connection.id)
        if before is not None and before.channel is live.channel:
            return
        self._end_live(connection.id, None if before is None else before.channel)
        live.task = asyncio.create_task(self._hand_over(connection, live), name="live delivery")
        self._live[connection.id] = live

    def _end_live(self, connection_id: str, channel: Channel | None) -> None:
        live = self._live.get(connection_id)
        if live is not None and live.channel is channel:
            del self._live[connection_id]
            if live.task is not None:
                live.task.cancel()

    def _ring(self, connection_id: str) -> None:
        live = self._live.get(connection_id)
        if live is not None:
            live.bell.set()

    async def _hand_over(self, connection: Connection, live: _Live) -> None:
        """One batch at a time, and the next when this one has left."""
        while True:
            async with self._store.read() as tx:
                found = await mediation.batch(
                    tx, connection.id, limit=_LIVE_BATCH, max_bytes=_BATCH_BYTES, after=live.position
                )
            if not found:
                await live.bell.wait()
                live.bell.clear()
                continue
            step = pickup.deliver_live(live.visit, _contents(found), new_id=self._world.new_id)
            for message in step.messages:
                if not await self._outbox.send_over(live.channel, connection, message, live.wire):
                    return
            live.position = found[-1].position

    # Forgetting -------------------------------------------------------------------------------------------------

    async def _sweep(self) -> datetime | None:
        """Forget what nobody came for in time; when the next is due."""
        age = timedelta(seconds=self._config.max_age_seconds)
        while True:
            async with self._store.write() as tx:
                now = self._world.clock()
                forgotten = await mediation.expire(tx, now - age)
                if forgotten:
                    await audit.append(
                        tx, at=now, event="mediation.expired", actor="policy", details={"messages": forgotten}
                    )
            if not forgotten:
                break
        async with self._store.read() as tx:
            oldest = await mediation.oldest(tx)
        return None if oldest is None else oldest + age


async def _queue(tx: Transaction, connection_id: str, recipient: str | None = None) -> pickup.Queue:
    count, size, oldest, newest = await mediation.times(tx, connection_id, recipient)
    seconds = [None if when is None else int(when.timestamp()) for when in (oldest, newest)]
    return pickup.Queue(count, size, *seconds)


def _contents(found: Sequence[mediation.Held]) -> tuple[tuple[str, bytes], ...]:
    return tuple((each.id, each.envelope) for each in found)


def _is_key_of(recipient: str, own: OwnDid) -> bool:
    """Whether the key that a forward was encrypted for (verkey, or DID URL) is one of this DID."""
    return recipient == own.keys[0].verkey or recipient.partition("#")[0] in {own.did, own.short_form}
