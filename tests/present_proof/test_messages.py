"""The messages of Present Proof 2.0: real ones are read, ours are read back, bad ones are refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from protocols.didcomm import codec_v1
from protocols.didcomm.message import AckOn, Wire
from protocols.errors import PeerFault
from protocols.present_proof.messages import (
    PROTOCOL,
    Ack,
    Message,
    Presentation,
    ProblemReport,
    ProposePresentation,
    RequestPresentation,
    decode,
)
from tests.present_proof.samples import CHALLENGE, DEFINITION, DOMAIN, presentation
from tests.shared_data import shared_json

HEADERS: dict[str, Any] = {"id": "m-1", "thid": "t-1", "pthid": "p-1", "comment": "hello", "goal_code": "hire"}
BOUND: dict[str, Any] = {"challenge": CHALLENGE, "domain": DOMAIN, "will_confirm": True}
EVERY_MESSAGE: list[Message] = [
    ProposePresentation(**HEADERS, definition=DEFINITION),
    RequestPresentation(**HEADERS, definition=DEFINITION, **BOUND),
    Presentation(**HEADERS, document=presentation(), wants_ack=True),
    ProposePresentation(**HEADERS),
    RequestPresentation(**HEADERS, definition=DEFINITION),
    Ack(id="m-1", thid="t-1", protocol=PROTOCOL),
    ProblemReport(id="m-1", thid="t-1", code="abandoned", protocol=PROTOCOL, explain="no"),
]
ATTACHING: list[Message] = EVERY_MESSAGE[:3]


def wire_of(message: Message) -> dict[str, Any]:
    return copy.deepcopy(codec_v1.encode_object(message.encode(Wire.V1)))


def code_of(raw: dict[str, Any]) -> str:
    with pytest.raises(PeerFault) as refused:
        decode(codec_v1.decode_object(raw))
    return refused.value.code


def field_of(raw: dict[str, Any]) -> str:
    return next(name for name in raw if name.endswith("s~attach"))


def test_messages_of_aca_py_are_read() -> None:
    plain = [codec_v1.decode_object(entry["plaintext"]) for entry in shared_json("wire/acapy/exchange.json")]
    messages = {message.name: decode(message) for message in plain if "/present-proof/" in message.type}
    asked, shown, acknowledged = messages["request-presentation"], messages["presentation"], messages["ack"]
    assert isinstance(asked, RequestPresentation)
    assert isinstance(shown, Presentation)
    assert isinstance(acknowledged, Ack)
    assert asked.id == asked.thid == shown.thid == acknowledged.thid
    assert (asked.will_confirm, asked.domain) == (True, "verifier.example")
    assert asked.challenge == shown.document["proof"]["challenge"]
    assert asked.definition["id"] == shown.document["presentation_submission"]["definition_id"]


@pytest.mark.parametrize("message", EVERY_MESSAGE, ids=lambda m: type(m).__name__)
def test_what_is_written_is_read_as_the_same(message: Message) -> None:
    assert decode(codec_v1.decode(codec_v1.encode(message.encode(Wire.V1)))) == message


def test_an_ack_of_the_outcome_is_asked_for_where_the_prover_wants_one() -> None:
    assert EVERY_MESSAGE[2].encode(Wire.V1).please_ack == {AckOn.OUTCOME}
    plain = Presentation(id="m", thid="t", document=presentation()).encode(Wire.V1)
    assert plain.please_ack == frozenset()


def test_a_proposal_of_input_descriptors_alone_is_read() -> None:
    raw = wire_of(EVERY_MESSAGE[0])
    content = {"input_descriptors": DEFINITION["input_descriptors"]}
    raw["proposals~attach"][0]["data"] = {"json": content}
    message = decode(codec_v1.decode_object(raw))
    assert isinstance(message, ProposePresentation)
    assert message.definition == content


@pytest.mark.parametrize("message", EVERY_MESSAGE[:2], ids=lambda m: type(m).__name__)
def test_the_spelling_of_rfc_0510_is_read_too(message: Message) -> None:
    raw = wire_of(message)
    raw["formats"][0]["format"] = "dif/presentation-exchange/definition@v1.0"
    assert decode(codec_v1.decode_object(raw)) == message


@pytest.mark.parametrize("name", ["1.0/presentation", "3.0/presentation", "2.0/unknown-message"])
def test_a_message_of_another_protocol_version_or_name_is_refused(name: str) -> None:
    assert code_of(wire_of(EVERY_MESSAGE[2]) | {"@type": f"https://didcomm.org/present-proof/{name}"}) == (
        "message.type"
    )


@pytest.mark.parametrize("message", ATTACHING, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("value", [None, 7, "text", {}, [7], [{}], [{"attach_id": "dif"}], [{"format": 7}]])
def test_bad_formats_are_refused(message: Message, value: Any) -> None:
    assert code_of(wire_of(message) | {"formats": value}) == "present_proof.malformed"


@pytest.mark.parametrize("message", ATTACHING, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("value", [None, 7, "text", {}, [7], [{}], [{"@id": "other", "data": {"json": {}}}], []])
def test_bad_attachments_are_refused(message: Message, value: Any) -> None:
    raw = wire_of(message)
    assert code_of(raw | {field_of(raw): value}) == "present_proof.malformed"


@pytest.mark.parametrize("message", ATTACHING, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "attachment.malformed"),
        ({"base64": "!!!"}, "attachment.malformed"),
        ({"links": ["https://example.org/"]}, "attachment.not_embedded"),
        ({"json": "eyJhbGciOiJFZERTQSJ9.e30.c2ln"}, "present_proof.malformed"),
        ({"json": {"number": 1 << 60}}, "present_proof.malformed"),
    ],
)
def test_bad_attachment_data_is_refused(message: Message, data: Any, code: str) -> None:
    raw = wire_of(message)
    raw[field_of(raw)][0]["data"] = data
    assert code_of(raw) == code


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"presentation_definition": 7},
        {"presentation_definition": {}},
        {"presentation_definition": {"input_descriptors": []}},
        {"presentation_definition": {"input_descriptors": [7]}},
        {"presentation_definition": {"input_descriptors": [{}] * 65}},
        {"presentation_definition": DEFINITION, "options": 7},
        {"presentation_definition": DEFINITION, "options": {"challenge": 7}},
        {"presentation_definition": DEFINITION, "options": {"domain": "x" * 513}},
    ],
)
def test_a_request_that_is_not_of_rfc_0510_is_refused(content: dict[str, Any]) -> None:
    raw = wire_of(EVERY_MESSAGE[1])
    raw["request_presentations~attach"][0]["data"] = {"json": content}
    assert code_of(raw) == "present_proof.malformed"


def test_a_request_without_options_is_read() -> None:
    raw = wire_of(EVERY_MESSAGE[4])
    raw["request_presentations~attach"][0]["data"] = {"json": {"presentation_definition": DEFINITION}}
    del raw["will_confirm"]
    assert decode(codec_v1.decode_object(raw)) == EVERY_MESSAGE[4]


@pytest.mark.parametrize("message", ATTACHING, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("name", ["comment", "goal_code"])
def test_mistyped_or_oversized_optional_fields_are_refused(message: Message, name: str) -> None:
    assert code_of(wire_of(message) | {name: 7}) == "present_proof.malformed"
    assert code_of(wire_of(message) | {name: "x" * 5000}) == "present_proof.malformed"


def test_a_mistyped_will_confirm_is_refused() -> None:
    assert code_of(wire_of(EVERY_MESSAGE[1]) | {"will_confirm": "yes"}) == "present_proof.malformed"


@pytest.mark.parametrize("value", [False, "no"])
def test_a_presentation_that_announces_more_is_refused(value: Any) -> None:
    assert code_of(wire_of(EVERY_MESSAGE[2]) | {"last_presentation": value}) == "present_proof.malformed"


@pytest.mark.parametrize("message", ATTACHING, ids=lambda m: type(m).__name__)
def test_formats_that_are_not_spoken_are_refused(message: Message) -> None:
    raw = wire_of(message)
    raw["formats"][0]["format"] = "hlindy/proof@v2.0"
    assert code_of(raw) == "present_proof.unsupported_format"


@pytest.mark.parametrize(
    ("formats", "code"),
    [
        ([], "present_proof.malformed"),
        ([{"format": "hlindy/proof-req@v2.0"}], "present_proof.unsupported_format"),
        ([{"attach_id": "x", "format": "dif/presentation-exchange/definitions@v1.0"}], "present_proof.malformed"),
    ],
)
def test_a_proposal_of_formats_alone_must_name_one_that_is_spoken(formats: Any, code: str) -> None:
    assert code_of(wire_of(EVERY_MESSAGE[3]) | {"formats": formats}) == code


@pytest.mark.parametrize("status", [None, 7, "FAIL"])
def test_an_ack_without_a_known_status_is_refused(status: Any) -> None:
    assert code_of(wire_of(EVERY_MESSAGE[5]) | {"status": status}) == "message.malformed"


def test_a_problem_report_without_a_code_is_refused() -> None:
    assert code_of(wire_of(EVERY_MESSAGE[6]) | {"description": {}}) == "message.malformed"
