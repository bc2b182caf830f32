"""A connection that serves a new invitation of the same peer, instead of a second one (RFC 0434 §Reuse Messages).

The peer is known by what invitations name: a DID, or the key of a service that is written out. Nobody vouches for an
invitation, so all that follows from one is a message over the connection that is there already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from node.runtime.delivery import Outbox
from node.runtime.exchanges import ExchangeKind, Exchanges
from node.runtime.inbound import Inbound, Incoming
from node.runtime.world import World
from protocols.did.services import Service
from protocols.errors import PeerFault
from protocols.machine import Send
from protocols.out_of_band import machine
from protocols.out_of_band.messages import HandshakeReuse, HandshakeReuseAccepted, Invitation, decode
from storage import audit, connections, exchanges, invitations
from storage.connections import Connection
from storage.engine import Transaction
from storage.exchanges import Filter

__all__ = ["Reuse", "inviters"]

_OUT_OF_BAND = ExchangeKind("https://didcomm.org/out-of-band/1", machine.Exchange)
_MAX_LOOKED_AT = 100


Joined = Callable[[Transaction, Connection, str], Awaitable[None]]
"""Begins what goes with the invitation of this node that has this id."""


class Reuse:
    """Asks to use a connection again, and answers who asks."""

    def __init__(self, exchanges: Exchanges, outbox: Outbox, world: World, joined: Joined) -> None:
        self._exchanges = exchanges
        self._outbox = outbox
        self._world = world
        self._joined = joined

    def attach(self, inbound: Inbound) -> None:
        """Take part in what arrives."""
        inbound.register(
            {_OUT_OF_BAND.protocol: self._receive}, answer_again={_OUT_OF_BAND.protocol: self._answer_again}
        )

    async def connection_for(self, tx: Transaction, invitation: Invitation) -> Connection | None:
        """The connection with who invites, asked to serve this invitation too; None where there is none.

        Asking twice for one invitation asks the peer once.
        """
        known = await connections.find_completed_with(tx, inviters(invitation))
        if known is None:
            return None
        which = Filter(protocol=_OUT_OF_BAND.protocol, connection_id=known.id, role=machine.Role.RECEIVER.value)
        asked = await exchanges.page(tx, which, limit=_MAX_LOOKED_AT)
        if not any(_OUT_OF_BAND.value(row).pthid == invitation.id for row in asked):
            step = machine.reuse(invitation.id, new_id=self._world.new_id)
            await self._exchanges.apply(tx, _OUT_OF_BAND, known, None, step)
        return known

    async def _receive(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        message = decode(incoming.message)
        if isinstance(message, HandshakeReuse):
            await self._accept(tx, connection, message)
        elif isinstance(message, HandshakeReuseAccepted):
            row = await exchanges.find(tx, connection.id, message.thid, _OUT_OF_BAND.protocol)
            if row is None:
                raise PeerFault(
                    "out_of_band.unexpected_message", "No answer of that kind was asked for.", "Reuse first."
                )
            step = machine.receive_reuse_accepted(_OUT_OF_BAND.value(row), message)
            await self._exchanges.apply(tx, _OUT_OF_BAND, connection, row, step)
        else:
            raise PeerFault("message.type", "An invitation does not come over a connection.", "Show it as a link.")

    async def _accept(self, tx: Transaction, connection: Connection, message: HandshakeReuse) -> None:
        """The peer has this connection, and an invitation of this node that is still open."""
        now = self._world.clock()
        invitation = await invitations.find(tx, message.pthid)
        if invitation is None or not await invitations.mark_used(tx, invitation.id, now):
            raise PeerFault("out_of_band.wrong_invitation", "There is no such open invitation.", "Ask for a new one.")
        await self._confirm(tx, connection, message)
        subjects = (connection.id, invitation.id)
        await audit.append(tx, at=now, event="connection.reused", actor=connection.id, subjects=subjects)
        await self._joined(tx, connection, invitation.id)

    async def _answer_again(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        message = decode(incoming.message)
        if isinstance(message, HandshakeReuse):  # which was accepted, for else it would not be known
            await self._confirm(tx, connection, message)

    async def _confirm(self, tx: Transaction, connection: Connection, message: HandshakeReuse) -> None:
        step = machine.receive_reuse(message, invitation_id=message.pthid, new_id=self._world.new_id)
        for effect in step.effects:
            if isinstance(effect, Send):
                await self._outbox.put(tx, connection, effect.message)


def inviters(invitation: Invitation) -> list[str]:
    """What the invitation names its sender by: DIDs, and verkeys of services that are written out."""
    names = [service for service in invitation.services if not isinstance(service, Service)]
    return [*names, *invitation.inline_recipient_keys]
