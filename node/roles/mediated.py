"""A mediator of this node: asking a peer to be one, and coming for what it holds (RFC 0211, RFC 0685).

What is picked up is carried out like anything that arrives, each message in its unit of work, and acknowledged only
after that. A crash at any moment leaves a message with the mediator, or done, or both; then its repetition is known.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from dataclasses import replace

from node.config import MediationConfig
from node.net.guarded_http import GuardedHttp
from node.roles.mediator import MEDIATION_KINDS
from node.roles.routes import Routes
from node.roles.visit import HEARTBEAT_SECONDS, ClientSocket, PickupAnswer, Round
from node.runtime.channels import Channels
from node.runtime.delivery import Outbox
from node.runtime.exchanges import Exchanges
from node.runtime.inbound import Inbound
from node.runtime.world import World
from protocols.coordinate_mediation import machine as coordinate
from protocols.coordinate_mediation.messages import MAX_UPDATES, MediateDeny, MediateGrant
from protocols.did import peer4
from protocols.did.document import DidDocument, Relationship
from protocols.did.resolver import Resolver
from protocols.didcomm.message import Wire
from protocols.didcomm.return_route import Return, ReturnRoute
from protocols.errors import LernodeError, NotNow, PeerFault, WrongState
from protocols.multiformats import Multicodec
from storage import audit, connections, exchanges, mediators, outbox
from storage.connections import Connection
from storage.engine import Store, Transaction
from storage.mediators import Mediator, MediatorState, NameState

__all__ = ["Mediated"]

_log = logging.getLogger("lernode.mediated")
_FIRST_RETRY_SECONDS = 1.0
_VISITED = (MediatorState.REQUESTED, MediatorState.GRANTED, MediatorState.CLOSING, MediatorState.ENDED)


class Mediated:
    """What this node does as the recipient of a mediator."""

    def __init__(
        self,
        *,
        store: Store,
        http: GuardedHttp,
        resolver: Resolver,
        exchanges: Exchanges,
        outbox: Outbox,
        inbound: Inbound,
        channels: Channels,
        routes: Routes,
        world: World,
        config: MediationConfig,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._http = http
        self._resolver = resolver
        self._exchanges = exchanges
        self._outbox = outbox
        self._inbound = inbound
        self._channels = channels
        self._routes = routes
        self._world = world
        self._config = config
        self._max_bytes = max_bytes
        self._arrived: dict[str, asyncio.Queue[PickupAnswer]] = {}
        self._bells: dict[str, asyncio.Event] = {}
        self._visitors: dict[str, asyncio.Task[None]] = {}
        self._live: set[str] = set()
        self._without_sockets: set[str] = set()

    async def start(self) -> None:
        """Begin to visit the mediators that there are."""
        async with self._store.read() as tx:
            known = await mediators.page(tx, _VISITED)
        for mediator in known:
            self._visit(mediator.connection_id)

    async def stop(self) -> None:
        """Stop; what was not acknowledged is delivered again at the next start."""
        for task in self._visitors.values():
            task.cancel()
        await asyncio.gather(*self._visitors.values(), return_exceptions=True)

    def is_live(self, connection_id: str) -> bool:
        """Whether messages come at once from this mediator now."""
        return connection_id in self._live

    # What a person does -----------------------------------------------------------------------------------------

    async def request(self, connection_id: str) -> Mediator:
        """Ask a peer to mediate; a peer that was asked already is not asked twice.

        Raises:
            WrongState: ``connection.unknown``, ``connection.not_ready``.
        """
        async with self._store.write() as tx:
            connection = await connections.get(tx, connection_id)
            if connection.state != "completed":
                raise WrongState("connection.not_ready", "The connection is not complete.", "Wait for the peer.")
            known = await mediators.find(tx, connection_id)
            if known is not None and known.state in {MediatorState.REQUESTED, MediatorState.GRANTED}:
                return known
            if known is not None and known.state is MediatorState.CLOSING:
                mediator = replace(known, state=MediatorState.GRANTED)
            else:
                mediator = await self._ask(tx, connection)
            await mediators.put(tx, mediator)
            await self._note(tx, "mediation.requested", connection_id, actor="operator")
            tx.after_commit(lambda: self._visit(connection_id))
        return mediator

    async def leave(self, connection_id: str, *, forget: bool) -> Mediator:
        """Go through this mediator for nothing new; what peers already send by it still comes.

        Args:
            forget: also take back all names, so that nobody reaches this node by it any more.

        Raises:
            WrongState: ``mediator.unknown``.
        """
        async with self._store.write() as tx:
            mediator = replace(await mediators.get(tx, connection_id), state=MediatorState.CLOSING)
            await mediators.put(tx, mediator)
            if forget:
                while told := await self._known_names(tx, connection_id):
                    await self._routes.retract(tx, told)
                mediator = replace(mediator, state=MediatorState.ENDED)
                await mediators.put(tx, mediator)
                tx.after_commit(lambda: self._end_visits(connection_id))
            event = "mediation.ended" if forget else "mediation.closing"
            await self._note(tx, event, connection_id, actor="operator")
        return mediator

    def collect(self) -> None:
        """Come for messages now, without waiting for the next time."""
        for bell in self._bells.values():
            bell.set()

    # What mediators say -----------------------------------------------------------------------------------------

    async def on_answer(self, tx: Transaction, connection: Connection, message: MediateGrant | MediateDeny) -> None:
        """A peer that was asked to mediate says yes or no.

        Raises:
            PeerFault: ``coordinate_mediation.unexpected_message`` from who was not asked.
        """
        mediator = await mediators.find(tx, connection.id)
        kind = MEDIATION_KINDS[message.major]
        row = None if mediator is None else await exchanges.get(tx, mediator.exchange_id)
        if mediator is None or row is None or row.protocol != kind.protocol:
            raise PeerFault("coordinate_mediation.unexpected_message", "Nobody asked for that.", "Ask first.")
        before = kind.value(row)
        step = coordinate.receive_answer(before, message)
        if step.exchange == before:
            return
        await self._exchanges.apply(tx, kind, connection, row, step, error_code=step.exchange.problem)
        if isinstance(message, MediateDeny):
            await mediators.put(tx, replace(mediator, state=MediatorState.DENIED))
            await self._note(tx, "mediation.denied", connection.id, actor=connection.id)
            tx.after_commit(lambda: self._end_visits(connection.id))
            return
        if message.routing_dids:
            # Its document may have to be fetched, which is the visitor's work.
            await mediators.put(tx, replace(mediator, routing_did=message.routing_dids[0]))
        else:
            granted = replace(
                mediator,
                state=MediatorState.GRANTED,
                endpoint=message.endpoint,
                routing_keys=message.routing_keys,
            )
            await mediators.put(tx, granted)
            await self._note(tx, "mediation.granted", connection.id, actor=connection.id)
        tx.after_commit(lambda: self._ring(connection.id))

    async def on_pickup(self, tx: Transaction, connection: Connection, message: PickupAnswer) -> None:
        """A mediator hands messages over, or says how many there are.

        Raises:
            PeerFault: ``pickup.unexpected_message`` from who is no mediator of this node.
        """
        arrived = self._arrived.get(connection.id)
        if arrived is None or await mediators.find(tx, connection.id) is None:
            raise PeerFault("pickup.unexpected_message", "Nobody asked for that.", "Wait until this node comes.")
        tx.after_commit(lambda: arrived.put_nowait(message))

    async def forget(self, tx: Transaction, connection: Connection) -> None:
        """A connection has ended: nobody needs to be led to this node by its names."""
        mediator = await mediators.find(tx, connection.id)
        if mediator is not None:
            await mediators.put(tx, replace(mediator, state=MediatorState.ENDED))
            tx.after_commit(lambda: self._end_visits(connection.id))
        await self._routes.retract(tx, [connection.my_verkey, peer4.shortest(connection.my_did)])

    # Visits -----------------------------------------------------------------------------------------------------

    def _visit(self, mediator_id: str) -> None:
        task = self._visitors.get(mediator_id)
        if task is None or task.done():
            self._arrived[mediator_id] = asyncio.Queue()
            self._bells[mediator_id] = asyncio.Event()
            self._visitors[mediator_id] = asyncio.create_task(self._visit_again(mediator_id), name="pickup")
        else:
            self._ring(mediator_id)

    def _end_visits(self, mediator_id: str) -> None:
        """Leave at once; what is still to be said is said without staying."""
        # Not at this moment: this may be called from within a visit.
        asyncio.get_running_loop().call_soon(self._visit_anew, mediator_id)

    def _visit_anew(self, mediator_id: str) -> None:
        task = self._visitors.pop(mediator_id, None)
        if task is not None:
            task.cancel()
        self._visit(mediator_id)

    def _ring(self, mediator_id: str) -> None:
        if (bell := self._bells.get(mediator_id)) is not None:
            bell.set()

    async def _visit_again(self, mediator_id: str) -> None:
        """Visit until the mediator is none any more; waits grow while it does not answer."""
        failures = 0
        while True:
            self._bells[mediator_id].clear()
            try:
                pause = await self._visit_once(mediator_id)
                failures = 0
            except LernodeError as error:
                failures += 1
                _log.info("a mediator could not be visited: %s", error.code)
                pause = min(self._config.poll_seconds, _FIRST_RETRY_SECONDS * 2 ** min(failures - 1, 20))
            if pause is None:
                return
            with suppress(TimeoutError):
                # The jitter spreads load, it protects nothing.
                async with asyncio.timeout(pause * random.uniform(0.75, 1.25)):  # noqa: S311
                    await self._bells[mediator_id].wait()

    async def _visit_once(self, mediator_id: str) -> float | None:
        """One visit; how long to wait before the next, or None where there is to be none.

        Raises:
            LernodeError: it failed.
        """
        async with self._store.write() as tx:
            mediator = await mediators.get(tx, mediator_id)
            connection = await connections.get(tx, mediator_id)
            if mediator.state not in _VISITED or connection.state == connections.ENDED:
                return None
            if mediator.state is MediatorState.ENDED:
                if not await mediators.names(tx, mediator_id, NameState.REMOVING, limit=1):
                    return None
                await self._routes.announce_again(tx, mediator)
                return float(self._config.poll_seconds)
            if mediator.state is not MediatorState.REQUESTED:
                await self._routes.announce_again(tx, mediator)
            elif mediator.routing_did is None:
                await self._ask_again(tx, mediator, connection)
        if mediator.state is MediatorState.REQUESTED:
            if mediator.routing_did is None:
                return self._config.poll_seconds
            await self._settle(mediator, mediator.routing_did)
        if self._config.live and mediator_id not in self._without_sockets:
            return await self._stay(connection)
        await self._round(connection).poll()
        return self._config.poll_seconds

    async def _stay(self, connection: Connection) -> float:
        """Open a WebSocket and take what comes, until it ends."""
        try:
            url = await self._socket_of(connection)
            socket = await self._http.websocket(url, max_bytes=self._max_bytes, heartbeat=HEARTBEAT_SECONDS)
        except NotNow as error:
            if error.code != "net.no_websocket":
                raise
            self._without_sockets.add(connection.id)
            return 0.0
        channel = ClientSocket(socket)
        self._channels.open(connection.id, channel, Return(ReturnRoute.ALL))
        self._live.add(connection.id)
        began = asyncio.get_running_loop().time()
        try:
            await self._round(connection).stay(socket)
        finally:
            self._live.discard(connection.id)
            self._channels.close(channel)
            await socket.close()
        if asyncio.get_running_loop().time() - began < _FIRST_RETRY_SECONDS:
            raise NotNow("mediator.cut_off", "The mediator closes the WebSocket at once.", "Look at its log.")
        return _FIRST_RETRY_SECONDS

    async def _socket_of(self, connection: Connection) -> str:
        """Where the mediator's document says that it takes WebSockets; else where it takes messages."""
        document = await self._resolver.resolve(connection.their_did or "")
        return document.socket_endpoint() or connection.their_endpoint or ""

    def _round(self, connection: Connection) -> Round:
        return Round(self._outbox, self._inbound, connection, self._arrived[connection.id], self._world.new_id)

    # Helpers ----------------------------------------------------------------------------------------------------

    async def _ask(self, tx: Transaction, connection: Connection) -> Mediator:
        """Version 1.0 goes with DIDComm v1, 3.0 with v2."""
        major = 3 if Wire(connection.wire) is Wire.V2 else 1
        step = coordinate.request(major=major, new_id=self._world.new_id)
        row = await self._exchanges.apply(tx, MEDIATION_KINDS[major], connection, None, step)
        return Mediator(
            connection_id=connection.id,
            exchange_id=row.id,
            state=MediatorState.REQUESTED,
            since=self._world.clock(),
        )

    async def _ask_again(self, tx: Transaction, mediator: Mediator, connection: Connection) -> None:
        """The answer may wait for us, or be lost; nothing is asked while the question itself still waits."""
        row = await exchanges.get(tx, mediator.exchange_id)
        kind = next(kind for kind in MEDIATION_KINDS.values() if kind.protocol == row.protocol)
        if not await outbox.has_queued(tx, connection.id):
            step = coordinate.request_again(kind.value(row), new_id=self._world.new_id)
            await self._exchanges.apply(tx, kind, connection, row, step)

    async def _settle(self, mediator: Mediator, routing_did: str) -> None:
        """Read from the routing DID's document where peers are to send.

        Raises:
            LernodeError: it cannot be resolved, or names no place.
        """
        document = await self._resolver.resolve(routing_did)
        settled = replace(_with_route(mediator, document), state=MediatorState.GRANTED)
        async with self._store.write() as tx:
            await mediators.put(tx, settled)
            await self._note(tx, "mediation.granted", mediator.connection_id, actor=mediator.connection_id)

    async def _known_names(self, tx: Transaction, mediator_id: str) -> list[str]:
        return [
            name
            for state in (NameState.ADDING, NameState.ADDED, NameState.REFUSED)
            for name in await mediators.names(tx, mediator_id, state, limit=MAX_UPDATES // 4)
        ]

    async def _note(self, tx: Transaction, event: str, connection_id: str, *, actor: str) -> None:
        await audit.append(tx, at=self._world.clock(), event=event, actor=actor, subjects=(connection_id,))


def _with_route(mediator: Mediator, document: DidDocument) -> Mediator:
    """Where peers send by the document of a routing DID: over v1 what its service says, over v2 to its key."""
    service = document.didcomm_service()
    keys = [each for each in document.methods(Relationship.KEY_AGREEMENT) if each.key.codec is Multicodec.X25519_PUB]
    v2_keys = tuple(each.id for each in keys[:1]) if document.didcomm_v2_services() else ()
    return replace(
        mediator,
        endpoint=service.endpoint,
        routing_keys=(*service.routing_keys, service.recipient_keys[0]),
        v2_routing_keys=v2_keys,
    )
