"""DID Rotate (RFC 0794): a hangup is one message without an answer; a new DID waits for the other side's ack."""

from __future__ import annotations

import pytest

from protocols.did_rotate import machine
from protocols.did_rotate.machine import State
from protocols.did_rotate.messages import Hangup, decode
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import PeerFault, WrongState
from protocols.machine import Send
from tests.didcomm.helpers import ids

BASE = "https://didcomm.org/did-rotate/1.0"


def test_a_hangup_ends_both_sides_and_is_not_answered() -> None:
    step = machine.hang_up("completed", new_id=ids())
    (effect,) = step.effects
    assert isinstance(effect, Send)
    wire = effect.message.encode(Wire.V1)
    assert (step.exchange, wire.type, wire.body) == (State.ENDED, f"{BASE}/hangup", {})
    heard = machine.receive_hangup(decode(wire))
    assert (heard.exchange, heard.effects) == (State.ENDED, ())


@pytest.mark.parametrize("state", ["ended", "request-sent", "response-sent", "abandoned"])
def test_only_a_complete_connection_is_ended(state: str) -> None:
    with pytest.raises(WrongState) as caught:
        machine.hang_up(state, new_id=ids())
    assert caught.value.code == "did_rotate.wrong_state"


def test_what_a_hangup_says_besides_is_ignored() -> None:
    assert decode(PlainMessage(f"{BASE}/hangup", "1", "2", body={"to_did": 7})) == Hangup("1")


@pytest.mark.parametrize("name", ["2.0/rotate", "2.0/hangup", "1.0/hang-up"])
def test_what_is_no_message_of_the_protocol_is_refused(name: str) -> None:
    with pytest.raises(PeerFault) as caught:
        decode(PlainMessage(f"https://didcomm.org/did-rotate/{name}", "1", "1"))
    assert caught.value.code == "message.type"
