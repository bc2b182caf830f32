"""Out-of-band invitations (RFC 0434): links, what is refused, and reuse of a connection."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.did import peer4
from protocols.did.document import Service
from protocols.didcomm import codec_v1
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import BadInput, LernodeError, PeerFault
from protocols.machine import Send
from protocols.out_of_band import machine
from protocols.out_of_band.link import MAX_TEXT_BYTES, from_text, to_link
from protocols.out_of_band.machine import Exchange, Role, State
from protocols.out_of_band.messages import HandshakeReuse, HandshakeReuseAccepted, Invitation, decode
from tests.didcomm.helpers import ids, key

COLLEGE = key("college")
DID = peer4.create(COLLEGE.public, endpoint="https://college.example/didcomm")
INLINE = Service(
    id="#inline",
    type="did-communication",
    endpoint="https://college.example/didcomm",
    recipient_keys=(COLLEGE.verkey,),
    routing_keys=(key("mediator").verkey,),
    accept=(),
    priority=0,
)
INVITATION = Invitation(
    id="c5aec461-c866-40d1-8993-6e6d4e49b2bc",
    services=(INLINE, DID),
    label="Faber College — Schülerbüro",
    goal_code="issue-vc",
    goal="To issue a record",
    handshake_protocols=("https://didcomm.org/didexchange/1.1", "https://didcomm.org/didexchange/1.0"),
    requests=(Attachment.of_json({"@type": "https://didcomm.org/trust_ping/1.0/ping", "@id": "p"}, id="request-0"),),
)
# The example of RFC 0434 §Example Out-of-Band Message Encoding, of minor version 0.
RFC_JSON = (
    '{"@type":"https://didcomm.org/out-of-band/1.0/invitation","@id":"69212a3a-d068-4f9d-a2dd-4741bca89af3",'
    '"label":"Faber College","goal_code":"issue-vc","goal":"To issue a Faber College Graduate credential",'
    '"handshake_protocols":["https://didcomm.org/didexchange/1.0","https://didcomm.org/connections/1.0"],'
    '"services":["did:sov:LjgpST2rjsoxYegQDRm7EL"]}'
)


def raw() -> dict[str, Any]:
    return json.loads(codec_v1.encode(INVITATION.encode(Wire.V1)))


@pytest.mark.parametrize(
    "base_url",
    ["https://college.example/in", "http://127.0.0.1:8001", "https://a.example/x?lang=de", "didcomm://invite/x"],
)
def test_an_invitation_survives_its_link(base_url: str) -> None:
    link = to_link(INVITATION, base_url)
    assert link.startswith(base_url)
    assert link.isascii()
    assert "=" not in link.partition("oob=")[2]
    assert from_text(f"  {link}\n") == INVITATION


@settings(max_examples=50)
@given(
    label=st.text(st.characters(exclude_categories=["Cs"]), max_size=256),
    goal=st.none() | st.text(min_size=1, max_size=50),
)
def test_any_label_survives_its_link(label: str, goal: str | None) -> None:
    invitation = replace(INVITATION, label=label, goal=goal)
    try:
        link = to_link(invitation, "https://college.example/in")
    except BadInput as error:
        assert error.code == "message.unencodable"
    else:
        assert from_text(link) == invitation


def test_the_rfcs_example_is_read_in_every_form() -> None:
    padded = base64.urlsafe_b64encode(RFC_JSON.encode()).decode()
    unpadded = padded.rstrip("=")
    read = [
        from_text(text)
        for text in (
            RFC_JSON, padded, unpadded, f"https://example.com/ssi?oob={padded}", f"http://example.com/ssi?oob={unpadded}",
            f"https://example.com/ssi?promo=1&oob={unpadded}#x", f"didcomm://?oob={unpadded}",
        )
    ]  # fmt: skip
    assert {invitation.id for invitation in read} == {"69212a3a-d068-4f9d-a2dd-4741bca89af3"}
    assert len(set(read)) == 1
    assert read[0].services == ("did:sov:LjgpST2rjsoxYegQDRm7EL",)
    assert (read[0].label, read[0].goal_code, read[0].accept) == ("Faber College", "issue-vc", ())


def test_inline_keys_are_written_as_did_key_and_read_with_a_fragment_too() -> None:
    written = raw()
    did_key = written["services"][0]["recipientKeys"][0]
    assert did_key == f"did:key:{COLLEGE.multikey}"
    written["services"][0]["recipientKeys"] = [f"{did_key}#{COLLEGE.multikey}"]
    del written["services"][0]["type"]
    read = from_text(json.dumps(written))
    assert read.inline_recipient_keys == (COLLEGE.verkey,)
    assert read.services[0] == INLINE


def test_services_for_other_protocols_are_passed_over() -> None:
    written = raw()
    written["services"].insert(0, {"id": "#x", "type": "LinkedDomains", "serviceEndpoint": "https://x.example"})
    assert from_text(json.dumps(written)).services == INVITATION.services


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invitation.malformed"), ("   ", "invitation.malformed"), ("hello", "invitation.malformed"),
        ("{", "invitation.malformed"), ("[]", "invitation.malformed"), ("https://a.example/x", "invitation.no_oob"),
        ("https://a.example/x?oob=", "invitation.no_oob"), ("https://a.example/x?oob=AA&oob=AA", "invitation.no_oob"),
        ("https://a.example/x?oob=%00", "invitation.malformed"), ("https://[a/x?oob=AA", "invitation.malformed"),
        ("https://a.example/x?" + "a=b&" * 50 + "oob=AA", "invitation.malformed"),
        ("{\udcff}", "invitation.malformed"), ("\udcff", "invitation.malformed"),
        ("x" * (MAX_TEXT_BYTES + 1), "invitation.too_large"),
        ('{"@type":"https://didcomm.org/trust_ping/1.0/ping","@id":"1"}', "invitation.malformed"),
        ('{"@type":"https://didcomm.org/out-of-band/2.0/invitation","@id":"1"}', "invitation.malformed"),
        (
            '{"@type":"https://didcomm.org/out-of-band/1.1/handshake-reuse","@id":"1","~thread":{"pthid":"2"}}',
            "invitation.malformed",
        ),
        ("[" * 10_000, "invitation.malformed"),
    ],
)  # fmt: skip
def test_what_is_no_invitation_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        from_text(text)
    assert caught.value.code == code


@settings(max_examples=150)
@given(st.text(max_size=120) | st.text(max_size=80).map(lambda tail: "https://a.example/?oob=" + tail))
def test_noise_is_no_invitation(text: str) -> None:
    with pytest.raises(LernodeError):
        from_text(text)


WRONG: list[Any] = [7, True, "x y", [7], [None], {}, [[]], ["x" * 5000], "x" * 9000]


@pytest.mark.parametrize(
    "field",
    ["@type", "@id", "label", "goal_code", "goal", "accept", "handshake_protocols", "requests~attach", "services"],
)
def test_every_field_mistyped_is_refused(field: str) -> None:
    tolerated = {"label": ["x y"], "goal_code": ["x y"], "goal": ["x y"]}.get(field, [])
    for wrong in WRONG:
        if wrong in tolerated:
            continue
        with pytest.raises(BadInput) as caught:
            from_text(json.dumps({**raw(), field: wrong}))
        assert caught.value.code == "invitation.malformed"


@pytest.mark.parametrize("fields", [["@type"], ["@id"], ["services"], ["handshake_protocols", "requests~attach"]])
def test_every_required_field_missing_is_refused(fields: list[str]) -> None:
    written = {name: value for name, value in raw().items() if name not in fields}
    with pytest.raises(BadInput):
        from_text(json.dumps(written))


@pytest.mark.parametrize("field", ["recipientKeys", "serviceEndpoint"])
@pytest.mark.parametrize("wrong", [None, 1, [], {}, "", [1]])
def test_an_inline_service_that_cannot_be_used_is_no_service(field: str, wrong: Any) -> None:
    written = copy.deepcopy(raw())
    written["services"] = [{**written["services"][0], field: wrong}]
    with pytest.raises(BadInput) as caught:
        from_text(json.dumps(written))
    assert caught.value.code == "invitation.malformed"


@pytest.mark.parametrize(
    "base_url", ["", "college.example", "/in", "javascript:alert(1)", "https://a#b", "https://[", "file:///x"]
)
def test_a_link_needs_an_absolute_base(base_url: str) -> None:
    with pytest.raises(BadInput) as caught:
        to_link(INVITATION, base_url)
    assert caught.value.code == "invitation.base_url"


def test_a_connection_is_reused() -> None:
    asked = machine.reuse("invitation", new_id=ids("r"))
    (send,) = asked.effects
    assert isinstance(send, Send)
    reuse = decode(send.message.encode(Wire.V1))
    assert isinstance(reuse, HandshakeReuse)
    answered = machine.receive_reuse(reuse, invitation_id="invitation", new_id=ids("s"))
    (send,) = answered.effects
    assert isinstance(send, Send)
    accepted = decode(send.message.encode(Wire.V1))
    assert isinstance(accepted, HandshakeReuseAccepted)
    done = machine.receive_reuse_accepted(asked.exchange, accepted)
    assert asked.exchange.state is State.PREPARE_RESPONSE
    assert (answered.exchange.state, done.exchange.state, done.effects) == (State.DONE, State.DONE, ())
    with pytest.raises(PeerFault) as caught:
        machine.receive_reuse_accepted(done.exchange, accepted)
    assert caught.value.code == "out_of_band.unexpected_message"


def test_reuse_of_another_invitation_or_thread_is_refused() -> None:
    with pytest.raises(PeerFault) as caught:
        machine.receive_reuse(HandshakeReuse("1", "other"), invitation_id="invitation", new_id=ids())
    assert caught.value.code == "out_of_band.wrong_invitation"
    waiting = Exchange(thid="1", pthid="2", role=Role.RECEIVER, state=State.PREPARE_RESPONSE)
    for thid, pthid in (("x", "2"), ("1", "x")):
        with pytest.raises(PeerFault) as caught:
            machine.receive_reuse_accepted(waiting, HandshakeReuseAccepted("9", thid, pthid))
        assert caught.value.code == "out_of_band.wrong_thread"


@pytest.mark.parametrize(
    "message",
    [
        PlainMessage("https://didcomm.org/out-of-band/1.1/handshake-reuse", "1", "1"),
        PlainMessage("https://didcomm.org/out-of-band/1.1/handshake-reuse", "1", "2", "3"),
        PlainMessage("https://didcomm.org/out-of-band/1.1/handshake-reuse-accepted", "1", "2"),
        PlainMessage("https://didcomm.org/out-of-band/1.1/other", "1", "2", "3"),
        PlainMessage("https://example.org/out-of-band/1.1/handshake-reuse", "1", "1", "3"),
    ],
)
def test_bad_reuse_messages_are_refused(message: PlainMessage) -> None:
    with pytest.raises(PeerFault):
        decode(message)
