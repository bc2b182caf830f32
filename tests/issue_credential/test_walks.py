"""Random walks of an issuer and a holder over a bad network: each credential once or none, and no waiting for ever."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.issue_credential import machine
from protocols.issue_credential.ld_proof import with_holder
from protocols.issue_credential.machine import TERMINAL, Exchange, Role, State
from protocols.issue_credential.messages import Ack, IssueCredentialMessage, decode
from protocols.machine import Step, StoreCredential, Verify
from tests.didcomm.helpers import ids
from tests.issue_credential.samples import HOLDER, detail, signed
from tests.lossy_network import Side, insist, join, settle, walk

Decisions = list[Callable[[], Step[Exchange]]]


def decisions(new_id: Callable[[], str], exchange: Exchange) -> Decisions:
    """What a person or policy could do now; the first brings the exchange on."""
    decline = partial(machine.decline, exchange, reason="no", new_id=new_id)
    match exchange.state:
        case State.PROPOSAL_RECEIVED:
            return [partial(machine.offer, *exchange.proposal, new_id=new_id, exchange=exchange), decline]
        case State.OFFER_RECEIVED:
            accept = partial(machine.request, exchange, new_id=new_id, holder_did=HOLDER)
            return [
                accept,
                accept,
                partial(machine.propose, *exchange.offer, new_id=new_id, exchange=exchange),
                decline,
            ]
        case State.REQUEST_RECEIVED:
            documents = map(signed, exchange.requested)
            return [partial(machine.issue, exchange, *documents, new_id=new_id)] * 3 + [decline]
        case State.CREDENTIAL_RECEIVED:
            return [partial(machine.credential_checked, exchange, ok=ok, new_id=new_id) for ok in (True, True, False)]
    return []


def willing(new_id: Callable[[], str], exchange: Exchange) -> Decisions:
    """Only what brings the exchange on."""
    return decisions(new_id, exchange)[:1]


def impatient(new_id: Callable[[], str], exchange: Exchange) -> Decisions:
    """As above, but who waits may also ask again, give up, or find that time is over."""
    waiting = {State.PROPOSAL_SENT, State.OFFER_SENT, State.REQUEST_SENT, State.CREDENTIAL_ISSUED}
    if exchange.state not in waiting:
        return decisions(new_id, exchange)
    issued = list(map(signed, exchange.requested))
    again = [partial(machine.resend, exchange, issued=issued)] * 3
    if exchange.state is State.CREDENTIAL_ISSUED:
        return again
    give_up = partial(machine.decline, exchange, reason="tired", new_id=new_id)
    return [*again, give_up, partial(machine.expire, exchange, new_id=new_id)]


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


def pair(*, dedupe: bool, start: str, count: int) -> tuple[Side, Side]:
    issuer, holder = node("issuer", dedupe=dedupe), node("holder", dedupe=dedupe)
    join(issuer, holder)
    first = ids("first")
    details = [detail(credential_id=f"urn:x:{number}") for number in range(count)]
    if start == "offer":
        issuer.commit(machine.offer(*details, new_id=first))
    elif start == "proposal":
        holder.commit(machine.propose(*details, new_id=first))
    else:
        holder.commit(machine.request_directly(*(with_holder(each, HOLDER) for each in details), new_id=first))
    return issuer, holder


@pytest.mark.parametrize("start", ["offer", "proposal", "request"])
@pytest.mark.parametrize("dedupe", [True, False])
@pytest.mark.parametrize("count", [1, 2])
@settings(max_examples=60)
@given(random=st.randoms(use_true_random=False), length=st.integers(0, 60), patient=st.booleans())
def test_whatever_happens_all_credentials_are_there_once_or_none_is_and_it_ends(
    start: str, count: int, dedupe: bool, random: Random, length: int, patient: bool
) -> None:
    issuer, holder = pair(dedupe=dedupe, start=start, count=count)
    if not patient:
        issuer.decisions, holder.decisions = partial(impatient, ids("i")), partial(impatient, ids("h"))
    walk((issuer, holder), random, steps=length)
    issuer.decisions, holder.decisions = partial(decisions, ids("i2")), partial(decisions, ids("h2"))
    settle((issuer, holder))
    states = (issuer.exchange.state, holder.exchange.state)
    assert set(states) <= TERMINAL
    assert len({message.id for message in issuer.sent(IssueCredentialMessage)}) <= 1
    is_done = holder.exchange.state is State.DONE
    assert len(holder.sent(Ack)) == is_done
    assert [effect.position for effect in holder.did(StoreCredential)] == (list(range(count)) if is_done else [])
    assert len(holder.did(Verify)) in (0, count)
    assert (issuer.exchange.role, holder.exchange.role) == (Role.ISSUER, Role.HOLDER)
    assert states[0] is states[1]


@pytest.mark.parametrize("start", ["offer", "proposal", "request"])
@pytest.mark.parametrize("count", [1, 3])
@settings(max_examples=40)
@given(random=st.randoms(use_true_random=False))
def test_a_bad_network_alone_never_prevents_the_credentials(start: str, count: int, random: Random) -> None:
    issuer, holder = pair(dedupe=False, start=start, count=count)
    for side, new_id in ((issuer, ids("i")), (holder, ids("h"))):
        side.decisions = partial(willing, new_id)
    walk((issuer, holder), random, steps=40)
    settle((issuer, holder))
    assert (issuer.exchange.state, holder.exchange.state) == (State.DONE, State.DONE)
    assert len(issuer.sent(IssueCredentialMessage)) == 1
    assert [effect.position for effect in holder.did(StoreCredential)] == list(range(count))


def issued_in(exchange: Exchange) -> list[dict[str, Any]]:
    return list(map(signed, exchange.requested)) if exchange.role is Role.ISSUER else []


@pytest.mark.parametrize("start", ["offer", "proposal", "request"])
@settings(max_examples=40)
@given(random=st.randoms(use_true_random=False))
def test_who_asks_again_gets_an_answer_that_was_lost_and_nothing_is_done_twice(start: str, random: Random) -> None:
    issuer, holder = pair(dedupe=True, start=start, count=2)
    for side, new_id in ((issuer, ids("i")), (holder, ids("h"))):
        side.decisions = partial(willing, new_id)
        side.answer_again = lambda exchange, message_id: machine.answer_again(
            exchange, message_id, issued=issued_in(exchange)
        )
    insist(
        (issuer, holder),
        random,
        lambda exchange: machine.resend(exchange, issued=issued_in(exchange)),
        is_over=lambda exchange: exchange.state in TERMINAL,
    )
    assert (issuer.exchange.state, holder.exchange.state) == (State.DONE, State.DONE)
    assert len({message.id for message in issuer.sent(IssueCredentialMessage)}) == 1
    assert [effect.position for effect in holder.did(StoreCredential)] == [0, 1]
    assert len(holder.did(Verify)) == 2
    assert issuer.faults == holder.faults == []
