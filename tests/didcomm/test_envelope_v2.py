"""DIDComm v2 envelopes: the specification's vectors open, what we pack opens, and nothing that was changed does."""

from __future__ import annotations

import asyncio
import copy
import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.did.document import Relationship, parse_document
from protocols.didcomm import envelope, signed_v2
from protocols.didcomm.envelope_v2 import Encryption, Layer, SenderKey, Unpacked, pack, recipients_of, unpack
from protocols.didcomm.message import Wire
from protocols.errors import BadInput, LernodeError, NotNow, PeerFault
from protocols.jose import read_jwe
from protocols.keys import AgreementKeyPair
from protocols.multiformats import Multicodec, b64url_decode, b64url_encode
from tests.didcomm.helpers import entropy_from
from tests.didcomm.helpers import key as ed25519
from tests.didcomm.vectors_v2 import ALICE, BOB, DOCUMENTS, ENCRYPTED, PLAINTEXT, SIGNED, Documents, Keys, signer

TEXT = json.dumps(PLAINTEXT).encode()
AGREEMENT = {
    Multicodec.X25519_PUB: "key-x25519-1",
    Multicodec.P256_PUB: "key-p256-1",
    Multicodec.P384_PUB: "key-p384-1",
    Multicodec.P521_PUB: "key-p521-1",
}
BOTH_HAVE = [Multicodec.X25519_PUB, Multicodec.P256_PUB, Multicodec.P521_PUB]


def to_bob(codec: Multicodec = Multicodec.X25519_PUB) -> Any:
    return recipients_of(DOCUMENTS[BOB], [codec])


def from_alice(codec: Multicodec = Multicodec.X25519_PUB) -> SenderKey:
    kid = f"{ALICE}#{AGREEMENT[codec]}"
    found = Keys(ALICE).find_agreement(kid)
    assert found is not None
    return SenderKey(kid, found)


def authcrypt(text: bytes = TEXT, seed: str = "x") -> bytes:
    return pack(text, to=to_bob(), sender=from_alice(), entropy=entropy_from(seed))


def anoncrypt(text: bytes = TEXT, encryption: Encryption = Encryption.XC20P) -> bytes:
    return pack(text, to=to_bob(), sender=None, entropy=entropy_from("y"), encryption=encryption)


def opened(packed: bytes, *, keys: Keys | None = None, documents: Documents | None = None) -> Unpacked:
    return asyncio.run(unpack(packed, keys or Keys(BOB), documents or Documents()))


def refusal(packed: bytes, *, keys: Keys | None = None, documents: Documents | None = None) -> str:
    with pytest.raises(PeerFault) as caught:
        opened(packed, keys=keys, documents=documents)
    return caught.value.code


def said(**changes: Any) -> bytes:
    message = PLAINTEXT | changes
    return json.dumps({name: value for name, value in message.items() if value is not ...}).encode()


VECTOR_LAYERS = [
    (Layer.ANONCRYPT,), (Layer.ANONCRYPT,), (Layer.ANONCRYPT,), (Layer.AUTHCRYPT,), (Layer.AUTHCRYPT, Layer.SIGNED),
    (Layer.ANONCRYPT, Layer.AUTHCRYPT, Layer.SIGNED),
]  # fmt: skip


def test_the_appendix_has_the_vectors_that_are_counted_on() -> None:
    assert (len(SIGNED), len(ENCRYPTED)) == (3, 6)


@pytest.mark.parametrize(("vector", "kid"), list(zip(SIGNED, ["key-1", "key-2", "key-3"], strict=True)))
def test_a_signed_vector_opens(vector: dict[str, Any], kid: str) -> None:
    result = opened(json.dumps(vector).encode())
    assert (result.layers, result.signer, result.sender) == ((Layer.SIGNED,), f"{ALICE}#{kid}", None)
    assert result.message.body == PLAINTEXT["body"]
    assert json.loads(result.signed or b"") == vector


@pytest.mark.parametrize(("vector", "layers"), list(zip(ENCRYPTED, VECTOR_LAYERS, strict=True)))
def test_an_encrypted_vector_opens_for_every_recipient(vector: dict[str, Any], layers: tuple[Layer, ...]) -> None:
    for recipient in vector["recipients"]:
        kid = recipient["header"]["kid"]
        ours = Keys(BOB).find_agreement(kid)
        assert ours is not None
        result = opened(
            json.dumps(vector).encode(), keys=Keys("nobody", others={kid: ours}) if len(layers) < 3 else None
        )
        assert result.layers == layers
        assert (result.message.id, result.message.from_, result.message.to) == ("1234567890", ALICE, (BOB,))
        assert result.message.body == PLAINTEXT["body"]
        assert (result.sender is not None) == (Layer.AUTHCRYPT in layers)
        assert (result.signer == f"{ALICE}#key-1") == (Layer.SIGNED in layers)


@pytest.mark.parametrize(("codec", "encryption"), list(product(AGREEMENT, Encryption)))
def test_what_is_packed_without_a_sender_opens(codec: Multicodec, encryption: Encryption) -> None:
    packed = pack(TEXT, to=to_bob(codec), sender=None, entropy=entropy_from("a"), encryption=encryption)
    result = opened(packed)
    assert (result.layers, result.sender) == ((Layer.ANONCRYPT,), None)
    assert result.recipient == f"{BOB}#{AGREEMENT[codec]}"
    assert result.message.body == PLAINTEXT["body"]


@pytest.mark.parametrize("codec", BOTH_HAVE)
def test_what_is_packed_with_a_sender_opens_and_proves_it(codec: Multicodec) -> None:
    packed = pack(TEXT, to=to_bob(codec), sender=from_alice(codec), entropy=entropy_from("b"))
    result = opened(packed)
    assert (result.layers, result.sender) == ((Layer.AUTHCRYPT,), f"{ALICE}#{AGREEMENT[codec]}")


@pytest.mark.parametrize("kid", ["key-1", "key-2"])
@pytest.mark.parametrize("wrap", [authcrypt, anoncrypt])
def test_what_is_signed_and_encrypted_opens(kid: str, wrap: Any) -> None:
    result = opened(wrap(signed_v2.sign(TEXT, signer(f"{ALICE}#{kid}"))))
    assert result.signer == f"{ALICE}#{kid}"
    assert result.layers[1:] == (Layer.SIGNED,)
    assert opened(result.signed or b"").message == result.message


def test_a_hidden_sender_is_proved() -> None:
    hidden = anoncrypt(authcrypt())
    assert ALICE.encode() not in hidden
    assert b64url_encode(ALICE.encode()) not in json.loads(hidden)["protected"]
    assert opened(hidden).sender == f"{ALICE}#key-x25519-1"


@pytest.mark.parametrize(
    "packed",
    [
        signed_v2.sign(authcrypt(), signer(f"{ALICE}#key-1")),
        signed_v2.sign(signed_v2.sign(TEXT, signer(f"{ALICE}#key-1")), signer(f"{ALICE}#key-1")),
        anoncrypt(anoncrypt()),
        authcrypt(authcrypt()),
        authcrypt(anoncrypt()),
        anoncrypt(authcrypt(authcrypt())),
        TEXT,
    ],
    ids=["sign(auth)", "sign(sign)", "anon(anon)", "auth(auth)", "auth(anon)", "anon(auth(auth))", "plain"],
)
def test_envelopes_in_another_order_are_refused(packed: bytes) -> None:
    assert refusal(packed) == "envelope.malformed"


OTHER = "did:example:mallory"
MALLORY = AgreementKeyPair.of_ed25519(ed25519("mallory"))
MALLORY_DOCUMENT = parse_document(
    {
        "id": OTHER,
        "keyAgreement": [
            {"id": f"{OTHER}#key", "type": "Multikey", "controller": OTHER,
             "publicKeyMultibase": MALLORY.public.multikey}
        ],
        "authentication": [
            {"id": f"{OTHER}#sign", "type": "Multikey", "controller": OTHER,
             "publicKeyMultibase": ed25519("mallory").multikey}
        ],
    },
    OTHER,
)  # fmt: skip


def test_the_addressing_of_a_message_has_to_agree_with_its_envelope() -> None:
    mallory = SenderKey(f"{OTHER}#key", MALLORY)
    documents = Documents(MALLORY_DOCUMENT)
    forged = pack(TEXT, to=to_bob(), sender=mallory, entropy=entropy_from("m"))
    assert refusal(forged, documents=documents) == "message.addressing"
    signed_by_alice = signed_v2.sign(TEXT, signer(f"{ALICE}#key-1"))
    forwarded = pack(signed_by_alice, to=to_bob(), sender=mallory, entropy=entropy_from("m"))
    assert refusal(forwarded, documents=documents) == "message.addressing"
    assert refusal(authcrypt(said(**{"from": ...}))) == "message.addressing"
    assert refusal(authcrypt(said(to=[OTHER]))) == "message.addressing"
    assert refusal(anoncrypt(said(to=[OTHER]))) == "message.addressing"
    assert refusal(signed_v2.sign(said(**{"from": OTHER}), signer(f"{ALICE}#key-1"))) == "message.addressing"
    unaddressed = signed_v2.sign(said(to=...), signer(f"{ALICE}#key-1"))
    assert refusal(anoncrypt(unaddressed)) == "message.addressing"
    assert opened(unaddressed).message.to == ()
    assert opened(authcrypt(said(to=...))).message.to == ()
    assert opened(authcrypt(said(to=[OTHER, BOB]))).message.to == (OTHER, BOB)
    assert opened(anoncrypt(said(**{"from": ...}))).message.from_ is None


def test_a_sender_key_that_its_did_does_not_list_for_agreement_is_refused() -> None:
    for kid in (f"{ALICE}#key-1", f"{ALICE}#gone", "did:example:nobody#key"):
        packed = pack(TEXT, to=to_bob(), sender=SenderKey(kid, from_alice().key), entropy=entropy_from("s"))
        assert refusal(packed) == "envelope.sender"


def test_a_sender_that_names_the_key_of_another_is_refused() -> None:
    posing = SenderKey(f"{ALICE}#key-x25519-1", MALLORY)
    assert refusal(pack(TEXT, to=to_bob(), sender=posing, entropy=entropy_from("s"))) == "envelope.unreadable"


def test_a_signature_by_a_key_that_does_not_authenticate_is_refused() -> None:
    agreement_only = json.loads(signed_v2.sign(TEXT, signer(f"{ALICE}#key-1")))
    for kid in (f"{ALICE}#key-x25519-1", f"{ALICE}#key-2", f"{ALICE}#gone", "did:example:nobody#key-1"):
        agreement_only["signatures"][0]["header"]["kid"] = kid
        assert refusal(json.dumps(agreement_only).encode()) == "envelope.signature"


def test_a_flattened_signature_and_one_with_a_protected_kid_are_read() -> None:
    general = json.loads(signed_v2.sign(TEXT, signer(f"{ALICE}#key-1")))
    flat = {"payload": general["payload"], **general["signatures"][0]}
    assert opened(json.dumps(flat).encode()).signer == f"{ALICE}#key-1"


def test_what_is_for_others_makes_nobody_be_asked_for_documents() -> None:
    documents = Documents()
    assert refusal(authcrypt(), keys=Keys("did:example:carol"), documents=documents) == "envelope.not_for_us"
    assert documents.asked == []


def test_a_sender_who_cannot_be_looked_up_now_is_no_fault() -> None:
    class Away(Documents):
        async def resolve(self, did: str) -> Any:
            raise NotNow("did.unreachable", "Away.", "Later.")

    with pytest.raises(NotNow):
        opened(authcrypt(), documents=Away())


def test_with_a_sender_only_the_committing_encryption_is_packed() -> None:
    for encryption in (Encryption.A256GCM, Encryption.XC20P):
        with pytest.raises(BadInput) as caught:
            pack(TEXT, to=to_bob(), sender=from_alice(), entropy=entropy_from("x"), encryption=encryption)
        assert caught.value.code == "jwe.alg_unsupported"


def test_keys_that_do_not_go_together_are_not_packed_for() -> None:
    mallory = MALLORY_DOCUMENT.methods(Relationship.KEY_AGREEMENT)
    for to in ([], [*to_bob(), *to_bob(Multicodec.P256_PUB)], [*to_bob(), *mallory], [*to_bob()] * 22):
        with pytest.raises(BadInput) as caught:
            pack(TEXT, to=to, sender=None, entropy=entropy_from("x"))
        assert caught.value.code == "envelope.recipient"
    with pytest.raises(BadInput) as caught:
        pack(TEXT, to=to_bob(), sender=from_alice(Multicodec.P256_PUB), entropy=entropy_from("x"))
    assert caught.value.code == "envelope.recipient"
    with pytest.raises(BadInput):
        recipients_of(DOCUMENTS[BOB], [Multicodec.ED25519_PUB])


def parts(packed: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    outer = json.loads(packed)
    return outer, json.loads(b64url_decode(outer["protected"]))


ENVELOPE_CODES = {"envelope.malformed", "envelope.unreadable", "envelope.not_for_us", "envelope.sender"}
WRONG = [None, 7, True, [], {}, "", "?", "AA", "é", "x" * 70_000, ["a"], {"kty": "OKP"}]
PLACES = [
    ("protected",), ("iv",), ("ciphertext",), ("tag",), ("recipients",), ("recipients", 0),
    ("recipients", 0, "encrypted_key"), ("recipients", 0, "header"), ("recipients", 0, "header", "kid"),
    ("P", "enc"), ("P", "typ"), ("P", "alg"), ("P", "epk"), ("P", "apv"), ("P", "apu"), ("P", "skid"),
    ("P", "epk", "kty"), ("P", "epk", "crv"), ("P", "epk", "x"), ("P", "crit"), ("P", "zip"),
    ("unprotected",), ("aad",),
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
@pytest.mark.parametrize("wrap", [authcrypt, anoncrypt])
def test_every_member_missing_or_mistyped_is_refused(place: tuple[Any, ...], wrap: Any) -> None:
    outer, protected = parts(wrap())
    for wrong in [..., *WRONG]:
        changed_outer, changed = copy.deepcopy(outer), copy.deepcopy(protected)
        node: Any = changed if place[0] == "P" else changed_outer
        for step in place[1 if place[0] == "P" else 0 : -1]:
            node = node[step]
        if wrong is ...:
            if isinstance(place[-1], int) or place[-1] not in node:
                continue
            del node[place[-1]]
        else:
            node[place[-1]] = wrong
        if place[0] == "P":
            changed_outer["protected"] = b64url_encode(json.dumps(changed).encode())
        assert refusal(json.dumps(changed_outer).encode()) in ENVELOPE_CODES


SIGNED_PLACES = [
    ("payload",), ("signatures",), ("signatures", 0), ("signatures", 0, "protected"), ("signatures", 0, "signature"),
    ("signatures", 0, "header"), ("signatures", 0, "header", "kid"),
]  # fmt: skip


@pytest.mark.parametrize("place", SIGNED_PLACES, ids=lambda place: ".".join(map(str, place)))
def test_every_member_of_a_signature_missing_or_mistyped_is_refused(place: tuple[Any, ...]) -> None:
    good = json.loads(signed_v2.sign(TEXT, signer(f"{ALICE}#key-1")))
    for wrong in [..., *WRONG]:
        changed = copy.deepcopy(good)
        node: Any = changed
        for step in place[:-1]:
            node = node[step]
        if wrong is ...:
            if isinstance(place[-1], int):
                continue
            del node[place[-1]]
        else:
            node[place[-1]] = wrong
        assert refusal(json.dumps(changed).encode()) in {"envelope.malformed", "envelope.signature"}


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"typ": "application/didcomm-signed+json"}, "envelope.malformed"),
        ({"apv": b64url_encode(bytes(32))}, "envelope.malformed"),
        ({"skid": f"{ALICE}#key-p256-1"}, "envelope.malformed"),
        ({"alg": "ECDH-ES+A256KW"}, "envelope.malformed"),
        ({"alg": "ECDH-1PU+A128KW"}, "envelope.malformed"),
        ({"alg": "ECDH-1PU"}, "envelope.malformed"),
        ({"alg": "dir"}, "envelope.malformed"),
        ({"enc": "A256GCM"}, "envelope.malformed"),
        ({"enc": "XC20P"}, "envelope.malformed"),
        ({"crit": ["b64"], "b64": False}, "envelope.malformed"),
        ({"zip": "DEF"}, "envelope.malformed"),
        ({"epk": {"kty": "OKP", "crv": "X25519", "x": b64url_encode(bytes(32))}}, "envelope.unreadable"),
        ({"epk": {"kty": "OKP", "crv": "Ed25519", "x": b64url_encode(ed25519("e").public)}}, "envelope.malformed"),
        ({"typ": "didcomm-encrypted+json"}, "envelope.unreadable"),
    ],
)  # fmt: skip
def test_a_rewritten_header_is_refused(header: dict[str, Any], code: str) -> None:
    outer, protected = parts(authcrypt())
    outer["protected"] = b64url_encode(json.dumps(protected | header).encode())
    assert refusal(json.dumps(outer).encode()) == code


def test_an_ephemeral_key_off_its_curve_is_refused() -> None:
    outer, protected = parts(pack(TEXT, to=to_bob(Multicodec.P256_PUB), sender=None, entropy=entropy_from("c")))
    protected["epk"]["y"] = protected["epk"]["x"]
    outer["protected"] = b64url_encode(json.dumps(protected).encode())
    assert refusal(json.dumps(outer).encode()) == "envelope.malformed"


def test_an_ephemeral_key_without_its_leading_zeros_is_read() -> None:
    for number in range(1000):
        packed = pack(TEXT, to=to_bob(Multicodec.P256_PUB), sender=None, entropy=entropy_from(f"zero {number}"))
        protected = parts(packed)[1]
        if b64url_decode(protected["epk"]["x"])[0] == 0:
            break
    protected["epk"]["x"] = b64url_encode(b64url_decode(protected["epk"]["x"]).lstrip(b"\0"))
    short, full = read_jwe(json.loads(packed)).epk, json.loads(packed)
    full["protected"] = b64url_encode(json.dumps(protected).encode())
    assert read_jwe(full).epk == short


def test_a_recipient_added_or_of_another_did_is_refused() -> None:
    outer, _ = parts(authcrypt())
    added = copy.deepcopy(outer["recipients"][0])
    for kid in (f"{BOB}#another", f"{OTHER}#key"):
        added["header"]["kid"] = kid
        assert (
            refusal(json.dumps(outer | {"recipients": [*outer["recipients"], added]}).encode()) == "envelope.malformed"
        )
    assert refusal(json.dumps(outer | {"recipients": outer["recipients"] * 2}).encode()) == "envelope.malformed"
    assert refusal(json.dumps(outer | {"recipients": outer["recipients"] * 30}).encode()) == "envelope.malformed"


def test_huge_envelopes_and_messages_are_refused() -> None:
    assert refusal(b" " * (6 * (1 << 20) + 1)) == "envelope.too_large"
    assert refusal(anoncrypt(said(body={"x": "y" * (1 << 20)}))) == "envelope.too_large"


def test_a_sealed_message_that_is_none_is_refused_with_a_stable_code() -> None:
    for text in (b"", b"[]", b"\xff", b'{"id":1,"id":2}', b"{}", said(type="x"), said(id=None), said(typ="text/plain")):
        code = refusal(anoncrypt(text))
        assert code in {"envelope.malformed", "message.type", "message.id", "message.malformed"}


SEALED = {
    "authcrypt": authcrypt(),
    "anoncrypt": anoncrypt(),
    "gcm": anoncrypt(encryption=Encryption.A256GCM),
    "hidden": anoncrypt(authcrypt()),
    "signed": signed_v2.sign(TEXT, signer(f"{ALICE}#key-1")),
}


@settings(max_examples=300)
@given(kind=st.sampled_from(sorted(SEALED)), position=st.integers(0, 5000), bit=st.integers(0, 7))
def test_a_bit_changed_anywhere_is_refused_or_says_the_same(kind: str, position: int, bit: int) -> None:
    packed = bytearray(SEALED[kind])
    packed[position % len(packed)] ^= 1 << bit
    try:
        result = opened(bytes(packed))
    except PeerFault as fault:
        assert fault.code.startswith("envelope.")
    else:
        # Only what nothing protects may have changed: a recipient entry that is not ours, or the name of a member.
        assert result.message == opened(SEALED[kind]).message


@settings(max_examples=100)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass"))))
def test_noise_is_refused(noise: bytes) -> None:
    assert refusal(noise) == "envelope.malformed"
    with pytest.raises(LernodeError):
        asyncio.run(envelope.open_envelope(noise, Keys(BOB), Documents()))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5) | st.sampled_from(["e30", f"{BOB}#key"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["header", "kid", "encrypted_key", "protected", "signature", "alg", "x"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(["protected", "recipients", "iv", "ciphertext", "tag", "payload", "signatures", "header"]), JSON
    )
)
def test_an_object_with_the_right_names_and_any_values_is_refused(value: dict[str, Any]) -> None:
    assert refusal(json.dumps(value).encode()) == "envelope.malformed"


def test_the_version_of_an_envelope_is_seen_by_its_content() -> None:
    from protocols.didcomm import envelope_v1

    bob = ed25519("bob")
    old = envelope_v1.pack(b"{}", to=[bob.verkey], sender=None, entropy=entropy_from("v"))
    assert envelope.wire_of(json.loads(old)) is Wire.V1
    assert {envelope.wire_of(json.loads(packed)) for packed in SEALED.values()} == {Wire.V2}


def test_both_versions_are_opened_at_one_door() -> None:
    from protocols.didcomm import envelope_v1

    alice, bob = ed25519("alice"), ed25519("bob")

    class Both(Keys):
        def find(self, verkey: str) -> Any:
            return bob if verkey == bob.verkey else None

    ping = json.dumps({"@type": "https://didcomm.org/trust_ping/1.0/ping", "@id": "1"}).encode()
    old = envelope_v1.pack(ping, to=[bob.verkey], sender=alice, entropy=entropy_from("v"))
    first = asyncio.run(envelope.open_envelope(old, Both(BOB), Documents()))
    assert (first.message.wire, first.sender, first.recipient) == (Wire.V1, alice.verkey, bob.verkey)
    second = asyncio.run(envelope.open_envelope(authcrypt(), Both(BOB), Documents()))
    assert (second.message.wire, second.sender) == (Wire.V2, f"{ALICE}#key-x25519-1")
    assert second.recipient == f"{BOB}#key-x25519-1"


def test_errors_and_values_never_show_a_secret() -> None:
    sender = from_alice()
    assert isinstance(sender.key, AgreementKeyPair)
    assert repr(sender.key.seed) not in repr(sender)
