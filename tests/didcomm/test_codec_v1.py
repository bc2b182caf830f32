"""DIDComm v1 plaintext: recorded ACA-Py messages keep their meaning, threads follow RFC 0008, noise is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.didcomm import codec_v1
from protocols.didcomm.message import AckOn, PlainMessage
from protocols.errors import BadInput, LernodeError, PeerFault
from tests.shared_data import shared_json

RECORDED = [entry["plaintext"] for entry in shared_json("wire/acapy/exchange.json")]
PING = {"@type": "https://didcomm.org/trust_ping/1.0/ping", "@id": "one"}


def decode(**changes: Any) -> PlainMessage:
    return codec_v1.decode(json.dumps({**PING, **changes}).encode())


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["@type"].split("/", 3)[3])
def test_a_recorded_message_is_read_and_written_with_the_same_meaning(recorded: dict[str, Any]) -> None:
    message = codec_v1.decode(json.dumps(recorded).encode())
    again = codec_v1.encode(message)
    # RFC 0008: an empty thread, which ACA-Py puts on its offer, says the same as none.
    assert json.loads(again) == {name: value for name, value in recorded.items() if (name, value) != ("~thread", {})}
    assert codec_v1.decode(again) == message


def test_all_twelve_recorded_types_are_there() -> None:
    assert len({recorded["@type"] for recorded in RECORDED}) == 12


@pytest.mark.parametrize(
    ("thread", "thid", "pthid"),
    [
        (None, "one", None),
        ({}, "one", None),
        ({"thid": None}, "one", None),
        ({"pthid": "parent"}, "one", "parent"),
        ({"thid": "first"}, "first", None),
        ({"thid": "first", "pthid": "did:example:1#didcomm"}, "first", "did:example:1#didcomm"),
        ({"thid": "first", "sender_order": 3, "received_orders": {"did:sov:abc": 1}}, "first", None),
    ],
)
def test_threads(thread: Any, thid: str, pthid: str | None) -> None:
    message = decode(**{"~thread": thread})
    assert (message.thid, message.pthid) == (thid, pthid)
    assert "~thread" not in message.body
    assert codec_v1.decode(codec_v1.encode(message)) == message


@pytest.mark.parametrize(
    ("decorator", "asked"),
    [
        (None, set()),
        ({}, set()),
        ({"on": []}, set()),
        ({"on": ["RECEIPT"]}, {AckOn.RECEIPT}),
        (["RECEIPT", "OUTCOME"], {AckOn.RECEIPT, AckOn.OUTCOME}),
        ({"on": ["OUTCOME", "RECEIPT", "SOMETIME"]}, {AckOn.RECEIPT, AckOn.OUTCOME}),
    ],
)
def test_please_ack(decorator: Any, asked: set[AckOn]) -> None:
    message = decode(**{"~please_ack": decorator})
    assert message.please_ack == asked
    assert codec_v1.decode(codec_v1.encode(message)) == message


def test_the_legacy_prefix_means_the_same_type() -> None:
    message = decode(**{"@type": "did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/trust_ping/1.0/ping"})
    assert message.type == PING["@type"]


def test_a_minor_version_does_not_change_the_protocol() -> None:
    message = decode(**{"@type": "https://didcomm.org/trust_ping/1.7/ping"})
    assert (message.protocol, message.name) == ("https://didcomm.org/trust_ping/1", "ping")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        *(({"@type": wrong}, "message.type") for wrong in (
            None, 1, "", "ping", "https://didcomm.org/trust_ping/ping", "https://didcomm.org/trust_ping/x/ping",
            "https://didcomm.org/trust_ping/1/ping", "https://didcomm.org/trust_ping/1.0/", "https://didcomm.org/trust_ping/1.0/ping\n",
            "https://didcomm.org/trust ping/1.0/ping", "https://didcomm.org/" + "x" * 300 + "/1.0/ping",
            "https://didcomm.org/trust_ping/١.٠/ping",
        )),
        *(({"@id": wrong}, "message.id") for wrong in (None, 1, "", " ", "a b", "a\nb", "é", "x" * 129, [], {})),
        *(({"~thread": wrong}, "message.thread") for wrong in (
            1, "x", [], {"thid": 1}, {"thid": ""}, {"thid": "a b"}, {"thid": "x" * 129}, {"pthid": 1},
            {"pthid": "x" * 5000}, {"pthid": "a\tb"},
        )),
        *(({"~please_ack": wrong}, "message.malformed") for wrong in (
            1, "x", [1], {"on": 1}, {"on": "RECEIPT"}, {"on": [1]},
        )),
    ],
)  # fmt: skip
def test_bad_headers_are_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(PeerFault) as caught:
        decode(**changes)
    assert caught.value.code == code


@pytest.mark.parametrize("missing", ["@type", "@id"])
def test_missing_headers_are_refused(missing: str) -> None:
    with pytest.raises(PeerFault):
        codec_v1.decode_object({name: value for name, value in PING.items() if name != missing})


@settings(max_examples=100)
@given(st.one_of(st.binary(max_size=100), st.text(max_size=100).map(lambda t: t.encode("utf-8", "surrogatepass"))))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(LernodeError):
        codec_v1.decode(noise)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
HEADER_NAMES = {"@type", "@id", "~thread", "~please_ack"}
IDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128)


@settings(max_examples=80)
@given(
    body=st.dictionaries(TEXTS, JSON, max_size=4).filter(lambda body: not HEADER_NAMES & body.keys()),
    message_id=IDS,
    thid=IDS,
    pthid=st.none() | IDS,
    asked=st.frozensets(st.sampled_from(AckOn)),
)
def test_what_is_written_is_read_again(
    body: dict[str, Any], message_id: str, thid: str, pthid: str | None, asked: frozenset[AckOn]
) -> None:
    message = PlainMessage(PING["@type"], message_id, thid, pthid, body, asked)
    assert codec_v1.decode(codec_v1.encode(message)) == message


@pytest.mark.parametrize("value", [b"bytes", float("nan"), "\udcff", object()])
def test_what_json_cannot_hold_is_not_sent(value: Any) -> None:
    with pytest.raises(BadInput) as caught:
        codec_v1.encode(PlainMessage(PING["@type"], "1", "1", body={"comment": value}))
    assert caught.value.code == "message.unencodable"


def test_a_body_cannot_forge_headers() -> None:
    message = PlainMessage(PING["@type"], "1", "1", body={"@id": "2", "~thread": {"thid": "3"}, "comment": "x"})
    assert codec_v1.encode_object(message) == {**PING, "@id": "1", "comment": "x"}


@pytest.mark.parametrize(
    "written", ["2026-11-28T12:00:00Z", "2026-11-28 12:00:00Z", "2026-11-28T13:00:00+01:00", "2026-11-28 12:00"]
)
def test_a_message_says_until_when_it_can_be_answered(written: str) -> None:
    message = decode(**{"~timing": {"expires_time": written, "in_time": "2026-11-27T12:00:00Z"}})
    assert message.expires_time == 1_795_867_200
    assert codec_v1.decode(codec_v1.encode(message)) == message


@pytest.mark.parametrize("timing", [[], "soon", {"expires_time": 3}, {"expires_time": "soon"}])
def test_a_time_that_is_none_is_refused(timing: Any) -> None:
    with pytest.raises(PeerFault) as refused:
        decode(**{"~timing": timing})
    assert refused.value.code == "message.malformed"
