"""Issue Credential 3.0: the machine of 2.0 over DIDComm v2, and what is malformed there is refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.didcomm import codec, problem_report
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import LernodeError, PeerFault
from protocols.issue_credential import machine
from protocols.issue_credential.ld_proof import DETAIL_FORMAT, VC_FORMAT
from protocols.issue_credential.machine import State
from protocols.issue_credential.messages import Ack, Message, OfferCredential, decode
from protocols.machine import Send, Step
from tests.didcomm.helpers import ids
from tests.issue_credential.samples import HOLDER, detail, signed
from tests.issue_credential.test_messages import ATTACHING

new_id = ids()


def carried(message: Any) -> PlainMessage:
    return codec.decode(codec.encode(message.encode(Wire.V2)), Wire.V2)


def sent(step: Step[Any]) -> Message:
    """What the step sends, as the other side reads it."""
    (message,) = [effect.message for effect in step.effects if isinstance(effect, Send)]
    return decode(carried(message))


def test_a_credential_is_offered_requested_issued_and_acknowledged() -> None:
    offered = machine.offer(detail(), new_id=new_id)
    holder = machine.receive(None, sent(offered), new_id=new_id)
    requested = machine.request(holder.exchange, new_id=new_id, holder_did=HOLDER)
    issuer = machine.receive(offered.exchange, sent(requested), new_id=new_id)
    issued = machine.issue(issuer.exchange, *map(signed, issuer.exchange.requested), new_id=new_id)
    holder = machine.receive(requested.exchange, sent(issued), new_id=new_id)
    stored = machine.credential_checked(holder.exchange, ok=True, new_id=new_id)
    acknowledged = sent(stored)
    assert isinstance(acknowledged, Ack)
    done = machine.receive(issued.exchange, acknowledged, new_id=new_id)
    assert (stored.exchange.state, done.exchange.state) == (State.DONE, State.DONE)


def test_a_decline_ends_the_exchange_of_the_other_side() -> None:
    offered = machine.offer(detail(), new_id=new_id)
    holder = machine.receive(None, sent(offered), new_id=new_id)
    declined = machine.decline(holder.exchange, reason="No, thanks.", new_id=new_id)
    (effect,) = declined.effects
    assert isinstance(effect, Send)
    report = problem_report.decode(carried(effect.message))
    assert report.thid == offered.exchange.thid
    assert machine.receive(offered.exchange, report, new_id=new_id).exchange.state is State.ABANDONED


@pytest.mark.parametrize("message", ATTACHING, ids=lambda m: type(m).__name__)
def test_what_is_written_is_read_as_the_same(message: Message) -> None:
    plain = carried(message)
    assert decode(plain) == message
    assert plain.type.startswith("https://didcomm.org/issue-credential/3.0/")
    assert not [name for name in plain.body if "~" in name or name == "formats"]
    (attachment,) = plain.attachments
    assert attachment["format"] in {DETAIL_FORMAT, VC_FORMAT}


OFFER = codec.encode_object(ATTACHING[1].encode(Wire.V2))


def refusal(raw: dict[str, Any]) -> str:
    with pytest.raises(PeerFault) as caught:
        decode(codec.decode(json.dumps(raw).encode(), Wire.V2))
    return caught.value.code


@pytest.mark.parametrize(
    ("attachments", "code"),
    [
        (None, "issue_credential.malformed"),
        ([], "issue_credential.malformed"),
        (OFFER["attachments"] * 2, "issue_credential.malformed"),
        ([{**OFFER["attachments"][0], "format": "dif/cm@v1.0"}], "issue_credential.unsupported_format"),
        ([{**OFFER["attachments"][0], "format": 7}], "issue_credential.unsupported_format"),
        ([{**OFFER["attachments"][0], "data": {}}], "attachment.malformed"),
        ([{**OFFER["attachments"][0], "data": {"json": []}}], "issue_credential.malformed"),
        ([{**OFFER["attachments"][0], "data": {"json": {}}}], "issue_credential.malformed"),
        ([{**OFFER["attachments"][0], "data": {"links": ["https://x.example"]}}], "attachment.not_embedded"),
        ([{"data": {"json": {}}}] * 17, "issue_credential.malformed"),
    ],
)  # fmt: skip
def test_attachments_that_are_missing_or_of_no_use_are_refused(attachments: Any, code: str) -> None:
    assert refusal({**OFFER, "attachments": attachments}) == code


def test_the_same_content_for_other_readers_is_passed_over() -> None:
    other = {"id": "m", "format": "dif/credential-manifest@v1.0", "data": {"json": {"odd": True}}}
    raw = {**OFFER, "attachments": [other, *OFFER["attachments"]]}
    assert isinstance(decode(codec.decode(json.dumps(raw).encode(), Wire.V2)), OfferCredential)


@pytest.mark.parametrize("version", ["2.0", "4.0"])
def test_another_version_is_refused(version: str) -> None:
    other = f"https://didcomm.org/issue-credential/{version}/offer-credential"
    assert refusal({**OFFER, "type": other}) == "message.type"
    assert refusal({**OFFER, "type": "https://didcomm.org/issue-credential/3.0/odd"}) == "message.type"


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({})


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, inner in items for place in places(inner, (*path, name)))]


@settings(max_examples=300)
@given(number=st.integers(0, 3), data=st.data(), value=VALUES)
def test_a_member_mistyped_anywhere_is_read_or_refused_with_a_code(number: int, data: Any, value: Any) -> None:
    raw = copy.deepcopy(codec.encode_object(ATTACHING[number].encode(Wire.V2)))
    place = data.draw(st.sampled_from(places(raw)[1:]))
    node = raw
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value
    try:
        decode(codec.decode(json.dumps(raw).encode(), Wire.V2))
    except LernodeError as error:
        assert error.code.split(".")[0] in {"message", "issue_credential", "attachment", "json"}
