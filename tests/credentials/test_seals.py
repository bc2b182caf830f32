"""Electronic seals: what a named authority's certificate says of whose it is counts, and all else is unknown."""

from __future__ import annotations

import asyncio
import copy
import json
from datetime import timedelta
from typing import Any

import pytest

from protocols.credentials.policy import Policy
from protocols.credentials.sealed.authorities import SealAuthorities
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, Outcome, VerificationResult
from protocols.credentials.verify import verify
from tests.credentials.seals import Certified, authority, diploma, new_authority, organisation, seal_of, sealed
from tests.credentials.worlds import NOW, Dids, Lists, codes

NAMING = SealAuthorities.from_pem([authority().pem])


def check(document: Any, *, seals: SealAuthorities = NAMING, trust: tuple[str, ...] = ()) -> VerificationResult:
    policy = Policy(trust=TrustedIssuers(trust), seals=seals)
    return asyncio.run(verify(document, resolver=Dids(), statuses=Lists(), policy=policy, now=NOW))


def outcome(result: VerificationResult, check: Check) -> tuple[Outcome, str]:
    return next((each.outcome, each.code) for each in result.checks if each.check is check)


def name_of(document: dict[str, Any]) -> str:
    issuer = check(document).issuer
    assert issuer is not None
    return issuer


@pytest.mark.parametrize("raw", [True, False], ids=["as it is", "base64url"])
@pytest.mark.parametrize("key_type", ["P-256", "RSA"])
def test_a_sealed_record_of_a_trusted_organisation_under_a_named_authority_is_verified(
    key_type: str, raw: bool
) -> None:
    document = sealed(diploma(), seal_of(key_type=key_type), raw=raw)
    name = name_of(document)
    assert name.startswith("did:x509:0:sha256:")
    assert name.endswith("::subject:2.5.4.97:NTRXX-4711")
    result = check(json.dumps(document), trust=(name,))
    assert result.verified, codes(result)
    assert (result.securing, result.issuer) == ("jose+json", name)


def test_a_flattened_seal_is_the_same() -> None:
    document = sealed(diploma())
    (signature,) = document.pop("signatures")
    assert outcome(check({**document, **signature}), Check.PROOF)[0] is Outcome.PASS


def test_whose_seal_it_is_does_not_say_that_it_is_believed() -> None:
    result = check(sealed(diploma()), trust=("did:web:other.example",))
    assert outcome(result, Check.CONTROLLER) == (Outcome.PASS, "ok")
    assert outcome(result, Check.ISSUER_TRUSTED) == (Outcome.FAIL, "trust.issuer_untrusted")
    assert not result.verified


@pytest.mark.parametrize("seals", [SealAuthorities(), SealAuthorities([authority("Another").certificate])])
def test_under_no_named_authority_nothing_is_known_of_whose_it_is(seals: SealAuthorities) -> None:
    result = check(sealed(diploma()), seals=seals, trust=(name_of(sealed(diploma())), "urn:epass:org:1"))
    for each in (Check.PROOF, Check.CONTROLLER):
        assert outcome(result, each) == (Outcome.NOT_CHECKED, "seal.authority_unknown")
    assert outcome(result, Check.ISSUER_TRUSTED) == (Outcome.NOT_CHECKED, "trust.issuer_unknown")
    assert result.issuer is None or result.issuer == ""
    assert not result.verified


def test_who_makes_an_authority_of_the_same_name_seals_for_nobody() -> None:
    impostor = new_authority("Seal Authority")
    result = check(sealed(diploma(), seal_of(issuer=impostor)))
    assert outcome(result, Check.PROOF) == (Outcome.NOT_CHECKED, "seal.authority_unknown")


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (seal_of(ca=True), (Outcome.FAIL, "seal.certificate_use")),
        (seal_of(seals=False), (Outcome.FAIL, "seal.certificate_use")),
        (seal_of(days=30), (Outcome.NOT_CHECKED, "seal.certificate_expired")),
    ],
    ids=["an authority's own", "not to seal with", "over"],
)
def test_a_certificate_that_is_none_for_a_seal_now_is_not_taken(by: Certified, expected: tuple[Outcome, str]) -> None:
    assert outcome(check(sealed(diploma(), by)), Check.PROOF) == expected


def test_the_issuer_that_is_named_has_to_be_the_organisation_of_the_seal() -> None:
    other = diploma(issuer=organisation("Coast University", 1, "NTRXX-1"))
    result = check(sealed(other), trust=(name_of(sealed(diploma())),))
    assert outcome(result, Check.CONTROLLER) == (Outcome.FAIL, "seal.issuer_other")
    assert not result.verified


def test_an_organisation_without_an_identifier_is_known_by_country_and_name() -> None:
    document = sealed(diploma(), seal_of("Coast University", None))
    assert name_of(document).endswith("::subject:C:XX:O:Coast%20University")
    assert outcome(check(document), Check.CONTROLLER)[0] is Outcome.PASS


def _changed(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "payload": document["payload"].replace("Shipbuilding", "Astronomy")}


def _other_certificate(document: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    changed["signatures"][0]["protected"] = sealed(diploma(), seal_of("Other", "NTRXX-9"))["signatures"][0]["protected"]
    return changed


@pytest.mark.parametrize("change", [_changed, _other_certificate])
def test_what_was_changed_under_a_seal_is_not_what_was_sealed(change: Any) -> None:
    assert outcome(check(change(sealed(diploma()))), Check.PROOF) == (Outcome.FAIL, "proof.invalid")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"sigD": {"mId": "http://uri.etsi.org/19182/HttpHeaders"}}, "seal.extension"),
        ({"crit": ["b64", "sigT", "exp"], "exp": 1}, "seal.extension"),
        ({"crit": ["sigT"]}, "seal.malformed"),
        ({"crit": "b64"}, "seal.malformed"),
        ({"x5c": None}, "seal.no_certificate"),
        ({"x5c": ["AAAA"]}, "seal.certificate_malformed"),
        ({"x5c": [7]}, "seal.certificate_malformed"),
        ({"alg": None}, "seal.malformed"),
    ],
)
def test_a_seal_that_cannot_be_read_is_refused(header: dict[str, Any], code: str) -> None:
    result = check(sealed(diploma(), **header))
    assert outcome(result, Check.STRUCTURE) == (Outcome.FAIL, code)
    assert not result.verified


@pytest.mark.parametrize("alg", ["none", "HS256", "RS256", "ES384", "ES25", "EdDSA", "PS256"])
def test_an_algorithm_that_is_not_the_keys_is_refused(alg: str) -> None:
    assert outcome(check(sealed(diploma(), alg=alg)), Check.PROOF) == (Outcome.FAIL, "seal.algorithm")


def test_a_seal_that_names_another_certificate_than_it_brings_is_refused() -> None:
    result = check(sealed(diploma(), **{"x5t#S256": "AAAA"}))
    assert outcome(result, Check.STRUCTURE) == (Outcome.FAIL, "structure.seal.digest")


def test_a_seal_from_the_future_is_not_valid_yet() -> None:
    later = (NOW + timedelta(days=2)).isoformat()
    assert outcome(check(sealed(diploma(), sigT=later)), Check.VALID_TIME) == (Outcome.FAIL, "time.proof_from_future")


def test_two_seals_are_not_one() -> None:
    document = sealed(diploma())
    document["signatures"] *= 2
    assert outcome(check(document), Check.STRUCTURE) == (Outcome.FAIL, "seal.several")


def test_a_context_beside_that_of_the_model_could_give_names_another_meaning() -> None:
    for more in ("https://x.example/context", {"title": "https://x.example/other"}):
        changed = diploma()
        changed["@context"].append(more)
        assert outcome(check(sealed(changed)), Check.CONTEXT) == (Outcome.FAIL, "context.beside_elm")


def test_a_european_credential_without_any_seal_is_signed_by_nobody() -> None:
    result = check(diploma(), trust=("urn:epass:org:1",))
    assert outcome(result, Check.PROOF) == (Outcome.FAIL, "proof.missing")
