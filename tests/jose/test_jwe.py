"""JWE: the vector of RFC 7518 holds, and joserfc reads what we write and writes what we read."""

from __future__ import annotations

import os
from typing import Any

import pytest
from joserfc import jwe as their_jwe
from joserfc.jwk import ECKey, OKPKey

from protocols.errors import BadInput
from protocols.jose import open_jwe, read_jwe, seal_jwe
from protocols.jose.content_encryption import CONTENT_ENCRYPTIONS, Undecryptable
from protocols.keys import AgreementKeyPair, KeyPair, PublicKey, public_jwk
from protocols.multiformats import Multicodec, b64url_encode

CODECS = [Multicodec.X25519_PUB, Multicodec.P256_PUB, Multicodec.P384_PUB, Multicodec.P521_PUB]
ALGORITHMS = ["ECDH-ES+A256KW", "A256CBC-HS512", "A256GCM"]
TEXT = b"a record"


def fresh(codec: Multicodec) -> AgreementKeyPair:
    return AgreementKeyPair.fresh(codec, os.urandom)


def theirs(pair: AgreementKeyPair) -> Any:
    jwk = {**public_jwk(pair.public), "d": b64url_encode(pair.seed)}
    return OKPKey.import_key(jwk) if jwk["kty"] == "OKP" else ECKey.import_key(jwk)


def test_the_vector_of_rfc_7518_b_3_holds() -> None:
    key = bytes(range(64))
    plaintext = (
        b"A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy "
        b"without inconvenience"
    )
    iv = bytes.fromhex("1af38c2dc2b96ffdd86694092341bc04")
    aad = b"The second principle of Auguste Kerckhoffs"
    content = CONTENT_ENCRYPTIONS["A256CBC-HS512"]
    sealed = content.seal(plaintext, aad, iv, key)
    assert sealed[:16].hex() == "4affaaadb78c31c5da4b1b590d10ffbd"
    assert sealed[-32:].hex() == "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5"
    assert content.open(sealed, aad, iv, key) == plaintext


@pytest.mark.parametrize("enc", list(CONTENT_ENCRYPTIONS))
def test_content_opens_only_with_all_that_it_was_sealed_with(enc: str) -> None:
    content = CONTENT_ENCRYPTIONS[enc]
    key, iv = os.urandom(content.key_bytes), os.urandom(content.iv_bytes)
    sealed = content.seal(TEXT, b"aad", iv, key)
    assert content.open(sealed, b"aad", iv, key) == TEXT
    other = bytes([sealed[0] ^ 1]) + sealed[1:]
    for wrong in ((other, b"aad", iv, key), (sealed, b"AAD", iv, key), (sealed, b"aad", bytes(len(iv)), key)):
        with pytest.raises(Undecryptable):
            content.open(*wrong)
    with pytest.raises(Undecryptable):
        content.open(sealed, b"aad", iv, bytes(content.key_bytes))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("enc", ["A256CBC-HS512", "A256GCM"])
def test_joserfc_reads_what_we_write(codec: Multicodec, enc: str) -> None:
    ours = fresh(codec)
    sealed = seal_jwe(TEXT, header={"enc": enc}, recipients=[("k", ours.public)], sender=None, entropy=os.urandom)
    assert their_jwe.decrypt_json(sealed, theirs(ours), algorithms=ALGORITHMS).plaintext == TEXT


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("enc", ["A256CBC-HS512", "A256GCM"])
def test_we_read_what_joserfc_writes(codec: Multicodec, enc: str) -> None:
    ours = fresh(codec)
    header = {"alg": "ECDH-ES+A256KW", "enc": enc}
    compact = their_jwe.encrypt_compact(header, TEXT, theirs(ours), algorithms=ALGORITHMS)
    protected, key, iv, ciphertext, tag = compact.split(".")
    # The same in general form, which joserfc writes with an ephemeral key for each recipient, as DIDComm does not.
    recipients = [{"header": {"kid": "k"}, "encrypted_key": key}]
    raw = {"protected": protected, "recipients": recipients, "iv": iv, "ciphertext": ciphertext, "tag": tag}
    assert open_jwe(read_jwe(raw), "k", ours, None) == TEXT


@pytest.mark.parametrize("codec", CODECS)
def test_a_secret_is_shared_by_both_and_with_nobody_of_another_curve(codec: Multicodec) -> None:
    one, two = fresh(codec), fresh(codec)
    assert one.agree(two.public) == two.agree(one.public)
    for other in CODECS:
        if other is not codec:
            with pytest.raises(BadInput) as caught:
                one.agree(fresh(other).public)
            assert caught.value.code == "key.malformed"


@pytest.mark.parametrize("raw", [bytes(32), b"\1" + bytes(31), b""])
def test_no_secret_is_shared_with_a_point_that_makes_it_zero(raw: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        fresh(Multicodec.X25519_PUB).agree(PublicKey(Multicodec.X25519_PUB, raw))
    assert caught.value.code == "key.malformed"


@pytest.mark.parametrize("codec", [*CODECS, Multicodec.ED25519_PUB, Multicodec.SECP256K1_PUB])
def test_a_secret_of_no_curve_makes_no_key(codec: Multicodec) -> None:
    for seed in (b"", b"\1", b"\xff" * 67):
        with pytest.raises(BadInput) as caught:
            AgreementKeyPair.from_seed(codec, seed)
        assert caught.value.code == "key.malformed"


def test_a_fresh_key_is_drawn_for_agreement_only() -> None:
    with pytest.raises(BadInput):
        fresh(Multicodec.ED25519_PUB)


def test_the_key_for_agreement_of_an_ed25519_key_is_the_one_that_dids_list() -> None:
    pair = KeyPair.from_seed(bytes(32))
    assert AgreementKeyPair.of_ed25519(pair).public == PublicKey(Multicodec.X25519_PUB, pair.x25519_public())
