"""Problem reports (RFC 0035) and acks (RFC 0015) in all the spellings that agents use."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.didcomm import ack, problem_report
from protocols.didcomm.ack import Ack, AckStatus
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import parse_protocol, version_of_type
from protocols.didcomm.problem_report import Impact, ProblemReport, WhoRetries
from protocols.errors import PeerFault

REPORT = "https://didcomm.org/report-problem/1.0/problem-report"


def report(body: dict[str, Any], type_uri: str = REPORT) -> ProblemReport:
    return problem_report.decode(PlainMessage(type_uri, "2", "1", "0", body))


@pytest.mark.parametrize(
    ("body", "code", "explain"),
    [
        ({"description": {"code": "issuance-abandoned", "en": "No."}}, "issuance-abandoned", "No."),
        ({"description": {"code": "c"}}, "c", ""),
        ({"description": "No route.", "description~l10n": {"code": "cant-find-route"}}, "cant-find-route", "No route."),
        ({"problem-code": "request_not_accepted", "explain": "No."}, "request_not_accepted", "No."),
        ({"problem-code": "c", "explain-ltxt": "No."}, "c", "No."),
        ({"description": {"code": "c", "en": 7}, "fix_hint": [], "who_retries": "us", "impact": 3}, "c", ""),
    ],
)
def test_the_spellings_of_a_report(body: dict[str, Any], code: str, explain: str) -> None:
    read = report(body)
    assert (read.code, read.explain, read.thid, read.pthid) == (code, explain, "1", "0")


def test_a_full_report_survives_the_wire() -> None:
    sent = ProblemReport("2", "1", "c", explain="No.", fix_hint="Do.", who_retries=WhoRetries.YOU, impact=Impact.THREAD)
    assert problem_report.decode(sent.encode(Wire.V1)) == sent


@pytest.mark.parametrize("name", ["problem-report", "problem_report"])
def test_an_adopted_report_keeps_its_protocol(name: str) -> None:
    read = report({"description": {"code": "c"}}, f"https://didcomm.org/issue-credential/2.0/{name}")
    assert read.protocol == "https://didcomm.org/issue-credential/2.0"
    assert read.encode(Wire.V1).type == f"https://didcomm.org/issue-credential/2.0/{name}"


def test_a_warning_is_told_by_its_code() -> None:
    assert report({"description": {"code": "w.m.slow"}}).is_warning
    assert not report({"description": {"code": "e.m.slow"}}).is_warning


@pytest.mark.parametrize(
    "body",
    [{}, {"description": None}, {"description": "x"}, {"description": {}}, {"description": {"code": 1}},
     {"description": {"code": ""}}, {"description": {"code": "x" * 200}}, {"problem-code": 1},
     {"description": [], "description~l10n": []}],
)  # fmt: skip
def test_a_report_without_a_code_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(PeerFault) as caught:
        report(body)
    assert caught.value.code == "message.malformed"


@pytest.mark.parametrize(
    "protocol", ["https://didcomm.org/notification/1.0", "https://didcomm.org/issue-credential/2.0"]
)
@pytest.mark.parametrize("status", AckStatus)
def test_an_ack_survives_the_wire(protocol: str, status: AckStatus) -> None:
    sent = Ack("2", "1", status, protocol)
    assert ack.decode(sent.encode(Wire.V1)) == sent


@pytest.mark.parametrize("status", [None, "", "FAIL", "ok", 1, [], {}])
def test_an_ack_of_unknown_status_is_refused(status: Any) -> None:
    with pytest.raises(PeerFault) as caught:
        ack.decode(PlainMessage("https://didcomm.org/notification/1.0/ack", "2", "1", body={"status": status}))
    assert caught.value.code == "message.malformed"


def test_an_ack_of_nothing_is_refused() -> None:
    with pytest.raises(PeerFault):
        ack.decode(PlainMessage("https://didcomm.org/notification/1.0/ack", "2", "2", body={"status": "OK"}))


def test_a_message_is_not_taken_for_another() -> None:
    ping = PlainMessage("https://didcomm.org/trust_ping/1.0/ping", "2", "1")
    for decode in (ack.decode, problem_report.decode):
        with pytest.raises(PeerFault) as caught:
            decode(ping)
        assert caught.value.code == "message.type"


@pytest.mark.parametrize(
    ("uri", "family", "major", "minor"),
    [
        ("https://didcomm.org/didexchange/1.1", "https://didcomm.org/didexchange", 1, 1),
        ("did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/connections/1.0", "https://didcomm.org/connections", 1, 0),
        (
            "http://example.com/protocols?which=lets_do_lunch/1.0/",
            "http://example.com/protocols?which=lets_do_lunch",
            1,
            0,
        ),
    ],
)
def test_protocol_uris(uri: str, family: str, major: int, minor: int) -> None:
    version = parse_protocol(uri)
    assert (version.family, version.major, version.minor) == (family, major, minor)
    assert version.known_as == f"{family}/{major}"
    assert version_of_type(uri.rstrip("/") + "/message") == version


@settings(max_examples=100)
@given(st.text(max_size=300))
def test_noise_is_no_protocol(text: str) -> None:
    with pytest.raises(PeerFault):
        parse_protocol(text)
