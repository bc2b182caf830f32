"""RFC 0017 attachments: read both ways, hashed, signed; ACA-Py's real signature verifies, any change does not."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.didcomm.attachments import Attachment
from protocols.errors import LernodeError, PeerFault
from protocols.keys import KeyPair
from protocols.multiformats import b64url_decode, b64url_encode
from tests.didcomm.helpers import key
from tests.shared_data import shared_json

RECORDED = shared_json("wire/acapy/exchange.json")
RESPONSE = next(entry["plaintext"] for entry in RECORDED if entry["plaintext"]["@type"].endswith("/response"))
INVITATION_VERKEY = next(
    entry["recipient_verkey"] for entry in RECORDED if entry["plaintext"]["@type"].endswith("1/request")
)
ALICE, BOB = key("alice"), key("bob")


def recorded_attachments() -> list[dict[str, Any]]:
    found = []
    for entry in RECORDED:
        for name, value in entry["plaintext"].items():
            if name.endswith("~attach"):
                found += value if isinstance(value, list) else [value]
    return found


@pytest.mark.parametrize("raw", recorded_attachments(), ids=lambda raw: raw["@id"])
def test_a_recorded_attachment_is_read_and_written_as_it_was(raw: dict[str, Any]) -> None:
    attachment = Attachment.from_wire(raw)
    assert attachment.to_wire() == raw
    if attachment.media_type == "application/json":
        assert isinstance(attachment.json(), dict)


def test_the_recorded_rotation_was_signed_by_the_invitations_key() -> None:
    rotation = Attachment.from_wire(RESPONSE["did_rotate~attach"])
    assert rotation.verify([BOB.verkey, INVITATION_VERKEY]) == INVITATION_VERKEY
    assert rotation.content().decode() == RESPONSE["did"]


def test_the_recorded_rotation_was_signed_by_nobody_else() -> None:
    rotation = Attachment.from_wire(RESPONSE["did_rotate~attach"])
    response_sender = next(e["sender_verkey"] for e in RECORDED if e["plaintext"] is RESPONSE)
    for verkeys in ([], [BOB.verkey], [response_sender], ["not base58 0OIl"]):
        with pytest.raises(PeerFault) as caught:
            rotation.verify(verkeys)
        assert caught.value.code == "attachment.signature"


def test_our_signature_has_the_form_of_the_recorded_one() -> None:
    theirs = RESPONSE["did_rotate~attach"]["data"]["jws"]
    ours = (
        Attachment.of_bytes(b"did:example:1", id="1", media_type="text/string").signed(ALICE).to_wire()["data"]["jws"]
    )
    assert ours.keys() == theirs.keys()
    assert ours["header"].keys() == theirs["header"].keys()
    their_protected, our_protected = (json.loads(b64url_decode(jws["protected"])) for jws in (theirs, ours))
    assert our_protected.keys() == their_protected.keys()
    assert our_protected["jwk"].keys() == their_protected["jwk"].keys()
    assert our_protected["alg"] == their_protected["alg"]


@settings(max_examples=30)
@given(content=st.binary(max_size=500), seed=st.binary(min_size=32, max_size=32))
def test_what_is_signed_verifies_after_the_wire(content: bytes, seed: bytes) -> None:
    signer = KeyPair.from_seed(seed)
    attachment = Attachment.of_bytes(content, id="1", media_type="x/y").signed(signer)
    arrived = Attachment.from_wire(json.loads(json.dumps(attachment.to_wire())))
    assert arrived.verify([signer.verkey]) == signer.verkey
    assert arrived.content() == content


def signed() -> dict[str, Any]:
    return json.loads(json.dumps(Attachment.of_bytes(b"content", id="1", media_type="x/y").signed(ALICE).to_wire()))


def resigned(protected: dict[str, Any], header: dict[str, Any] | None = None) -> Attachment:
    raw = signed()
    text = b64url_encode(json.dumps(protected).encode())
    raw["data"]["jws"]["protected"] = text
    raw["data"]["jws"]["signature"] = b64url_encode(ALICE.sign(f"{text}.{raw['data']['base64']}".encode()))
    if header is not None:
        raw["data"]["jws"]["header"] = header
    return Attachment.from_wire(raw)


BOB_JWK = {"kty": "OKP", "crv": "Ed25519", "x": b64url_encode(BOB.public)}


@pytest.mark.parametrize(
    ("protected", "header"),
    [
        ({"alg": "none"}, None),
        ({"alg": "HS256"}, None),
        ({}, None),
        ({"alg": "EdDSA", "crit": ["b64"], "b64": False}, None),
        ({"alg": "EdDSA", "jwk": BOB_JWK}, None),
        ({"alg": "EdDSA", "jwk": "x"}, None),
        ({"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "X25519", "x": b64url_encode(ALICE.public)}}, None),
        ({"alg": "EdDSA", "kid": "did:key:" + BOB.multikey}, None),
        ({"alg": "EdDSA"}, {"kid": "did:key:" + BOB.multikey}),
        ({"alg": "EdDSA"}, {"kid": "did:key:nonsense"}),
        ({"alg": "EdDSA"}, {"crit": ["exp"]}),
        ({"alg": "EdDSA"}, {"kid": "did:key:" + ALICE.multikey, "jwk": BOB_JWK}),
    ],
)  # fmt: skip
def test_a_signature_that_does_not_mean_what_it_says_is_refused(
    protected: dict[str, Any], header: dict[str, Any] | None
) -> None:
    with pytest.raises(PeerFault) as caught:
        resigned(protected, header).verify([ALICE.verkey, BOB.verkey])
    assert caught.value.code == "attachment.signature"


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"kid": "did:key:" + ALICE.multikey},
        {"kid": f"did:key:{ALICE.multikey}#{ALICE.multikey}"},
        {"kid": "did:web:a#b"},
    ],
)
def test_the_forms_in_which_agents_name_a_key_are_read(header: dict[str, Any]) -> None:
    assert resigned({"alg": "EdDSA", "iat": 1583883989}, header).verify([ALICE.verkey]) == ALICE.verkey


def test_one_good_signature_of_several_is_enough() -> None:
    raw = signed()
    good = raw["data"]["jws"]
    bad = {**good, "signature": b64url_encode(b"\0" * 64)}
    raw["data"]["jws"] = {"signatures": [bad, good]}
    assert Attachment.from_wire(raw).verify([ALICE.verkey]) == ALICE.verkey
    raw["data"]["jws"] = {"signatures": [bad]}
    with pytest.raises(PeerFault):
        Attachment.from_wire(raw).verify([ALICE.verkey])


def test_changed_content_no_longer_verifies() -> None:
    raw = signed()
    raw["data"]["base64"] = b64url_encode(b"Content")
    with pytest.raises(PeerFault) as caught:
        Attachment.from_wire(raw).verify([ALICE.verkey])
    assert caught.value.code == "attachment.signature"


@pytest.mark.parametrize("field", ["protected", "signature", "header"])
@pytest.mark.parametrize("wrong", [None, 1, [], "", "?", {}])
def test_a_broken_jws_never_verifies(field: str, wrong: Any) -> None:
    if field == "header" and wrong in (None, {}):
        return  # an absent unprotected header is allowed
    raw = signed()
    raw["data"]["jws"][field] = wrong
    with pytest.raises(PeerFault) as caught:
        Attachment.from_wire(raw).verify([ALICE.verkey])
    assert caught.value.code == "attachment.signature"


def test_an_unsigned_attachment_never_verifies() -> None:
    with pytest.raises(PeerFault) as caught:
        Attachment.of_bytes(b"x", id=None, media_type="x/y").verify([ALICE.verkey])
    assert caught.value.code == "attachment.unsigned"


def test_inlined_json_is_never_signed() -> None:
    with pytest.raises(PeerFault) as caught:
        Attachment.of_json({"a": 1}, id="1").signed(ALICE)
    assert caught.value.code == "attachment.not_embedded"


@pytest.mark.parametrize("text", ["-_-_", "+/+/", "YWI=", "YWI"])
def test_padding_and_the_plain_alphabet_are_tolerated(text: str) -> None:
    content = Attachment.from_wire({"data": {"base64": text}}).content()
    assert content in {b"\xfb\xff\xbf", b"ab"}


def test_the_hash_is_checked() -> None:
    digest = hashlib.sha256(b"content").hexdigest()
    text = b64url_encode(b"content")
    assert Attachment.from_wire({"data": {"base64": text, "sha256": digest.upper()}}).content() == b"content"
    for wrong in ("00" * 32, "", "é"):
        with pytest.raises(PeerFault) as caught:
            Attachment.from_wire({"data": {"base64": text, "sha256": wrong}}).content()
        assert caught.value.code == "attachment.hash"


def test_linked_content_is_not_embedded() -> None:
    attachment = Attachment.from_wire({"data": {"links": ["https://example.org/x"], "sha256": "00"}})
    assert attachment.links == ("https://example.org/x",)
    for read in (attachment.content, attachment.json):
        with pytest.raises(PeerFault) as caught:
            read()
        assert caught.value.code == "attachment.not_embedded"


@pytest.mark.parametrize(
    "raw",
    [
        {}, {"data": None}, {"data": []}, {"data": {}}, {"data": {"json": None}}, {"data": {"base64": 1}},
        {"data": {"base64": "YQ", "json": {}}}, {"data": {"links": []}}, {"data": {"links": "https://a"}},
        {"data": {"links": ["file:///etc/passwd"]}}, {"data": {"links": [1]}}, {"data": {"links": ["https://a"] * 65}},
        {"data": {"json": {}, "jws": "x"}}, {"data": {"json": {}, "sha256": 1}}, {"@id": 1, "data": {"json": {}}},
        {"mime-type": [], "data": {"json": {}}}, {"byte_count": -1, "data": {"json": {}}},
        {"byte_count": True, "data": {"json": {}}}, {"filename": {}, "data": {"json": {}}},
        {"@id": "x" * 257, "data": {"json": {}}},
    ],
)  # fmt: skip
def test_a_malformed_descriptor_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(PeerFault) as caught:
        Attachment.from_wire(copy.deepcopy(raw))
    assert caught.value.code == "attachment.malformed"


@pytest.mark.parametrize("text", ["?", "A", "é", b64url_encode(b"{"), b64url_encode(b'{"a":1,"a":2}')])
def test_attached_bytes_that_are_no_json_are_refused(text: str) -> None:
    with pytest.raises(LernodeError) as caught:
        Attachment.from_wire({"data": {"base64": text}}).json()
    assert caught.value.code == "attachment.malformed"
