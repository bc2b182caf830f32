"""DIDComm v2 plaintext: headers keep their meaning, threads follow the specification, noise is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.didcomm import codec, codec_v2
from protocols.didcomm.message import AckOn, PlainMessage, Wire
from protocols.errors import BadInput, LernodeError, PeerFault

PING = {"type": "https://didcomm.org/trust-ping/2.0/ping", "id": "one"}
ALICE = "did:example:alice"


def decode(**changes: Any) -> PlainMessage:
    return codec_v2.decode(json.dumps({**PING, **changes}).encode())


def test_every_header_is_read_and_written_with_the_same_meaning() -> None:
    raw = {
        **PING, "typ": "application/didcomm-plain+json", "thid": "first", "pthid": "parent", "from": ALICE,
        "to": ["did:example:bob?versionId=1"], "created_time": 1516269022, "expires_time": 1516385931, "lang": "fr",
        "from_prior": "a.b.c", "please_ack": ["", "earlier"], "ack": ["one", "two"], "body": {"comment": "hi"},
        "attachments": [{"id": "a", "data": {"json": {}}}], "return_route": "all",
    }  # fmt: skip
    message = decode(**raw)
    assert message.wire is Wire.V2
    assert (message.thid, message.pthid, message.from_, message.lang) == ("first", "parent", ALICE, "fr")
    assert (message.please_ack, message.resend, message.ack) == ({AckOn.RECEIPT}, ("earlier",), ("one", "two"))
    assert message.headers == {"return_route": "all"}
    assert json.loads(codec.encode(message)) == raw


@pytest.mark.parametrize("typ", ["didcomm-plain+json", "application/didcomm-plain+json", None])
def test_the_media_type_may_be_short_or_left_out(typ: str | None) -> None:
    assert decode(typ=typ).name == "ping"


def test_what_is_left_out_starts_a_thread_and_has_an_empty_body() -> None:
    message = decode()
    assert (message.thid, message.pthid, dict(message.body), message.to) == ("one", None, {}, ())
    assert json.loads(codec.encode(message)) == {**PING, "typ": codec_v2.MEDIA_TYPE, "body": {}}


@pytest.mark.parametrize("asked", [["one"], [""], ["", "one"]])
def test_an_ack_of_this_message_is_asked_for_by_its_id_or_by_nothing(asked: list[str]) -> None:
    message = decode(please_ack=asked)
    assert (message.please_ack, message.resend) == ({AckOn.RECEIPT}, ())


BAD: dict[str, tuple[str, list[Any]]] = {
    "type": ("message.type", [None, 1, "", "ping", "https://didcomm.org/x/1/ping", "https://x.org/a b/1.0/c"]),
    "id": ("message.id", [None, 1, "", " ", "a b", "é", "x" * 129, [], {}]),
    "thid": ("message.thread", [1, "", "a b", "x" * 129, {}]),
    "pthid": ("message.thread", [1, "", "a\tb", "x" * 5000, []]),
    "typ": ("message.malformed", [1, "", "text/plain", "application/didcomm-signed+json", []]),
    "from": ("message.malformed", [1, "", "alice", "did:example:alice#key", "did:x:" + "y" * 20_000, []]),
    "to": ("message.malformed", [1, "did:example:bob", [1], ["bob"], ["did:example:bob#key"], [ALICE] * 65, {}]),
    "created_time": ("message.malformed", ["1", 1.5, True, -1, 1 << 63, []]),
    "expires_time": ("message.malformed", ["1", 1.5, False, -1, 1 << 63, {}]),
    "body": ("message.malformed", [1, "x", [], True]),
    "attachments": ("message.malformed", [1, {}, [1], [{}] * 65]),
    "from_prior": ("message.malformed", [1, {}, "x" * 40_000]),
    "lang": ("message.malformed", [1, [], "x" * 65]),
    "please_ack": ("message.malformed", [1, "x", [1], ["a b"], ["x"] * 65]),
    "ack": ("message.malformed", [1, "x", [1], [""], ["x"] * 65]),
}  # fmt: skip


@pytest.mark.parametrize(("name", "wrong"), [(name, wrong) for name, (_, values) in BAD.items() for wrong in values])
def test_a_mistyped_or_oversized_header_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(LernodeError) as caught:
        decode(**{name: wrong})
    assert caught.value.code in {BAD[name][0], "json.ambiguous"}


@pytest.mark.parametrize("missing", ["type", "id"])
def test_missing_headers_are_refused(missing: str) -> None:
    with pytest.raises(PeerFault):
        codec_v2.decode_object({name: value for name, value in PING.items() if name != missing})


@settings(max_examples=100)
@given(st.one_of(st.binary(max_size=100), st.text(max_size=100).map(lambda t: t.encode("utf-8", "surrogatepass"))))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(LernodeError):
        codec_v2.decode(noise)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
IDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
TIMES = st.none() | st.integers(0, 1 << 53)


@settings(max_examples=80)
@given(
    body=st.dictionaries(TEXTS, TEXTS, max_size=3),
    ids=st.lists(IDS, min_size=4, max_size=4, unique=True),
    asked=st.booleans(),
    times=st.tuples(TIMES, TIMES),
    to=st.lists(st.sampled_from([ALICE, "did:example:bob"]), max_size=2),
    lang=st.none() | TEXTS,
)
def test_what_is_written_is_read_again(
    body: dict[str, str], ids: list[str], asked: bool, times: tuple[int | None, int | None], to: list[str],
    lang: str | None,
) -> None:  # fmt: skip
    message = PlainMessage(
        PING["type"], ids[0], ids[1], ids[2], body, frozenset({AckOn.RECEIPT} if asked else ()), Wire.V2, ALICE,
        tuple(to), *times, ({"id": "x", "data": {"json": body}},), "jwt", lang, (ids[3],), (ids[2],), {"trace": "x"},
    )  # fmt: skip
    assert codec.decode(codec.encode(message), Wire.V2) == message


@pytest.mark.parametrize("value", [b"bytes", float("nan"), "\udcff", object()])
def test_what_json_cannot_hold_is_not_sent(value: Any) -> None:
    with pytest.raises(BadInput) as caught:
        codec.encode(PlainMessage(PING["type"], "1", "1", body={"comment": value}, wire=Wire.V2))
    assert caught.value.code == "message.unencodable"


def test_an_extension_cannot_forge_headers() -> None:
    message = PlainMessage(
        PING["type"], "1", "1", wire=Wire.V2, headers={"from": ALICE, "body": {"x": 1}, "trace": "t"}
    )
    assert codec.encode_object(message) == {
        "type": PING["type"], "id": "1", "typ": codec_v2.MEDIA_TYPE, "trace": "t", "body": {}
    }  # fmt: skip
