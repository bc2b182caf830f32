"""The rules of the data model: each is named where it is broken, and sound documents break none."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.credentials.enveloped import data_url_of
from protocols.credentials.model import Version, alignments, issuer_id, subject_ids, version_of
from protocols.credentials.structure import credential_problems, presentation_problems
from tests.credentials.worlds import HOLDER, ISSUER, OB, V1, V2, did, record

GONE = object()
OLD = {
    "@context": [V1],
    "type": ["VerifiableCredential"],
    "issuer": did(ISSUER),
    "issuanceDate": "2026-01-01T00:00:00",
    "credentialSubject": {"id": did(HOLDER), "degree": "x"},
}
SRI = "sha384-" + "A" * 64
ENVELOPED = {"@context": V2, "id": "data:application/vc+jwt,e30.e30.AA", "type": "EnvelopedVerifiableCredential"}
PRESENTATION = {"@context": [V2], "type": "VerifiablePresentation", "holder": {"id": did(HOLDER)}}


def changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**document, **changes}.items() if value is not GONE}


def rules(problems: list[Any]) -> list[str]:
    assert all(problem.message.endswith(".") and "VC" in problem.spec for problem in problems)
    return [problem.rule for problem in problems]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"@context": [OB, V2]}, "context.first"),
        ({"@context": GONE}, "context.first"),
        ({"@context": V2}, "context.set"),
        ({"@context": [V2, 5]}, "context.item"),
        ({"@context": [V2, "not a url"]}, "context.item"),
        ({"id": "no url"}, "id.url"),
        ({"id": ["urn:a:1", "urn:a:2"]}, "id.url"),
        ({"type": GONE}, "type.missing"),
        ({"type": ["OpenBadgeCredential"]}, "type.missing"),
        ({"type": ["VerifiableCredential", 5]}, "type.terms"),
        ({"type": ["VerifiableCredential", "https ://no.example/url"]}, "type.terms"),
        ({"type": []}, "type.terms"),
        ({"id": None}, "id.url"),
        ({"name": 5}, "name.text"),
        ({"name": {"@value": "x", "@id": "y"}}, "name.text"),
        ({"name": None}, "name.text"),
        ({"name": []}, "name.text"),
        ({"name": {"@value": "x", "@language": "e n"}}, "name.text"),
        ({"name": {"@value": "x", "@direction": "up"}}, "name.text"),
        ({"name": {"@value": 5, "@language": "en"}}, "name.text"),
        ({"description": ["x", {"@language": "en"}]}, "description.text"),
        ({"issuer": {"id": did(ISSUER), "name": {"@value": "x", "url": "urn:a:1"}}}, "issuer.name.text"),
        ({"issuer": {"id": did(ISSUER), "description": 5}}, "issuer.description.text"),
        ({"issuer": GONE}, "issuer.missing"),
        ({"issuer": "college"}, "issuer.url"),
        ({"issuer": {"name": "college"}}, "issuer.url"),
        ({"issuer": None}, "issuer.url"),
        ({"issuer": {"id": None}}, "issuer.url"),
        ({"issuer": [did(ISSUER)]}, "issuer.url"),
        ({"credentialSubject": GONE}, "subject.missing"),
        ({"credentialSubject": []}, "subject.missing"),
        ({"credentialSubject": did(HOLDER)}, "subject.object"),
        ({"credentialSubject": {}}, "subject.claims"),
        ({"credentialSubject": [{"id": did(HOLDER)}, {}]}, "subject.claims"),
        ({"credentialSubject": {"id": ["urn:a:1", "urn:a:2"]}}, "subject.id"),
        ({"credentialSubject": {"id": "me", "name": "x"}}, "subject.id"),
        ({"validFrom": "2026-01-01"}, "validFrom.time"),
        ({"validFrom": "2026-01-01T00:00:00"}, "validFrom.time"),
        ({"validUntil": "2026-13-01T00:00:00Z"}, "validUntil.time"),
        ({"validFrom": None}, "validFrom.time"),
        ({"validFrom": "2037-01-01T00:00:00Z"}, "period.order"),
        ({"credentialStatus": {"id": "https://a.example/1"}}, "credentialStatus.type"),
        ({"credentialStatus": {"id": "x", "type": "A"}}, "credentialStatus.id"),
        ({"credentialStatus": ["https://a.example/1"]}, "credentialStatus.object"),
        ({"credentialStatus": [{"id": "urn:a:1", "type": "A"}, {"id": "urn:a:1", "type": "B"}]},
         "credentialStatus.ambiguous"),
        ({"credentialStatus": [{"type": "A"}] * 17}, "status.many"),
        ({"credentialStatus": []}, "credentialStatus.empty"),
        ({"credentialStatus": None}, "credentialStatus.empty"),
        ({"credentialStatus": {"id": "urn:a:1", "type": 2}}, "credentialStatus.type"),
        ({"credentialSchema": {"type": "JsonSchema"}}, "credentialSchema.id"),
        ({"credentialSchema": {"type": "JsonSchema", "id": "https ://no.example/url"}}, "credentialSchema.id"),
        ({"credentialSchema": {"id": "https://a.example/1"}}, "credentialSchema.type"),
        ({"credentialSchema": "https://a.example/1"}, "credentialSchema.object"),
        ({"credentialSchema": []}, "credentialSchema.empty"),
        ({"refreshService": {"id": "https://a.example/1"}}, "refreshService.type"),
        ({"refreshService": []}, "refreshService.empty"),
        ({"termsOfUse": {"profile": "x"}}, "termsOfUse.type"),
        ({"termsOfUse": {}}, "termsOfUse.type"),
        ({"evidence": [{"narrative": "x"}]}, "evidence.type"),
        ({"evidence": {"type": "E", "id": "no url"}}, "evidence.id"),
        ({"evidence": []}, "evidence.empty"),
        ({"confidenceMethod": {"id": "urn:a:1"}}, "confidenceMethod.type"),
        ({"renderMethod": "urn:a:1"}, "renderMethod.object"),
        ({"relatedResource": {"id": "https://a.example/1"}}, "relatedResource.digest"),
        ({"relatedResource": ["https://a.example/1"]}, "relatedResource.id"),
        ({"relatedResource": {"digestSRI": SRI}}, "relatedResource.id"),
        ({"relatedResource": []}, "relatedResource.empty"),
        ({"relatedResource": [{"id": "urn:a:1", "digestSRI": SRI}] * 2}, "relatedResource.unique"),
        ({"relatedResource": {"id": "urn:a:1", "digestSRI": "md5-AAAA"}}, "relatedResource.digest_form"),
        ({"relatedResource": {"id": "urn:a:1", "digestMultibase": "EiAA"}}, "relatedResource.digest_form"),
        ({"relatedResource": {"id": "urn:a:1", "digestSRI": SRI, "digestMultibase": 5}}, "relatedResource.digest_form"),
        ({"proof": "x"}, "proof.object"),
        ({"proof": {"created": "2026-01-01T00:00:00Z"}}, "proof.type"),
        ({"proof": [{"type": "A"}, {"type": []}]}, "proof.type"),
        ({"proof": {"type": "DataIntegrityProof"}}, "proof.cryptosuite"),
        ({"proof": {"type": ["DataIntegrityProof"], "cryptosuite": 7}}, "proof.cryptosuite"),
        ({"proof": {"type": "DataIntegrityProof", "cryptosuite": ""}}, "proof.cryptosuite"),
        ({"proof": [{"id": "urn:a:1"}, {"id": "urn:a:1"}]}, "proof.id"),
        ({"proof": {"id": 5}}, "proof.id"),
    ],
)  # fmt: skip
def test_a_broken_rule_of_version_2_is_named(changes: dict[str, Any], rule: str) -> None:
    assert rule in rules(credential_problems(changed(record(), changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"id": GONE, "validFrom": GONE, "validUntil": GONE},
        {"issuer": did(ISSUER), "type": "VerifiableCredential"},
        {"validFrom": "2026-01-01T00:00:00.5+02:00", "validUntil": "2026-01-01T24:00:00Z"},
        {"name": [{"@value": "x", "@language": "en", "@direction": "ltr"}, {"@value": "y"}]},
        {"credentialSubject": [{"name": "x"}, {"id": did(HOLDER), "name": "y"}]},
        {"credentialStatus": {"type": "BitstringStatusListEntry"}},
        {"type": ["https://a.example/#Other", "VerifiableCredential"]},
        {"credentialSubject": {"id": did(HOLDER)}},
        {"issuer": {"id": did(ISSUER), "name": [{"@value": "x", "@language": "en-GB"}, {"@value": "y"}]}},
        {"evidence": [{"type": "E"}, {"type": "E"}], "termsOfUse": {"type": "https://a.example/#Terms"}},
        {"relatedResource": {"id": "https://a.example/1", "digestMultibase": ["uEiAA", "zQmA"]}},
        {"relatedResource": {"id": "https://a.example/1", "digestSRI": f"{SRI} {SRI}", "mediaType": "text/css"}},
    ],
)
def test_a_sound_credential_of_version_2_breaks_none(changes: dict[str, Any]) -> None:
    assert credential_problems(changed(record(), changes)) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"issuanceDate": GONE}, "issuanceDate.missing"),
        ({"issuanceDate": "yesterday"}, "issuanceDate.time"),
        ({"expirationDate": "2025-01-01T00:00:00Z"}, "period.order"),
        ({"credentialStatus": {"type": "A"}}, "credentialStatus.id"),
        ({"refreshService": {"type": "A"}}, "refreshService.id"),
    ],
)
def test_version_1_1_has_rules_of_its_own(changes: dict[str, Any], rule: str) -> None:
    assert credential_problems(OLD) == []
    assert rules(credential_problems(changed(OLD, changes))) == [rule]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"type": "VerifiableCredential"}, "type.missing"),
        ({"holder": "me"}, "holder.url"),
        ({"holder": {"name": "me"}}, "holder.url"),
        ({"id": "no url"}, "id.url"),
        ({"holder": {"id": "me"}}, "holder.url"),
        ({"verifiableCredential": "eyJ"}, "verifiableCredential.object"),
        ({"verifiableCredential": [record(), 5]}, "verifiableCredential.object"),
        ({"verifiableCredential": []}, "verifiableCredential.empty"),
        ({"verifiableCredential": [record(), {**record(), "type": "Other"}]}, "verifiableCredential.type"),
        ({"verifiableCredential": [ENVELOPED] * 129}, "verifiableCredential.many"),
        ({"verifiableCredential": {**ENVELOPED, "@context": []}}, "enveloped.context"),
        ({"verifiableCredential": {**ENVELOPED, "@context": V1}}, "enveloped.context"),
        ({"verifiableCredential": {**ENVELOPED, "id": "e30.e30.AA"}}, "enveloped.id"),
        ({"verifiableCredential": {**ENVELOPED, "id": "data:,e30.e30.AA"}}, "enveloped.id"),
        ({"verifiableCredential": {**ENVELOPED, "id": "data:application/vc+jwt,"}}, "enveloped.id"),
        ({"verifiableCredential": {**ENVELOPED, "id": 5}}, "enveloped.id"),
        ({"verifiableCredential": {**ENVELOPED, "type": [ENVELOPED["type"], "X"]}}, "enveloped.type"),
        ({"termsOfUse": {"id": "urn:a:1"}}, "termsOfUse.type"),
    ],
)
def test_presentations_have_rules_too(changes: dict[str, Any], rule: str) -> None:
    assert presentation_problems(PRESENTATION) == []
    assert presentation_problems(changed(PRESENTATION, {"holder": GONE})) == []
    assert rules(presentation_problems(changed(PRESENTATION, changes))) == [rule]


@pytest.mark.parametrize(
    ("identifier", "found"),
    [
        ("data:application/vc+jwt,e30.e30.AA", ("application/vc+jwt", "e30.e30.AA")),
        ("data:application/VC-LD+jwt;base64url;a=b,e30.AA~", ("application/vc-ld+jwt", "e30.AA~")),
        ("data:text/plain;base64", None),
        ("https://a.example/vc", None),
    ],
)
def test_an_envelope_says_its_media_type_and_content(identifier: str, found: tuple[str, str] | None) -> None:
    assert data_url_of({**ENVELOPED, "id": identifier}) == found
    assert not presentation_problems({**PRESENTATION, "verifiableCredential": [record(), ENVELOPED]})


def test_the_readers_give_what_the_document_says() -> None:
    assert (version_of(record()), version_of(OLD), version_of({})) == (Version.V2_0, Version.V1_1, None)
    assert issuer_id(record()) == issuer_id(OLD) == did(ISSUER)
    two = {"credentialSubject": [{"id": did(HOLDER)}, {"name": "x"}]}
    assert subject_ids(two) == [did(HOLDER), None]
    assert [item["targetUrl"] for item in alignments(record())] == [
        "https://www.onetonline.org/link/summary/51-4121.00"
    ]
