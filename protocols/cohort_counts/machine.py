"""Cohort Counts 1.0 as a state machine: a question, and one answer or refusal.

Whether a question is answered, a policy or a person decides; counting takes time, so it is a state of its own, and is
done outside. What an answer costs, whether it was given before, and the noise are left to the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec

from protocols.cohort_counts.messages import Answer, Counts, Decline, Question, Wanted
from protocols.errors import PeerFault, WrongState
from protocols.machine import Ask, Decision, NewId, Send, Step

__all__ = [
    "TRANSITIONS", "Event", "Exchange", "Role", "State", "answer", "ask", "begin", "decline", "receive",
    "receive_question",
]  # fmt: skip


class Role(StrEnum):
    """Who asks, and who is asked."""

    ASKER = "asker"
    ANSWERER = "answerer"


class State(StrEnum):
    """Where a question is."""

    START = "start"
    QUESTION_SENT = "question-sent"
    QUESTION_RECEIVED = "question-received"
    COUNTING = "counting"
    DONE = "done"
    ABANDONED = "abandoned"


class Event(StrEnum):
    """What moves an exchange."""

    SEND_QUESTION = "send question"
    RECEIVE_QUESTION = "receive question"
    BEGIN = "begin to count"
    SEND_ANSWER = "send answer"
    SEND_DECLINE = "send decline"
    RECEIVE_ANSWER = "receive answer"
    RECEIVE_DECLINE = "receive decline"


TRANSITIONS: Mapping[tuple[Role, State, Event], State] = MappingProxyType(
    {
        (Role.ASKER, State.START, Event.SEND_QUESTION): State.QUESTION_SENT,
        (Role.ASKER, State.QUESTION_SENT, Event.RECEIVE_ANSWER): State.DONE,
        (Role.ASKER, State.QUESTION_SENT, Event.RECEIVE_DECLINE): State.ABANDONED,
        (Role.ANSWERER, State.START, Event.RECEIVE_QUESTION): State.QUESTION_RECEIVED,
        (Role.ANSWERER, State.QUESTION_RECEIVED, Event.BEGIN): State.COUNTING,
        (Role.ANSWERER, State.QUESTION_RECEIVED, Event.SEND_ANSWER): State.DONE,
        (Role.ANSWERER, State.QUESTION_RECEIVED, Event.SEND_DECLINE): State.ABANDONED,
        (Role.ANSWERER, State.COUNTING, Event.SEND_ANSWER): State.DONE,
        (Role.ANSWERER, State.COUNTING, Event.SEND_DECLINE): State.ABANDONED,
    }
)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One question.

    Attributes:
        given: the answer, once there is one.
        problem: why there is none: the code of who declines.
        explain: the same in words; a peer's are for display, never trusted.
    """

    thid: str
    pthid: str | None = None
    role: Role
    state: State
    wanted: Wanted
    given: Counts | None = None
    problem: str | None = None
    explain: str = ""


def ask(wanted: Wanted, *, thid: str, new_id: NewId) -> Step[Exchange]:
    """As the asker: ask one peer; several that are asked the same share ``thid``, which is new for each question."""
    start = Exchange(thid=thid, role=Role.ASKER, state=State.START, wanted=wanted)
    return Step(_decided(start, Event.SEND_QUESTION), (Send(Question(new_id(), thid, wanted)),))


def receive_question(message: Question) -> Step[Exchange]:
    """As the answerer: somebody asks, and it is to be decided whether that is answered."""
    start = Exchange(thid=message.thid, role=Role.ANSWERER, state=State.START, wanted=message.wanted)
    return Step(_received(start, Event.RECEIVE_QUESTION), (Ask(Decision.ANSWER_QUESTION),))


def begin(exchange: Exchange) -> Step[Exchange]:
    """As the answerer: it will be answered; count.

    Raises:
        WrongState: ``cohort_counts.wrong_state``.
    """
    return Step(_decided(exchange, Event.BEGIN))


def answer(exchange: Exchange, given: Counts, *, new_id: NewId) -> Step[Exchange]:
    """As the answerer: tell the counts.

    Raises:
        WrongState: ``cohort_counts.wrong_state``.
    """
    moved = _decided(exchange, Event.SEND_ANSWER, given=given)
    return Step(moved, (Send(Answer(new_id(), exchange.thid, given)),))


def decline(exchange: Exchange, *, code: str, explain: str, new_id: NewId) -> Step[Exchange]:
    """As the answerer: refuse, and say why.

    Raises:
        WrongState: ``cohort_counts.wrong_state``.
    """
    moved = _decided(exchange, Event.SEND_DECLINE, problem=code, explain=explain)
    return Step(moved, (Send(Decline(new_id(), exchange.thid, code, explain)),))


def receive(exchange: Exchange, message: Question | Answer | Decline) -> Step[Exchange]:
    """What comes in a thread that there is already.

    Raises:
        PeerFault: ``cohort_counts.unexpected_message``; ``cohort_counts.other_counts`` where an answer has not one
            count for each skill, or one below its own threshold.
    """
    match message:
        case Answer():
            moved = _received(exchange, Event.RECEIVE_ANSWER, given=message.given)
            given = message.given
            is_whole = len(given.counts) == len(exchange.wanted.skills)
            if not is_whole or any(count is not None and count < given.threshold for count in given.counts):
                raise PeerFault(
                    "cohort_counts.other_counts",
                    "The answer is not one to the question.",
                    "Give a count for each skill.",
                )
            return Step(moved)
        case Decline():
            return Step(_received(exchange, Event.RECEIVE_DECLINE, problem=message.code, explain=message.explain))
        case Question():
            return Step(_received(exchange, Event.RECEIVE_QUESTION))


def _received(exchange: Exchange, event: Event, **changes: Any) -> Exchange:
    state = TRANSITIONS.get((exchange.role, exchange.state, event))
    if state is None:
        raise PeerFault(
            "cohort_counts.unexpected_message",
            "The message does not fit the state of its thread.",
            "See docs/cohorts.md of lernode.",
        )
    return msgspec.structs.replace(exchange, state=state, **changes)


def _decided(exchange: Exchange, event: Event, **changes: Any) -> Exchange:
    state = TRANSITIONS.get((exchange.role, exchange.state, event))
    if state is None:
        raise WrongState(
            "cohort_counts.wrong_state",
            "The question is not in a state that allows this.",
            "Look at its state and whose turn it is.",
        )
    return msgspec.structs.replace(exchange, state=state, **changes)
