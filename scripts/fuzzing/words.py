"""The words that JSON documents of credentials, proofs, DIDs and lists are made of, for mutations to choose from."""

from __future__ import annotations

from typing import Any

__all__ = ["KEYS", "VALUES"]

KEYS: tuple[str, ...] = (
    "@base", "@container", "@context", "@direction", "@graph", "@id", "@import", "@included", "@index", "@json",
    "@language", "@list", "@nest", "@none", "@prefix", "@propagate", "@protected", "@reverse", "@set", "@type",
    "@value", "@version", "@vocab", "achievement", "alg", "alignment", "alsoKnownAs", "assertionMethod",
    "authentication", "challenge", "cnf", "controller", "created", "credentialSchema", "credentialStatus",
    "credentialSubject", "crit", "crv", "cryptosuite", "description", "digestMultibase", "digestSRI", "domain",
    "encodedList", "evidence", "expires", "holder", "id", "issuanceDate", "issuer", "jku", "jwk", "jws", "kid", "kty",
    "keyAgreement", "name", "previousProof", "proof", "proofPurpose", "proofValue", "publicKeyBase58", "publicKeyJwk",
    "publicKeyMultibase", "recipientKeys", "refreshService", "relatedResource", "result", "routingKeys", "service",
    "serviceEndpoint", "statusListCredential", "statusListIndex", "statusMessage", "statusPurpose", "statusReference",
    "statusSize", "termsOfUse", "ttl", "type", "validFrom", "validUntil", "verifiableCredential",
    "verificationMethod", "x", "x5c", "x5u", "y", "_sd", "_sd_alg", "...", "status", "status_list", "idx", "uri",
)  # fmt: skip
"""Names of members."""

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.5, 1e21, 2**53, 10**20, 5e-324, 1e308, -0.0, "", "z", "u", "_:", "_:b0", "#", "did:",
    "did:key:", "did:peer:2.", "did:web:a", "urn:x", "https://", "@id", "@type", "@vocab", "@list", "@json", "@none",
    "@context", "http://www.w3.org/2001/XMLSchema#double", "https://www.w3.org/ns/credentials/v2",
    "https://www.w3.org/2018/credentials/v1", "https://w3id.org/security/data-integrity/v2",
    "https://w3id.org/security/suites/ed25519-2020/v1", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "VerifiableCredential", "VerifiablePresentation", "EnvelopedVerifiableCredential", "DataIntegrityProof",
    "BitstringStatusListEntry", "BitstringStatusListCredential", "BitstringStatusList", "eddsa-rdfc-2022",
    "eddsa-jcs-2022", "ecdsa-rdfc-2019", "ecdsa-jcs-2019", "ecdsa-sd-2023", "bbs-2023", "Ed25519Signature2020",
    "Ed25519Signature2018", "JsonWebKey", "Multikey", "OKP", "EC", "P-256", "P-384", "Ed25519", "none", "EdDSA",
    "ES256", "ES384", "HS256", "assertionMethod", "authentication", "revocation", "suspension", "message",
    "2026-01-01T00:00:00Z", "9999-12-31T24:00:00Z", "0000-00-00T00:00:00", "\ud800", "\u0000", "\u2028", "\U0001f600",
    "data:application/vc+jwt,", "data:application/vc+sd-jwt,e30.e30.AA~", "sha-256", [], {}, [[]], [{}], [None],
)  # fmt: skip
"""Values that mean something somewhere, or nearly."""
