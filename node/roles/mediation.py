"""Both sides of mediation take the messages of its protocols; here each goes to the side that it is for."""

from __future__ import annotations

from node.roles.mediated import Mediated
from node.roles.mediator import MEDIATION_KINDS, Mediator
from node.roles.routes import Routes
from node.runtime.inbound import Inbound, Incoming
from protocols.coordinate_mediation import messages as coordinate
from protocols.pickup import messages as pickup
from storage.connections import Connection
from storage.engine import Transaction

__all__ = ["Mediation"]

_PICKUP = tuple(f"{pickup.FAMILY}/{major}" for major in (2, 3))


class Mediation:
    """What this node does as a mediator, and with its own mediators."""

    def __init__(self, mediator: Mediator, mediated: Mediated, routes: Routes) -> None:
        self.mediator = mediator
        self.mediated = mediated
        self._routes = routes

    def attach(self, inbound: Inbound) -> None:
        """Take part in what arrives."""
        coordinated = [kind.protocol for kind in MEDIATION_KINDS.values()]
        inbound.register(
            dict.fromkeys(coordinated, self._coordinate), answer_again=dict.fromkeys(coordinated, self._answer_again)
        )
        inbound.register(dict.fromkeys(_PICKUP, self._pick_up))
        self.mediator.attach(inbound)

    async def forget(self, tx: Transaction, connection: Connection) -> None:
        """A connection has ended, whichever side of mediation it served."""
        await self.mediator.forget(tx, connection.id)
        await self.mediated.forget(tx, connection)

    async def _coordinate(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        match coordinate.decode(incoming.message):
            case coordinate.MediateRequest() as message:
                await self.mediator.on_request(tx, connection, message)
            case coordinate.KeylistUpdate() as message:
                await self.mediator.on_update(tx, connection, message)
            case coordinate.KeylistQuery() as message:
                await self.mediator.on_query(tx, connection, message)
            case coordinate.MediateGrant() | coordinate.MediateDeny() as message:
                await self.mediated.on_answer(tx, connection, message)
            case coordinate.KeylistUpdateResponse() as message:
                await self._routes.receive_answer(tx, connection, message)
            case coordinate.Keylist():
                pass  # this node keeps its own account, and asks for none

    async def _answer_again(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        message = coordinate.decode(incoming.message)
        if isinstance(message, coordinate.MediateRequest):
            await self.mediator.answer_again(tx, connection, message)

    async def _pick_up(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        message = pickup.decode(incoming.message)
        if isinstance(message, pickup.Delivery | pickup.Status):
            await self.mediated.on_pickup(tx, connection, message)
        else:
            await self.mediator.on_pickup(tx, connection, incoming, message)
