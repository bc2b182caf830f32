"""Exchanges that are threads on a connection, Issue Credential and Present Proof: their messages, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from node.net.guarded_http import GuardedHttp
from node.roles.linked_content import LinkedContent
from node.runtime.deadlines import Deadlines
from node.runtime.delivery import Outbox
from node.runtime.exchanges import ExchangeKind, Exchanges, Situation, is_over_at
from node.runtime.inbound import Inbound, Incoming
from node.runtime.jobs import Jobs
from node.runtime.world import World
from protocols import strict_json
from protocols.didcomm import problem_report
from protocols.didcomm.message import PlainMessage, ProtocolMessage, Wire
from protocols.didcomm.versions import known_on_every_wire
from protocols.errors import LernodeError, WrongState
from protocols.issue_credential import machine as issue_credential
from protocols.issue_credential import messages as issue_credential_messages
from protocols.machine import Step
from protocols.negotiation import Negotiation
from protocols.present_proof import machine as present_proof
from protocols.present_proof import messages as present_proof_messages
from storage import audit, connections, credentials, exchanges
from storage.connections import Connection
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow

__all__ = ["ISSUE_CREDENTIAL", "PRESENT_PROOF", "Threads", "negotiation", "situation"]

ISSUE_CREDENTIAL = ExchangeKind("https://didcomm.org/issue-credential/2", issue_credential.Exchange)
PRESENT_PROOF = ExchangeKind("https://didcomm.org/present-proof/2", present_proof.Exchange)


@dataclass(frozen=True, slots=True)
class _Protocol:
    """What the threads of one protocol are fed to; ``name`` is its PIURI in v1."""

    name: str
    kind: ExchangeKind
    decode: Callable[[PlainMessage], Any]
    machine: Any
    formats: frozenset[str]


_PROTOCOLS = (
    _Protocol(
        issue_credential_messages.PROTOCOL,
        ISSUE_CREDENTIAL,
        issue_credential_messages.decode,
        issue_credential,
        issue_credential_messages.FORMATS,
    ),
    _Protocol(
        present_proof_messages.PROTOCOL,
        PRESENT_PROOF,
        present_proof_messages.decode,
        present_proof,
        present_proof_messages.FORMATS,
    ),
)


class Threads:
    """What peers' messages do in threads, and what a person or the time does in any of them."""

    def __init__(
        self,
        *,
        store: Store,
        exchanges: Exchanges,
        deadlines: Deadlines,
        jobs: Jobs,
        http: GuardedHttp,
        outbox: Outbox,
        world: World,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._exchanges = exchanges
        self._outbox = outbox
        self._world = world
        self._linked = LinkedContent(jobs, http, max_bytes, self)
        for protocol in _PROTOCOLS:
            deadlines.register(protocol.kind.protocol, partial(self._expire, protocol))

    def attach(self, inbound: Inbound) -> None:
        """Let the node take part in these protocols."""
        for each in _PROTOCOLS:
            names = known_on_every_wire(each.name)
            inbound.register(
                dict.fromkeys(names, partial(self._handle, each)),
                answer_again=dict.fromkeys(names, partial(self._on_repeated, each)),
            )
        inbound.register(dict.fromkeys(known_on_every_wire(problem_report.REPORT_PROBLEM), self._on_report))

    async def decline(self, exchange_id: str, reason: str) -> ExchangeRow:
        """Say no to what the peer wants, or give up waiting for it; the peer is told why.

        Raises:
            WrongState: ``exchange.unknown``, ``exchange.not_waiting``, or ``*.wrong_state`` where it is over.
        """
        async with self._store.write() as tx:
            found = await situation(tx, exchange_id, *(each.kind for each in _PROTOCOLS))
            step = _machine_of(found).decline(found.value, reason=reason, new_id=self._world.new_id)
            return await self._apply(tx, found, step)

    async def resend(self, exchange_id: str) -> ExchangeRow:
        """Send the last message of an exchange again, as it was; a peer that has it already does nothing.

        Raises:
            WrongState: ``exchange.unknown``, ``exchange.not_waiting``, ``exchange.expired``, or ``*.wrong_state`` where
                the peer owes no answer.
        """
        async with self._store.write() as tx:
            found = await situation(tx, exchange_id, *(each.kind for each in _PROTOCOLS))
            if found.kind is not ISSUE_CREDENTIAL:
                return await self._apply(tx, found, present_proof.resend(found.value))
            documents = await _issued_in(tx, exchange_id)
            return await self._apply(tx, found, issue_credential.resend(found.value, issued=documents))

    def check_first(self, plain: PlainMessage) -> bool:
        """Whether the message is of one of these protocols, and can begin a thread.

        Raises:
            PeerFault: why it cannot.
        """
        protocol = _protocol_of(plain)
        if protocol is None:
            return False
        protocol.machine.receive(None, protocol.decode(plain), new_id=self._world.new_id)
        return True

    async def begin(self, tx: Transaction, connection: Connection, plain: PlainMessage) -> None:
        """Take a message that came with an invitation of the peer, as if it had come over the connection.

        Raises:
            PeerFault: as for one that does.
        """
        protocol = _protocol_of(plain)
        if protocol is not None:
            await self._read(protocol, tx, connection, plain)

    def formats_of(self, plain: PlainMessage) -> frozenset[str]:
        """The content formats of attachments that are read of the message."""
        protocol = _protocol_of(plain)
        return frozenset() if protocol is None else protocol.formats

    async def give_up(self, tx: Transaction, connection: Connection, plain: PlainMessage, error: LernodeError) -> None:
        """End the exchange of a message that cannot be used after all, or only tell the peer where there is none."""
        protocol = _protocol_of(plain)
        row = None if protocol is None else await exchanges.find(tx, connection.id, plain.thid, protocol.kind.protocol)
        if protocol is not None and row is not None:
            found = Situation(protocol.kind, connection, row, protocol.kind.value(row))
            with suppress(WrongState):  # over meanwhile
                reason = f"What was attached cannot be used: {error.message}"
                await self._apply(
                    tx, found, protocol.machine.decline(found.value, reason=reason, new_id=self._world.new_id)
                )
                return
        report = problem_report.ProblemReport(
            self._world.new_id(), plain.thid, error.code, explain=error.message, pthid=plain.pthid
        )
        await self._outbox.put(tx, connection, report)

    async def _handle(self, protocol: _Protocol, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        await self._read(protocol, tx, connection, incoming.message)

    async def _read(self, protocol: _Protocol, tx: Transaction, connection: Connection, plain: PlainMessage) -> None:
        """One message: find its thread, take the step, carry it out; first what it links to is fetched."""
        if await self._linked.plan(tx, connection, plain):
            return
        message = protocol.decode(plain)
        row = await exchanges.find(tx, connection.id, message.thid, protocol.kind.protocol)
        await self._take(protocol, tx, connection, row, message)

    async def _on_repeated(
        self, protocol: _Protocol, tx: Transaction, connection: Connection, incoming: Incoming
    ) -> None:
        row = await exchanges.find(tx, connection.id, incoming.message.thid, protocol.kind.protocol)
        if row is not None:
            await self._answer_again(protocol, tx, connection, row, incoming.message.id)

    async def _answer_again(
        self, protocol: _Protocol, tx: Transaction, connection: Connection, row: ExchangeRow, message_id: str
    ) -> None:
        """Send what answered a message that was applied before, where the exchange has not gone on from it."""
        value = protocol.kind.value(row)
        if message_id not in value.applied or is_over_at(row, self._world.clock()):
            return
        issued = {"issued": await _issued_in(tx, row.id)} if protocol.kind is ISSUE_CREDENTIAL else {}
        answer: ProtocolMessage | None = protocol.machine.answer_again(value, message_id, **issued)
        if answer is not None:
            await self._outbox.put_again(tx, connection, answer)

    async def _on_report(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        """A report of no protocol: in v2 that of every one, so it goes to the thread that it names.

        Any other is noted; the text of a peer is not kept.
        """
        if incoming.wire is Wire.V2:
            report = problem_report.decode(incoming.message)
            for protocol in _PROTOCOLS:
                row = await exchanges.find(tx, connection.id, report.thid, protocol.kind.protocol)
                if row is not None:
                    await self._take(protocol, tx, connection, row, report)
                    return
        event = f"peer.{incoming.message.name}"
        await audit.append(tx, at=self._world.clock(), event=event, actor=connection.id, subjects=(connection.id,))

    async def _take(
        self, protocol: _Protocol, tx: Transaction, connection: Connection, row: ExchangeRow | None, message: Any
    ) -> None:
        if row is not None and is_over_at(row, self._world.clock()):
            row = await self._expire(protocol, tx, row)
        value = None if row is None else protocol.kind.value(row)
        step: Step[Any] = protocol.machine.receive(value, message, new_id=self._world.new_id)
        if row is not None and step.exchange == value and not step.effects:
            # Whether it came before is forgotten sooner than the exchange.
            await self._answer_again(protocol, tx, connection, row, message.id)
            return
        await self._exchanges.apply(tx, protocol.kind, connection, row, step, error_code=step.exchange.problem)

    async def _expire(self, protocol: _Protocol, tx: Transaction, row: ExchangeRow) -> ExchangeRow:
        connection = await connections.get(tx, row.connection_id)
        found = Situation(protocol.kind, connection, row, protocol.kind.value(row))
        return await self._apply(tx, found, protocol.machine.expire(found.value, new_id=self._world.new_id))

    async def _apply(self, tx: Transaction, found: Situation, step: Step[Any]) -> ExchangeRow:
        return await self._exchanges.apply(
            tx, found.kind, found.connection, found.row, step, error_code=step.exchange.problem
        )


def negotiation(row: ExchangeRow) -> Negotiation | None:
    """What the exchange keeps, where it is a thread of one of these protocols."""
    kind = next((each.kind for each in _PROTOCOLS if each.kind.protocol == row.protocol), None)
    found: Negotiation | None = None if kind is None else kind.value(row)
    return found


async def situation(tx: Transaction, exchange_id: str, *kinds: ExchangeKind) -> Situation:
    """The exchange of one of these kinds, with its connection.

    Raises:
        WrongState: ``exchange.unknown``, or ``exchange.not_waiting`` where it is about something else.
    """
    row = await exchanges.get(tx, exchange_id)
    kind = next((kind for kind in kinds if kind.protocol == row.protocol), None)
    if kind is None:
        raise WrongState("exchange.not_waiting", "That exchange is about something else.", "See: lernode status")
    return Situation(kind, await connections.get(tx, row.connection_id), row, kind.value(row))


def _protocol_of(plain: PlainMessage) -> _Protocol | None:
    return next((each for each in _PROTOCOLS if plain.protocol in known_on_every_wire(each.name)), None)


async def _issued_in(tx: Transaction, exchange_id: str) -> list[dict[str, Any]]:
    issued = await credentials.issued_of_exchange(tx, exchange_id)
    return [strict_json.loads_object(record.document) for record in issued]


def _machine_of(found: Situation) -> Any:
    return next(each.machine for each in _PROTOCOLS if each.kind is found.kind)
