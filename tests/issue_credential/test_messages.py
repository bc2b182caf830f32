"""The messages of Issue Credential 2.0: real ones are read, ours are read back, bad ones are refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from protocols.didcomm import codec, codec_v1
from protocols.didcomm.ack import Ack, AckStatus
from protocols.didcomm.message import AckOn, PlainMessage, Wire
from protocols.errors import PeerFault
from protocols.issue_credential.ld_proof import LdProofVcDetail, credential_difference, request_difference
from protocols.issue_credential.messages import (
    PROTOCOL,
    IssueCredentialMessage,
    Message,
    OfferCredential,
    ProblemReport,
    ProposeCredential,
    RequestCredential,
    decode,
)
from tests.issue_credential.samples import HOLDER, detail, signed
from tests.shared_data import shared_json

HEADERS: dict[str, Any] = {"id": "m-1", "thid": "t-1", "pthid": "p-1", "comment": "hello", "goal_code": "learn"}
DETAIL_FIELDS = {
    "propose-credential": "filters~attach",
    "offer-credential": "offers~attach",
    "request-credential": "requests~attach",
}
EVERY_MESSAGE: list[Message] = [
    ProposeCredential(**HEADERS, details=(detail(),)),
    OfferCredential(**HEADERS, details=(detail(),), replacement_id="r-1"),
    RequestCredential(**HEADERS, details=(detail(),)),
    IssueCredentialMessage(**HEADERS, credentials=(signed(detail()),), replacement_id="r-1"),
    Ack(id="m-1", thid="t-1", protocol=PROTOCOL),
    ProblemReport(id="m-1", thid="t-1", code="issuance-abandoned", protocol=PROTOCOL, explain="no"),
]
ATTACHING: list[Message] = EVERY_MESSAGE[:4]
_TWO = (detail(), detail(subject_id=HOLDER))
SEVERAL: list[Message] = [
    ProposeCredential(**HEADERS, details=_TWO),
    OfferCredential(**HEADERS, details=_TWO),
    RequestCredential(**HEADERS, details=_TWO),
    IssueCredentialMessage(**HEADERS, credentials=tuple(map(signed, _TWO))),
]


def offer_of(*details: LdProofVcDetail) -> Message:
    return OfferCredential(**HEADERS, details=details)


def issuance_of(*details: LdProofVcDetail) -> Message:
    return IssueCredentialMessage(**HEADERS, credentials=tuple(map(signed, details)))


def recorded() -> dict[str, Message]:
    plain = [codec_v1.decode_object(entry["plaintext"]) for entry in shared_json("wire/acapy/exchange.json")]
    return {message.name: decode(message) for message in plain if "/issue-credential/" in message.type}


def read(message: PlainMessage) -> Message:
    return decode(codec_v1.decode(codec_v1.encode(message)))


def wire_of(message: Message) -> dict[str, Any]:
    return copy.deepcopy(codec_v1.encode_object(message.encode(Wire.V1)))


def code_of(raw: dict[str, Any]) -> str:
    with pytest.raises(PeerFault) as refused:
        decode(codec_v1.decode_object(raw))
    return refused.value.code


def test_messages_of_aca_py_are_read() -> None:
    messages = recorded()
    offered, requested = messages["offer-credential"], messages["request-credential"]
    issued, acknowledged = messages["issue-credential"], messages["ack"]
    assert isinstance(offered, OfferCredential)
    assert isinstance(requested, RequestCredential)
    assert isinstance(issued, IssueCredentialMessage)
    assert isinstance(acknowledged, Ack)
    assert offered.thid == offered.id == requested.thid == issued.thid == acknowledged.thid
    assert offered.details[0].proof_type == "Ed25519Signature2020"
    assert request_difference(offered.details[0], requested.details[0]) is None
    assert credential_difference(requested.details[0], issued.credentials[0]) is None
    assert acknowledged.status is AckStatus.OK


@pytest.mark.parametrize("message", EVERY_MESSAGE, ids=lambda m: type(m).__name__)
def test_what_is_written_is_read_as_the_same(message: Message) -> None:
    assert read(message.encode(Wire.V1)) == message


def test_the_credential_asks_for_an_ack_of_its_outcome() -> None:
    assert EVERY_MESSAGE[3].encode(Wire.V1).please_ack == {AckOn.OUTCOME}


@pytest.mark.parametrize(
    "type_uri",
    ["https://didcomm.org/issue-credential/2.1/", "did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/issue-credential/2.0/"],
)
def test_other_minor_versions_and_the_legacy_prefix_are_read(type_uri: str) -> None:
    raw = wire_of(EVERY_MESSAGE[1]) | {"multiple_available": 3, "credential_preview": {"attributes": []}}
    raw["@type"] = type_uri + "offer-credential"
    assert decode(codec_v1.decode_object(raw)) == EVERY_MESSAGE[1]


@pytest.mark.parametrize("name", ["1.0/offer-credential", "3.0/offer-credential", "2.0/unknown-message"])
def test_a_message_of_another_protocol_version_or_name_is_refused(name: str) -> None:
    raw = wire_of(EVERY_MESSAGE[1]) | {"@type": f"https://didcomm.org/issue-credential/{name}"}
    assert code_of(raw) == "message.type"


@pytest.mark.parametrize("message", ATTACHING, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("value", [None, 7, "text", {}, [7], [{}], [{"attach_id": "ld_proof"}], [{"format": 7}]])
def test_bad_formats_are_refused(message: Message, value: Any) -> None:
    assert code_of(wire_of(message) | {"formats": value}) == "issue_credential.malformed"


@pytest.mark.parametrize("message", ATTACHING, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("value", [None, 7, "text", {}, [7], [{}], [{"@id": "other", "data": {"json": {}}}], []])
def test_bad_attachments_are_refused(message: Message, value: Any) -> None:
    raw = wire_of(message)
    field = next(name for name in raw if name.endswith("s~attach"))
    assert code_of(raw | {field: value}) == "issue_credential.malformed"


@pytest.mark.parametrize("message", ATTACHING, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "attachment.malformed"),
        ({}, "attachment.malformed"),
        ({"base64": "!!!"}, "attachment.malformed"),
        ({"base64": "bm8ganNvbg"}, "attachment.malformed"),
        ({"base64": "e30", "sha256": "00"}, "attachment.hash"),
        ({"base64": "e30", "json": {}}, "attachment.malformed"),
        ({"links": ["https://example.org/"]}, "attachment.not_embedded"),
        ({"json": ["list"]}, "issue_credential.malformed"),
        ({"json": {"credential": {}, "number": 1 << 60}}, "issue_credential.malformed"),
    ],
)
def test_bad_attachment_data_is_refused(message: Message, data: Any, code: str) -> None:
    raw = wire_of(message)
    field = next(name for name in raw if name.endswith("s~attach"))
    raw[field][0]["data"] = data
    assert code_of(raw) == code


@pytest.mark.parametrize("message", ATTACHING[:3], ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("content", [{}, {"credential": 7, "options": {}}, {"credential": {}}, {"options": {}}])
def test_a_detail_that_lacks_a_part_is_refused(message: Message, content: Any) -> None:
    raw = wire_of(message)
    raw[DETAIL_FIELDS[raw["@type"].rsplit("/", 1)[1]]][0]["data"] = {"json": content}
    assert code_of(raw) == "issue_credential.malformed"


@pytest.mark.parametrize("message", ATTACHING, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("name", ["comment", "goal_code", "credential_preview", "replacement_id"])
def test_mistyped_or_oversized_optional_fields_are_refused(message: Message, name: str) -> None:
    assert code_of(wire_of(message) | {name: 7}) == "issue_credential.malformed"
    assert code_of(wire_of(message) | {name: "x" * 5000}) == "issue_credential.malformed"


@pytest.mark.parametrize("message", ATTACHING, ids=lambda m: type(m).__name__)
def test_formats_that_are_not_spoken_are_refused_and_ignored_beside_one_that_is(message: Message) -> None:
    raw = wire_of(message)
    field = next(name for name in raw if name.endswith("s~attach"))
    indy = {"attach_id": "indy", "format": "hlindy/cred-abstract@v2.0"}
    both = raw | {"formats": [indy, *raw["formats"]], field: [*raw[field], {"@id": "indy", "data": {"base64": "-"}}]}
    assert decode(codec_v1.decode_object(both)) == message
    only = raw | {"formats": [indy], field: [{"@id": "indy", "data": {"json": {}}}]}
    assert code_of(only) == "issue_credential.unsupported_format"


@pytest.mark.parametrize("message", ATTACHING, ids=lambda m: type(m).__name__)
def test_two_attachments_with_one_id_are_refused(message: Message) -> None:
    raw = wire_of(message)
    field = next(name for name in raw if name.endswith("s~attach"))
    twice = {"formats": raw["formats"] * 2, field: raw[field] * 2}
    assert code_of(raw | twice) == "issue_credential.malformed"


@pytest.mark.parametrize("wire", Wire)
@pytest.mark.parametrize("message", SEVERAL, ids=lambda m: type(m).__name__)
def test_several_credentials_are_an_attachment_each_and_read_in_their_order(message: Message, wire: Wire) -> None:
    plain = codec.decode(codec.encode(message.encode(wire)), wire)
    assert decode(plain) == message
    if wire is Wire.V2:
        ids = [attachment["id"] for attachment in plain.attachments]
    else:
        ids = [entry["attach_id"] for entry in plain.body["formats"]]
    assert ids == ["ld_proof", "ld_proof-2"]


@pytest.mark.parametrize("wire", Wire)
@pytest.mark.parametrize("make", [offer_of, issuance_of])
def test_two_credentials_with_one_id_are_refused(make: Callable[..., Message], wire: Wire) -> None:
    with pytest.raises(PeerFault) as refused:
        decode(make(detail(credential_id="urn:x:1"), detail(credential_id="urn:x:1", subject_id=HOLDER)).encode(wire))
    assert refused.value.code == "issue_credential.malformed"


@pytest.mark.parametrize("status", [None, 7, "FAIL"])
def test_an_ack_without_a_known_status_is_refused(status: Any) -> None:
    assert code_of(wire_of(EVERY_MESSAGE[4]) | {"status": status}) == "message.malformed"


def test_a_problem_report_without_a_code_is_refused() -> None:
    assert code_of(wire_of(EVERY_MESSAGE[5]) | {"description": {}}) == "message.malformed"
