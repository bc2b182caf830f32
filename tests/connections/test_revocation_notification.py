"""Revocation Notification (RFC 0183, RFC 0721): every step of the table, and every field missing or mistyped."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from protocols.didcomm import codec_v1, problem_report
from protocols.didcomm.ack import Ack, AckStatus
from protocols.didcomm.message import AckOn, PlainMessage, Wire
from protocols.errors import PeerFault
from protocols.machine import Expires, Send, Step, Verify
from protocols.revocation_notification import machine
from protocols.revocation_notification.machine import EXPIRED, NOT_REVOKED, TRANSITIONS, Event, Exchange, Role, State
from protocols.revocation_notification.messages import LD_PROOF_VC, Named, Revoke, decode
from tests.didcomm.helpers import ids

BASE = "https://didcomm.org/revocation_notification"
BY_THREAD = Named(thread_id="0b1c")
BY_FORMAT = Named(revocation_format=LD_PROOF_VC, credential_id="urn:uuid:0b1c")
RECORD = {"id": "urn:uuid:0b1c"}


def sent(step: Step[Any]) -> PlainMessage:
    (effect,) = step.effects
    assert isinstance(effect, Send)
    return codec_v1.decode(codec_v1.encode(effect.message.encode(Wire.V1)))


@pytest.mark.parametrize(("named", "major"), [(BY_THREAD, 1), (BY_FORMAT, 2)])
def test_a_notice_goes_to_the_holder_and_its_ack_comes_back(named: Named, major: int) -> None:
    told = machine.notify(named, new_id=ids("a"))
    wire = sent(told)
    assert wire.type == f"{BASE}/{major}.0/revoke"
    revoke = decode(wire)
    assert isinstance(revoke, Revoke)
    assert (revoke.record, revoke.please_ack) == (named, {AckOn.OUTCOME})
    taken = machine.receive_revoke(revoke, RECORD)
    assert taken.effects == (Verify(RECORD),)
    seen = machine.status_checked(taken.exchange, problem=None, new_id=ids("b"))
    ack = decode(sent(seen))
    assert isinstance(ack, Ack)
    assert (seen.exchange.state, machine.receive_ack(told.exchange, ack).exchange.state) == (State.DONE, State.DONE)


def test_an_outcome_that_nobody_wants_is_not_told() -> None:
    taken = machine.receive_revoke(Revoke("1", "1", BY_FORMAT), RECORD)
    for problem in (None, NOT_REVOKED):
        assert machine.status_checked(taken.exchange, problem=problem, new_id=ids()).effects == ()


def test_a_record_that_is_not_revoked_is_a_problem_that_the_issuer_hears_of() -> None:
    taken = machine.receive_revoke(Revoke("1", "1", BY_FORMAT, please_ack=frozenset({AckOn.OUTCOME})), RECORD)
    ended = machine.status_checked(taken.exchange, problem=NOT_REVOKED, new_id=ids())
    report = problem_report.decode(sent(ended))
    assert (ended.exchange.state, ended.exchange.problem) == (State.ABANDONED, NOT_REVOKED)
    assert (report.thid, report.code) == ("1", NOT_REVOKED)


def test_an_ack_that_promises_or_repeats_changes_nothing() -> None:
    told = machine.notify(BY_FORMAT, new_id=ids()).exchange
    assert machine.receive_ack(told, Ack("2", told.thid, AckStatus.PENDING)) == Step(told)
    done = machine.receive_ack(told, Ack("3", told.thid)).exchange
    assert machine.receive_ack(done, Ack("4", told.thid)) == Step(done)


def test_a_notice_that_nobody_acknowledges_is_given_up_and_a_late_ack_still_counts() -> None:
    told = machine.notify(BY_FORMAT, new_id=ids("a"), until=1_800_000_000)
    assert told.effects[1:] == (Expires(1_800_000_000),)
    over = machine.give_up(told.exchange)
    assert (over.exchange.state, over.exchange.problem, over.effects) == (State.ABANDONED, EXPIRED, ())
    heard = machine.receive_ack(over.exchange, Ack("3", told.exchange.thid)).exchange
    assert (heard.state, heard.problem) == (State.DONE, None)


STEPS = {
    Event.GIVE_UP: machine.give_up,
    Event.RECEIVE_ACK: lambda exchange: machine.receive_ack(exchange, Ack("9", exchange.thid)),
    Event.SEE_REVOKED: lambda exchange: machine.status_checked(exchange, problem=None, new_id=ids()),
    Event.SEE_NOT_REVOKED: lambda exchange: machine.status_checked(exchange, problem=NOT_REVOKED, new_id=ids()),
}


@pytest.mark.parametrize(("role", "state", "event"), list(product(Role, State, STEPS)))
def test_a_step_is_taken_where_the_table_has_it_and_refused_elsewhere(role: Role, state: State, event: Event) -> None:
    exchange = Exchange(thid="1", role=role, state=state, record=BY_FORMAT)
    if (role, state, event) in TRANSITIONS:
        assert STEPS[event](exchange).exchange.state is TRANSITIONS[role, state, event]
    elif (role, state, event) == (Role.ISSUER, State.DONE, Event.RECEIVE_ACK):
        assert STEPS[event](exchange) == Step(exchange)
    else:
        with pytest.raises(PeerFault) as caught:
            STEPS[event](exchange)
        assert caught.value.code == "revocation_notification.unexpected_message"


def test_the_sample_of_the_rfc_is_read() -> None:
    sample = {
        "@type": "https://didcomm.org/revocation_notification/2.0/revoke",
        "@id": "1",
        "~please_ack": ["RECEIPT", "OUTCOME"],
        "revocation_format": "indy-anoncreds",
        "credential_id": "AsB27X6KRrJFsqZ3unNAH6:4:tag::1",
        "comment": "Some comment",
    }
    revoke = decode(codec_v1.decode_object(sample))
    assert isinstance(revoke, Revoke)
    assert revoke.please_ack == {AckOn.RECEIPT, AckOn.OUTCOME}
    assert (revoke.record.revocation_format, revoke.comment) == ("indy-anoncreds", "Some comment")


GOOD = {"1.0": {"thread_id": "1"}, "2.0": {"revocation_format": "x", "credential_id": "y"}}
FIELDS = [(version, field) for version, body in GOOD.items() for field in (*body, "comment")]


@pytest.mark.parametrize(("version", "field"), FIELDS)
@pytest.mark.parametrize("wrong", [None, 1, True, [], {}, "x" * 5000])
def test_a_field_that_is_missing_mistyped_or_too_long_is_refused(version: str, field: str, wrong: Any) -> None:
    message = PlainMessage(f"{BASE}/{version}/revoke", "1", "1", body={**GOOD[version], field: wrong})
    if field == "comment" and wrong is None:
        assert isinstance(decode(message), Revoke)
        return
    with pytest.raises(PeerFault) as caught:
        decode(message)
    assert caught.value.code == "message.malformed"


@pytest.mark.parametrize("thread_id", ["", "a b", "\N{SNOWMAN}"])
def test_what_is_no_thread_is_refused(thread_id: str) -> None:
    with pytest.raises(PeerFault):
        decode(PlainMessage(f"{BASE}/1.0/revoke", "1", "1", body={"thread_id": thread_id}))


@pytest.mark.parametrize("name", ["1.0/unrevoke", "3.0/revoke", "2.0/hello"])
def test_what_is_no_message_of_the_protocol_is_refused(name: str) -> None:
    with pytest.raises(PeerFault) as caught:
        decode(PlainMessage(f"{BASE}/{name}", "1", "1", body=GOOD["2.0"]))
    assert caught.value.code == "message.type"
