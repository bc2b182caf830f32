"""Messages of protocols whose exchanges are threads on a connection: Issue Credential and Present Proof."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from node.runtime.exchanges import ExchangeKind, Exchanges, Situation
from node.runtime.inbound import Inbound, Incoming
from node.runtime.world import World
from protocols.didcomm.message import PlainMessage
from protocols.errors import WrongState
from protocols.issue_credential import machine as issue_credential
from protocols.issue_credential import messages as issue_credential_messages
from protocols.machine import Step
from protocols.present_proof import machine as present_proof
from protocols.present_proof import messages as present_proof_messages
from storage import connections, exchanges
from storage.connections import Connection
from storage.engine import Transaction

__all__ = ["ISSUE_CREDENTIAL", "PRESENT_PROOF", "attach_threads", "situation"]

ISSUE_CREDENTIAL = ExchangeKind("https://didcomm.org/issue-credential/2", issue_credential.Exchange)
PRESENT_PROOF = ExchangeKind("https://didcomm.org/present-proof/2", present_proof.Exchange)


class _Threads:
    """Feeds the messages of one protocol to its machine."""

    def __init__(
        self,
        kind: ExchangeKind,
        exchanges: Exchanges,
        world: World,
        *,
        decode: Callable[[PlainMessage], Any],
        receive: Callable[..., Step[Any]],
    ) -> None:
        self._kind = kind
        self._exchanges = exchanges
        self._world = world
        self._decode = decode
        self._receive = receive

    async def handle(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        """One message: find its thread, take the step, carry it out."""
        message = self._decode(incoming.message)
        row = await exchanges.find(tx, connection.id, incoming.message.thid, self._kind.protocol)
        value = None if row is None else self._kind.value(row)
        step = self._receive(value, message, new_id=self._world.new_id)
        if value is not None and step.exchange == value and not step.effects:
            return
        await self._exchanges.apply(tx, self._kind, connection, row, step, error_code=step.exchange.problem)


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


def attach_threads(inbound: Inbound, exchanges: Exchanges, world: World) -> None:
    """Let the node take part in these protocols."""
    protocols = (
        (ISSUE_CREDENTIAL, issue_credential_messages.decode, issue_credential.receive),
        (PRESENT_PROOF, present_proof_messages.decode, present_proof.receive),
    )
    for kind, decode, receive in protocols:
        threads = _Threads(kind, exchanges, world, decode=decode, receive=receive)
        inbound.register({kind.protocol: threads.handle})
