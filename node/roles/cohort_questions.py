"""Asks peers for counts of skills, and adds up what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from node.roles.cohort_answers import COHORT_COUNTS, CohortAnswers
from node.runtime.exchanges import Exchanges
from node.runtime.inbound import Inbound, Incoming
from node.runtime.world import World
from node.skills.summed_counts import Summed, summed
from protocols.cohort_counts import machine
from protocols.cohort_counts.messages import MAX_SKILLS, PROTOCOL, Question, Wanted, decode
from protocols.didcomm.versions import known_on_every_wire
from protocols.errors import BadInput, PeerFault, WrongState
from storage import connections, exchanges, frameworks
from storage.connections import Connection
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow

__all__ = ["Asked", "CohortQuestions", "Inquiry"]

_FIRST_OF_EACH = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """A peer that was asked, and how that went."""

    row: ExchangeRow
    peer: Connection
    value: machine.Exchange


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question to several peers.

    Attributes:
        id: by which it is found again; the thread of all its exchanges.
        skills: the sum of the answers so far.
    """

    id: str
    created: datetime
    wanted: Wanted
    asked: tuple[Asked, ...]
    skills: tuple[Summed, ...]


class CohortQuestions:
    """Asks, and hears the answers."""

    def __init__(self, *, store: Store, exchanges: Exchanges, answers: CohortAnswers, world: World) -> None:
        self._store = store
        self._exchanges = exchanges
        self._answers = answers
        self._world = world

    def attach(self, inbound: Inbound) -> None:
        """Take part in what arrives."""
        inbound.register(dict.fromkeys(known_on_every_wire(PROTOCOL), self._receive))

    async def ask(self, connection_ids: Sequence[str], wanted: Wanted) -> Inquiry:
        """Ask each of these peers the same.

        Raises:
            WrongState: ``connection.unknown``, ``connection.not_ready``, ``connection.ended``.
        """
        thid = self._world.new_id()
        async with self._store.write() as tx:
            for connection_id in dict.fromkeys(connection_ids):
                connection = await connections.get(tx, connection_id)
                if connection.their_did is None and connection.their_verkey is None:
                    raise WrongState("connection.not_ready", "The connection is not complete.", "Wait for the peer.")
                step = machine.ask(wanted, thid=thid, new_id=self._world.new_id)
                await self._exchanges.apply(tx, COHORT_COUNTS, connection, None, step)
        return await self.inquiry(thid)

    async def skills_of(self, framework_id: str) -> tuple[str, ...]:
        """Every skill of a framework that this node has, by URL, else by code.

        Raises:
            WrongState: ``framework.unknown``.
            BadInput: ``cohort.no_skills``, ``cohort.too_many_skills``.
        """
        async with self._store.read() as tx:
            version = await frameworks.latest(tx, framework_id)
            page = await frameworks.page(tx, version.id, limit=_FIRST_OF_EACH)
        found = tuple(dict.fromkeys(name for _, item in page if (name := item.url or item.code) is not None))
        if not found:
            raise BadInput(
                "cohort.no_skills", "The framework has no skill that can be named.", "Name some with --skill."
            )
        if len(found) > MAX_SKILLS:
            raise BadInput(
                "cohort.too_many_skills", f"A question has at most {MAX_SKILLS} skills.", "Name some with --skill."
            )
        return found

    async def inquiry(self, name: str) -> Inquiry:
        """A question to several peers, by its id or the beginning of that, with what was answered so far.

        Raises:
            WrongState: ``cohort_question.unknown``, ``cohort_question.ambiguous``.
        """
        async with self._store.read() as tx:
            rows = await exchanges.asked_together(tx, name) or await self._beginning(tx, name)
            asked = [Asked(row, await connections.get(tx, row.connection_id), COHORT_COUNTS.value(row)) for row in rows]
        wanted = asked[0].value.wanted
        answers = [each.value.given for each in asked if each.value.given is not None]
        return Inquiry(
            id=rows[0].thid,
            created=rows[0].created,
            wanted=wanted,
            asked=tuple(asked),
            skills=tuple(summed(wanted, answers)),
        )

    async def inquiries(self, limit: int) -> list[Inquiry]:
        """The questions that were asked last."""
        async with self._store.read() as tx:
            found = await exchanges.threads_asked(tx, limit=limit)
        return [await self.inquiry(thid) for thid in found]

    async def _beginning(self, tx: Transaction, prefix: str) -> list[ExchangeRow]:
        found = [
            thid for thid in await exchanges.threads_asked(tx, limit=_FIRST_OF_EACH) if thid.startswith(prefix or " ")
        ]
        if len(found) > 1:
            some = ", ".join(found[:8])
            raise WrongState("cohort_question.ambiguous", "More than one question fits.", f"One of: {some}.")
        if not found:
            raise WrongState("cohort_question.unknown", "There is no such question.", "See: lernode cohort result")
        return await exchanges.asked_together(tx, found[0])

    async def _receive(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        message = decode(incoming.message)
        row = await exchanges.find(tx, connection.id, message.thid, COHORT_COUNTS.protocol)
        if row is not None:
            step = machine.receive(COHORT_COUNTS.value(row), message)
            problem = step.exchange.problem
            await self._exchanges.apply(tx, COHORT_COUNTS, connection, row, step, error_code=problem)
        elif isinstance(message, Question):
            await self._answers.receive(tx, connection, message)
        else:
            raise PeerFault(
                "cohort_counts.unknown_thread", "The message names no known thread.", "Answer a question in its thread."
            )
