"""Carries out one step of a protocol: saves the exchange and performs its effects, all in one unit of work.

The machines in ``protocols`` say what must be done; this module and the performers that the roles register are the
only place that does it. A step either happens whole, with every message it sends and every record it stores, or
not at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

import msgspec

from node.events.emit import emit
from node.events.types import ExchangeChanged
from node.runtime.deadlines import Deadlines
from node.runtime.delivery import Outbox
from node.runtime.world import World
from protocols.errors import WrongState
from protocols.machine import Ask, Decision, Effect, Expires, Send, Step, Verify
from storage import audit, connections, exchanges
from storage.connections import Connection
from storage.engine import Transaction
from storage.exchanges import ExchangeRow

__all__ = [
    "Decider",
    "ExchangeKind",
    "ExchangeValue",
    "Exchanges",
    "Performer",
    "Situation",
    "is_over_at",
    "require_waiting",
]


_ABANDONED = "abandoned"


class ExchangeValue(Protocol):
    """What the exchange values of all machines have in common."""

    @property
    def thid(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def state(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ExchangeKind:
    """A protocol as the runtime sees it.

    Attributes:
        protocol: its URI with the major version, under which its exchanges are kept.
        type: the machine's exchange value, a msgspec Struct.
    """

    protocol: str
    type: type[Any]

    @property
    def name(self) -> str:
        """Its short name, e.g. ``issue-credential``."""
        return self.protocol.rsplit("/", 2)[1]

    def value(self, row: ExchangeRow) -> Any:
        """The exchange value that ``row`` keeps."""
        return msgspec.json.decode(row.data, type=self.type)


@dataclass(frozen=True, slots=True)
class Situation:
    """What a performer needs to know: whose step it is."""

    kind: ExchangeKind
    connection: Connection
    row: ExchangeRow
    value: Any


Performer = Callable[[Transaction, Situation, Any], Awaitable[None]]
Decider = Callable[[Transaction, Situation], Awaitable[None]]


class Exchanges:
    """Saves steps and performs effects; knows no protocol by name."""

    def __init__(self, world: World, outbox: Outbox, deadlines: Deadlines) -> None:
        self._world = world
        self._outbox = outbox
        self._deadlines = deadlines
        self._performers: dict[tuple[str, type[Effect]], Performer] = {}
        self._deciders: dict[Decision, Decider] = {}

    def register(
        self,
        protocol: str,
        performers: Mapping[type[Effect], Performer],
        deciders: Mapping[Decision, Decider],
    ) -> None:
        """Say who performs the effects of a protocol, and who answers its decisions without a person."""
        self._performers |= {(protocol, effect): performer for effect, performer in performers.items()}
        self._deciders |= deciders

    async def apply(
        self,
        tx: Transaction,
        kind: ExchangeKind,
        connection: Connection,
        row: ExchangeRow | None,
        step: Step[Any],
        *,
        exchange_id: str | None = None,
        error_code: str | None = None,
    ) -> ExchangeRow:
        """Save the exchange of ``step`` and perform its effects; the row as it is then.

        Args:
            row: the exchange as it was read in this unit of work; None for a new one.
            exchange_id: the id that a new exchange gets, where something already points to it.

        Raises:
            WrongState: ``connection.ended`` where a new exchange has nobody to be with; ``exchange.expired`` where the
                time to go on is over.
        """
        if row is None and connection.state == connections.ENDED:
            raise WrongState("connection.ended", "The connection with that peer has ended.", "Connect anew.")
        value: ExchangeValue = step.exchange
        waiting = next((e.decision.value for e in step.effects if isinstance(e, Ask)), None)
        until = next((_moment(e.at) for e in step.effects if isinstance(e, Expires)), None)
        now = self._world.clock()
        if row is not None and is_over_at(row, now) and str(value.state) != _ABANDONED:
            raise WrongState("exchange.expired", "The time to answer is over.", "Begin a new exchange.")
        if row is None:
            row = ExchangeRow(
                id=exchange_id or self._world.new_id(),
                protocol=kind.protocol,
                role=str(value.role),
                connection_id=connection.id,
                thid=value.thid,
                state=str(value.state),
                data=msgspec.json.encode(value),
                error_code=error_code,
                waiting_for=waiting,
                created=now,
                updated=now,
                expires=until,
            )
            await exchanges.insert(tx, row)
        else:
            row = await exchanges.save(
                tx,
                replace(
                    row,
                    state=str(value.state),
                    data=msgspec.json.encode(value),
                    error_code=error_code,
                    waiting_for=waiting,
                    updated=now,
                    expires=until,
                ),
            )
        await audit.append(
            tx, at=now, event=f"{kind.name}.{row.state}", actor=connection.id, subjects=(row.id, connection.id)
        )
        if until is not None:
            tx.after_commit(partial(self._deadlines.expect, until))
        changed = ExchangeChanged(
            exchange_id=row.id,
            connection_id=connection.id,
            protocol=kind.name,
            role=row.role,
            state=row.state,
            waiting_for=row.waiting_for,
            error=row.error_code,
        )
        await emit(tx, self._world, changed)
        situation = Situation(kind, connection, row, value)
        for effect in step.effects:
            await self._perform(tx, situation, effect)
        # Decisions by policy, and verifications at once, take further steps.
        moves = waiting or any(isinstance(effect, Verify) for effect in step.effects)
        return await exchanges.get(tx, row.id) if moves else row

    async def _perform(self, tx: Transaction, situation: Situation, effect: Effect) -> None:
        if isinstance(effect, Send):
            put = self._outbox.put_again if effect.again else self._outbox.put
            await put(tx, situation.connection, effect.message)
        elif isinstance(effect, Ask):
            decider = self._deciders.get(effect.decision)
            if decider is not None:
                await decider(tx, situation)
        elif not isinstance(effect, Expires):  # which stands in the row
            await self._performers[situation.kind.protocol, type(effect)](tx, situation, effect)


def is_over_at(row: ExchangeRow, now: datetime) -> bool:
    """Whether the exchange could be answered until before ``now``."""
    return row.expires is not None and row.expires <= now


def require_waiting(row: ExchangeRow, decision: Decision) -> None:
    """Check that ``row`` waits for this decision.

    Raises:
        WrongState: ``exchange.not_waiting``.
    """
    if row.waiting_for != decision.value:
        raise WrongState(
            "exchange.not_waiting",
            f"This exchange does not wait for the decision {decision.value}; its state is {row.state}.",
            "See what waits with: lernode status",
        )


def _moment(seconds: int) -> datetime | None:
    """None where that is after the years that there are: for ever."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
