"""Random walks of a verifier and a prover over a bad network: one presentation at most, and nobody waits for ever."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.machine import Step, Verify
from protocols.present_proof import machine
from protocols.present_proof.machine import TERMINAL, Exchange, State
from protocols.present_proof.messages import Ack, Presentation, decode
from tests.didcomm.helpers import ids
from tests.lossy_network import Side, insist, join, settle, walk
from tests.present_proof.samples import DEFINITION, DOMAIN, presentation

Decisions = list[Callable[[], Step[Exchange]]]


def ask(new_id: Callable[[], str], exchange: Exchange | None, *, will_confirm: bool) -> Step[Exchange]:
    return machine.request(
        DEFINITION,
        challenge=new_id(),
        domain=DOMAIN,
        will_confirm=will_confirm,
        exchange=exchange,
        new_id=new_id,
    )


def decisions(new_id: Callable[[], str], exchange: Exchange) -> Decisions:
    """What a person or policy could do now; the first brings the exchange on."""
    decline = partial(machine.decline, exchange, reason="no", new_id=new_id)
    match exchange.state:
        case State.PROPOSAL_RECEIVED:
            return [partial(ask, new_id, exchange, will_confirm=confirm) for confirm in (True, False)] + [decline]
        case State.REQUEST_RECEIVED:
            document = presentation(challenge=exchange.challenge)
            share = partial(machine.present, exchange, document, new_id=new_id)
            return [share, share, partial(machine.propose, DEFINITION, new_id=new_id, exchange=exchange), decline]
        case State.PRESENTATION_RECEIVED:
            return [partial(machine.presentation_checked, exchange, verified=v, new_id=new_id) for v in (True, False)]
    return []


def willing(new_id: Callable[[], str], exchange: Exchange) -> Decisions:
    """Only what brings the exchange on."""
    return decisions(new_id, exchange)[:1]


def impatient(new_id: Callable[[], str], exchange: Exchange) -> Decisions:
    """As :func:`decisions`, but who waits may also ask again, give up, or find that time is over."""
    waiting = {State.PROPOSAL_SENT, State.REQUEST_SENT, State.PRESENTATION_SENT}
    if exchange.state not in waiting:
        return decisions(new_id, exchange)
    give_up = partial(machine.decline, exchange, reason="tired", new_id=new_id)
    return [*[partial(machine.resend, exchange)] * 3, give_up, partial(machine.expire, exchange, new_id=new_id)]


def node(name: str, *, dedupe: bool) -> Side:
    new_id = ids(name)

    def receive(exchange: Exchange | None, plain: Any) -> Step[Exchange]:
        return machine.receive(exchange, decode(plain), new_id=new_id)

    return Side(
        receive=receive,
        decisions=partial(decisions, new_id),
        encode=msgspec.json.encode,
        decode=partial(msgspec.json.decode, type=Exchange),
        dedupe=dedupe,
    )


def pair(*, dedupe: bool, start: str, will_confirm: bool) -> tuple[Side, Side]:
    verifier, prover = node("verifier", dedupe=dedupe), node("prover", dedupe=dedupe)
    join(verifier, prover)
    first = ids("first")
    if start == "request":
        verifier.commit(ask(first, None, will_confirm=will_confirm))
    else:
        prover.commit(machine.propose(DEFINITION, new_id=first))
    return verifier, prover


@pytest.mark.parametrize("start", ["request", "proposal"])
@pytest.mark.parametrize("dedupe", [True, False])
@settings(max_examples=100)
@given(
    random=st.randoms(use_true_random=False),
    length=st.integers(0, 60),
    patient=st.booleans(),
    will_confirm=st.booleans(),
)
def test_whatever_happens_there_is_one_presentation_at_most_and_an_end(
    start: str, dedupe: bool, random: Random, length: int, patient: bool, will_confirm: bool
) -> None:
    verifier, prover = pair(dedupe=dedupe, start=start, will_confirm=will_confirm)
    if not patient:
        verifier.decisions, prover.decisions = partial(impatient, ids("v")), partial(impatient, ids("p"))
    walk((verifier, prover), random, steps=length)
    verifier.decisions, prover.decisions = partial(decisions, ids("v2")), partial(decisions, ids("p2"))
    settle((verifier, prover))
    assert {verifier.exchange.state, prover.exchange.state} <= TERMINAL
    assert len({message.id for message in prover.sent(Presentation)}) <= 1
    assert len(verifier.did(Verify)) <= 1
    accepted = verifier.exchange.state is State.DONE
    assert accepted == (verifier.exchange.verified is True)
    assert len(verifier.sent(Ack)) == (accepted and verifier.exchange.will_confirm)


@pytest.mark.parametrize("start", ["request", "proposal"])
@settings(max_examples=40)
@given(random=st.randoms(use_true_random=False), will_confirm=st.booleans())
def test_a_bad_network_alone_never_prevents_the_proof(start: str, random: Random, will_confirm: bool) -> None:
    verifier, prover = pair(dedupe=False, start=start, will_confirm=will_confirm)
    verifier.decisions, prover.decisions = partial(willing, ids("v")), partial(willing, ids("p"))
    walk((verifier, prover), random, steps=40)
    settle((verifier, prover))
    assert (verifier.exchange.state, prover.exchange.state) == (State.DONE, State.DONE)
    assert verifier.exchange.verified is True
    assert len(verifier.did(Verify)) == len(prover.sent(Presentation)) == 1


@pytest.mark.parametrize("start", ["request", "proposal"])
@settings(max_examples=40)
@given(random=st.randoms(use_true_random=False), will_confirm=st.booleans())
def test_who_asks_again_gets_an_answer_that_was_lost_and_nothing_is_done_twice(
    start: str, random: Random, will_confirm: bool
) -> None:
    verifier, prover = pair(dedupe=True, start=start, will_confirm=will_confirm)
    verifier.decisions, prover.decisions = partial(willing, ids("v")), partial(willing, ids("p"))
    verifier.answer_again = prover.answer_again = machine.answer_again
    insist((verifier, prover), random, machine.resend, is_over=lambda exchange: exchange.state in TERMINAL)
    assert (verifier.exchange.state, prover.exchange.state) == (State.DONE, State.DONE)
    assert verifier.exchange.verified is True
    assert len(verifier.did(Verify)) == 1
    assert len({message.id for message in prover.sent(Presentation)}) == 1
    assert verifier.faults == prover.faults == []
