"""A credential is verified only where every required check passes, and each failure is named by its own check."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from protocols import strict_json
from protocols.credentials.policy import REQUIRED_BY_DEFAULT, Policy
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verification import Check, Outcome
from protocols.did.document import DidDocument, parse_document
from protocols.errors import NotNow
from protocols.keys import SoftwareSigner
from tests.credentials.worlds import (
    CREATED,
    EXTENSIONS,
    HOLDER,
    ISSUER,
    NOW,
    OB,
    STRANGER,
    SUITES,
    TRUSTING,
    V1,
    V2,
    Dids,
    check_credential,
    codes,
    did,
    found,
    issue,
    record,
)

WEB = "did:web:college.example"
ORDER = [
    Check.STRUCTURE, Check.CONTEXT, Check.PROOF, Check.PROOF_PURPOSE, Check.CONTROLLER, Check.ISSUER_TRUSTED,
    Check.VALID_TIME, Check.STATUS, Check.SCHEMA, Check.RELATED_RESOURCES,
    Check.SKILLS,
]  # fmt: skip


def web_document(*relationships: str, controller: str = WEB) -> DidDocument:
    """A did:web whose one key, the issuer's, has the relationships."""
    method = {
        "id": f"{WEB}#k",
        "type": "Multikey",
        "controller": controller,
        "publicKeyMultibase": ISSUER.key.multikey,
    }
    return parse_document({"id": WEB, "verificationMethod": [method], **{n: [f"{WEB}#k"] for n in relationships}}, WEB)


WEB_SIGNER = SoftwareSigner(ISSUER.key, f"{WEB}#k")


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("form", [dict, json.dumps, strict_json.dumps], ids=["object", "text", "bytes"])
def test_a_good_record_is_verified_in_every_suite_and_form(suite: str, form: Callable[[Any], Any]) -> None:
    result = check_credential(form(issue(record(), suite=suite)))
    assert result.verified, codes(result)
    assert (result.kind, result.issuer) == ("credential", did(ISSUER))
    assert [item.check for item in result.checks] == ORDER
    assert all(item.reason.endswith(".") for item in result.checks)


@pytest.mark.parametrize("suite", SUITES)
def test_a_version_1_1_credential_is_verified(suite: str) -> None:
    old = {
        "@context": [V1, {"@vocab": "https://example.org/ler#"}],
        "id": "urn:uuid:9494eba0-fefd-4f43-85de-b8ebd93d79a8",
        "type": ["VerifiableCredential", "AchievementCredential"],
        "issuer": did(ISSUER),
        "issuanceDate": "2026-01-01T00:00:00Z",
        "expirationDate": "2027-01-01T00:00:00Z",
        "credentialSubject": {"id": did(HOLDER), "achievement": {"name": "Welding"}},
    }
    signed = issue(old, suite=suite)
    assert check_credential(signed).verified
    late = check_credential(signed, now=NOW + timedelta(days=365))
    assert codes(late) == {Check.VALID_TIME: "time.expired"}


def test_signing_leaves_the_given_document_as_it_was() -> None:
    unsigned = record()
    before = json.dumps(unsigned)
    issue(issue(unsigned), by=STRANGER)
    assert json.dumps(unsigned) == before


def test_without_trusted_issuers_nothing_is_verified_unless_policy_drops_the_check() -> None:
    signed = issue(record())
    result = check_credential(signed, policy=Policy())
    assert not result.verified
    assert found(result, Check.ISSUER_TRUSTED).code == "trust.undecided"
    relaxed = Policy(required=REQUIRED_BY_DEFAULT - {Check.ISSUER_TRUSTED})
    assert check_credential(signed, policy=relaxed).verified


def test_an_issuer_that_is_not_trusted_fails() -> None:
    result = check_credential(issue(record()), policy=Policy(trust=TrustedIssuers({did(STRANGER)})))
    assert codes(result) == {Check.ISSUER_TRUSTED: "trust.issuer_untrusted"}


def test_who_does_not_ask_whom_to_believe_is_told_and_nothing_fails_for_it() -> None:
    policy = Policy(trust=TrustedIssuers({did(HOLDER)}), required=Policy().required - {Check.ISSUER_TRUSTED})
    result = check_credential(issue(record()), policy=policy)
    trust = found(result, Check.ISSUER_TRUSTED)
    assert (result.verified, trust.outcome, trust.code) == (True, Outcome.NOT_CHECKED, "trust.issuer_untrusted")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"validFrom": "2026-11-24T12:03:00Z"}, "time.not_yet_valid"),
        ({"validUntil": "2026-11-24T11:57:00Z"}, "time.expired"),
    ],
)
def test_a_record_outside_its_period_fails(changes: dict[str, Any], code: str) -> None:
    assert codes(check_credential(issue(record(**changes)))) == {Check.VALID_TIME: code}


@pytest.mark.parametrize("changes", [{"validFrom": "2026-11-24T12:01:00Z"}, {"validUntil": "2026-11-24T11:59:00Z"}])
def test_clocks_may_differ_a_little(changes: dict[str, Any]) -> None:
    assert check_credential(issue(record(**changes))).verified


def test_a_proof_from_the_future_or_past_its_end_fails() -> None:
    early = check_credential(issue(record(), created=NOW + timedelta(hours=1)))
    assert codes(early) == {Check.VALID_TIME: "time.proof_from_future"}
    ended = check_credential(issue(record(), expires=NOW - timedelta(hours=1)))
    assert codes(ended) == {Check.VALID_TIME: "time.proof_expired"}


def test_a_proof_for_another_purpose_fails() -> None:
    result = check_credential(issue(record(), purpose="authentication"))
    assert codes(result) == {Check.PROOF_PURPOSE: "purpose.wrong"}


def test_a_record_signed_by_someone_else_than_its_issuer_fails() -> None:
    result = check_credential(issue(record(), by=STRANGER))
    assert codes(result) == {Check.CONTROLLER: "controller.not_issuer"}
    assert found(result, Check.PROOF).outcome is Outcome.PASS


def test_a_key_that_the_issuer_has_for_other_uses_only_fails() -> None:
    signed = issue(record(issuer=WEB), by=WEB_SIGNER)
    policy = Policy(trust=TrustedIssuers({WEB}))
    good = check_credential(signed, policy=policy, dids=Dids({WEB: web_document("assertionMethod")}))
    assert good.verified
    bad = check_credential(signed, policy=policy, dids=Dids({WEB: web_document("authentication")}))
    assert codes(bad) == {Check.CONTROLLER: "did.method_not_authorised"}
    assert found(bad, Check.PROOF).outcome is Outcome.PASS


@pytest.mark.parametrize("document", [web_document(), web_document("assertionMethod", controller=did(STRANGER))])
def test_a_key_without_any_authorisation_of_its_own_did_proves_nothing(document: DidDocument) -> None:
    signed = issue(record(issuer=WEB), by=WEB_SIGNER)
    result = check_credential(signed, policy=Policy(trust=TrustedIssuers({WEB})), dids=Dids({WEB: document}))
    assert not result.verified
    assert codes(result) == {Check.CONTROLLER: "did.method_not_authorised"}


def test_an_issuer_whose_document_cannot_be_had_is_not_checked_rather_than_failed() -> None:
    signed = issue(record(issuer=WEB), by=WEB_SIGNER)
    away = NotNow("did.unreachable", "The DID document cannot be had.", "Try later.")
    result = check_credential(signed, policy=Policy(trust=TrustedIssuers({WEB})), dids=Dids({WEB: away}))
    assert not result.verified
    assert codes(result) == {}
    unknown = codes(result, outcome=Outcome.NOT_CHECKED)
    assert unknown[Check.PROOF] == unknown[Check.CONTROLLER] == "did.unreachable"


def test_an_issuer_that_is_a_web_page_cannot_be_checked() -> None:
    page = "https://college.example/issuer"
    signed = issue(record(issuer=page), by=SoftwareSigner(ISSUER.key, f"{page}#key"))
    result = check_credential(signed, policy=Policy(trust=TrustedIssuers({page})))
    assert not result.verified
    assert found(result, Check.CONTROLLER).code == "controller.unresolvable"


def test_no_proof_and_proofs_of_unknown_kinds_prove_nothing() -> None:
    assert codes(check_credential(record()))[Check.PROOF] == "proof.missing"
    odd = record(proof={"type": "DataIntegrityProof", "cryptosuite": "ecdsa-rdfc-2000", "proofPurpose": "x"})
    result = check_credential(odd)
    assert not result.verified
    assert found(result, Check.PROOF).code == "proof.suite_unknown"


def test_a_suite_name_without_its_proof_type_is_unknown() -> None:
    signed = issue(record())
    signed["proof"] = {**signed["proof"], "type": "eddsa-rdfc-2022"}
    assert found(check_credential(signed), Check.PROOF).code == "proof.suite_unknown"


def test_every_known_proof_of_a_set_has_to_hold_and_one_has_to_be_the_issuers() -> None:
    both = issue(issue(record()), by=STRANGER)
    assert check_credential(both).verified
    broken = {**both, "proof": [both["proof"][0], {**both["proof"][1], "created": "2026-01-01T00:00:00Z"}]}
    assert codes(check_credential(broken)) == {Check.PROOF: "proof.invalid"}
    alone = {**both, "proof": both["proof"][1]}
    assert codes(check_credential(alone)) == {Check.CONTROLLER: "controller.not_issuer"}


def test_an_unknown_proof_beside_a_good_one_is_counted_and_a_chain_on_it_fails() -> None:
    signed = issue(record())
    odd = {"type": "SomeProofType", "id": "urn:uuid:1", "proofPurpose": "assertionMethod"}
    result = check_credential({**signed, "proof": [odd, signed["proof"]]})
    assert result.verified
    assert found(result, Check.PROOF).details == {"proofs": 1, "unknownProofs": 1}
    chained = {**signed["proof"], "previousProof": "urn:uuid:1"}
    assert codes(check_credential({**signed, "proof": [odd, chained]})) == {Check.PROOF: "proof.previous_missing"}


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_a_proof_chain_is_verified_and_breaks_with_any_of_its_links(suite: str) -> None:
    first = issue(record(), suite=suite, proof_id="urn:uuid:a")
    chain = issue(first, suite=suite, by=STRANGER, previous_proof="urn:uuid:a", created=CREATED + timedelta(hours=1))
    assert check_credential(chain).verified
    resigned = issue(record(), suite=suite, proof_id="urn:uuid:a", created=CREATED + timedelta(minutes=1))
    forged = {**chain, "proof": [resigned["proof"], chain["proof"][1]]}
    assert codes(check_credential(forged)) == {Check.PROOF: "proof.invalid"}


def test_schemas_are_found_by_id_and_by_type_and_unknown_ones_are_not_checked() -> None:
    schema = {"id": "https://college.example/schema.json", "type": "1EdTechJsonSchemaValidator2019"}
    signed = issue(record(credentialSchema=[schema], **{"@context": [V2, OB, EXTENSIONS]}))

    def refuse(document: dict[str, Any]) -> list[str]:
        return ["It has no result."] if "result" not in document["credentialSubject"] else []

    def outcome(**schemas: Any) -> tuple[Outcome, str]:
        item = found(check_credential(signed, policy=dataclasses.replace(TRUSTING, schemas=schemas)), Check.SCHEMA)
        return item.outcome, item.code

    assert outcome() == (Outcome.NOT_CHECKED, "schema.unavailable")
    assert outcome(**{schema["id"]: refuse}) == (Outcome.FAIL, "schema.violated")
    assert outcome(OpenBadgeCredential=refuse) == (Outcome.FAIL, "schema.violated")
    assert outcome(**{schema["id"]: lambda _document: []}) == (Outcome.PASS, "ok")


def test_skills_are_held_against_the_frameworks_of_the_node() -> None:
    signed = issue(record())
    plain = record()
    del plain["credentialSubject"]["achievement"]["alignment"]

    def code(document: dict[str, Any], known: Any) -> str:
        async def known_skills(urls: frozenset[str]) -> frozenset[str]:
            return frozenset(filter(known, urls))

        policy = dataclasses.replace(TRUSTING, known_skills=known and known_skills)
        return found(check_credential(document, policy=policy), Check.SKILLS).code

    assert code(signed, lambda url: url.endswith("51-4121.00")) == "ok"
    assert code(signed, lambda _url: False) == "skills.unknown"
    assert code(signed, None) == "skills.no_framework"
    assert code(issue(plain), lambda _url: True) == "skills.none"


def test_a_did_is_resolved_once_a_verification() -> None:
    dids = Dids()
    check_credential(issue(issue(record())), dids=dids)
    assert dids.asked == [did(ISSUER)]
