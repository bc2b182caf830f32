"""What disclosures may be and where they may stand: RFC 9901 §7.1, its examples, and the reference implementation."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwcrypto.jwk
import pytest
import sd_jwt.common
import sd_jwt.holder
import sd_jwt.issuer
import sd_jwt.verifier
from hypothesis import given
from hypothesis import strategies as st

from protocols.credentials.sd_jwt.concealed import conceal
from protocols.credentials.sd_jwt.disclosed import disclose
from protocols.credentials.sd_jwt.key_binding import check_key_binding
from protocols.credentials.sd_jwt.presenting import bind_sd_jwt, disclosable, present_sd_jwt
from protocols.credentials.sd_jwt.text import MAX_DISCLOSURES, digest_of, read_sd_jwt
from protocols.credentials.secured import Asked
from protocols.credentials.verification import Outcome
from protocols.errors import BadInput
from protocols.jose import sign_jws
from protocols.keys import EcdsaKeyPair, SoftwareSigner, public_jwk, read_public_jwk
from protocols.keys.signing import PublicKey
from protocols.multiformats import Multicodec, b64url_decode, b64url_encode
from tests.credentials.worlds import NOW, Dids
from tests.sd_jwt import examples

KEY = EcdsaKeyPair.from_seed(Multicodec.P256_PUB, bytes(range(32)))
SIGNER = SoftwareSigner(KEY, "did:example:college#key-1")
PEER_KEY = jwcrypto.jwk.JWK(**public_jwk(PublicKey(KEY.codec, KEY.public)), d=b64url_encode(KEY.seed))
NOBODY = Asked(None, None)


_COUNTER = itertools.count()


def entropy(count: int) -> bytes:
    return hashlib.sha512(str(next(_COUNTER)).encode()).digest()[:count]


def disclosure(*content: Any) -> str:
    return b64url_encode(json.dumps(content).encode())


def digest(text: str) -> str:
    return digest_of(text, "sha-256")


def sd(claims: Any, *disclosures: str) -> str:
    return "~".join([sign_jws(json.dumps(claims).encode(), SIGNER, {}), *disclosures, ""])


def claims_of(text: str) -> dict[str, Any]:
    return disclose(read_sd_jwt(text)).claims


def refusal(text: str) -> str:
    with pytest.raises(BadInput) as caught:
        claims_of(text)
    return caught.value.code


# The specification's examples


@pytest.mark.parametrize(("text", "expected"), [examples.PROPERTY, examples.ELEMENT])
def test_a_digest_is_that_of_the_specification(text: str, expected: str) -> None:
    assert digest_of(text, "sha-256") == expected


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        (examples.WITH_KEY_BINDING, examples.WITH_KEY_BINDING_CLAIMS),
        (examples.STRUCTURED, examples.STRUCTURED_CLAIMS),
        (examples.COMPLEX, examples.COMPLEX_CLAIMS),
    ],
)
def test_the_specification_s_examples_say_what_they_say(text: str, claims: dict[str, Any]) -> None:
    parsed = read_sd_jwt(text)
    assert parsed.jwt.jws.holds_under(read_public_jwk(examples.ISSUER_JWK))
    assert disclose(parsed).claims == claims


def check_binding(text: str, asked: Asked) -> tuple[Outcome, str]:
    when = datetime.fromtimestamp(1702316015, UTC)
    made = check_key_binding(read_sd_jwt(text), [None], asked, resolver=Dids(), now=when, skew=timedelta(minutes=1))
    result = asyncio.run(made)
    return result.outcome, result.code


def test_the_specification_s_key_binding_holds_for_its_request_only() -> None:
    text, nonce, audience = examples.WITH_KEY_BINDING, examples.NONCE, examples.AUDIENCE
    assert check_binding(text, Asked(nonce, audience)) == (Outcome.PASS, "ok")
    assert check_binding(text, NOBODY) == (Outcome.NOT_CHECKED, "holder.no_challenge")
    assert check_binding(text, Asked("other", audience)) == (Outcome.FAIL, "holder.challenge")
    assert check_binding(text, Asked(nonce, "https://thief.example")) == (Outcome.FAIL, "holder.domain")
    issued, first, *rest = text.split("~")
    fewer = "~".join([issued, *rest])
    assert check_binding(fewer, Asked(nonce, audience)) == (Outcome.FAIL, "holder.binding_foreign")
    swapped = "~".join([issued, rest[0], first, *rest[1:]])
    assert check_binding(swapped, Asked(nonce, audience)) == (Outcome.FAIL, "holder.binding_foreign")


# The rules of §7.1

NAME = disclosure("salt", "name", "Ada")
OTHER_NAME = disclosure("salt-2", "name", "Eve")
ITEM = disclosure("salt", "DE")


@pytest.mark.parametrize(
    ("claims", "disclosures", "expected"),
    [
        ({"_sd": [digest(NAME)]}, [NAME], {"name": "Ada"}),
        ({"_sd": [digest(NAME)]}, [], {}),
        ({"_sd": []}, [], {}),
        ({"a": {"_sd": [digest(NAME), "decoy"]}}, [NAME], {"a": {"name": "Ada"}}),
        ({"a": ["x", {"...": digest(ITEM)}, {"...": "decoy"}]}, [ITEM], {"a": ["x", "DE"]}),
        ({"a": [{"...": digest(ITEM)}]}, [], {"a": []}),
        ({"a": [[{"...": digest(ITEM)}]]}, [ITEM], {"a": [["DE"]]}),
        ({"_sd": [digest(NAME)], "_sd_alg": "sha-256"}, [NAME], {"name": "Ada"}),
        ({"_sd": [digest_of(NAME, "sha-512")], "_sd_alg": "sha-512"}, [NAME], {"name": "Ada"}),
        ({"_sd": [digest_of(NAME, "sha-384")], "_sd_alg": "sha-384"}, [NAME], {"name": "Ada"}),
    ],
)
def test_disclosures_are_put_in_the_place_of_their_digests(
    claims: dict[str, Any], disclosures: list[str], expected: dict[str, Any]
) -> None:
    assert claims_of(sd(claims, *disclosures)) == expected


def nested() -> tuple[dict[str, Any], list[str]]:
    inner = disclosure("s1", "country", "DE")
    outer = disclosure("s2", "address", {"_sd": [digest(inner)], "city": "Köln"})
    return {"_sd": [digest(outer)]}, [outer, inner]


def test_a_disclosure_may_hold_digests() -> None:
    claims, (outer, inner) = nested()
    assert claims_of(sd(claims, inner, outer)) == {"address": {"city": "Köln", "country": "DE"}}
    assert claims_of(sd(claims, outer)) == {"address": {"city": "Köln"}}
    assert refusal(sd(claims, inner)) == "sd_jwt.malformed"


@pytest.mark.parametrize(
    ("claims", "disclosures"),
    [
        ({"_sd": [digest(NAME)]}, [NAME, NAME]),
        ({"_sd": [digest(NAME)]}, [NAME, ITEM]),
        ({}, [NAME]),
        ({"_sd": [digest(NAME), digest(NAME)]}, [NAME]),
        ({"_sd": ["decoy", "decoy"]}, []),
        ({"_sd": ["decoy"], "a": [{"...": "decoy"}]}, []),
        ({"_sd": [digest(NAME)], "a": {"_sd": [digest(NAME)]}}, [NAME]),
        ({"_sd": [digest(NAME)], "name": "Eve"}, [NAME]),
        ({"_sd": [digest(NAME), digest(OTHER_NAME)]}, [NAME, OTHER_NAME]),
        ({"_sd": [digest(ITEM)]}, [ITEM]),
        ({"a": [{"...": digest(NAME)}]}, [NAME]),
        ({"_sd": [digest(disclosure("s", "_sd", []))]}, [disclosure("s", "_sd", [])]),
        ({"_sd": [digest(disclosure("s", "...", "x"))]}, [disclosure("s", "...", "x")]),
        (
            {"_sd": [digest(disclosure("s", "a", {"_sd_alg": "sha-256"}))]},
            [disclosure("s", "a", {"_sd_alg": "sha-256"})],
        ),
        ({"_sd": "decoy"}, []),
        ({"_sd": [1]}, []),
        ({"_sd": {}}, []),
        ({"...": "x"}, []),
        ({"a": {"...": "x"}}, []),
        ({"a": [{"...": "x", "b": 1}]}, []),
        ({"a": [{"...": 1}]}, []),
        ({"a": {"_sd_alg": "sha-256"}}, []),
        ({"_sd": [digest(disclosure(1, "a", 1))]}, [disclosure(1, "a", 1)]),
        ({"_sd": [digest(disclosure("s", 1, 1))]}, [disclosure("s", 1, 1)]),
        ({"_sd": [digest(disclosure("s"))]}, [disclosure("s")]),
        ({"_sd": [digest(disclosure("s", "a", 1, 1))]}, [disclosure("s", "a", 1, 1)]),
        ({"_sd": [digest(b64url_encode(b'{"a":1}'))]}, [b64url_encode(b'{"a":1}')]),
        ({}, [""]),
    ],
)
def test_what_the_specification_refuses_is_refused(claims: dict[str, Any], disclosures: list[str]) -> None:
    assert refusal(sd(claims, *disclosures)) in {"sd_jwt.malformed", "json.malformed"}


@pytest.mark.parametrize("name", ["md5", "sha-1", "SHA-256", "", 1, None])
def test_a_hash_that_is_not_known_is_refused(name: Any) -> None:
    assert refusal(sd({"_sd_alg": name})) == "sd_jwt.hash_unsupported"


def test_a_digest_that_comes_back_inside_a_disclosure_is_refused() -> None:
    inner = disclosure("s1", "b", 1)
    outer = disclosure("s2", "a", {"_sd": [digest(inner)]})
    assert refusal(sd({"_sd": [digest(inner), digest(outer)]}, inner, outer)) == "sd_jwt.malformed"


def test_disclosures_within_disclosures_end_somewhere() -> None:
    chain, value = [], {}
    for number in range(200):
        chain.append(disclosure(f"s{number}", "a", value))
        value = {"_sd": [digest(chain[-1])]}
    assert refusal(sd(value, *chain)) == "sd_jwt.malformed"


def test_there_may_not_be_too_many_disclosures() -> None:
    assert refusal(sd({}, *["e30"] * (MAX_DISCLOSURES + 1))) == "sd_jwt.malformed"


@pytest.mark.parametrize("text", ["=", "é", "e30", "W10=", b64url_encode(b'["s","a",1,]'), b64url_encode(b'["s",NaN]')])
def test_a_disclosure_has_one_text(text: str) -> None:
    assert refusal(sd({}, text)) in {"sd_jwt.malformed", "encoding.base64url", "json.malformed", "json.ambiguous"}


# Making and presenting

CLAIMS = {
    "sub": "user",
    "name": "Ada",
    "address": {"city": "Köln", "country": {"code": "DE", "name": "Germany"}},
    "skills": ["welding", {"name": "math", "level": 2}, "reading"],
    "a/b": {"c~d": True},
}
POINTERS = [
    "/name", "/address", "/address/country", "/address/country/code", "/skills/0", "/skills/1", "/skills/1/level",
    "/a~1b/c~0d",
]  # fmt: skip


def issued(pointers: list[str] = POINTERS, *, decoys: int = 0) -> str:
    payload, disclosures = conceal(CLAIMS, pointers, decoys=decoys, entropy=entropy)
    return sd(payload, *disclosures)


@pytest.mark.parametrize("decoys", [0, 3])
def test_what_is_concealed_can_be_disclosed_again(decoys: int) -> None:
    text = issued(decoys=decoys)
    assert claims_of(text) == CLAIMS
    assert sorted(disclosable(text)) == sorted(POINTERS)
    assert claims_of(present_sd_jwt(text, [])) == {"sub": "user", "skills": ["reading"], "a/b": {}}


def test_decoys_are_digests_beside_the_others_in_an_order_that_says_nothing() -> None:
    payload, _ = conceal({"a": 1, "b": 2}, ["/b", "/a"], decoys=5, entropy=entropy)
    assert len(payload["_sd"]) == 7
    assert payload["_sd"] == sorted(payload["_sd"])


@pytest.mark.parametrize(
    ("pointers", "expected"),
    [
        (["/name"], {"name": "Ada"}),
        (["/address/city"], {"address": {"city": "Köln"}}),
        (["/address/country/name"], {"address": {"city": "Köln", "country": {"name": "Germany"}}}),
        (["/address"], {"address": CLAIMS["address"]}),
        (["/skills/1/name"], {"skills": [{"name": "math"}, "reading"]}),
        (["/skills/0", "/a~1b/c~0d"], {"skills": ["welding", "reading"], "a/b": {"c~d": True}}),
        ([""], CLAIMS),
    ],
)
def test_a_presentation_shows_what_its_pointers_need(pointers: list[str], expected: dict[str, Any]) -> None:
    shown = claims_of(present_sd_jwt(issued(), pointers))
    assert shown == {"sub": "user", "skills": ["reading"], "a/b": {}, **expected}


@pytest.mark.parametrize(
    ("pointers", "code"),
    [
        (["name"], "pointer.malformed"),
        (["/a~2"], "pointer.malformed"),
        (["/nothing"], "pointer.nothing_there"),
        (["/skills/3"], "pointer.nothing_there"),
        (["/skills/01"], "pointer.nothing_there"),
        (["/name/0"], "pointer.nothing_there"),
        ([""], "pointer.nothing_there"),
    ],
)
def test_a_pointer_to_nowhere_is_refused(pointers: list[str], code: str) -> None:
    with pytest.raises(BadInput) as caught:
        issued(pointers)
    assert caught.value.code == code
    if pointers != [""]:
        with pytest.raises(BadInput) as caught:
            present_sd_jwt(issued(), pointers)
        assert caught.value.code == code


@pytest.mark.parametrize("claims", [{"_sd": []}, {"a": {"...": 1}}, {"a": [{"_sd_alg": 1}]}])
def test_claims_with_reserved_names_are_not_secured(claims: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as caught:
        conceal(claims, [], decoys=0, entropy=entropy)
    assert caught.value.code == "sd_jwt.malformed"


def test_what_is_bound_already_is_not_bound_again() -> None:
    bound = bind_sd_jwt(issued(), SIGNER, challenge="c", domain="d", now=NOW)
    with pytest.raises(BadInput) as caught:
        bind_sd_jwt(bound, SIGNER, challenge="c", domain="d", now=NOW)
    assert caught.value.code == "sd_jwt.bound"
    assert "~" not in present_sd_jwt(bound, [""]).rpartition("~")[2]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _pointers(value: Any, at: str = "") -> list[str]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for step, item in steps:
        here = at + "/" + str(step).replace("~", "~0").replace("/", "~1")
        found += [here, *_pointers(item, here)]
    return found


@given(st.dictionaries(st.text(), _JSON, max_size=4), st.data())
def test_any_claims_come_back_from_any_disclosures(claims: dict[str, Any], data: Any) -> None:
    if any(name in json.dumps(claims) for name in ("_sd", "...")):
        return
    there = _pointers(claims)
    chosen = data.draw(st.lists(st.sampled_from(there), unique=True)) if there else []
    payload, disclosures = conceal(claims, chosen, decoys=1, entropy=entropy)
    text = sd(payload, *data.draw(st.permutations(disclosures)))
    assert claims_of(text) == claims
    assert sorted(disclosable(text)) == sorted(chosen)
    assert claims_of(present_sd_jwt(text, chosen)) == claims


@given(st.text() | st.text(alphabet="eyJ.~-_A=", max_size=40).map(lambda text: issued() + text))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BadInput):
        claims_of(text)


@given(_JSON, st.lists(st.one_of(_JSON.map(lambda value: disclosure("s", "a", value)), st.just(NAME)), max_size=3))
def test_any_claims_and_disclosures_are_read_or_refused(value: Any, disclosures: list[str]) -> None:
    digests = [digest(item) for item in disclosures]
    with contextlib.suppress(BadInput):
        claims_of(sd({"x": value, "_sd": digests, "y": [{"...": item} for item in digests[:1]]}, *disclosures))


# The other side: the reference implementation


def test_the_reference_implementation_reads_what_is_made_here() -> None:
    holder = EcdsaKeyPair.from_seed(Multicodec.P256_PUB, bytes(range(1, 33)))
    cnf = {"jwk": public_jwk(PublicKey(holder.codec, holder.public))}
    payload, disclosures = conceal({**CLAIMS, "cnf": cnf}, POINTERS, decoys=2, entropy=entropy)
    text = present_sd_jwt(sd(payload, *disclosures), ["/name", "/skills/1", "/address/country/code"])
    bound = bind_sd_jwt(text, SoftwareSigner(holder, "did:example:ada#k"), challenge="n", domain="a", now=NOW)
    peer = sd_jwt.verifier.SDJWTVerifier(bound, lambda _issuer, _header: PEER_KEY, "a", "n")
    assert peer.get_verified_payload() == claims_of(text)


@pytest.mark.parametrize("decoys", [False, True])
def test_what_the_reference_implementation_makes_is_read_here(decoys: bool) -> None:
    concealed = sd_jwt.common.SDObj
    claims = {
        "sub": "user",
        concealed("name"): "Ada",
        "address": {concealed("city"): "Köln", "country": "DE"},
        "skills": [concealed("welding"), "reading"],
        concealed("nested"): {concealed("deep"): [concealed(1)]},
    }
    made = sd_jwt.issuer.SDJWTIssuer(claims, PEER_KEY, PEER_KEY, add_decoy_claims=decoys).sd_jwt_issuance
    whole = claims_of(made)
    assert {name: value for name, value in whole.items() if name != "cnf"} == {
        "sub": "user",
        "name": "Ada",
        "address": {"city": "Köln", "country": "DE"},
        "skills": ["welding", "reading"],
        "nested": {"deep": [1]},
    }
    holder = sd_jwt.holder.SDJWTHolder(made)
    holder.create_presentation({"name": True, "nested": {"deep": [True]}}, "n", "a", PEER_KEY)
    text = holder.sd_jwt_presentation
    assert claims_of(text) == {**whole, "address": {"country": "DE"}, "skills": ["reading"]}
    made_for = check_key_binding(
        read_sd_jwt(text), [None], Asked("n", "a"), resolver=Dids(), now=datetime.now(UTC), skew=timedelta(minutes=5)
    )
    assert asyncio.run(made_for).code == "ok"
    assert b64url_decode(text.split("~")[1])
