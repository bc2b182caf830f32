"""Points and signatures of Ed25519 that no signer makes: each is worked out here, and each is refused.

The points are the eight of small order and their six other encodings; the signatures fulfil the conditions of the
twelve test vectors in Chalkias, Garillot and Nikolaenko, Taming the many EdDSAs (2020), table 6: for each the equation
of verification holds, with or without the cofactor, or holds once numbers are reduced that must not be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocols.did import jwk as did_jwk
from protocols.did import key as did_key
from protocols.did.document import Relationship, parse_document
from protocols.errors import BadInput
from protocols.keys import EcdsaKeyPair, KeyPair, PublicKey, ed25519_verify, public_jwk
from protocols.multiformats import Multicodec, b58_encode, b64url_encode
from tests.keys import edwards
from tests.keys.edwards import BASE, ZERO, L, Point, add, challenge, encode, small_order, times

CODECS = {
    "secp256r1": Multicodec.P256_PUB,
    "secp384r1": Multicodec.P384_PUB,
    "secp521r1": Multicodec.P521_PUB,
    "secp256k1": Multicodec.SECP256K1_PUB,
}
SECRET = int.from_bytes(hashlib.sha512(b"secret").digest(), "little") % L
PUBLIC = times(SECRET, BASE)
TORSION = small_order()[1]
"""A point of order eight."""
MIXED = add(PUBLIC, TORSION)
HONEST = KeyPair.from_seed(bytes(range(32)))
DID = "did:web:college.example"

SMALL = {f"small order {n}": encode(point) for n, point in enumerate(small_order())}
LENIENT = {
    f"small order {n}, encoded otherwise {m}": encoded
    for n, point in enumerate(small_order())
    for m, encoded in enumerate(edwards.other_encodings(point))
}
MIXED_ORDER = {f"mixed order {n}": encode(add(PUBLIC, point)) for n, point in enumerate(small_order()[1:], 1)}
NO_POINT = {"no point of the curve": (2).to_bytes(32, "little"), "zeros but one": bytes(31) + b"\x7f"}
BAD_ED25519 = SMALL | LENIENT | MIXED_ORDER | NO_POINT
BAD_X25519 = {
    "zero": bytes(32),
    "one": (1).to_bytes(32, "little"),
    "minus one": (edwards.P - 1).to_bytes(32, "little"),
    "zero, not reduced": edwards.P.to_bytes(32, "little"),
    "one, not reduced": (edwards.P + 1).to_bytes(32, "little"),
    # RFC 7748 §5: the Montgomery form of the points of order eight, u = (1 + y) / (1 - y).
    "order eight": ((1 + TORSION[1]) * pow(1 - TORSION[1], -1, edwards.P) % edwards.P).to_bytes(32, "little"),
}


def messages() -> Iterator[bytes]:
    yield from (b"record %d" % n for n in range(500))


def forged(a: Point, r: Point, *, cofactor: bool, a_bytes: bytes = b"", r_bytes: bytes = b"") -> tuple[bytes, ...]:
    """Public key, message and signature for A = a and R = r, with an s for which the equation holds.

    Both points are multiples of the base point known here, plus points of small order; the message is one for which
    the parts of small order cancel out, or where the cofactor is to do that, one for which they do not.
    """
    a_bytes, r_bytes = a_bytes or encode(a), r_bytes or encode(r)
    of_a, of_r = _number(a), _number(r)
    for message in messages():
        k = challenge(r_bytes, a_bytes, message)
        s = (of_r + k * of_a) % L
        cancels = times(s, BASE) == add(r, times(k, a))
        assert times(8 * s, BASE) == times(8, add(r, times(k, a)))
        if cancels != cofactor:
            return a_bytes, message, edwards.signature(r_bytes, s)
    raise AssertionError("no message will do")


def _number(point: Point) -> int:
    """The multiple of the base point that is in a point, of those used here."""
    for small in small_order():
        for number in (0, SECRET, 5):
            if add(times(number, BASE), small) == point:
                return number
    raise AssertionError("not one of the points used here")


def prime(number: int = 5) -> Point:
    return times(number, BASE)


def honest() -> tuple[bytes, bytes, bytes, int]:
    """Public key, message, R and s of a signature that holds."""
    r = encode(prime())
    s = (5 + challenge(r, encode(PUBLIC), b"record") * SECRET) % L
    return encode(PUBLIC), b"record", r, s


def above(times_l: int) -> tuple[bytes, ...]:
    public, message, r, s = honest()
    return public, message, edwards.signature(r, s + times_l * L)


LENIENT_R = edwards.other_encodings(ZERO)[0]
LENIENT_A = edwards.other_encodings(small_order()[4])[0]

FORGED = {
    "0: A and R small, s zero": forged(TORSION, small_order()[7], cofactor=False),
    "1: A small, R mixed": forged(TORSION, add(prime(), small_order()[3]), cofactor=False),
    "1: A small, R prime": forged(TORSION, prime(), cofactor=False),
    "2: A mixed, R small": forged(MIXED, small_order()[2], cofactor=False),
    "2: A prime, R zero": forged(PUBLIC, ZERO, cofactor=False),
    "4: both mixed, with the cofactor only": forged(MIXED, add(prime(), TORSION), cofactor=True),
    "5: A mixed, R prime, with the cofactor only": forged(MIXED, prime(), cofactor=True),
    "6: s and the order": above(1),
    "7: s far above the order": above(15),
    "8: R encoded otherwise": forged(PUBLIC, ZERO, cofactor=False, r_bytes=LENIENT_R),
    "9: R encoded otherwise, A small": forged(TORSION, ZERO, cofactor=False, r_bytes=LENIENT_R),
    "10: A encoded otherwise": forged(small_order()[4], prime(), cofactor=False, a_bytes=LENIENT_A),
    "11: A encoded otherwise, R small": forged(small_order()[4], ZERO, cofactor=False, a_bytes=LENIENT_A),
}


def test_the_points_are_those_of_the_literature() -> None:
    assert len(set(SMALL.values())) == 8
    assert len(set(LENIENT.values())) == 6
    assert all(times(8, point) == ZERO for point in small_order())
    # The point of order eight as the paper's table 6 has it, and the base point of RFC 8032 §5.1.
    assert "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a" in {item.hex() for item in SMALL.values()}
    assert encode(BASE).hex() == "58" + 31 * "66"
    assert times(L, BASE) == ZERO
    assert encode(times(8 * 3, BASE)) != encode(add(times(8 * 3, BASE), TORSION))


def test_a_signature_made_with_plain_numbers_holds() -> None:
    public, message, r, s = honest()
    assert ed25519_verify(public, message, edwards.signature(r, s))
    assert not ed25519_verify(public, message, edwards.signature(r, (s + 1) % L))


@pytest.mark.parametrize("case", FORGED.values(), ids=FORGED)
def test_a_signature_that_no_signer_makes_does_not_hold(case: tuple[bytes, bytes, bytes]) -> None:
    assert not ed25519_verify(*case)


def test_under_a_key_of_mixed_order_a_signature_may_hold_so_the_key_is_refused() -> None:
    """Number 3 of the table: libsodium takes it, which is why the points of keys are looked at when they are read."""
    public, message, signature = forged(MIXED, add(prime(), TORSION), cofactor=False)
    assert ed25519_verify(public, message, signature)
    assert not PublicKey(Multicodec.ED25519_PUB, public).is_usable


@pytest.mark.parametrize("public", BAD_ED25519.values(), ids=BAD_ED25519)
def test_a_bad_point_is_no_signing_key_however_it_is_written(public: bytes) -> None:
    key = PublicKey(Multicodec.ED25519_PUB, public)
    assert_refused(key, Relationship.ASSERTION_METHOD, "Ed25519VerificationKey2020", "Ed25519VerificationKey2018")


@pytest.mark.parametrize("public", BAD_X25519.values(), ids=BAD_X25519)
def test_a_point_of_small_order_is_no_agreement_key_however_it_is_written(public: bytes) -> None:
    key = PublicKey(Multicodec.X25519_PUB, public)
    assert_refused(key, Relationship.KEY_AGREEMENT, "X25519KeyAgreementKey2020", "X25519KeyAgreementKey2019")


def assert_refused(key: PublicKey, use: Relationship, multibase_type: str, base58_type: str) -> None:
    assert not key.is_usable
    for did in (f"did:key:{key.multikey}", f"did:jwk:{b64url_encode(jwk_text(key))}"):
        with pytest.raises(BadInput) as refused:
            (did_key if did.startswith("did:key") else did_jwk).resolve(did)
        assert refused.value.code in ("did.malformed", "did.key_invalid")
    for material in (
        {"type": "Multikey", "publicKeyMultibase": key.multikey},
        {"type": multibase_type, "publicKeyMultibase": key.multikey},
        {"type": base58_type, "publicKeyBase58": b58_encode(key.raw)},
        {"type": "JsonWebKey", "publicKeyJwk": public_jwk(key)},
    ):
        method: dict[str, Any] = {"id": f"{DID}#1", "controller": DID, **material}
        document = parse_document({"id": DID, use.value: [method]}, DID)
        assert document.methods(use) == ()
        with pytest.raises(BadInput) as refused:
            document.method_for("#1", use)
        assert refused.value.code == "did.method_not_authorised"


def jwk_text(key: PublicKey) -> bytes:
    return b'{"kty":"OKP","crv":"%s","x":"%s"}' % (
        b"Ed25519" if key.codec is Multicodec.ED25519_PUB else b"X25519",
        b64url_encode(key.raw).encode(),
    )


@pytest.mark.parametrize("codec", [Multicodec.P256_PUB, Multicodec.P384_PUB])
def test_bytes_that_are_no_point_of_a_curve_are_no_key(codec: Multicodec) -> None:
    good = EcdsaKeyPair.from_seed(codec, bytes(31 if codec is Multicodec.P256_PUB else 47) + b"\x07")
    size = len(good.public) - 1
    outside = next(
        key
        for key in (PublicKey(codec, b"\x02" + number.to_bytes(size, "big")) for number in range(20))
        if not key.is_usable
    )
    for key in (outside, PublicKey(codec, b"\x04" + good.public[1:]), PublicKey(codec, b"\x02" + b"\xff" * size)):
        assert not key.is_usable
        with pytest.raises(BadInput):
            did_key.resolve(f"did:key:{key.multikey}")


def test_honest_keys_are_usable() -> None:
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1()):
        number = ec.derive_private_key(7, curve).public_key()
        raw = number.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        assert PublicKey(CODECS[curve.name], raw).is_usable
    assert PublicKey(Multicodec.ED25519_PUB, HONEST.public).is_usable
    assert PublicKey(Multicodec.X25519_PUB, HONEST.x25519_public()).is_usable
    assert PublicKey(Multicodec.ED25519_PUB, encode(PUBLIC)).is_usable


@pytest.mark.parametrize("x", ["AA==", "AB", "A+", "A/"])
def test_the_numbers_of_a_jwk_have_one_text(x: str) -> None:
    jwk = public_jwk(PublicKey(Multicodec.ED25519_PUB, HONEST.public))
    text = jwk["x"][: -len(x)] + x
    did = "did:jwk:" + b64url_encode(b'{"kty":"OKP","crv":"Ed25519","x":"%s"}' % text.encode())
    with pytest.raises(BadInput):
        did_jwk.resolve(did)
