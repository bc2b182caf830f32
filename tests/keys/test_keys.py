"""Keys of each kind: what they sign, which signatures hold, and how they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadInput
from protocols.keys import (
    SIGNATURE_BYTES,
    EcdsaKeyPair,
    KeyPair,
    PublicKey,
    SigningKey,
    SoftwareSigner,
    public_jwk,
    read_public_jwk,
)
from protocols.multiformats import Multicodec, b64url_encode

# RFC 6979 §A.2.5 and §A.2.6: the secret numbers, and the signatures of "sample" with SHA-256 and SHA-384.
P256 = EcdsaKeyPair.from_seed(
    Multicodec.P256_PUB, bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
)
P384 = EcdsaKeyPair.from_seed(
    Multicodec.P384_PUB,
    bytes.fromhex("6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5"),
)
ED25519 = KeyPair.from_seed(bytes(range(32)))
KEYS: list[SigningKey] = [ED25519, P256, P384]
ORDER = {
    Multicodec.P256_PUB: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    Multicodec.P384_PUB: int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16
    ),
}


FORGERIES = [
    lambda raw: b"\x04" + raw[1:],  # the long form's mark
    lambda raw: raw[:-1],
    lambda raw: b"\x02" + b"\xff" * len(raw[1:]),  # not in the field
]


def public_of(key: SigningKey) -> PublicKey:
    return PublicKey(key.codec, key.public)


def test_ecdsa_signatures_are_those_of_rfc_6979() -> None:
    assert P256.sign(b"sample").hex().upper() == (
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    )
    assert P384.sign(b"sample").hex().upper() == (
        "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46"
        "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8"
    )


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.codec.name)
def test_a_signature_holds_for_its_message_and_key_alone(key: SigningKey) -> None:
    signature = key.sign(b"a record")
    assert len(signature) == SIGNATURE_BYTES[key.codec]
    assert public_of(key).verify(b"a record", signature)
    assert not public_of(key).verify(b"a recorb", signature)
    assert not any(public_of(other).verify(b"a record", signature) for other in KEYS if other is not key)


@pytest.mark.parametrize("key", [P256, P384], ids=lambda key: key.codec.name)
@given(data=st.data())
def test_no_other_bytes_are_a_signature(key: EcdsaKeyPair, data: st.DataObject) -> None:
    good, size, order = key.sign(b"a record"), SIGNATURE_BYTES[key.codec] // 2, ORDER[key.codec]
    r, s = (int.from_bytes(good[:size], "big"), int.from_bytes(good[size:], "big"))
    numbers = st.sampled_from([0, 1, order - 1, order, r, s, r + 1, s + 1, (1 << 8 * size) - 1])
    first, second = data.draw(numbers), data.draw(numbers)
    found = public_of(key).verify(b"a record", first.to_bytes(size, "big") + second.to_bytes(size, "big"))
    assert found == (first == r and second in (s, order - s))


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.codec.name)
def test_a_signature_of_another_length_does_not_hold(key: SigningKey) -> None:
    good = key.sign(b"a record")
    for bad in (b"", good[:-1], good + b"\x00", b"\x00" + good):
        assert not public_of(key).verify(b"a record", bad)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.codec.name)
def test_a_key_is_read_back_from_its_multikey_and_its_jwk(key: SigningKey) -> None:
    public = public_of(key)
    assert PublicKey.from_multikey(key.multikey) == public
    assert read_public_jwk(public_jwk(public)) == public


def test_an_agreement_key_signs_nothing() -> None:
    key = PublicKey(Multicodec.X25519_PUB, ED25519.x25519_public())
    assert not key.can_sign
    assert not key.verify(b"a record", ED25519.sign(b"a record"))


@pytest.mark.parametrize("key", [P256, P384], ids=lambda key: key.codec.name)
@pytest.mark.parametrize("forge", FORGERIES)
def test_bytes_that_are_no_compressed_point_verify_nothing_and_have_no_jwk(key: EcdsaKeyPair, forge) -> None:
    bad = PublicKey(key.codec, forge(key.public))
    assert not bad.verify(b"a record", key.sign(b"a record"))
    with pytest.raises(BadInput, match="curve"):
        public_jwk(bad)


@pytest.mark.parametrize(
    "change",
    [
        {"d": "AAAA"}, {"kty": "OKP"}, {"crv": "P-384"}, {"crv": "secp256k1"}, {"crv": ["P-256"]}, {"y": None},
        {"x": "!"}, {"y": b64url_encode(bytes(32))}, {"x": b64url_encode(bytes(31))}, {"x": "A" * 500},
    ],
)  # fmt: skip
def test_a_jwk_that_is_not_a_public_key_of_its_curve_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        read_public_jwk({**public_jwk(public_of(P256)), **change})


@pytest.mark.parametrize("codec", list(ORDER))
def test_a_secret_number_outside_the_curves_order_is_refused(codec: Multicodec) -> None:
    size = SIGNATURE_BYTES[codec] // 2
    for number in (0, ORDER[codec], (1 << 8 * size) - 1):
        with pytest.raises(BadInput):
            EcdsaKeyPair.from_seed(codec, number.to_bytes(size, "big"))
    with pytest.raises(BadInput):
        EcdsaKeyPair.from_seed(codec, bytes(size - 1))


def test_secrets_do_not_show() -> None:
    for key in KEYS:
        shown = f"{key!r} {SoftwareSigner(key, 'did:example:1#key')!r}"
        assert repr(key.seed) not in shown
        assert key.seed.hex() not in shown
