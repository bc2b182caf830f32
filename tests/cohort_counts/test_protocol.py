"""Cohort Counts: its messages on both wires, and what moves a question."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.cohort_counts import machine
from protocols.cohort_counts.machine import Exchange, Role, State
from protocols.cohort_counts.messages import (
    MAX_EPSILON,
    MIN_EPSILON,
    Answer,
    Counts,
    Decline,
    Question,
    Wanted,
    decode,
    epsilon_of,
    epsilon_text,
)
from protocols.didcomm.message import Wire
from protocols.errors import BadInput, LernodeError, PeerFault
from protocols.machine import Ask, Send

WANTED = Wanted(skills=("W", "B"), epsilon=500, most=2, purpose="To plan")
COUNTS = Counts(counts=(40, None), threshold=20, minimum=10, counted_at=1_700_000_000)
MESSAGES = (Question("1", "t", WANTED), Answer("2", "t", COUNTS), Decline("3", "t", "x.y", "why"))


def ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"m{next(numbers)}"


@pytest.mark.parametrize("wire", list(Wire), ids=lambda wire: wire.name)
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_is_read_as_it_was_written(message: Question | Answer | Decline, wire: Wire) -> None:
    assert decode(message.encode(wire)) == message


@given(st.integers(MIN_EPSILON, MAX_EPSILON))
def test_epsilon_is_read_as_it_is_written(thousandths: int) -> None:
    assert epsilon_of(epsilon_text(thousandths)) == thousandths


@pytest.mark.parametrize("text", ["", "0", "0.009", "10.001", "-1", "1e3", "1.", ".5", "0.0001", "nan", "١"])
def test_what_is_no_epsilon_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        epsilon_of(text)


def asked() -> Exchange:
    return machine.ask(WANTED, thid="t", new_id=ids()).exchange


def received() -> Exchange:
    step = machine.receive_question(Question("1", "t", WANTED))
    assert [type(effect) for effect in step.effects] == [Ask]
    return step.exchange


def test_a_question_is_counted_and_answered() -> None:
    counting = machine.begin(received()).exchange
    step = machine.answer(counting, COUNTS, new_id=ids())
    assert (step.exchange.state, step.exchange.given) == (State.DONE, COUNTS)
    (sent,) = step.effects
    assert isinstance(sent, Send)
    assert isinstance(sent.message, Answer)
    done = machine.receive(asked(), sent.message).exchange
    assert (done.role, done.state, done.given) == (Role.ASKER, State.DONE, COUNTS)


def test_a_question_is_declined() -> None:
    step = machine.decline(received(), code="cohort.not_allowed", explain="No.", new_id=ids())
    (sent,) = step.effects
    assert isinstance(sent, Send)
    assert isinstance(sent.message, Decline)
    over = machine.receive(asked(), sent.message).exchange
    assert (over.state, over.problem, over.explain) == (State.ABANDONED, "cohort.not_allowed", "No.")


@pytest.mark.parametrize(
    "counts",
    [(40,), (40, None, None), (40, 19)],
    ids=["too few", "too many", "below its own threshold"],
)
def test_an_answer_that_does_not_fit_its_question_is_refused(counts: tuple[int | None, ...]) -> None:
    given = Counts(counts=counts, threshold=20, minimum=10, counted_at=1)
    with pytest.raises(PeerFault) as caught:
        machine.receive(asked(), Answer("2", "t", given))
    assert caught.value.code == "cohort_counts.other_counts"


@given(st.lists(st.sampled_from(["begin", "answer", "decline", *MESSAGES]), max_size=6), st.booleans())
def test_whatever_comes_a_question_ends_once_and_stays_so(steps: list[object], is_asker: bool) -> None:
    exchange, sent = (asked() if is_asker else received()), 0
    for each in steps:
        before = exchange
        try:
            if each == "begin":
                step = machine.begin(exchange)
            elif each == "answer":
                step = machine.answer(exchange, COUNTS, new_id=ids())
            elif each == "decline":
                step = machine.decline(exchange, code="x.y", explain="", new_id=ids())
            else:
                assert isinstance(each, Question | Answer | Decline)
                step = machine.receive(exchange, each)
        except LernodeError:
            assert exchange == before
            continue
        assert before.state not in {State.DONE, State.ABANDONED}
        exchange, sent = step.exchange, sent + len(step.effects)
    assert sent <= 1
