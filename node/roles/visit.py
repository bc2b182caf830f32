"""One visit to a mediator: what it holds comes, is carried out, and is acknowledged; then the next (RFC 0685)."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import WSMsgType

from node.runtime.delivery import Outbox
from node.runtime.inbound import Inbound
from protocols.didcomm.message import Wire
from protocols.errors import BadInput, LernodeError, NotNow, PeerFault
from protocols.machine import NewId
from protocols.pickup import machine
from protocols.pickup.messages import MAX_MESSAGES, Delivery, Status, major_on
from storage.connections import Connection

__all__ = ["HEARTBEAT_SECONDS", "ClientSocket", "PickupAnswer", "Round"]

HEARTBEAT_SECONDS = 30.0
_BATCH = 10
_PATIENCE_SECONDS = 30.0
_MAX_MISFITS = 16
_MAX_REPEATS = 3

PickupAnswer = Delivery | Status


class ClientSocket:
    """A WebSocket that this node opened, as a channel to its mediator."""

    stays_open = True

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, envelope: bytes, media_type: str) -> None:
        """As :class:`node.runtime.channels.Channel`; the media type is seen in the envelope."""
        del media_type
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await self._socket.send_bytes(envelope)
        except (TimeoutError, ConnectionError, RuntimeError, aiohttp.ClientError):
            await self._socket.close()
            raise NotNow("channel.closed", "The mediator closed the channel.", "It is opened again.") from None

    reply = send


class Round:
    """A visit under way.

    Args:
        arrived: what the mediator's pickup messages bring, once their unit of work is committed.
    """

    def __init__(
        self,
        outbox: Outbox,
        inbound: Inbound,
        connection: Connection,
        arrived: asyncio.Queue[PickupAnswer],
        new_id: NewId,
    ) -> None:
        self._outbox = outbox
        self._inbound = inbound
        self._connection = connection
        self._arrived = arrived
        self._new_id = new_id
        self._visit = machine.Visit(machine.Role.RECIPIENT, major_on(Wire(connection.wire)))
        self._undone = 0
        self._acknowledged: frozenset[str] = frozenset()
        self._repeats = 0
        while not arrived.empty():  # of a visit that was cut off
            arrived.get_nowait()

    async def poll(self) -> None:
        """Ask for what there is, in as many requests as it takes.

        Raises:
            LernodeError: the mediator cannot be reached, or delivers the same again and again.
        """
        progress = True
        while progress:
            await self._ask()
            progress = False
            while not self._arrived.empty():
                progress |= await self._take(self._arrived.get_nowait())
            if self._visit.state is machine.State.IDLE and self._visit.waiting <= self._undone:
                return

    async def stay(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Take what comes as it comes, until the socket ends; one message is carried out before the next is read.

        Raises:
            LernodeError: the mediator cannot be reached, or delivers the same again and again.
        """
        await self._send(machine.go_live(self._visit, new_id=self._new_id))
        is_answered, misfits = False, 0
        while misfits < _MAX_MISFITS:
            sure = is_answered and not self._undone and self._visit.state is machine.State.IDLE
            try:
                message = await socket.receive(None if sure else _PATIENCE_SECONDS)
            except TimeoutError:
                await self._ask()
                continue
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                return
            try:
                await self._inbound.receive(message.data if isinstance(message.data, bytes) else message.data.encode())
            except LernodeError:
                misfits += 1
            while not self._arrived.empty():
                answer = self._arrived.get_nowait()
                was_asked = self._visit.state is machine.State.ASKED
                await self._take(answer)
                is_answered = True
                # A status in answer to the request itself says that nothing comes of it, whatever it counts.
                if isinstance(answer, Status) and not was_asked and self._visit.waiting > self._undone:
                    await self._ask()

    async def _ask(self) -> None:
        """What could not be carried out comes first again, so that more is asked for than that."""
        if self._visit.state is not machine.State.ASKED:
            limit = min(_BATCH + self._undone, MAX_MESSAGES)
            self._undone = 0
            await self._send(machine.ask(self._visit, limit=limit, new_id=self._new_id))

    async def _take(self, answer: PickupAnswer) -> bool:
        """Whether that brought anything that is done now."""
        if isinstance(answer, Status):
            self._visit = machine.receive_status(self._visit, answer).visit
            return False
        self._visit = machine.receive_delivery(self._visit, answer).visit
        self._expect_others(answer)
        done: list[str] = []
        for name, envelope in answer.messages:
            if await self._is_done(envelope):
                done.append(name)
            else:
                self._undone += 1
        await self._send(machine.acknowledge(self._visit, done, new_id=self._new_id))
        self._acknowledged = frozenset(done)
        return bool(done)

    def _expect_others(self, delivery: Delivery) -> None:
        """One delivery may cross its receipt; a mediator that forgets nothing would keep this node busy for ever.

        Raises:
            NotNow: ``mediator.repeats``.
        """
        is_repeated = {name for name, _ in delivery.messages} <= self._acknowledged
        self._repeats = self._repeats + 1 if is_repeated else 0
        if self._repeats > _MAX_REPEATS:
            raise NotNow(
                "mediator.repeats", "The mediator delivers again what it was told to forget.", "Tell its operator."
            )

    async def _is_done(self, envelope: bytes) -> bool:
        """Carry out one message; False where it may work later, so that the mediator has to keep it."""
        try:
            await self._inbound.receive(envelope)
        except (BadInput, PeerFault):
            # It would be refused again, unless it is one that goes on from what could not be carried out.
            return not self._undone
        except LernodeError:
            return False
        return True

    async def _send(self, step: machine.Visiting) -> None:
        self._visit = step.visit
        for message in step.messages:
            await self._outbox.ask(self._connection, message)
