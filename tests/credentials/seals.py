"""European Digital Credentials of the tests' own making, and the certificates that they are sealed with."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from protocols.multiformats import b64url_encode

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
START = datetime(2025, 1, 1, tzinfo=UTC)
ORGANISATION = "NTRXX-4711"


@dataclass(frozen=True)
class Certified:
    """A key with its certificate, and those that this was issued under."""

    key: Key
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def _name(common: str, organisation: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COUNTRY_NAME, "XX"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, common)]
    if organisation is not None:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, organisation))
    return x509.Name(parts)


def _usage(**on: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: on.get(name, False) for name in names})


def authority(name: str = "Seal Authority") -> Certified:
    return _authority(name)


@cache
def _authority(name: str) -> Certified:
    return new_authority(name)


def new_authority(name: str) -> Certified:
    key = ec.generate_private_key(ec.SECP256R1())
    return Certified(key, _certificate(_name(name), key, None, _usage(key_cert_sign=True, crl_sign=True), ca=True))


@cache
def seal_of(
    common: str = "Coast University",
    organisation: str | None = ORGANISATION,
    *,
    issuer: Certified | None = None,
    key_type: str = "P-256",
    days: int = 1000,
    ca: bool = False,
    seals: bool = True,
) -> Certified:
    """Who may seal in the name of an organisation."""
    key: Key = ec.generate_private_key(ec.SECP256R1())
    if key_type == "RSA":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    usage = _usage(content_commitment=True) if seals else _usage(key_agreement=True)
    if ca:
        usage = _usage(digital_signature=True, key_cert_sign=True)
    made = _certificate(_name(common, organisation), key, issuer or authority(), usage, ca=ca, days=days)
    return Certified(key, made)


def _certificate(
    subject: x509.Name, key: Key, issuer: Certified | None, usage: x509.KeyUsage, *, ca: bool, days: int = 4000
) -> x509.Certificate:
    signer = key if issuer is None else issuer.key
    named = subject if issuer is None else issuer.certificate.subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    return builder.sign(signer, hashes.SHA256())


def sealed(
    document: dict[str, Any], by: Certified | None = None, *, raw: bool = True, chain: bool = False, **header: Any
) -> dict[str, Any]:
    """The document under a seal, as the EU's tools write it; ``raw`` leaves the payload as it is (RFC 7797)."""
    by = by or seal_of()
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    payload = text if raw else b64url_encode(text.encode())
    certificates = [by.certificate, *(by.above if chain else ())]
    encoded = [base64.b64encode(each.public_bytes(serialization.Encoding.DER)).decode() for each in certificates]
    stated = {
        "alg": "ES256" if isinstance(by.key, ec.EllipticCurvePrivateKey) else "RS256",
        "x5c": encoded,
        "typ": "jose+json",
        "sigT": "2026-11-01T09:00:00Z",
        **({"b64": False, "crit": ["b64", "sigT"]} if raw else {}),
        **header,
    }
    protected = b64url_encode(json.dumps({name: value for name, value in stated.items() if value is not None}).encode())
    signature = {"protected": protected, "signature": _signed(by.key, f"{protected}.{payload}".encode())}
    return {"payload": payload, "signatures": [{**signature, "header": {"etsiU": ["eyJzaWdUc3QiOnt9fQ"]}}]}


def _signed(key: Key, signing_input: bytes) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        return b64url_encode(key.sign(signing_input, padding.PKCS1v15(), hashes.SHA256()))
    r, s = decode_dss_signature(key.sign(signing_input, ec.ECDSA(hashes.SHA256())))
    return b64url_encode(r.to_bytes(32) + s.to_bytes(32))


def concept(identifier: str, **labels: str) -> dict[str, Any]:
    return {"id": identifier, "type": "Concept", "prefLabel": labels}


def organisation(name: str, number: int, notation: str = ORGANISATION) -> dict[str, Any]:
    return {
        "id": f"urn:epass:org:{number}",
        "type": "Organisation",
        "legalName": {"en": name},
        "eIDASIdentifier": {"id": f"urn:epass:legal:{number}", "type": "LegalIdentifier", "notation": notation},
    }


WELD = "http://data.europa.eu/esco/skill/11111111-2222-4333-8444-555555555555"
PLAN = "http://data.europa.eu/esco/skill/99999999-2222-4333-8444-555555555555"


def diploma(**changes: Any) -> dict[str, Any]:
    """A qualification with two parts, the assessment and the course behind it, and what it entitles to."""
    awarded = {
        "id": "urn:epass:awarding:1",
        "type": "AwardingProcess",
        "awardingBody": organisation("Coast University", 1),
    }
    again = {"id": "urn:epass:awarding:1"}
    return {
        "@context": ["https://www.w3.org/2018/credentials/v1", "http://data.europa.eu/snb/model/context/edc-ap"],
        "id": "urn:credential:7f0e7a52-0d2c-4d0e-9a53-6c1d7f0c4a01",
        "type": ["VerifiableCredential", "EuropeanDigitalCredential"],
        "credentialSchema": {
            "id": "http://data.europa.eu/snb/model/ap/edc-generic-full",
            "type": "ShaclValidator2017",
        },
        "displayParameter": {
            "id": "urn:epass:display:1",
            "type": "DisplayParameter",
            "primaryLanguage": {"id": "http://publications.europa.eu/resource/authority/language/ENG"},
            "title": {"de": "Diplom im Schiffbau", "en": "Diploma of Shipbuilding"},
        },
        "issuer": organisation("Coast University", 1),
        "issuanceDate": "2026-06-01T00:00:00Z",
        "validFrom": "2026-06-01T00:00:00Z",
        "credentialSubject": {
            "id": "urn:epass:person:1",
            "type": "Person",
            "fullName": {"en": "Ada Lovelace"},
            "hasClaim": {
                "id": "urn:epass:achievement:1",
                "type": "LearningAchievement",
                "title": {"en": "Bachelor of Shipbuilding", "el": "Ναυπηγική"},
                "awardedBy": awarded,
                "specifiedBy": {
                    "id": "https://coast.example/qualifications/shipbuilding",
                    "type": "Qualification",
                    "title": {"en": "Bachelor of Shipbuilding"},
                    "EQFLevel": concept("http://data.europa.eu/snb/eqf/6", en="Level 6"),
                    "NQFLevel": concept("http://data.europa.eu/snb/nqf-xx/vi", en="XX level VI"),
                    "learningOutcome": [
                        {
                            "id": "urn:epass:outcome:1",
                            "type": "LearningOutcome",
                            "title": {"en": "Joins steel plates"},
                            "relatedESCOSkill": [concept(WELD, de="Schweißen", en="weld steel")],
                        }
                    ],
                },
                "provenBy": {
                    "id": "urn:epass:assessment:1",
                    "type": "LearningAssessment",
                    "title": {"en": "Final examination"},
                    "awardedBy": again,
                    "grade": {"id": "urn:epass:note:1", "type": "Note", "noteLiteral": {"en": "1.3"}},
                },
                "influencedBy": {
                    "id": "urn:epass:activity:1",
                    "type": "LearningActivity",
                    "title": {"en": "Studies in shipbuilding"},
                    "awardedBy": again,
                },
                "entitlesTo": {
                    "id": "urn:epass:entitlement:1",
                    "type": "LearningEntitlement",
                    "title": {"en": "Admission to a master's programme"},
                    "awardedBy": again,
                },
                "hasPart": [
                    {
                        "id": "urn:epass:achievement:2",
                        "type": "LearningAchievement",
                        "title": {"en": "Planning of yards"},
                        "awardedBy": again,
                        "specifiedBy": {
                            "id": "urn:epass:specification:2",
                            "type": "LearningAchievementSpecification",
                            "learningOutcome": {
                                "id": "urn:epass:outcome:2",
                                "type": "LearningOutcome",
                                "title": {"en": "Plans"},
                                "relatedESCOSkill": concept(PLAN, en="plan a yard"),
                            },
                        },
                    }
                ],
            },
        },
        **changes,
    }
