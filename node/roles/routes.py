"""How peers reach this node: at its own endpoint, through a mediator, or not at all until it opens a channel.

A DID or invitation that is made while a mediator is in use names that mediator. In the same unit of work the mediator
is sent word of it; nothing that names it leaves before the mediator has confirmed, so that no answer comes too early.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from node.runtime.delivery import Outbox
from node.runtime.world import World
from protocols.coordinate_mediation import machine
from protocols.coordinate_mediation.messages import Action, KeylistUpdateResponse, Result, Update
from protocols.did.services import QUEUE_ENDPOINT
from protocols.errors import NotNow, WrongState
from protocols.machine import Send
from protocols.routing.names import as_did, name_of
from storage import audit, connections, exchanges, mediators
from storage.connections import Connection
from storage.engine import Store, Transaction
from storage.mediators import Mediator, MediatorState, NameState

__all__ = ["Route", "Routes", "relation"]

_CONFIRM_SECONDS = 15.0
_MAX_NAMES = 100


@dataclass(frozen=True, slots=True)
class Route:
    """A way to this node, as a DID document or an invitation says it.

    Attributes:
        routing_keys: mediators' keys in raw base58.
        v2_routing_keys: the same for DIDComm v2, as DID URLs.
        speaks_v2: whether messages of DIDComm v2 find it.
        mediator: who has to know the names that are reached by it, or None.
        socket: URL of a WebSocket at the endpoint, or None.
    """

    endpoint: str
    routing_keys: tuple[str, ...] = ()
    v2_routing_keys: tuple[str, ...] = ()
    speaks_v2: bool = True
    mediator: Mediator | None = None
    socket: str | None = None

    def names(self, verkey: str, did: str | None = None) -> tuple[str, ...]:
        """What senders may call the owner of a key, and of a DID by its short form."""
        return (verkey, did) if did is not None and self.speaks_v2 else (verkey,)


class Routes:
    """Says which route there is, and tells mediators what comes by it."""

    def __init__(
        self, store: Store, outbox: Outbox, world: World, own_endpoint: str | None, *, names_socket: bool
    ) -> None:
        """
        Args:
            own_endpoint: None for a node that listens nowhere.
            names_socket: whether peers are told that it takes WebSockets, as clients of a mediator need it.
        """
        self._store = store
        self._outbox = outbox
        self._world = world
        socket = own_endpoint.replace("http", "ws", 1) if own_endpoint is not None and names_socket else None
        self._own = Route(QUEUE_ENDPOINT if own_endpoint is None else own_endpoint, socket=socket)
        self._changed = asyncio.Event()

    @property
    def own(self) -> Route:
        """The way without a mediator."""
        return self._own

    async def current(self, tx: Transaction) -> Route:
        """The way for whatever is new."""
        mediator = await mediators.in_use(tx)
        if mediator is None or mediator.endpoint is None:
            return self._own
        # One that was asked in 1.0 knows keys only, so that it could not tell whose a message of v2 is.
        v2_keys = mediator.v2_routing_keys
        return Route(mediator.endpoint, mediator.routing_keys, v2_keys, bool(v2_keys), mediator)

    async def announce(self, tx: Transaction, route: Route, names: Iterable[str]) -> None:
        """Tell the mediator of a route that messages for ``names`` are for this node."""
        if route.mediator is not None:
            told = list(names)
            await mediators.name(tx, route.mediator.connection_id, told, self._world.clock())
            await self._tell(tx, route.mediator, told, Action.ADD)

    async def announce_again(self, tx: Transaction, mediator: Mediator) -> None:
        """Tell a mediator once more what it has not confirmed; telling it twice is harmless."""
        for state, action in ((NameState.ADDING, Action.ADD), (NameState.REMOVING, Action.REMOVE)):
            told = await mediators.names(tx, mediator.connection_id, state, limit=_MAX_NAMES)
            if told:
                await self._tell(tx, mediator, told, action)

    async def retract(self, tx: Transaction, names: Iterable[str]) -> None:
        """Tell mediators that messages for ``names`` are no longer for this node."""
        of_mediator: dict[str, list[str]] = {}
        for name in names:
            routed = await mediators.find_name(tx, name)
            if routed is not None and routed.state is not NameState.REMOVING:
                await mediators.set_name(tx, name, NameState.REMOVING, self._world.clock())
                of_mediator.setdefault(routed.mediator_id, []).append(name)
        for mediator_id, told in of_mediator.items():
            await self._tell(tx, await mediators.get(tx, mediator_id), told, Action.REMOVE)

    async def confirmed(self, names: Iterable[str]) -> None:
        """Wait until the mediator has confirmed ``names``; at once where no mediator is involved.

        Raises:
            NotNow: ``mediator.unconfirmed`` where it does not answer in time.
            WrongState: ``mediator.refused`` where it said no.
        """
        wanted = list(names)
        try:
            async with asyncio.timeout(_CONFIRM_SECONDS):
                while True:
                    changed = self._changed
                    if not await self._unsettled(wanted):
                        break
                    await changed.wait()
        except TimeoutError:
            raise NotNow(
                "mediator.unconfirmed", "The mediator did not answer.", "Look at it with: lernode mediation"
            ) from None
        async with self._store.read() as tx:
            for name in wanted:
                routed = await mediators.find_name(tx, name)
                if routed is not None and routed.state is NameState.REFUSED:
                    raise WrongState("mediator.refused", "The mediator takes no more.", "Use another: lernode mediate")

    async def receive_answer(self, tx: Transaction, connection: Connection, message: KeylistUpdateResponse) -> None:
        """A mediator has answered what it was told.

        Raises:
            PeerFault: ``coordinate_mediation.unexpected_message`` from who is no mediator of this node.
        """
        mediator = await mediators.find(tx, connection.id)
        machine.receive_update_response(relation(mediator, message.major), message)
        now = self._world.clock()
        for updated in message.updated:
            routed = await mediators.find_name(tx, name_of(updated.recipient))
            if routed is None or routed.mediator_id != connection.id or updated.result is Result.SERVER_ERROR:
                continue
            if updated.action is Action.REMOVE:
                if routed.state is NameState.REMOVING:
                    await mediators.set_name(tx, routed.name, None, now)
            elif routed.state is NameState.ADDING:
                refused = updated.result is Result.CLIENT_ERROR
                state = NameState.REFUSED if refused else NameState.ADDED
                await mediators.set_name(tx, routed.name, state, now)
                if refused:
                    event = "mediation.name_refused"
                    await audit.append(tx, at=now, event=event, actor=connection.id, subjects=(connection.id,))
                for waiting in await connections.find_by_my_verkey(tx, routed.name):
                    await self._outbox.hasten(tx, waiting.id)
        tx.after_commit(self._ring)

    async def _tell(self, tx: Transaction, mediator: Mediator, names: list[str], action: Action) -> None:
        connection = await connections.get(tx, mediator.connection_id)
        row = await exchanges.get(tx, mediator.exchange_id)
        major = int(row.protocol.rsplit("/", 1)[1])
        updates = [Update(as_did(name), action) for name in names]
        step = machine.update_keylist(relation(mediator, major), updates, new_id=self._world.new_id)
        for effect in step.effects:
            if isinstance(effect, Send):
                await self._outbox.put(tx, connection, effect.message)

    async def _unsettled(self, names: list[str]) -> bool:
        async with self._store.read() as tx:
            return await mediators.unsettled(tx, names)

    def _ring(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def relation(mediator: Mediator | None, major: int) -> machine.Exchange:
    """What was agreed with a peer that may be a mediator of this node."""
    # One that is left still has to say that it has forgotten.
    known = {MediatorState.GRANTED, MediatorState.CLOSING, MediatorState.ENDED}
    is_known = mediator is not None and mediator.state in known
    state = machine.State.GRANTED if is_known else machine.State.START
    return machine.Exchange(thid="", role=machine.Role.RECIPIENT, state=state, major=major)
