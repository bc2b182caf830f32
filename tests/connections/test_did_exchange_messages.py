"""DID Exchange messages (RFC 0023): the recorded ones, both minor versions, every field missing or mistyped."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.did import peer4
from protocols.did_exchange.messages import Complete, Problem, ProblemCode, Request, Response, decode
from protocols.did_exchange.provenance import attached_document, check_control, check_response, sign_rotation
from protocols.didcomm import codec_v1
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import PeerFault
from tests.didcomm.helpers import key
from tests.shared_data import shared_json

RECORDED = {
    entry["plaintext"]["@type"].rsplit("/", 1)[1]: entry
    for entry in shared_json("wire/acapy/exchange.json")
    if "/didexchange/" in entry["plaintext"]["@type"]
}
BOB = key("bob")
DID = peer4.create(BOB.public, endpoint="https://bob.example")


def recorded(name: str) -> Any:
    return decode(codec_v1.decode_object(RECORDED[name]["plaintext"]))


@pytest.mark.parametrize(("name", "kind"), [("request", Request), ("response", Response), ("complete", Complete)])
def test_a_recorded_message_keeps_its_meaning(name: str, kind: type[Any]) -> None:
    message = recorded(name)
    assert isinstance(message, kind)
    assert codec_v1.encode_object(message.encode(Wire.V1)) == RECORDED[name]["plaintext"]


@pytest.mark.parametrize("name", ["request", "response"])
def test_the_recorded_sender_controls_the_recorded_did(name: str) -> None:
    document = peer4.resolve(recorded(name).did)
    check_control(document, RECORDED[name]["sender_verkey"])
    for stranger in (None, BOB.verkey, RECORDED["request"]["recipient_verkey"], "", "no key", "1" * 32):
        with pytest.raises(PeerFault) as caught:
            check_control(document, stranger)
        assert caught.value.code == "did_exchange.not_controlled"


def test_the_recorded_response_comes_from_whoever_invited() -> None:
    invitation_key = RECORDED["request"]["recipient_verkey"]
    check_response(
        recorded("response"), invitation_keys=(invitation_key,), sender=RECORDED["response"]["sender_verkey"]
    )
    with pytest.raises(PeerFault) as caught:
        check_response(recorded("response"), invitation_keys=(BOB.verkey,), sender=BOB.verkey)
    assert caught.value.code == "attachment.signature"


MESSAGES = [
    Request(
        "1", "1", "0", DID, "Bob", goal_code="aries.rel.build", goal="To build", did_doc=Attachment.of_json({}, id="d")
    ),
    Request("2", "1", "0", DID, minor=0),
    Response("2", "1", DID, "0", did_rotate=sign_rotation(DID, BOB, attachment_id="a")),
    Response("2", "1", DID, minor=0, did_doc=Attachment.of_json({}, id="d")),
    Complete("3", "1", "0"),
    Complete("3", "1", "0", minor=0),
    Problem("4", "1", ProblemCode.REQUEST_NOT_ACCEPTED.value, "No.", "0"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_survives_the_wire(message: Any) -> None:
    assert decode(codec_v1.decode(codec_v1.encode(message.encode(Wire.V1)))) == message


def test_a_later_minor_version_is_read() -> None:
    message = decode(PlainMessage("https://didcomm.org/didexchange/1.9/complete", "2", "1", "0", {"new": 1}))
    assert message == Complete("2", "1", "0", minor=9)


def test_our_problem_report_is_readable_by_both_conventions() -> None:
    written = MESSAGES[-1].encode(Wire.V1)
    assert written.type == "https://didcomm.org/didexchange/1.1/problem_report"
    assert written.body["problem-code"] == written.body["description"]["code"] == "request_not_accepted"


WRONG: list[Any] = [7, True, [], {}, ["x"], "x" * 20_000]
FIELDS = {
    "request": ["label", "goal_code", "goal", "did", "did_doc~attach"],
    "response": ["did", "did_doc~attach", "did_rotate~attach"],
}


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, fields in FIELDS.items() for field in fields])
def test_every_field_mistyped_is_refused(name: str, field: str) -> None:
    for wrong in WRONG:
        with pytest.raises(PeerFault) as caught:
            decode(codec_v1.decode_object({**RECORDED[name]["plaintext"], field: wrong}))
        assert caught.value.code in {"message.malformed", "attachment.malformed"}


@pytest.mark.parametrize("name", ["request", "response"])
@pytest.mark.parametrize(
    "did", [None, "", "x", "did:", "did:peer", "did:peer:4 x", "LjgpST2rjsoxYegQDRm7EL", "did:key:a#b"]
)
def test_what_is_no_did_is_refused(name: str, did: str | None) -> None:
    with pytest.raises(PeerFault) as caught:
        decode(codec_v1.decode_object({**RECORDED[name]["plaintext"], "did": did}))
    assert caught.value.code == "message.malformed"


@pytest.mark.parametrize(
    ("name", "thread"),
    [("request", {}), ("request", {"thid": "x"}), ("response", {}), ("complete", {}), ("complete", {"pthid": "x"}),
     ("complete", {"thid": "x"})],
)  # fmt: skip
def test_a_message_without_its_thread_is_refused(name: str, thread: dict[str, str]) -> None:
    with pytest.raises(PeerFault) as caught:
        decode(codec_v1.decode_object({**RECORDED[name]["plaintext"], "~thread": thread}))
    assert caught.value.code == "message.malformed"


@pytest.mark.parametrize(
    "type_uri", ["https://didcomm.org/didexchange/2.0/request", "https://didcomm.org/didexchange/1.1/hello", "https://x.org/didexchange/1.1/request"]
)  # fmt: skip
def test_what_is_no_message_of_the_protocol_is_refused(type_uri: str) -> None:
    with pytest.raises(PeerFault) as caught:
        decode(PlainMessage(type_uri, "1", "1", "0", {"did": DID, "label": ""}))
    assert caught.value.code == "message.type"


def test_a_document_cannot_be_brought_for_a_did_that_has_one() -> None:
    document = Attachment.of_bytes(b'{"id":"did:web:college.example"}', id="d", media_type="application/json").signed(
        BOB
    )
    request = Request("1", "1", "0", "did:web:college.example", did_doc=document)
    assert attached_document(request, signers=(BOB.verkey,)) is None
