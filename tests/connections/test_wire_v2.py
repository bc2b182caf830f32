"""The protocols of connections on DIDComm v2: the same machines, under the names of DIDComm 2.1."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.didcomm import ack, attachments_v2, codec, problem_report
from protocols.didcomm.ack import Ack, AckStatus
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.message import PlainMessage, ProtocolMessage, Wire
from protocols.didcomm.problem_report import ProblemReport
from protocols.discover_features import messages as features
from protocols.errors import BadInput, LernodeError, PeerFault
from protocols.machine import Send
from protocols.multiformats import b64url_encode
from protocols.out_of_band import link
from protocols.out_of_band import messages as out_of_band
from protocols.out_of_band.messages import Invitation
from protocols.trust_ping import machine as trust_ping
from protocols.trust_ping import messages as ping
from tests.didcomm.helpers import ids

ALICE = "did:example:alice"


def carried(message: ProtocolMessage) -> PlainMessage:
    """The message as the other side gets it."""
    return codec.decode(codec.encode(message.encode(Wire.V2)), Wire.V2)


def sent(step: Any) -> PlainMessage:
    (effect,) = step.effects
    assert isinstance(effect, Send)
    return carried(effect.message)


def v2(type_uri: str, **headers: Any) -> PlainMessage:
    return codec.decode(json.dumps({"type": type_uri, "id": "1", **headers}).encode(), Wire.V2)


def test_a_ping_2_0_is_answered_in_its_thread() -> None:
    asked = trust_ping.ping(new_id=ids("a"))
    received = sent(asked)
    assert received.type == "https://didcomm.org/trust-ping/2.0/ping"
    question = ping.decode(received)
    assert isinstance(question, ping.Ping)
    answer = sent(trust_ping.receive_ping(question, new_id=ids("b")))
    assert answer.type == "https://didcomm.org/trust-ping/2.0/ping-response"
    response = ping.decode(answer)
    assert isinstance(response, ping.PingResponse)
    assert trust_ping.receive_response(asked.exchange, response).exchange.state is trust_ping.State.DONE


@pytest.mark.parametrize(
    "type_uri",
    ["https://didcomm.org/trust_ping/1.0/ping", "https://didcomm.org/trust-ping/2.0/ping_response",
     "https://didcomm.org/trust-ping/3.0/ping"],
)  # fmt: skip
def test_a_ping_of_the_other_wire_is_refused(type_uri: str) -> None:
    with pytest.raises(PeerFault) as caught:
        ping.decode(v2(type_uri, thid="2"))
    assert caught.value.code == "message.type"
    with pytest.raises(PeerFault):
        ping.decode(PlainMessage("https://didcomm.org/trust-ping/2.0/ping", "1", "1", wire=Wire.V1))


REPORT = "https://didcomm.org/report-problem/2.0/problem-report"


def test_a_problem_report_2_0_names_the_thread_in_trouble_as_its_parent() -> None:
    report = ProblemReport("1", "thread", "issue_credential.wrong_thread", explain="No.")
    received = carried(report)
    assert (received.type, received.thid, received.pthid) == (REPORT, "1", "thread")
    assert received.body == {"code": "e.p.issue-credential.wrong-thread", "comment": "No."}
    read = problem_report.decode(received)
    assert (read.thid, read.code, read.explain, read.is_warning) == ("thread", received.body["code"], "No.", False)
    assert problem_report.decode(carried(ProblemReport("1", "thread", "w.m.msg.odd"))).is_warning


@pytest.mark.parametrize(
    ("comment", "args", "text"),
    [
        ("Unable to use the {1} endpoint for {2}.", ["x", "y"], "Unable to use the x endpoint for y."),
        ("{1} and {2}", ["x"], "x and ?"),
        ("{1}", [None], "?"),
        ("{1}", ["{2}", "z"], "{2}, z"),
        ("All", ["x", "y"], "All, x, y"),
        ("{0} {99}", [], "? ?"),
        (None, ["x"], "x"),
        (None, None, ""),
    ],
)
def test_the_comment_of_a_report_is_filled_in(comment: str | None, args: Any, text: str) -> None:
    body = {"code": "e.p.xfer", "comment": comment, "args": args}
    assert problem_report.decode(v2(REPORT, pthid="thread", body=body)).explain == text


@pytest.mark.parametrize(
    "headers",
    [
        {"pthid": "t", "body": {}}, {"pthid": "t", "body": {"code": ""}}, {"pthid": "t", "body": {"code": 1}},
        {"pthid": "t", "body": {"code": "x" * 129}}, {"body": {"code": "e.p"}},
        {"pthid": "t", "body": {"code": "e.p", "comment": 7}}, {"pthid": "t", "body": {"code": "e.p", "args": {}}},
        {"pthid": "t", "body": {"code": "e.p", "args": ["x"] * 17}},
    ],
)  # fmt: skip
def test_a_report_that_says_nothing_or_too_much_is_refused(headers: dict[str, Any]) -> None:
    with pytest.raises(PeerFault) as caught:
        problem_report.decode(v2(REPORT, **headers))
    assert caught.value.code == "message.malformed"


def test_a_report_that_a_protocol_adopted_is_about_its_own_thread() -> None:
    own = "https://didcomm.org/issue-credential/3.0/problem-report"
    assert problem_report.decode(v2(own, thid="thread", body={"code": "e.p"})).thid == "thread"


def test_an_ack_of_no_protocol_is_the_empty_message() -> None:
    received = carried(Ack("1", "thread"))
    assert (received.type, received.ack) == ("https://didcomm.org/empty/1.0/empty", ("thread",))
    assert ack.is_ack(received)
    assert (ack.decode(received).thid, ack.decode(received).status) == ("thread", AckStatus.OK)
    assert not ack.is_ack(v2("https://didcomm.org/empty/1.0/empty"))


def test_an_ack_of_a_protocol_is_of_its_version_on_the_wire() -> None:
    received = carried(Ack("1", "thread", AckStatus.PENDING, "https://didcomm.org/issue-credential/2.0"))
    assert (received.type, received.ack) == ("https://didcomm.org/issue-credential/3.0/ack", ("thread",))
    assert ack.decode(received).status is AckStatus.PENDING


def test_features_are_disclosed_under_the_name_of_didcomm_2_1() -> None:
    disclosed = features.Disclosures("1", "t", (features.Feature(id="https://didcomm.org/trust-ping/2.0"),))
    received = carried(disclosed)
    assert received.type == "https://didcomm.org/discover-features/2.0/disclose"
    assert features.decode(received) == disclosed


INVITATION = Invitation(
    "i",
    (ALICE,),
    goal_code="issue-vc",
    goal="A record",
    accept=("didcomm/v2",),
    requests=(Attachment.of_json({"id": "1"}, id="request-0"),),
    wire=Wire.V2,
)


def test_an_invitation_2_0_is_read_back_from_its_link() -> None:
    text = link.to_link(INVITATION, "https://school.example/i?x=1")
    assert text.startswith("https://school.example/i?x=1&_oob=")
    assert link.from_text(text) == INVITATION
    raw = codec.encode_object(INVITATION.encode(Wire.V2))
    assert raw == {
        "id": "i", "typ": "application/didcomm-plain+json", "from": ALICE,
        "type": "https://didcomm.org/out-of-band/2.0/invitation",
        "attachments": [{"id": "request-0", "media_type": "application/json", "data": {"json": {"id": "1"}}}],
        "body": {"goal_code": "issue-vc", "goal": "A record", "accept": ["didcomm/v2"]},
    }  # fmt: skip


def test_the_example_of_the_specification_is_read() -> None:
    example = (
        "eyJ0eXBlIjoiaHR0cHM6Ly9kaWRjb21tLm9yZy9vdXQtb2YtYmFuZC8yLjAvaW52aXRhdGlvbiIsImlkIjoiNjkyMTJhM2EtZDA2OC00ZjlkLWEy"
        "ZGQtNDc0MWJjYTg5YWYzIiwiZnJvbSI6ImRpZDpleGFtcGxlOmFsaWNlIiwiYm9keSI6eyJnb2FsX2NvZGUiOiIiLCJnb2FsIjoiIn0sImF0dGFj"
        "aG1lbnRzIjpbeyJpZCI6InJlcXVlc3QtMCIsIm1lZGlhX3R5cGUiOiJhcHBsaWNhdGlvbi9qc29uIiwiZGF0YSI6eyJqc29uIjoiPGpzb24gb2Yg"
        "cHJvdG9jb2wgbWVzc2FnZT4ifX1dfQ"
    )
    read = link.from_text(f"https://example.com/path?_oob={example}")
    assert (read.services, read.wire, len(read.requests)) == ((ALICE,), Wire.V2, 1)


def test_an_invitation_2_0_has_to_be_from_a_did() -> None:
    inline = out_of_band.Service("#x", "did-communication", "https://x.example", (), (), (), 0)
    with pytest.raises(BadInput) as caught:
        Invitation("i", (inline,), wire=Wire.V2).encode(Wire.V2)
    assert caught.value.code == "invitation.no_did"


@pytest.mark.parametrize(
    "changes",
    [
        {"from": None}, {"from": f"{ALICE}?a=b"}, {"from": 7}, {"body": {"accept": "didcomm/v2"}},
        {"body": {"goal": 7}}, {"body": {"goal_code": "x" * 300}}, {"attachments": [{}]},
        {"attachments": [{"data": 1}]},
        {"attachments": [{"data": {"json": {}}}] * 17}, {"attachments": [{"data": {"base64": "", "json": {}}}]},
        {"attachments": [{"data": {"json": {}, "hash": "zabc"}}]}, {"attachments": [{"data": {"json": 1, "hash": 7}}]},
        {"attachments": [{"data": {"json": 1}, "format": 7}]}, {"attachments": [{"data": {"json": 1}, "id": 7}]},
        {"attachments": [{"data": {"json": 1}, "media_type": 7}]}, {"attachments": [{"data": {"links": ["ftp://x"]}}]},
        {"type": "https://didcomm.org/out-of-band/2.0/handshake-reuse"},
        {"type": "https://didcomm.org/out-of-band/1.1/invitation"},
    ],
)  # fmt: skip
def test_what_is_no_invitation_2_0_is_refused(changes: dict[str, Any]) -> None:
    raw = codec.encode_object(INVITATION.encode(Wire.V2)) | changes
    with pytest.raises(BadInput) as caught:
        link.from_text(b64url_encode(json.dumps(raw).encode()))
    assert caught.value.code == "invitation.malformed"


ATTACHMENT = Attachment(
    id="a", media_type="text/plain", base64=b64url_encode(b"hello"), format="x@v1", filename="x.txt", byte_count=5,
    sha256="2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", description="d",
)  # fmt: skip


def test_an_attachment_is_read_back_with_its_hash_as_a_multihash() -> None:
    raw = attachments_v2.write(ATTACHMENT)
    assert raw.keys() == {"id", "media_type", "description", "filename", "byte_count", "format", "data"}
    assert raw["data"].keys() == {"base64", "hash"}
    assert attachments_v2.read(raw) == ATTACHMENT
    assert attachments_v2.read(raw).content() == b"hello"
    raw["data"]["base64"] = b64url_encode(b"hullo")
    with pytest.raises(PeerFault) as caught:
        attachments_v2.read(raw).content()
    assert caught.value.code == "attachment.hash"


NUMBERS = st.integers(-(2**53), 2**53)
VALUES = st.none() | st.booleans() | NUMBERS | st.text(max_size=5) | st.just({"code": "e.p"}) | st.just([{}])
BODIES = st.dictionaries(
    st.sampled_from(["code", "comment", "args", "status", "response_requested", "accept", "goal", "queries",
                     "disclosures"]), VALUES, max_size=4,
)  # fmt: skip


@settings(max_examples=200)
@given(
    decoder=st.sampled_from([ping.decode, problem_report.decode, ack.decode, features.decode, out_of_band.decode]),
    name=st.sampled_from(
        ["trust-ping/2.0/ping", "trust-ping/2.0/ping-response", "report-problem/2.0/problem-report", "empty/1.0/empty",
         "discover-features/2.0/queries", "discover-features/2.0/disclose", "out-of-band/2.0/invitation"]
    ),
    body=BODIES,
    headers=st.fixed_dictionaries({}, optional={"thid": st.just("t"), "pthid": st.just("p"), "from": st.just(ALICE)}),
    attached=VALUES,
)  # fmt: skip
def test_any_body_is_read_or_refused_with_a_code(
    decoder: Any, name: str, body: dict[str, Any], headers: dict[str, str], attached: Any
) -> None:
    raw = {"type": f"https://didcomm.org/{name}", "id": "1", "body": body, **headers}
    raw["attachments"] = [{"id": "a", "data": attached}]
    try:
        decoder(codec.decode(json.dumps(raw).encode(), Wire.V2))
    except LernodeError as error:
        assert error.code in {"message.type", "message.malformed", "attachment.malformed"}
