"""JWS and JWT: what is signed, what holds, and every way in which a header or an encoding could say more."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import joserfc.jwk
import joserfc.jws
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadInput
from protocols.jose import (
    ALGORITHMS,
    MAX_BYTES,
    is_typ,
    method_url,
    read_jws,
    read_jwt,
    sign_jws,
    sign_jwt,
    time_problem,
)
from protocols.keys import (
    EcdsaKeyPair,
    KeyPair,
    PublicKey,
    Signer,
    SigningKey,
    SoftwareSigner,
    public_jwk,
    read_public_jwk,
)
from protocols.multiformats import Multicodec, b64url_encode

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")

METHOD = "did:example:college#key-1"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEYS: dict[str, SigningKey] = {
    "EdDSA": KeyPair.from_seed(bytes(range(32))),
    "ES256": EcdsaKeyPair.from_seed(Multicodec.P256_PUB, bytes(range(32))),
    "ES384": EcdsaKeyPair.from_seed(Multicodec.P384_PUB, bytes(range(48))),
}

# RFC 8037 §A.4 and RFC 7515 §A.3: the key, and the JWS under it.
VECTORS = [
    (
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR"
        "4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    ),
    (
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        },
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
        "cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    ),
]


def signer(alg: str = "EdDSA") -> Signer:
    return SoftwareSigner(KEYS[alg], METHOD)


def public(alg: str = "EdDSA") -> PublicKey:
    return PublicKey(KEYS[alg].codec, KEYS[alg].public)


def made(header: str, payload: str = "{}", *, alg: str = "EdDSA") -> str:
    """A JWS whose signature holds, whatever the header says."""
    signing_input = f"{b64url_encode(header.encode())}.{b64url_encode(payload.encode())}"
    return f"{signing_input}.{b64url_encode(KEYS[alg].sign(signing_input.encode()))}"


def refusal(text: str | bytes) -> str:
    with pytest.raises(BadInput) as caught:
        read_jws(text)
    return caught.value.code


@pytest.mark.parametrize(("jwk", "text"), VECTORS)
def test_the_signatures_of_the_specifications_hold(jwk: dict[str, str], text: str) -> None:
    assert read_jws(text).holds_under(read_public_jwk(jwk))


@pytest.mark.parametrize("alg", KEYS)
def test_what_is_signed_here_holds_here_and_for_joserfc(alg: str) -> None:
    text = sign_jwt({"iss": "did:example:college"}, signer(alg), typ="vc+jwt", cty="vc")
    jwt = read_jwt(text)
    assert jwt.jws.holds_under(public(alg))
    assert jwt.claims == {"iss": "did:example:college"}
    assert jwt.jws.header == {"alg": alg, "kid": METHOD, "typ": "vc+jwt", "cty": "vc"}
    peer = joserfc.jws.deserialize_compact(text, joserfc.jwk.import_key(public_jwk(public(alg))), [alg])
    assert json.loads(peer.payload) == jwt.claims


@pytest.mark.parametrize("alg", ["Ed25519", *KEYS])
def test_what_joserfc_signs_holds_here(alg: str) -> None:
    kind = {
        "Ed25519": ("OKP", "Ed25519"),
        "EdDSA": ("OKP", "Ed25519"),
        "ES256": ("EC", "P-256"),
        "ES384": ("EC", "P-384"),
    }
    key = joserfc.jwk.generate_key(*kind[alg])
    text = joserfc.jws.serialize_compact({"alg": alg}, b"{}", key, [alg])
    assert read_jws(text).holds_under(read_public_jwk(key.as_dict(private=False)))


@pytest.mark.parametrize("alg", KEYS)
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_change_of_any_part_breaks_the_signature(alg: str, part: int) -> None:
    parts = sign_jws(b'{"a":1}', signer(alg), {"typ": "vc+jwt", "cty": "vc"}).split(".")
    for at in range(len(parts[part])):
        letter = "A" if parts[part][at] != "A" else "B"
        changed = [*parts]
        changed[part] = parts[part][:at] + letter + parts[part][at + 1 :]
        try:
            assert not read_jws(".".join(changed)).holds_under(public(alg))
        except BadInput:
            continue


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ('{"alg":"none"}', "jws.alg_unsupported"),
        ('{"alg":"NONE"}', "jws.alg_unsupported"),
        ('{"alg":"HS256"}', "jws.alg_unsupported"),
        ('{"alg":"RS256"}', "jws.alg_unsupported"),
        ('{"alg":"eddsa"}', "jws.alg_unsupported"),
        ('{"alg":["EdDSA"]}', "jws.alg_unsupported"),
        ("{}", "jws.alg_unsupported"),
        ('{"alg":"EdDSA","jwk":{}}', "jws.header_refused"),
        ('{"alg":"EdDSA","jku":"https://thief.example"}', "jws.header_refused"),
        ('{"alg":"EdDSA","x5u":"https://thief.example"}', "jws.header_refused"),
        ('{"alg":"EdDSA","x5c":[]}', "jws.header_refused"),
        ('{"alg":"EdDSA","crit":["exp"],"exp":1}', "jws.header_refused"),
        ('{"alg":"EdDSA","crit":[]}', "jws.header_refused"),
        ('{"alg":"EdDSA","b64":false}', "jws.header_refused"),
        ('{"alg":"EdDSA","b64":false,"crit":["b64"]}', "jws.header_refused"),
        ('{"alg":"EdDSA","b64":0}', "jws.header_refused"),
        ('{"alg":"EdDSA","kid":1}', "jws.malformed"),
        ('{"alg":"EdDSA","typ":["vc+jwt"]}', "jws.malformed"),
        ('{"alg":"none","alg":"EdDSA"}', "json.ambiguous"),
        ('["EdDSA"]', "json.not_object"),
        ("EdDSA", "json.malformed"),
        ('{"alg":"EdDSA","a":' + "[" * 9 + "]" * 9 + "}", "json.too_deep"),
        ('{"alg":"EdDSA","a":"' + "a" * 32_768 + '"}', "jws.malformed"),
        ('{"alg":"ES384"}', "jws.malformed"),  # the signature is shorter than those of ES384
    ],
)
def test_a_header_that_says_too_much_is_refused(header: str, code: str) -> None:
    assert refusal(made(header)) == code


def test_headers_that_are_not_understood_and_not_critical_are_ignored() -> None:
    assert read_jws(made('{"alg":"EdDSA","b64":true,"x5t":"abc","new":{}}')).holds_under(public())


@pytest.mark.parametrize("alg", KEYS)
@pytest.mark.parametrize("other", KEYS)
def test_a_key_of_another_kind_than_the_algorithm_is_refused(alg: str, other: str) -> None:
    jws = read_jws(sign_jws(b"{}", signer(alg), {}))
    if alg == other:
        assert jws.holds_under(public(other))
        return
    with pytest.raises(BadInput) as caught:
        jws.holds_under(public(other))
    assert caught.value.code == "jws.key_type"


def test_a_key_that_cannot_sign_has_no_algorithm() -> None:
    class Agreeing:
        codec = Multicodec.X25519_PUB
        verification_method = METHOD

        def sign(self, data: bytes) -> bytes:
            return data

    with pytest.raises(BadInput, match="no JWS algorithm"):
        sign_jws(b"{}", Agreeing(), {})


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "=",
        lambda text: text + " ",
        lambda text: " " + text,
        lambda text: text + "\n",
        lambda text: text + ".",
        lambda text: text + ".e30",
        lambda text: text.replace(".", "=.", 1),
        lambda text: text.replace("-", "+").replace("_", "/") if set("-_") & set(text) else text + "+",
        lambda text: text[:-1] + chr(ord(text[-1]) + 1),  # the same bytes, for a decoder that drops stray bits
        lambda text: text.rpartition(".")[0] + ".",
        lambda text: text.rpartition(".")[0],
        lambda text: text[:-2],
        lambda text: "." + text,
        lambda text: text.replace(".", "..", 1),
        lambda text: "é" + text,
        lambda text: "\ud800" + text,
        lambda _: "",
        lambda _: "..",
    ],
)
def test_a_signature_has_one_text(change: Any) -> None:
    text = sign_jws(b"{}", signer(), {})
    assert read_jws(text).holds_under(public())
    assert refusal(change(text)) in {"jws.malformed", "encoding.base64url", "json.malformed", "json.ambiguous"}


def test_a_large_jws_is_refused_before_it_is_read() -> None:
    assert refusal("." * (MAX_BYTES + 1)) == "jws.too_large"


@pytest.mark.parametrize("payload", ['{"a":1,"a":2}', "[]", "NaN", "", '{"a":1e999}'])
def test_claims_with_two_readings_are_refused(payload: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_jwt(made('{"alg":"EdDSA"}', payload))
    assert caught.value.code.startswith("json.")


@given(st.text() | st.binary() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True))
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    try:
        jws = read_jws(text)
    except BadInput:
        return
    assert jws.header["alg"] in ALGORITHMS


@pytest.mark.parametrize(
    ("kid", "controller", "url"),
    [
        ("did:example:a#k", "did:example:b", "did:example:a#k"),
        ("#k", "did:example:b", "did:example:b#k"),
        ("k", "did:example:b", "did:example:b#k"),
        ("#k", None, None),
        ("#k", "https://college.example", None),
        ("https://college.example/key", None, None),
        ("", "did:example:b", None),
        (None, "did:example:b", None),
        ("k k", "did:example:b", None),
    ],
)
def test_kid_names_a_method_of_a_did(kid: str | None, controller: str | None, url: str | None) -> None:
    header = {"alg": "EdDSA"} if kid is None else {"alg": "EdDSA", "kid": kid}
    jws = read_jws(made(json.dumps(header)))
    if url is not None:
        assert method_url(jws, controller) == url
        return
    with pytest.raises(BadInput) as caught:
        method_url(jws, controller)
    assert caught.value.code == "jws.no_kid"


@pytest.mark.parametrize(
    ("typ", "is_it"),
    [("vc+jwt", True), ("application/vc+jwt", True), ("VC+JWT", True), ("jwt", False), ("", False), (None, False)],
)
def test_a_media_type_is_recognised_however_it_is_written(typ: str | None, is_it: bool) -> None:
    assert is_typ(typ, "vc+jwt", "vp+jwt") is is_it


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({}, None),
        ({"iat": -60, "nbf": -60, "exp": 60}, None),
        ({"exp": -119}, None),
        ({"exp": -120}, "time.proof_expired"),
        ({"nbf": 120}, None),
        ({"nbf": 121}, "time.proof_from_future"),
        ({"iat": 121}, "time.proof_from_future"),
    ],
)
def test_times_are_held_against_the_clock(claims: dict[str, int], code: str | None) -> None:
    moment = NOW.timestamp()
    problem = time_problem({name: moment + value for name, value in claims.items()}, now=NOW, skew=timedelta(minutes=2))
    assert (problem and problem[0]) == code


@pytest.mark.parametrize("value", ["1", True, None, [], -1, 1e300, 10**400])
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_a_time_that_is_no_number_of_seconds_is_malformed(name: str, value: Any) -> None:
    problem = time_problem({name: value}, now=NOW, skew=timedelta(0))
    assert problem is not None
    assert problem[0] == "time.malformed"
