"""Credentials and presentations as JWTs: what is verified is the payload, and nothing around it can change that."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.credentials.issue import issue
from protocols.credentials.verification import Check, Outcome, VerificationResult
from protocols.credentials.verify import verify
from protocols.did.document import parse_document
from protocols.errors import BadInput
from protocols.jose import sign_jws
from protocols.keys import Signer, SoftwareSigner
from protocols.multiformats import b64url_encode
from protocols.status.source import StatusListCopy
from tests.credentials.worlds import (
    CREATED,
    HOLDER,
    ISSUER,
    ISSUER_P256,
    ISSUER_P384,
    LIST_URL,
    NOW,
    OB,
    STRANGER,
    TRUSTING,
    V1,
    V2,
    Dids,
    Lists,
    codes,
    did,
    present,
    record,
    status_list,
    with_status,
)
from tests.credentials.worlds import issue as with_proof

STRUCTURE, PROOF, CONTROLLER, HOLDER_BINDING = Check.STRUCTURE, Check.PROOF, Check.CONTROLLER, Check.HOLDER_BINDING
ASKED = {"challenge": "c-1", "domain": "employer.example"}


def check(document: Any, *, dids: Dids | None = None, lists: Lists | None = None, **more: Any) -> VerificationResult:
    return asyncio.run(
        verify(document, resolver=dids or Dids(), statuses=lists or Lists(), policy=TRUSTING, now=NOW, **more)
    )


def vc_jwt(document: dict[str, Any], by: Signer = ISSUER) -> str:
    text = issue(document, "vc+jwt", by, created=CREATED).document
    assert isinstance(text, str)
    return text


def signed(claims: Any, by: Signer = ISSUER, **header: Any) -> str:
    """A JWT whose signature holds, with any claims and header."""
    return sign_jws(json.dumps(claims).encode(), by, header)


def enveloped(text: str, media_type: str = "application/vc+jwt", **changes: Any) -> dict[str, Any]:
    kind = "EnvelopedVerifiableCredential"
    return {"@context": [V2], "type": [kind], "id": f"data:{media_type},{text}", **changes}


def presentation(*credentials: Any, **changes: Any) -> dict[str, Any]:
    return {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": did(HOLDER),
        **({"verifiableCredential": list(credentials)} if credentials else {}),
        **changes,
    }


def vp_jwt(document: dict[str, Any], by: Signer = HOLDER) -> str:
    text = issue(document, "vp+jwt", by, created=NOW, challenge="c-1", domain="employer.example").document
    assert isinstance(text, str)
    return text


def record_v1() -> dict[str, Any]:
    document = record()
    period = {"issuanceDate": document.pop("validFrom"), "expirationDate": document.pop("validUntil")}
    return {**document, **period, "@context": [V1, OB]}


# What is verified


@pytest.mark.parametrize("by", [ISSUER, ISSUER_P256, ISSUER_P384])
def test_a_credential_of_each_algorithm_is_verified_as_its_payload(by: SoftwareSigner) -> None:
    document = record(issuer=did(by))
    text = vc_jwt(document, by)
    for form in (text, text.encode(), f"  {text}\n", enveloped(text), json.dumps(enveloped(text))):
        result = check(form)
        assert result.verified, codes(result)
        assert (result.kind, result.securing, result.issuer) == ("credential", "vc+jwt", did(by))
        assert result.document == document


def test_a_presentation_mixes_envelopes_and_proofs() -> None:
    text = vp_jwt(presentation(enveloped(vc_jwt(record())), with_proof(record(id="urn:uuid:2"))))
    envelope = enveloped(text, "application/vp+jwt", type="EnvelopedVerifiablePresentation")
    for form in (text, envelope):
        result = check(form, **ASKED)
        assert result.verified, [codes(result), *map(codes, result.credentials)]
        assert (result.kind, result.securing, result.holder) == ("presentation", "vp+jwt", did(HOLDER))
        assert [item.securing for item in result.credentials] == ["vc+jwt", "eddsa-rdfc-2022"]


def test_a_proof_can_present_an_enveloped_credential() -> None:
    result = check(present(enveloped(vc_jwt(record()))), **ASKED)
    assert result.verified, [codes(result), *map(codes, result.credentials)]


def test_a_status_list_may_be_a_jwt() -> None:
    def listed(*indices: int) -> Lists:
        proved = status_list(*indices).document
        assert isinstance(proved, dict)
        bare = {name: value for name, value in proved.items() if name != "proof"}
        return Lists({LIST_URL: StatusListCopy(vc_jwt(bare), NOW, False)})

    text = vc_jwt(with_status("revocation"))
    assert check(text, lists=listed()).verified
    assert codes(check(text, lists=listed(7))) == {Check.STATUS: "status.revoked"}


def test_a_kid_may_be_a_fragment_of_the_issuer() -> None:
    kid = "#" + ISSUER.verification_method.partition("#")[2]
    assert check(signed(record(), kid=kid)).verified


@pytest.mark.parametrize("typ", ["vc+jwt", "application/vc+jwt", "JWT", "vc+ld+jwt"])
def test_a_type_that_fits_is_taken(typ: str) -> None:
    assert check(signed(record(), typ=typ)).verified


def test_claims_beside_the_document_are_not_part_of_it() -> None:
    claims = {"iss": did(ISSUER), "sub": did(HOLDER), "jti": record()["id"], "iat": 1, "cnf": {"kid": did(HOLDER)}}
    result = check(signed({**record(), **claims}))
    assert result.verified, codes(result)
    assert result.document == record()


# What is not


@pytest.mark.parametrize("segment", [0, 1, 2])
def test_no_change_of_a_letter_goes_unnoticed(segment: int) -> None:
    parts = vc_jwt(record()).split(".")
    for at in range(0, len(parts[segment]), 7):
        letter = "A" if parts[segment][at] != "A" else "B"
        changed = [*parts]
        changed[segment] = parts[segment][:at] + letter + parts[segment][at + 1 :]
        result = check(".".join(changed))
        assert not result.verified
        assert {STRUCTURE, PROOF, CONTROLLER} & codes(result).keys()


@pytest.mark.parametrize(
    ("text", "check_", "code"),
    [
        (signed(record(), STRANGER), CONTROLLER, "controller.not_issuer"),
        (signed(record(), STRANGER, kid=ISSUER.verification_method), PROOF, "proof.invalid"),
        (signed(record(), ISSUER_P256, kid=ISSUER.verification_method), PROOF, "jws.key_type"),
        (signed(record(), kid="https://college.example/key"), PROOF, "jws.no_kid"),
        (signed(record(), alg="none"), STRUCTURE, "jws.alg_unsupported"),
        (signed(record(), STRANGER, jwk={"kty": "OKP"}), STRUCTURE, "jws.header_refused"),
        (signed(record(), typ="vp+jwt"), STRUCTURE, "structure.jwt.typ"),
        (signed(record(), typ="vc+sd-jwt"), STRUCTURE, "structure.jwt.typ"),
        (signed(record(), typ="kb+jwt"), STRUCTURE, "structure.jwt.typ"),
        (signed(record(), iss=did(STRANGER)), STRUCTURE, "structure.jwt.iss"),
        (signed({**record(), "iss": did(STRANGER)}), STRUCTURE, "structure.jwt.iss"),
        (signed({**record(), "sub": did(STRANGER)}), STRUCTURE, "structure.jwt.sub"),
        (signed({**record(), "jti": "urn:other"}), STRUCTURE, "structure.jwt.jti"),
        (signed({**record(), "vc": record()}), STRUCTURE, "structure.jwt.nested"),
        (signed({**record(), "vp": {}}), STRUCTURE, "structure.jwt.nested"),
        (signed(with_proof(record())), STRUCTURE, "structure.jwt.proof"),
        (signed(record_v1()), STRUCTURE, "structure.jwt.version"),
        (signed({"iss": did(ISSUER)}), STRUCTURE, "structure.context.first"),
        (signed([]), STRUCTURE, "json.not_object"),
        (signed(record(**{"@context": [V2, "https://unknown.example/"]})), Check.CONTEXT, "jsonld.context_unknown"),
        (signed(record(nobodyDefinesThis=1)), Check.CONTEXT, "jsonld.undefined_term"),
        (signed(record(validUntil="2026-01-02T00:00:00Z")), Check.VALID_TIME, "time.expired"),
        (signed({**record(), "exp": 1}), Check.VALID_TIME, "time.proof_expired"),
        (signed({**record(), "iat": 4e9}), Check.VALID_TIME, "time.proof_from_future"),
        (signed({**record(), "nbf": "soon"}), Check.VALID_TIME, "time.malformed"),
        (signed(record(issuer=did(STRANGER)), STRANGER), Check.ISSUER_TRUSTED, "trust.issuer_untrusted"),
        (vc_jwt(record()) + "~", STRUCTURE, None),
        ("e", STRUCTURE, "jws.malformed"),
    ],
)
def test_a_bad_jwt_fails_the_check_that_it_breaks(text: str, check_: Check, code: str | None) -> None:
    result = check(text)
    assert not result.verified
    assert check_ in codes(result)
    assert code is None or codes(result)[check_] == code


def test_a_token_status_is_not_overlooked() -> None:
    claim = {"status": {"status_list": {"idx": 1, "uri": LIST_URL}}}
    for claims in ({**record(), **claim}, jwt_vc(**claim), {**record(), "status": {}}, {**record(), "status": 1}):
        result = check(signed(claims))
        assert not result.verified
        assert Check.STATUS in codes(result) | codes(result, outcome=Outcome.NOT_CHECKED)


def test_a_key_for_authentication_only_does_not_issue() -> None:
    name = "did:web:college.example"
    key = {"id": f"{name}#k", "type": "Multikey", "controller": name, "publicKeyMultibase": ISSUER.key.multikey}
    listed = parse_document({"id": name, "verificationMethod": [key], "authentication": [f"{name}#k"]}, name)
    by = SoftwareSigner(ISSUER.key, f"{name}#k")
    result = check(signed(record(issuer=name), by), dids=Dids({name: listed}))
    assert codes(result)[Check.PROOF_PURPOSE] == "purpose.wrong"
    assert codes(result)[CONTROLLER] == "did.method_not_authorised"
    assert PROOF not in codes(result)


def test_a_did_that_cannot_be_had_leaves_the_proof_unchecked() -> None:
    by = SoftwareSigner(ISSUER.key, "did:web:away.example#k")
    result = check(signed(record(issuer="did:web:away.example"), by))
    assert codes(result, outcome=Outcome.NOT_CHECKED)[PROOF] == "did.unreachable"


@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        (enveloped(vc_jwt(record()), "application/vp+jwt"), "structure.enveloped"),
        (enveloped(vc_jwt(record()), "application/vc+sd-jwt"), "structure.enveloped"),
        (enveloped(vc_jwt(record()), "text/plain"), "structure.enveloped"),
        (enveloped(vc_jwt(record()), type="EnvelopedVerifiablePresentation"), "structure.enveloped"),
        (enveloped(vp_jwt(presentation())), "structure.enveloped"),
        (enveloped(vc_jwt(record()), id="https://college.example/1"), "structure.enveloped"),
        (enveloped(vc_jwt(record()), id=7), "structure.enveloped"),
        (enveloped(vc_jwt(record()), **{"@context": [V1]}), "structure.enveloped"),
        (enveloped(vc_jwt(record()), credentialSubject={"id": did(HOLDER)}), "structure.enveloped"),
        (enveloped(""), "structure.enveloped"),
        (enveloped("abc"), "jws.malformed"),
        (enveloped(b64url_encode(b"{}") + ".."), "jws.alg_unsupported"),
    ],
)
def test_an_envelope_holds_what_it_says(envelope: dict[str, Any], code: str) -> None:
    assert codes(check(envelope))[STRUCTURE] == code
    inside = check(signed({**presentation(envelope), "nonce": "c-1", "aud": "employer.example"}, HOLDER), **ASKED)
    assert not inside.verified


# Presentations


@pytest.mark.parametrize(
    ("document", "by", "asked", "code"),
    [
        (presentation(), HOLDER, {"challenge": "c-2"}, "holder.challenge"),
        (presentation(), HOLDER, {"challenge": "c-1", "domain": "thief.example"}, "holder.domain"),
        (presentation(enveloped(vc_jwt(record()))), HOLDER, {"challenge": "c-2"}, "holder.challenge"),
        (presentation(enveloped(vc_jwt(record())), holder=did(STRANGER)), STRANGER, ASKED, "holder.not_subject"),
    ],
)
def test_a_presentation_is_bound_to_holder_and_request(
    document: dict[str, Any], by: SoftwareSigner, asked: dict[str, str], code: str
) -> None:
    result = check(vp_jwt(document, by), **asked)
    assert not result.verified
    assert codes(result) == {HOLDER_BINDING: code}


def test_a_presentation_without_a_request_is_not_bound() -> None:
    result = check(vp_jwt(presentation(enveloped(vc_jwt(record())))))
    assert not result.verified
    assert codes(result, outcome=Outcome.NOT_CHECKED)[HOLDER_BINDING] == "holder.no_challenge"


def test_somebody_elses_presentation_is_not_the_holders() -> None:
    result = check(vp_jwt(presentation(enveloped(vc_jwt(record()))), STRANGER), **ASKED)
    assert codes(result)[CONTROLLER] == "controller.not_holder"


def test_iss_names_the_holder_where_the_presentation_does_not() -> None:
    document = presentation(enveloped(vc_jwt(record())))
    del document["holder"]
    claims = {**document, "nonce": "c-1", "aud": "employer.example"}
    assert check(signed({**claims, "iss": did(HOLDER)}, HOLDER), **ASKED).verified
    result = check(signed({**claims, "iss": did(HOLDER)}, STRANGER), **ASKED)
    assert codes(result)[STRUCTURE] == "structure.jwt.iss"


def test_a_credential_answers_no_challenge_and_is_no_presentation() -> None:
    text = vc_jwt(record())
    assert codes(check(text, challenge="c-1")) == {HOLDER_BINDING: "holder.not_presented"}
    assert codes(check(text, expected="presentation"))[STRUCTURE] == "structure.kind"
    assert codes(check(vp_jwt(presentation()), expected="credential"))[STRUCTURE] == "structure.kind"


def test_a_presentation_in_a_presentation_is_refused() -> None:
    inner = enveloped(vp_jwt(presentation()), "application/vp+jwt", type="EnvelopedVerifiablePresentation")
    result = check(vp_jwt(presentation(inner)), **ASKED)
    assert not result.verified


# Version 1.1


def jwt_vc(**changes: Any) -> dict[str, Any]:
    """The claims of a credential of version 1.1, most of it said by registered claims."""
    document = record_v1()
    for name in ("id", "issuanceDate", "expirationDate"):
        del document[name]
    document["issuer"] = {"type": ["Profile"], "name": "College of the Coast"}
    document["credentialSubject"].pop("id")
    return {
        "iss": did(ISSUER), "sub": did(HOLDER), "jti": "urn:uuid:1", "nbf": 1767225600, "exp": 2082758400,
        "vc": document, **changes,
    }  # fmt: skip


def test_a_jwt_of_version_1_1_is_read_as_the_credential_that_it_states() -> None:
    result = check(signed(jwt_vc(), typ="JWT"))
    assert result.verified, codes(result)
    assert result.securing == "jwt_vc"
    assert result.document == record_v1() | {"id": "urn:uuid:1"}


def test_a_presentation_of_version_1_1_holds_jwts_as_text() -> None:
    document = {
        "@context": [V1],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [signed(jwt_vc()), signed(jwt_vc(jti="urn:uuid:2"))],
    }
    claims = {"iss": did(HOLDER), "nonce": "c-1", "aud": "employer.example", "vp": document}
    result = check(signed(claims, HOLDER), **ASKED)
    assert result.verified, [codes(result), *map(codes, result.credentials)]
    assert (result.securing, result.holder) == ("jwt_vp", did(HOLDER))
    assert codes(check(signed(claims, STRANGER), **ASKED))[CONTROLLER] == "controller.not_holder"
    assert not check(signed({**claims, "nonce": "c-2"}, HOLDER), **ASKED).verified
    document["verifiableCredential"].append("e30.e30.e30")
    assert not check(signed(claims, HOLDER), **ASKED).verified


@pytest.mark.parametrize(
    ("claims", "check_", "code"),
    [
        (jwt_vc(iss=did(STRANGER)), CONTROLLER, "controller.not_issuer"),
        (jwt_vc(vc=record_v1()), STRUCTURE, "structure.jwt.jti"),
        (jwt_vc(jti=record()["id"], vc={**record_v1(), "issuer": did(STRANGER)}), STRUCTURE, "structure.jwt.iss"),
        (jwt_vc(jti=record()["id"], sub=did(STRANGER), vc=record_v1()), STRUCTURE, "structure.jwt.sub"),
        (jwt_vc(jti=record()["id"], exp=1999999999, vc=record_v1()), STRUCTURE, "structure.jwt.exp"),
        (jwt_vc(jti=record()["id"], nbf=1, vc=record_v1()), STRUCTURE, "structure.jwt.nbf"),
        (jwt_vc(vc={**jwt_vc()["vc"], "credentialSubject": [{"a": 1}, {"a": 2}]}), STRUCTURE, "structure.jwt.sub"),
        (jwt_vc(exp=1767225601), Check.VALID_TIME, "time.proof_expired"),
        (jwt_vc(nbf=1999999999), Check.VALID_TIME, "time.proof_from_future"),
        (jwt_vc(nbf=True), STRUCTURE, "structure.issuanceDate.missing"),
        (jwt_vc(vp={}), STRUCTURE, "jwt.document"),
        (jwt_vc(vc=[]), STRUCTURE, "jwt.document"),
        (jwt_vc(vc=record()), STRUCTURE, None),
        (jwt_vc(iss=[]), STRUCTURE, "structure.issuer.url"),
        (jwt_vc(jti={}), STRUCTURE, "structure.id.url"),
    ],
)
def test_a_jwt_of_version_1_1_may_not_contradict_itself(claims: Any, check_: Check, code: str | None) -> None:
    result = check(signed(claims))
    assert not result.verified
    assert check_ in codes(result)
    assert code is None or codes(result)[check_] == code


# Issuing


@pytest.mark.parametrize(
    ("document", "securing", "code"),
    [
        (record(), "vp+jwt", "securing.document"),
        (presentation(), "vc+jwt", "securing.document"),
        (record_v1(), "vc+jwt", "securing.document"),
        (with_proof(record()), "vc+jwt", "securing.document"),
        (record(iss="x"), "vc+jwt", "securing.document"),
        (record(nobodyDefinesThis=1), "vc+jwt", "jsonld.undefined_term"),
        (record(name=None), "vc+jwt", "proof.not_compacted"),
        (record(), "jwt", "securing.unknown"),
        (record(), "ecdsa-rdfc-2019", "securing.key_type"),
    ],
)
def test_what_nobody_could_verify_is_not_signed(document: dict[str, Any], securing: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        issue(document, securing, ISSUER, created=CREATED)
    assert caught.value.code == code


def test_a_jwt_has_no_place_for_selective_disclosure() -> None:
    for name in ("vc+jwt", "eddsa-rdfc-2022"):
        with pytest.raises(BadInput) as caught:
            issue(record(), name, ISSUER, created=CREATED, selective_pointers=["/name"])
        assert caught.value.code == "securing.terms"


def test_what_is_issued_says_its_media_type_and_stands_in_a_presentation() -> None:
    jwt = issue(record(), "vc+jwt", ISSUER, created=CREATED, expires=NOW + timedelta(days=1))
    proved = issue(record(), "eddsa-jcs-2022", ISSUER, created=CREATED)
    assert (jwt.media_type, proved.media_type) == ("application/vc+jwt", "application/vc")
    result = check(vp_jwt(presentation(jwt.embeddable, proved.embeddable)), **ASKED)
    assert result.verified, [codes(result), *map(codes, result.credentials)]
    assert check(jwt.data).verified and check(proved.data).verified


# Any input

_VALID = vc_jwt(record())


@given(st.binary() | st.text() | st.text().map(lambda text: f"e{text}"))
def test_any_text_gets_a_result(data: bytes | str) -> None:
    assert not check(data).verified


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["typ", "cty", "kid", "iss", "sub", "alg", "crit"]), st.none() | st.text()))
def test_any_header_gets_a_result(header: dict[str, Any]) -> None:
    check(signed(record(), **header))


_NAMES = st.sampled_from([
    "@context", "type", "issuer", "holder", "credentialSubject", "id", "proof", "verifiableCredential", "vc", "vp",
    "iss", "sub", "jti", "exp", "nbf", "iat", "aud", "nonce", "cnf", "credentialStatus", "status",
])  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5) | st.sampled_from([V1, V2, _VALID]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150)
@given(st.dictionaries(_NAMES, _VALUES), st.sampled_from([{}, record(), presentation(), jwt_vc()]))
def test_any_claims_get_a_result(claims: dict[str, Any], base: dict[str, Any]) -> None:
    check(signed({**base, **claims}), **ASKED)


@given(st.integers(0, len(_VALID)), st.text(alphabet="eyJ.~-_A=", max_size=4))
def test_a_changed_jwt_is_not_verified(at: int, inserted: str) -> None:
    text = _VALID[:at] + inserted + _VALID[at + len(inserted) :]
    assert check(text).verified is (text == _VALID)
