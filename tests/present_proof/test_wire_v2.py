"""Present Proof 3.0: the messages of 2.0 over DIDComm v2, and what is malformed there is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocols.didcomm import codec
from protocols.didcomm.message import AckOn, PlainMessage, Wire
from protocols.errors import PeerFault
from protocols.machine import Send, Step
from protocols.present_proof import machine
from protocols.present_proof.machine import State
from protocols.present_proof.messages import (
    DEFINITION_FORMAT,
    SUBMISSION_FORMAT,
    Ack,
    Message,
    Presentation,
    ProblemReport,
    ProposePresentation,
    decode,
)
from tests.didcomm.helpers import ids
from tests.present_proof.samples import CHALLENGE, DEFINITION, DOMAIN, presentation
from tests.present_proof.test_messages import EVERY_MESSAGE

new_id = ids()

OF_THE_PROTOCOL = [message for message in EVERY_MESSAGE if not isinstance(message, Ack | ProblemReport)]


def carried(message: Any) -> PlainMessage:
    return codec.decode(codec.encode(message.encode(Wire.V2)), Wire.V2)


@pytest.mark.parametrize("message", OF_THE_PROTOCOL, ids=lambda m: type(m).__name__)
def test_what_is_written_is_read_as_the_same(message: Message) -> None:
    plain = carried(message)
    assert decode(plain) == message
    assert plain.type.startswith("https://didcomm.org/present-proof/3.0/")
    assert not [name for name in plain.body if "~" in name or name == "formats"]
    assert {attachment["format"] for attachment in plain.attachments} <= {DEFINITION_FORMAT, SUBMISSION_FORMAT}


def test_an_ack_is_asked_for_as_v2_asks() -> None:
    assert carried(EVERY_MESSAGE[2]).please_ack == {AckOn.RECEIPT}
    read = decode(carried(Presentation(id="m", thid="t", document={"type": "x"})))
    assert isinstance(read, Presentation)
    assert not read.wants_ack


REQUEST = codec.encode_object(EVERY_MESSAGE[1].encode(Wire.V2))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"attachments": []}, "present_proof.malformed"),
        ({"attachments": REQUEST["attachments"] * 2}, "present_proof.malformed"),
        ({"attachments": [{**REQUEST["attachments"][0], "format": "hlindy/proof-req@v2.0"}]},
         "present_proof.unsupported_format"),
        ({"attachments": [{**REQUEST["attachments"][0], "data": {"json": {"options": 1}}}]}, "present_proof.malformed"),
        ({"attachments": [{**REQUEST["attachments"][0], "data": {"json": {"presentation_definition": {}}}}]},
         "present_proof.malformed"),
        ({"body": {"will_confirm": "yes"}}, "present_proof.malformed"),
        ({"body": {"comment": 7}}, "present_proof.malformed"),
        ({"type": "https://didcomm.org/present-proof/2.0/request-presentation"}, "message.type"),
        ({"type": "https://didcomm.org/present-proof/3.0/odd"}, "message.type"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(PeerFault) as caught:
        decode(codec.decode(json.dumps(REQUEST | changes).encode(), Wire.V2))
    assert caught.value.code == code


def sent(step: Step[Any]) -> Message:
    (message,) = [effect.message for effect in step.effects if isinstance(effect, Send)]
    return decode(carried(message))


def test_a_presentation_is_asked_for_shown_and_acknowledged() -> None:
    asked = machine.request(DEFINITION, challenge=CHALLENGE, domain=DOMAIN, will_confirm=True, new_id=new_id)
    prover = machine.receive(None, sent(asked), new_id=new_id)
    shown = machine.present(prover.exchange, presentation(), new_id=new_id)
    verifier = machine.receive(asked.exchange, sent(shown), new_id=new_id)
    accepted = machine.presentation_checked(verifier.exchange, verified=True, new_id=new_id)
    done = machine.receive(shown.exchange, sent(accepted), new_id=new_id)
    assert (accepted.exchange.state, done.exchange.state) == (State.DONE, State.DONE)


def test_a_proposal_without_anything_attached_begins_an_exchange() -> None:
    proposal = sent(machine.propose(None, new_id=new_id))
    assert isinstance(proposal, ProposePresentation)
    assert machine.receive(None, proposal, new_id=new_id).exchange.state is State.PROPOSAL_RECEIVED
