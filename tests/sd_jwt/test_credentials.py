"""Credentials in SD-JWTs, of the W3C data model and of SD-JWT VC: issued, shown in part, bound, verified."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.credentials.issue import issue
from protocols.credentials.sd_jwt.presenting import bind_sd_jwt, present_sd_jwt
from protocols.credentials.sd_jwt.text import digest_of
from protocols.credentials.verification import Check, Outcome, VerificationResult
from protocols.credentials.verify import verify
from protocols.errors import BadInput
from protocols.jose import sign_jws
from protocols.keys import PublicKey, Signer, SoftwareSigner
from protocols.multiformats import b64url_encode
from tests.credentials.worlds import (
    CREATED,
    HOLDER,
    ISSUER,
    ISSUER_P256,
    ISSUER_P384,
    LIST_URL,
    NOW,
    STRANGER,
    TRUSTING,
    V2,
    Dids,
    Lists,
    codes,
    did,
    present,
    record,
)

STRUCTURE, PROOF, HOLDER_BINDING = Check.STRUCTURE, Check.PROOF, Check.HOLDER_BINDING
ASKED = {"challenge": "c-1", "domain": "employer.example"}
VCT = "https://college.example/types/transcript"
HIDABLE = [
    "/name",
    "/credentialSubject/achievement/description",
    "/credentialSubject/achievement/criteria/narrative",
    "/credentialSubject/achievement/alignment",
]
_COUNTER = itertools.count()


def entropy(count: int) -> bytes:
    return hashlib.sha512(str(next(_COUNTER)).encode()).digest()[:count]


def check(document: Any, *, dids: Dids | None = None, **more: Any) -> VerificationResult:
    return asyncio.run(verify(document, resolver=dids or Dids(), statuses=Lists(), policy=TRUSTING, now=NOW, **more))


def public(of: SoftwareSigner) -> PublicKey:
    return PublicKey(of.key.codec, of.key.public)


def vc(document: dict[str, Any] | None = None, by: Signer = ISSUER, **more: Any) -> str:
    """A credential of the W3C data model with some of it disclosable."""
    options: dict[str, Any] = {"selective_pointers": HIDABLE, "entropy": entropy, "created": CREATED, **more}
    text = issue(document or record(), "vc+sd-jwt", by, **options).document
    assert isinstance(text, str)
    return text


TRANSCRIPT = {
    "vct": VCT,
    "sub": "student-7",
    "name": "Ada",
    "results": [{"course": "Welding", "grade": "B"}, {"course": "Mathematics", "grade": "A"}],
    "address": {"city": "Köln", "country": "DE"},
}
PARTS = ["/name", "/results/0", "/results/1", "/results/1/grade", "/address", "/address/city"]


def sd_jwt_vc(claims: dict[str, Any] | None = None, by: Signer = ISSUER, **more: Any) -> str:
    options: dict[str, Any] = {"selective_pointers": PARTS, "entropy": entropy, "created": CREATED}
    options |= {"decoys": 2, "holder": public(HOLDER), **more}
    text = issue(claims or TRANSCRIPT, "dc+sd-jwt", by, **options).document
    assert isinstance(text, str)
    return text


def bound(text: str, by: Signer = HOLDER, *, challenge: str = "c-1", domain: str = "employer.example") -> str:
    return bind_sd_jwt(text, by, challenge=challenge, domain=domain, now=NOW)


def signed(claims: Any, *disclosures: str, by: Signer = ISSUER, typ: str | None = "dc+sd-jwt", **header: Any) -> str:
    """An SD-JWT with any claims, header and disclosures, whose signature holds."""
    return "~".join([sign_jws(json.dumps(claims).encode(), by, {"typ": typ, **header}), *disclosures, ""])


def claims(**changes: Any) -> dict[str, Any]:
    return {"iss": did(ISSUER), "vct": VCT, "name": "Ada", **changes}


# The W3C data model


@pytest.mark.parametrize("by", [ISSUER, ISSUER_P256, ISSUER_P384])
def test_a_credential_is_verified_whole_and_in_part(by: SoftwareSigner) -> None:
    document = record(issuer=did(by))
    text = vc(document, by)
    whole = check(text)
    assert whole.verified, codes(whole)
    assert (whole.securing, whole.issuer, whole.document) == ("vc+sd-jwt", did(by), document)
    shown = check(present_sd_jwt(text, [pointer for pointer in HIDABLE if pointer != "/name"]))
    assert shown.verified, codes(shown)
    assert shown.document == {name: value for name, value in document.items() if name != "name"}


def test_an_array_may_be_withheld_item_by_item() -> None:
    text = vc(selective_pointers=["/credentialSubject/achievement/alignment/0"])
    result = check(present_sd_jwt(text, []))
    assert result.verified, codes(result)
    assert result.document is not None
    assert result.document["credentialSubject"]["achievement"]["alignment"] == []


def test_a_presentation_holds_it_in_an_envelope() -> None:
    envelope = {
        "@context": [V2],
        "type": ["EnvelopedVerifiableCredential"],
        "id": f"data:application/vc+sd-jwt,{present_sd_jwt(vc(), HIDABLE[1:])}",
    }
    result = check(present(envelope), **ASKED)
    assert result.verified, [codes(result), *map(codes, result.credentials)]
    assert result.credentials[0].securing == "vc+sd-jwt"
    assert not check({**envelope, "id": envelope["id"].replace("vc+sd-jwt", "vc+jwt")}).verified


@pytest.mark.parametrize("holder", [None, did(HOLDER), HOLDER.verification_method, public(HOLDER)])
def test_its_holder_answers_a_request_without_a_presentation(holder: Any) -> None:
    text = vc(holder=holder)
    result = check(bound(text), **ASKED)
    assert result.verified, codes(result)
    assert codes(check(bound(text, STRANGER), **ASKED)).keys() == {HOLDER_BINDING}
    assert codes(check(text, **ASKED)) == {HOLDER_BINDING: "holder.not_presented"}
    assert codes(check(bound(text), challenge="c-2")) == {HOLDER_BINDING: "holder.challenge"}
    assert codes(check(bound(text), challenge="c-1", domain="x")) == {HOLDER_BINDING: "holder.domain"}
    assert codes(check(bound(text)), outcome=Outcome.NOT_CHECKED)[HOLDER_BINDING] == "holder.no_challenge"


@pytest.mark.parametrize(
    ("text", "check_", "code"),
    [
        (signed(record(), typ="dc+sd-jwt"), STRUCTURE, "structure.sd_jwt.typ"),
        (signed(record(), typ="vc+jwt"), STRUCTURE, "structure.sd_jwt.typ"),
        (signed({**record(), "vct": VCT}, typ="vc+sd-jwt"), Check.CONTEXT, "jsonld.undefined_term"),
        (signed({**record(), "vc": {}}, typ="vc+sd-jwt"), STRUCTURE, "structure.jwt.nested"),
        (signed({**record(), "iss": did(STRANGER)}, typ="vc+sd-jwt"), STRUCTURE, "structure.jwt.iss"),
        (signed(record(proof={}), typ="vc+sd-jwt"), STRUCTURE, None),
        (signed(record(), by=STRANGER, typ="vc+sd-jwt"), Check.CONTROLLER, "controller.not_issuer"),
        (signed({**record(), "exp": 1}, typ="vc+sd-jwt"), Check.VALID_TIME, "time.proof_expired"),
        (signed(record(validUntil="2026-01-02T00:00:00Z"), typ=None), Check.VALID_TIME, "time.expired"),
        (signed(record(), typ="vc+sd-jwt", x5c=[]), STRUCTURE, "jws.header_refused"),
        (signed(record(), "e30", typ="vc+sd-jwt"), STRUCTURE, "sd_jwt.malformed"),
        (vc().replace("~", "", 1), STRUCTURE, None),
        (vc().rstrip("~"), HOLDER_BINDING, "jws.malformed"),
    ],
)
def test_a_bad_credential_fails_the_check_that_it_breaks(text: str, check_: Check, code: str | None) -> None:
    result = check(text)
    assert not result.verified
    assert check_ in codes(result)
    assert code is None or codes(result)[check_] == code


def test_no_part_can_be_changed() -> None:
    parts = bound(vc()).split("~")
    for number, part in enumerate(parts):
        for at in range(0, len(part), max(1, len(part) // 25)):
            changed = part[:at] + ("A" if part[at] != "A" else "B") + part[at + 1 :]
            result = check("~".join([*parts[:number], changed, *parts[number + 1 :]]), **ASKED)
            assert not result.verified, (number, at)


def test_a_presentation_may_be_an_sd_jwt_and_then_has_no_key_binding() -> None:
    document = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": did(HOLDER),
        "nonce": "c-1",
        "aud": "employer.example",
    }
    text = signed(document, by=HOLDER, typ="vp+sd-jwt")
    assert check(text, **ASKED).verified
    assert codes(check(bound(text), **ASKED))[STRUCTURE] == "structure.sd_jwt.bound"


# SD-JWT VC


@pytest.mark.parametrize("by", [ISSUER, ISSUER_P256, ISSUER_P384])
def test_an_sd_jwt_vc_is_verified_in_part_with_its_holder(by: SoftwareSigner) -> None:
    whole = check(bound(sd_jwt_vc(by=by)), **ASKED)
    assert whole.verified, codes(whole)
    assert (whole.securing, whole.issuer) == ("dc+sd-jwt", did(by))
    assert whole.document is not None
    assert TRANSCRIPT.items() <= whole.document.items()
    part = check(bound(present_sd_jwt(sd_jwt_vc(by=by), ["/results/1/grade"])), **ASKED)
    assert part.verified, codes(part)
    assert part.document is not None
    assert part.document["results"] == [{"course": "Mathematics", "grade": "A"}]
    assert "name" not in part.document


def test_an_sd_jwt_vc_names_its_checks_once_each_and_no_context() -> None:
    result = check(bound(sd_jwt_vc()), **ASKED)
    assert [item.check for item in result.checks] == [
        Check.STRUCTURE, Check.PROOF, Check.PROOF_PURPOSE, Check.CONTROLLER, Check.ISSUER_TRUSTED, Check.VALID_TIME,
        Check.STATUS, HOLDER_BINDING,
    ]  # fmt: skip


@pytest.mark.parametrize("typ", ["dc+sd-jwt", "vc+sd-jwt", "application/dc+sd-jwt"])
def test_its_type_may_be_the_one_of_older_drafts(typ: str) -> None:
    result = check(signed(claims(), typ=typ))
    assert result.verified, codes(result)


HIDDEN_STATUS = b64url_encode(json.dumps(["salt", "status", {"status_list": {"idx": 1, "uri": LIST_URL}}]).encode())
HIDDEN_KEY = b64url_encode(json.dumps(["salt", "jwk", {}]).encode())


@pytest.mark.parametrize(
    ("text", "check_", "code"),
    [
        (signed(claims(), typ=None), STRUCTURE, "structure.sd_jwt.typ"),
        (signed(claims(), typ="vc+jwt"), STRUCTURE, "structure.sd_jwt.typ"),
        (signed({"iss": did(ISSUER)}), STRUCTURE, "structure.sd_jwt.vct"),
        (signed(claims(vct=["a"])), STRUCTURE, "structure.sd_jwt.vct"),
        (signed(claims(aka_vcts=[VCT])), STRUCTURE, "structure.sd_jwt.aka_vcts"),
        (signed(claims(aka_vcts=[])), STRUCTURE, "structure.sd_jwt.aka_vcts"),
        (signed({"vct": VCT}), STRUCTURE, "structure.sd_jwt.iss"),
        (signed(claims(sub=1)), STRUCTURE, "structure.sd_jwt.sub"),
        (signed(claims(cnf="x")), STRUCTURE, "structure.sd_jwt.cnf"),
        (
            signed(claims(_sd=[digest_of(HIDDEN_STATUS, "sha-256")]), HIDDEN_STATUS),
            STRUCTURE,
            "structure.sd_jwt.always_shown",
        ),
        (
            signed(claims(cnf={"_sd": [digest_of(HIDDEN_KEY, "sha-256")]}), HIDDEN_KEY),
            STRUCTURE,
            "structure.sd_jwt.always_shown",
        ),
        (signed(claims(iss=did(STRANGER))), Check.CONTROLLER, "controller.not_issuer"),
        (signed(claims(), by=STRANGER, kid=ISSUER.verification_method), PROOF, "proof.invalid"),
        (signed(claims(), x5c=["MII"]), STRUCTURE, "jws.header_refused"),
        (signed(claims(iss="https://college.example"), kid="1"), PROOF, "jws.no_kid"),
        (signed(claims(exp=1)), Check.VALID_TIME, "time.expired"),
        (signed(claims(nbf=4e9)), Check.VALID_TIME, "time.not_yet_valid"),
        (signed(claims(exp="soon")), Check.VALID_TIME, "time.malformed"),
        (signed(claims(status=1)), Check.STATUS, "status.reference_malformed"),
        (signed(claims(iss=did(STRANGER)), by=STRANGER), Check.ISSUER_TRUSTED, "trust.issuer_untrusted"),
    ],
)
def test_a_bad_sd_jwt_vc_fails_the_check_that_it_breaks(text: str, check_: Check, code: str) -> None:
    result = check(text)
    assert not result.verified
    assert codes(result)[check_] == code


def test_a_status_that_cannot_be_checked_is_not_good() -> None:
    for status in ({"status_list": {"idx": 1, "uri": LIST_URL}}, {"other": {}}):
        result = check(signed(claims(status=status)))
        assert not result.verified
        assert Check.STATUS in codes(result, outcome=Outcome.NOT_CHECKED)


# Key binding


def rebound(text: str, *, by: Signer = HOLDER, typ: str = "kb+jwt", **changes: Any) -> str:
    """An SD-JWT with a key binding that says what ``changes`` say; ``None`` leaves a claim out."""
    said = {
        "iat": int(NOW.timestamp()),
        "aud": "employer.example",
        "nonce": "c-1",
        "sd_hash": digest_of(text, "sha-256"),
        **changes,
    }
    body = {name: value for name, value in said.items() if value is not None}
    return text + sign_jws(json.dumps(body).encode(), by, {"typ": typ})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"by": STRANGER}, "holder.binding_invalid"),
        ({"by": ISSUER_P256}, "jws.key_type"),
        ({"typ": "jwt"}, "holder.binding_malformed"),
        ({"iat": None}, "holder.binding_malformed"),
        ({"aud": None}, "holder.binding_malformed"),
        ({"aud": ["employer.example"]}, "holder.binding_malformed"),
        ({"nonce": None}, "holder.binding_malformed"),
        ({"sd_hash": None}, "holder.binding_malformed"),
        ({"sd_hash": "x"}, "holder.binding_foreign"),
        ({"iat": int(NOW.timestamp()) + 600}, "time.proof_from_future"),
        ({"exp": int(NOW.timestamp()) - 600}, "time.proof_expired"),
        ({"iat": "now"}, "time.malformed"),
    ],
)
def test_a_key_binding_has_to_be_right_in_every_respect(changes: dict[str, Any], code: str | None) -> None:
    result = check(rebound(sd_jwt_vc(), **changes), **ASKED)
    assert codes(result) == ({} if code is None else {HOLDER_BINDING: code})
    assert result.verified is (code is None)


@pytest.mark.parametrize(
    "confirmation",
    [{}, {"jwk": {"kty": "oct", "k": "AA"}}, {"kid": "key-1"}, {"kid": did(STRANGER)}, {"x5t#S256": "x"}],
)
def test_a_key_that_the_issuer_did_not_name_binds_nothing(confirmation: dict[str, Any]) -> None:
    result = check(bound(signed(claims(cnf=confirmation))), **ASKED)
    assert HOLDER_BINDING in codes(result)
    assert not result.verified


def test_a_record_that_names_no_key_cannot_be_bound() -> None:
    assert codes(check(bound(signed(claims())), **ASKED)) == {HOLDER_BINDING: "holder.key_unknown"}


def test_a_holder_whose_did_cannot_be_had_is_not_known() -> None:
    text = signed(claims(cnf={"kid": "did:web:away.example#k"}))
    result = check(bound(text), **ASKED)
    assert codes(result, outcome=Outcome.NOT_CHECKED)[HOLDER_BINDING] == "did.unreachable"


# Issuing


@pytest.mark.parametrize(
    ("securing", "document", "options", "code"),
    [
        ("vc+sd-jwt", record(), {"selective_pointers": ["/issuer"]}, "sd_jwt.always_shown"),
        ("vc+sd-jwt", record(), {"selective_pointers": ["/validUntil"]}, "sd_jwt.always_shown"),
        ("vc+sd-jwt", record(), {"selective_pointers": ["/@context/0"]}, "sd_jwt.always_shown"),
        ("vc+sd-jwt", TRANSCRIPT, {}, "securing.document"),
        ("vc+sd-jwt", record(), {"challenge": "c"}, "securing.terms"),
        ("dc+sd-jwt", record(), {}, "securing.document"),
        ("dc+sd-jwt", {"name": "Ada"}, {}, "securing.document"),
        ("dc+sd-jwt", {**TRANSCRIPT, "iss": did(STRANGER)}, {}, "securing.document"),
        ("dc+sd-jwt", TRANSCRIPT, {"selective_pointers": ["/vct"]}, "sd_jwt.always_shown"),
        ("dc+sd-jwt", TRANSCRIPT, {"selective_pointers": ["/iss"]}, "sd_jwt.always_shown"),
        ("dc+sd-jwt", TRANSCRIPT, {"selective_pointers": ["/nothing"]}, "pointer.nothing_there"),
        ("dc+sd-jwt", {**TRANSCRIPT, "_sd": []}, {}, "sd_jwt.malformed"),
    ],
)
def test_what_nobody_could_verify_is_not_signed(
    securing: str, document: dict[str, Any], options: dict[str, Any], code: str
) -> None:
    with pytest.raises(BadInput) as caught:
        issue(document, securing, ISSUER, created=CREATED, entropy=entropy, **options)
    assert caught.value.code == code


def test_an_expiry_is_said_and_kept() -> None:
    past = sd_jwt_vc(expires=NOW - timedelta(hours=1))
    assert codes(check(bound(past), **ASKED)) == {Check.VALID_TIME: "time.expired"}


# Any input

_VALID = vc()


@given(st.integers(0, len(_VALID)), st.text(alphabet="eyJ.~-_A=", max_size=4))
def test_a_changed_sd_jwt_is_not_verified_unless_it_only_shows_less(at: int, inserted: str) -> None:
    text = _VALID[:at] + inserted + _VALID[at + len(inserted) :]
    assert check(text).verified is (text == _VALID)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["_sd", "...", "jwk", "kid", "a", "status_list"]), inner, max_size=3)
    ),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    ["iss", "vct", "sub", "exp", "nbf", "iat", "cnf", "status", "_sd", "_sd_alg", "aka_vcts", "@context", "type"]
)


@settings(max_examples=150)
@given(st.dictionaries(_NAMES, _VALUES), st.sampled_from([{}, claims(), record()]), st.sampled_from(["", "~x", "~e30"]))
def test_any_claims_get_a_result(changes: dict[str, Any], base: dict[str, Any], end: str) -> None:
    check(signed({**base, **changes}) + end, **ASKED)
