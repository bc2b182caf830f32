"""Trust ping (RFC 0048): answered once, and only where an answer is wanted."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import PeerFault
from protocols.machine import Send
from protocols.trust_ping import machine
from protocols.trust_ping.machine import State
from protocols.trust_ping.messages import Ping, PingResponse, decode
from tests.didcomm.helpers import ids

PING = "https://didcomm.org/trust_ping/1.0/ping"
RESPONSE = "https://didcomm.org/trust_ping/1.0/ping_response"


def sent(step: Any) -> PlainMessage:
    (effect,) = step.effects
    assert isinstance(effect, Send)
    return effect.message.encode(Wire.V1)


def test_a_ping_is_answered_in_its_thread() -> None:
    asked = machine.ping(new_id=ids("a"), comment="Hi")
    ping = decode(sent(asked))
    assert isinstance(ping, Ping)
    assert ping.comment == "Hi"
    answered = machine.receive_ping(ping, new_id=ids("b"))
    response = decode(sent(answered))
    assert isinstance(response, PingResponse)
    done = machine.receive_response(asked.exchange, response)
    assert (asked.exchange.state, answered.exchange.state) == (State.PING_SENT, State.DONE)
    assert (done.exchange.state, done.effects) == (State.DONE, ())
    with pytest.raises(PeerFault) as caught:
        machine.receive_response(done.exchange, response)
    assert caught.value.code == "trust_ping.unexpected_message"


def test_a_ping_that_wants_no_answer_gets_none() -> None:
    asked = machine.ping(new_id=ids(), response_requested=False)
    ping = decode(sent(asked))
    assert isinstance(ping, Ping)
    assert machine.receive_ping(ping, new_id=ids()).effects == ()
    with pytest.raises(PeerFault):
        machine.receive_response(asked.exchange, PingResponse("9", asked.exchange.thid))


def test_a_response_to_another_ping_is_refused() -> None:
    asked = machine.ping(new_id=ids())
    with pytest.raises(PeerFault) as caught:
        machine.receive_response(asked.exchange, PingResponse("9", "other"))
    assert caught.value.code == "trust_ping.wrong_thread"


def test_an_answer_is_wanted_where_nothing_is_said() -> None:
    assert decode(PlainMessage(PING, "1", "1")) == Ping("1", "1", response_requested=True)


@pytest.mark.parametrize("type_uri", [PING, RESPONSE])
@pytest.mark.parametrize("body", [{"comment": 1}, {"comment": []}, {"comment": "x" * 5000}])
def test_bad_comments_are_refused(type_uri: str, body: dict[str, Any]) -> None:
    with pytest.raises(PeerFault) as caught:
        decode(PlainMessage(type_uri, "2", "1", body=body))
    assert caught.value.code == "message.malformed"


@pytest.mark.parametrize("wrong", ["true", 1, 0, [], {}])
def test_a_mistyped_wish_is_refused(wrong: Any) -> None:
    with pytest.raises(PeerFault):
        decode(PlainMessage(PING, "1", "1", body={"response_requested": wrong}))


@pytest.mark.parametrize(
    "message",
    [
        PlainMessage(RESPONSE, "1", "1"),
        PlainMessage("https://didcomm.org/trust_ping/2.0/ping", "1", "1"),
        PlainMessage("https://didcomm.org/trust_ping/1.0/pong", "1", "1"),
    ],
)
def test_what_is_no_ping_is_refused(message: PlainMessage) -> None:
    with pytest.raises(PeerFault):
        decode(message)
