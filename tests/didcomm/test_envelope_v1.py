"""RFC 0019 envelopes: what is packed is unpacked by whom it is for and by nobody else, and a change is noticed."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings
from nacl.public import Box, PrivateKey, PublicKey, SealedBox

from protocols.didcomm import envelope
from protocols.didcomm.envelope_v1 import pack, unpack, wrap_for_routing
from protocols.errors import BadInput, LernodeError, PeerFault
from protocols.keys import KeyPair, ed25519_public_to_x25519
from tests.didcomm.helpers import Keys, entropy_from, ids, key
from tests.shared_data import shared_json

ALICE, BOB, CAROL = key("alice"), key("bob"), key("carol")
TEXT = b'{"@type":"https://didcomm.org/trust_ping/1.0/ping","@id":"1"}'


def b64(data: bytes, *, padded: bool = False) -> str:
    text = base64.urlsafe_b64encode(data).decode()
    return text if padded else text.rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def opened(packed: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    outer = json.loads(packed)
    return outer, json.loads(unb64(outer["protected"]))


@settings(max_examples=40)
@given(plaintext=st.binary(max_size=3000), authenticated=st.booleans(), others=st.integers(0, 3), seed=st.text())
def test_every_recipient_opens_what_was_packed(plaintext: bytes, authenticated: bool, others: int, seed: str) -> None:
    recipients = [BOB, *(key(f"other {n}") for n in range(others))]
    packed = pack(
        plaintext,
        to=[r.verkey for r in recipients],
        sender=ALICE if authenticated else None,
        entropy=entropy_from(repr(seed)),
    )
    for recipient in recipients:
        result = unpack(packed, Keys(recipient))
        assert result.plaintext == plaintext
        assert result.recipient == recipient.verkey
        assert result.sender == (ALICE.verkey if authenticated else None)


def test_packing_repeats_where_entropy_repeats_and_differs_where_it_does_not() -> None:
    packed = [pack(TEXT, to=[BOB.verkey], sender=ALICE, entropy=entropy_from(seed)) for seed in ("a", "a", "b")]
    assert packed[0] == packed[1]
    assert packed[0] != packed[2]


def test_an_envelope_for_somebody_else_is_refused() -> None:
    packed = pack(TEXT, to=[BOB.verkey], sender=ALICE, entropy=entropy_from("x"))
    with pytest.raises(PeerFault) as caught:
        unpack(packed, Keys(CAROL))
    assert caught.value.code == "envelope.not_for_us"


def test_an_independent_reading_of_the_rfc_opens_our_envelope() -> None:
    outer, protected = opened(pack(TEXT, to=[CAROL.verkey, BOB.verkey], sender=ALICE, entropy=entropy_from("x")))
    recipient = protected["recipients"][1]
    secret = PrivateKey(BOB.x25519_secret())
    sender_verkey = SealedBox(secret).decrypt(unb64(recipient["header"]["sender"])).decode()
    assert sender_verkey == ALICE.verkey
    box = Box(secret, PublicKey(ALICE.x25519_public()))
    content_key = box.decrypt(unb64(recipient["encrypted_key"]), unb64(recipient["header"]["iv"]))
    sealed = unb64(outer["ciphertext"]) + unb64(outer["tag"])
    aad, nonce = outer["protected"].encode(), unb64(outer["iv"])
    assert bindings.crypto_aead_chacha20poly1305_ietf_decrypt(sealed, aad, nonce, content_key) == TEXT


def reference_pack(sender_key: KeyPair | None, recipient: KeyPair, /, *, padded: bool = True, **header: str) -> bytes:
    """RFC 0019 by the letter with PyNaCl's high-level classes; ``header`` overrides fields of the recipient header."""
    content_key, nonce, box_nonce = b"k" * 32, b"n" * 12, b"b" * 24
    public = PublicKey(recipient.x25519_public())
    fields: dict[str, str] = {"kid": recipient.verkey}
    if sender_key is None:
        encrypted = SealedBox(public).encrypt(content_key)
    else:
        encrypted = Box(PrivateKey(sender_key.x25519_secret()), public).encrypt(content_key, box_nonce).ciphertext
        fields["sender"] = b64(SealedBox(public).encrypt(sender_key.verkey.encode()), padded=padded)
        fields["iv"] = b64(box_nonce, padded=padded)
    protected = {
        "enc": "xchacha20poly1305_ietf",
        "typ": "JWM/1.0",
        "alg": "Anoncrypt" if sender_key is None else "Authcrypt",
        "recipients": [{"encrypted_key": b64(encrypted, padded=padded), "header": {**fields, **header}}],
    }
    text = b64(json.dumps(protected, indent=1).encode(), padded=padded)
    sealed = bindings.crypto_aead_chacha20poly1305_ietf_encrypt(TEXT, text.encode(), nonce, content_key)
    envelope_fields = {
        "protected": text,
        "iv": b64(nonce, padded=padded),
        "ciphertext": b64(sealed[:-16], padded=padded),
        "tag": b64(sealed[-16:], padded=padded),
    }
    return json.dumps(envelope_fields).encode()


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("sender", [ALICE, None])
def test_an_independent_envelope_is_opened_padded_or_not(sender: KeyPair | None, padded: bool) -> None:
    result = unpack(reference_pack(sender, BOB, padded=padded), Keys(BOB))
    assert (result.plaintext, result.sender) == (TEXT, sender.verkey if sender else None)


def test_a_sender_named_in_an_anonymous_envelope_is_refused() -> None:
    sealed = b64(SealedBox(PublicKey(BOB.x25519_public())).encrypt(ALICE.verkey.encode()))
    for header in ({"sender": sealed}, {"sender": sealed, "iv": b64(b"b" * 24)}):
        with pytest.raises(PeerFault) as caught:
            unpack(reference_pack(None, BOB, **header), Keys(BOB))
        assert caught.value.code == "envelope.malformed"


def test_nobody_can_name_another_as_sender() -> None:
    """Mallory packs with her own key, but names Alice."""
    sealed = b64(SealedBox(PublicKey(BOB.x25519_public())).encrypt(ALICE.verkey.encode()))
    with pytest.raises(PeerFault) as caught:
        unpack(reference_pack(key("mallory"), BOB, sender=sealed), Keys(BOB))
    assert caught.value.code == "envelope.unreadable"


@pytest.mark.parametrize("named", [b"", b"\xff", b"1" * 32, ALICE.verkey.encode() + b" ", b"1" + ALICE.verkey.encode()])
def test_a_sender_that_is_no_verkey_is_refused(named: bytes) -> None:
    sealed = b64(SealedBox(PublicKey(BOB.x25519_public())).encrypt(named))
    with pytest.raises(PeerFault) as caught:
        unpack(reference_pack(ALICE, BOB, sender=sealed), Keys(BOB))
    assert caught.value.code == "envelope.unreadable"


def flip(text: str, position: int) -> str:
    data = bytearray(unb64(text))
    data[position % len(data)] ^= 1 << (position % 8)
    return b64(bytes(data))


@settings(max_examples=150)
@given(
    field=st.sampled_from(["protected", "iv", "ciphertext", "tag", "encrypted_key", "sender", "header.iv"]),
    position=st.integers(0, 5000),
)
def test_a_changed_bit_anywhere_is_refused(field: str, position: int) -> None:
    outer, protected = opened(pack(TEXT, to=[BOB.verkey], sender=ALICE, entropy=entropy_from("tamper")))
    if field in outer:
        outer[field] = flip(outer[field], position)
    else:
        recipient = protected["recipients"][0]
        place, name = (recipient, field) if field in recipient else (recipient["header"], field.removeprefix("header."))
        place[name] = flip(place[name], position)
        outer["protected"] = b64(json.dumps(protected, separators=(",", ":")).encode())
    with pytest.raises(PeerFault) as caught:
        unpack(json.dumps(outer).encode(), Keys(BOB))
    assert caught.value.code in {"envelope.unreadable", "envelope.malformed", "envelope.not_for_us"}


def test_a_rewritten_header_of_the_same_meaning_is_refused() -> None:
    outer, protected = opened(pack(TEXT, to=[BOB.verkey], sender=ALICE, entropy=entropy_from("tamper")))
    outer["protected"] = b64(json.dumps(protected, indent=2).encode())
    with pytest.raises(PeerFault) as caught:
        unpack(json.dumps(outer).encode(), Keys(BOB))
    assert caught.value.code == "envelope.unreadable"


WRONG = [None, 7, True, [], {}, "", "?", "AA", "é"]
PLACES = [
    ("protected",), ("iv",), ("ciphertext",), ("tag",),
    ("P", "enc"), ("P", "typ"), ("P", "alg"), ("P", "recipients"),
    ("P", "recipients", 0), ("P", "recipients", 0, "encrypted_key"), ("P", "recipients", 0, "header"),
    ("P", "recipients", 0, "header", "kid"), ("P", "recipients", 0, "header", "iv"),
    ("P", "recipients", 0, "header", "sender"),
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
@pytest.mark.parametrize("sender", [ALICE, None], ids=["authcrypt", "anoncrypt"])
def test_every_field_missing_or_mistyped_is_refused(place: tuple[Any, ...], sender: KeyPair | None) -> None:
    outer, protected = opened(pack(TEXT, to=[BOB.verkey], sender=sender, entropy=entropy_from("bad")))
    for wrong in ["missing", *WRONG]:
        changed_outer, changed = copy.deepcopy(outer), copy.deepcopy(protected)
        node: Any = changed if place[0] == "P" else changed_outer
        for step in place[1 if place[0] == "P" else 0 : -1]:
            node = node[step]
        if wrong == "missing" and isinstance(place[-1], str):
            if place[-1] not in node:
                continue
            del node[place[-1]]
        elif wrong is None and sender is None and place[-1] in {"sender", "iv"}:
            continue  # null is absent, as it should be
        else:
            node[place[-1]] = wrong
        if place[0] == "P":
            changed_outer["protected"] = b64(json.dumps(changed).encode())
        with pytest.raises(PeerFault) as caught:
            unpack(json.dumps(changed_outer).encode(), Keys(BOB))
        assert caught.value.code in {"envelope.malformed", "envelope.unreadable"}


@settings(max_examples=100)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass"))))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(PeerFault) as caught:
        unpack(noise, Keys(BOB))
    assert caught.value.code == "envelope.malformed"


def test_a_huge_envelope_is_refused_unread() -> None:
    with pytest.raises(PeerFault) as caught:
        unpack(b" " * (4 * (1 << 20) + 1), Keys(BOB))
    assert caught.value.code == "envelope.too_large"


def test_too_many_recipients_are_refused_on_both_sides() -> None:
    with pytest.raises(BadInput) as refused:
        pack(TEXT, to=[BOB.verkey] * 65, sender=None, entropy=entropy_from("x"))
    assert refused.value.code == "envelope.recipient"
    outer, protected = opened(pack(TEXT, to=[BOB.verkey], sender=None, entropy=entropy_from("x")))
    protected["recipients"] *= 65
    outer["protected"] = b64(json.dumps(protected).encode())
    with pytest.raises(PeerFault) as caught:
        unpack(json.dumps(outer).encode(), Keys(BOB))
    assert caught.value.code == "envelope.malformed"


@pytest.mark.parametrize("to", [[], ["0OIl"], ["é"], ["1" * 32], [ALICE.verkey[:-4]], ["1" * 500]])
def test_packing_for_what_is_no_key_is_refused(to: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        pack(TEXT, to=to, sender=ALICE, entropy=entropy_from("x"))
    assert caught.value.code == "envelope.recipient"


def test_each_mediator_sees_only_the_next_hop() -> None:
    inner = pack(TEXT, to=[BOB.verkey], sender=ALICE, entropy=entropy_from("x"))
    near, far = key("mediator near bob"), key("mediator at the endpoint")
    routed = wrap_for_routing(
        inner, to=BOB.verkey, routing_keys=[near.verkey, far.verkey], new_id=ids(), entropy=entropy_from("y")
    )
    for mediator, next_hop in ((far, near.verkey), (near, BOB.verkey)):
        result = unpack(routed, Keys(mediator))
        forward = json.loads(result.plaintext)
        assert result.sender is None
        assert forward["@type"] == "https://didcomm.org/routing/1.0/forward"
        assert forward["to"] == next_hop
        routed = json.dumps(forward["msg"]).encode()
    assert unpack(routed, Keys(BOB)).plaintext == TEXT


def test_without_mediators_nothing_is_wrapped() -> None:
    inner = pack(TEXT, to=[BOB.verkey], sender=ALICE, entropy=entropy_from("x"))
    assert wrap_for_routing(inner, to=BOB.verkey, routing_keys=[], new_id=ids(), entropy=entropy_from("y")) == inner


def test_a_route_of_too_many_or_of_no_key_is_refused() -> None:
    inner = pack(TEXT, to=[BOB.verkey], sender=ALICE, entropy=entropy_from("x"))
    for routing_keys in (["no key"], [CAROL.verkey] * 65):
        with pytest.raises(BadInput) as caught:
            wrap_for_routing(inner, to=BOB.verkey, routing_keys=routing_keys, new_id=ids(), entropy=entropy_from("y"))
        assert caught.value.code == "envelope.recipient"


@pytest.mark.parametrize(
    ("content_type", "accepted"),
    [
        ("application/didcomm-envelope-enc", True),
        ("application/ssi-agent-wire", True),
        ("Application/JSON; charset=utf-8", True),
        ("text/plain", False),
        ("", False),
    ],
)
def test_media_types(content_type: str, accepted: bool) -> None:
    assert envelope.is_accepted_media_type(content_type) is accepted


RECORDED = shared_json("wire/acapy/exchange.json")


@pytest.mark.parametrize("number", range(len(RECORDED)))
def test_our_envelope_has_the_fields_of_a_recorded_one(number: int) -> None:
    theirs, our_keys = RECORDED[number], Keys(BOB)
    plaintext = json.dumps(theirs["plaintext"]).encode()
    packed = pack(plaintext, to=[BOB.verkey], sender=ALICE, entropy=entropy_from("z"))
    our_outer, our_protected = opened(packed)
    their_protected = json.loads(unb64(theirs["envelope"]["protected"]))
    their_recipient, our_recipient = their_protected["recipients"][0], our_protected["recipients"][0]
    assert our_outer.keys() == theirs["envelope"].keys()
    assert our_protected.keys() == their_protected.keys()
    assert {our_protected[name] == their_protected[name] for name in ("enc", "typ", "alg")} == {True}
    assert our_recipient.keys() == their_recipient.keys()
    assert our_recipient["header"].keys() == their_recipient["header"].keys()
    for name in ("iv", "tag"):
        assert len(unb64(our_outer[name])) == len(unb64(theirs["envelope"][name]))
    assert len(unb64(our_recipient["encrypted_key"])) == len(unb64(their_recipient["encrypted_key"]))
    assert len(unb64(our_recipient["header"]["iv"])) == len(unb64(their_recipient["header"]["iv"]))
    assert len(ed25519_public_to_x25519(BOB.public)) == 32
    assert json.loads(unpack(packed, our_keys).plaintext) == theirs["plaintext"]


@pytest.mark.parametrize("number", range(len(RECORDED)))
def test_a_recorded_envelope_is_well_formed_to_us_and_not_for_us(number: int) -> None:
    recorded = json.dumps(RECORDED[number]["envelope"]).encode()
    with pytest.raises(PeerFault) as caught:
        unpack(recorded, Keys(BOB))
    assert caught.value.code == "envelope.not_for_us"


def test_errors_never_show_the_plaintext_or_a_key() -> None:
    result = unpack(pack(TEXT, to=[BOB.verkey], sender=ALICE, entropy=entropy_from("x")), Keys(BOB))
    assert "trust_ping" not in repr(result)
    with pytest.raises(LernodeError) as caught:
        unpack(reference_pack(key("mallory"), BOB, kid=ALICE.verkey), Keys(ALICE))
    assert ALICE.verkey not in str(caught.value)
