"""JWTs of issuers that are named by an https URL: Open Badges 3.0 with RS256 and a key set, and whose key it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from protocols.credentials.policy import Policy
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, Outcome, VerificationResult
from protocols.did import https_controller
from protocols.errors import BadInput, LernodeError
from protocols.keys import public_jwk, read_public_jwk
from protocols.multiformats import b64url_encode
from tests.credentials.worlds import HOLDER, NOW, Dids, check_credential, codes, did, found, record

ME = "https://college.example/issuers/1"
SET = "https://college.example/.well-known/jwks.json"
KID = "https://college.example/keys#1"


def rsa_key(bits: int = 2048) -> tuple[rsa.RSAPrivateKey, dict[str, Any]]:
    key = rsa.generate_private_key(65537, bits)
    numbers = key.public_key().public_numbers()
    encoded = {name: b64url_encode(n.to_bytes((n.bit_length() + 7) // 8, "big")) for name, n in
               (("n", numbers.n), ("e", numbers.e))}  # fmt: skip
    return key, {"kty": "RSA", **encoded}


KEY, JWK = rsa_key()
OTHER, OTHER_JWK = rsa_key()


def badge(**changes: Any) -> dict[str, Any]:
    document = record(issuer={"id": ME, "type": ["Profile"], "name": "College of the Coast"})
    claims = {"iss": ME, "sub": did(HOLDER), "jti": document["id"], "nbf": 1767225600, "exp": 2082758400}
    return {**document, **claims, **changes}


def signed(claims: dict[str, Any] | None = None, key: rsa.RSAPrivateKey = KEY, **header: Any) -> str:
    """A JWT as Open Badges 3.0 §8.2 makes them."""
    full = {"alg": "RS256", "typ": "JWT", **(header or {"kid": KID})}
    parts = [b64url_encode(json.dumps(part).encode()) for part in (full, claims or badge())]
    signature = key.sign(".".join(parts).encode(), padding.PKCS1v15(), SHA256())
    return ".".join([*parts, b64url_encode(signature)])


def server(*keys: Any, profile: Any = None) -> Dids:
    """As if the issuer's server answered with a key set, and with a document at the issuer's URL."""
    known: dict[str, Any] = {}
    for name, body in ((SET, {"keys": list(keys)}), (ME, profile)):
        try:
            known[name] = https_controller.read(name, [json.dumps(body).encode()], now=NOW).current()
        except LernodeError as error:
            known[name] = error
    return Dids(known)


def verified(text: str, dids: Dids) -> VerificationResult:
    return check_credential(text, dids=dids, policy=Policy(trust=TrustedIssuers({ME})))


@pytest.mark.parametrize(
    ("header", "keys"),
    [
        ({"kid": KID}, [OTHER_JWK, {**JWK, "kid": KID}]),
        ({"kid": "1"}, [{**JWK, "kid": "1", "iss": ME, "use": "sig", "alg": "RS256"}]),
        ({"kid": f"{ME}#1"}, [{**JWK, "kid": f"{ME}#1"}]),
        ({"jwk": JWK}, [OTHER_JWK, JWK]),
        ({"jwk": JWK, "kid": "1"}, [{**OTHER_JWK, "kid": "1"}, {**JWK, "kid": "1"}]),
        ({"kid": "1"}, [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, {"kty": "oct", "k": "AA"}, {**JWK, "kid": "1"}]),
    ],
)
def test_a_badge_is_verified_by_the_key_set_of_its_issuers_server(header: dict[str, Any], keys: list[Any]) -> None:
    result = verified(signed(**header), server(*keys))
    assert result.verified, codes(result)
    assert (result.issuer, result.securing) == (ME, "vc+jwt")


def test_a_badge_is_verified_by_the_document_at_its_issuers_url() -> None:
    method = {"id": f"{ME}#1", "type": "JsonWebKey", "controller": ME, "publicKeyJwk": JWK}
    profile = {"id": ME, "verificationMethod": [method], "assertionMethod": [f"{ME}#1"]}
    text = signed(kid=f"{ME}#1")
    assert verified(text, server(profile=profile)).verified
    revoked = {**profile, "verificationMethod": [{**method, "revoked": "2026-01-01T00:00:00Z"}]}
    for dids in (
        server({**JWK, "kid": f"{ME}#1"}, profile=revoked),
        server(profile={**profile, "assertionMethod": []}),
    ):
        assert not verified(text, dids).verified, "what the issuer says of the key counts, not the set"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (signed(), [{**OTHER_JWK, "kid": KID}]),
        (signed(), [{**JWK, "kid": "another"}]),
        (signed(), [JWK]),
        (signed(), [{**JWK, "kid": KID, "iss": "https://college.example/issuers/2"}]),
        (signed(), [{**JWK, "kid": KID, "use": "enc"}]),
        (signed(), [{**JWK, "kid": KID, "key_ops": ["encrypt"]}]),
        (signed(), [{**JWK, "kid": KID, "alg": "RS512"}]),
        (signed(), [{**JWK, "kid": KID, "d": "AQAB"}]),
        (signed(), []),
        (signed(key=OTHER, jwk=OTHER_JWK), [JWK]),
        (signed(jwk=OTHER_JWK), [JWK, OTHER_JWK]),
        (signed(jwk=JWK, kid="1"), [{**JWK, "kid": "2"}, {**OTHER_JWK, "kid": "1"}]),
        (signed(jwk={}), [JWK]),
        (signed(typ="JWT"), [JWK]),
    ],
)
def test_a_key_that_the_issuers_server_does_not_vouch_for_verifies_nothing(text: str, keys: list[Any]) -> None:
    result = verified(text, server(*keys))
    assert not result.verified
    assert Outcome.PASS not in {found(result, Check.PROOF).outcome} & {found(result, Check.CONTROLLER).outcome}


def test_a_changed_badge_fails() -> None:
    head, _, tail = signed().split(".")
    changed = b64url_encode(json.dumps(badge(name="Welding, level 9")).encode())
    assert codes(verified(".".join([head, changed, tail]), server({**JWK, "kid": KID}))) == {
        Check.PROOF: "proof.invalid"
    }


def test_nothing_is_known_where_the_server_does_not_answer() -> None:
    result = verified(signed(), Dids())
    assert found(result, Check.PROOF).outcome is Outcome.NOT_CHECKED
    assert found(result, Check.CONTROLLER).code == "controller.unresolvable"
    assert not result.verified


@pytest.mark.parametrize("jwk", [rsa_key(1024)[1], {**JWK, "n": "AQAB"}, {**JWK, "e": ""}, {"kty": "RSA"}])
def test_a_short_or_broken_rsa_key_is_none(jwk: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as caught:
        read_public_jwk(jwk)
    assert caught.value.code == "key.malformed"


def test_an_rsa_key_has_one_jwk() -> None:
    assert public_jwk(read_public_jwk({**JWK, "kid": "1"})) == JWK


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[1]}', b"<html>", b'{"keys":[],"keys":[]}']
)
def test_what_is_no_key_set_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        https_controller.read(SET, [body], now=NOW)
    assert caught.value.code == "did.document_malformed"
