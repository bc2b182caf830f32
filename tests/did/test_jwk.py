"""did:jwk: the examples of the method specification, what `use` leaves out, and what is no such DID."""

from __future__ import annotations

import json
import os

import pytest

from protocols.did import jwk
from protocols.did.document import Relationship
from protocols.did.resolver import resolve_offline
from protocols.errors import BadInput
from protocols.keys import KEY_KINDS, KeyKind, PublicKey, new_key, public_jwk
from protocols.multiformats import Multicodec, b64url_encode

# did:jwk method specification, §Examples: P-256 and X25519.
P256_DID = (
    "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5"
    "IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9"
)
X25519_DID = (
    "did:jwk:eyJrdHkiOiJPS1AiLCJjcnYiOiJYMjU1MTkiLCJ1c2UiOiJlbmMiLCJ4IjoiM3A3YmZYdDl3YlRUVzJIQzdPUTFOei1EUThoYmVHZE5y"
    "ZngtcUctSUswOCJ9"
)
SIGNING = tuple(r for r in Relationship if r is not Relationship.KEY_AGREEMENT)


def did_of(key: object) -> str:
    return "did:jwk:" + b64url_encode(json.dumps(key).encode())


def some_key(kind: KeyKind) -> PublicKey:
    made = new_key(KEY_KINDS[kind], os.urandom)
    return PublicKey(made.codec, made.public)


def test_the_example_over_p256_resolves() -> None:
    document = jwk.resolve(P256_DID)
    key = {
        "crv": "P-256", "kty": "EC",
        "x": "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0", "y": "_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE",
    }  # fmt: skip
    assert document.raw["verificationMethod"] == [
        {"id": f"{P256_DID}#0", "type": "JsonWebKey2020", "controller": P256_DID, "publicKeyJwk": key}
    ]
    for relationship in Relationship:
        assert document.raw[relationship.value] == [f"{P256_DID}#0"]
    assert public_jwk(document.method_for("#0", Relationship.ASSERTION_METHOD).key) == key


def test_the_example_over_x25519_is_for_encryption_only() -> None:
    document = jwk.resolve(X25519_DID)
    assert document.method_for("#0", Relationship.KEY_AGREEMENT).key.codec is Multicodec.X25519_PUB
    assert not [r for r in SIGNING if r.value in document.raw]


@pytest.mark.parametrize(("use", "without"), [("sig", [Relationship.KEY_AGREEMENT]), ("enc", SIGNING), (None, [])])
def test_use_says_what_the_key_is_not_for(use: str | None, without: list[Relationship]) -> None:
    key = public_jwk(some_key("p256")) | ({"use": use} if use else {})
    raw = jwk.resolve(did_of(key)).raw
    assert [r for r in Relationship if r.value not in raw] == list(without)
    assert raw["verificationMethod"][0]["publicKeyJwk"] == key


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_a_did_is_made_of_every_kind_of_key(kind: KeyKind) -> None:
    key = some_key(kind)
    document = resolve_offline(jwk.did_from_public(key))
    assert document is not None and document.method_for("#0", Relationship.AUTHENTICATION).key == key


@pytest.mark.parametrize(
    "did",
    [
        "did:jwk:e30", "did:jwk:bm8", "did:jwk:.", "did:jwk:W10", "did:jwk:" + "A" * 5000,
        did_of({**public_jwk(some_key("p256")), "d": "AAAA"}),
        did_of({**public_jwk(some_key("p256")), "crv": "P-384"}),
        did_of({**public_jwk(some_key("ed25519")), "use": "both"}),
        did_of({**public_jwk(some_key("ed25519")), "use": ["sig"]}),
        did_of({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        "did:jwk:" + b64url_encode(b'{"kty":"OKP","kty":"EC"}'),
    ],
)  # fmt: skip
def test_what_holds_no_public_key_is_refused(did: str) -> None:
    with pytest.raises(BadInput) as caught:
        jwk.resolve(did)
    assert caught.value.code == "did.malformed"
