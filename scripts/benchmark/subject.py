"""What is measured: an issuer, its Open Badges 3.0 record, and what lernode and plain pyld do with it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from nacl import bindings
from pyld import jsonld

from node.config import Config
from node.records.catalogue import Catalogue
from node.records.open_badges import IssuerProfile, build_credential
from node.roles.policy import VerificationPolicies
from node.skills.frameworks import SkillIndex
from protocols.credentials.context_binding import signs_contexts, with_contexts_bound
from protocols.credentials.data_integrity.proofs import add_proof, verify_proof
from protocols.credentials.data_integrity.registry import CRYPTOSUITES
from protocols.credentials.data_integrity.suite import Selective, UnsecuredDocument
from protocols.credentials.resources import NoResources
from protocols.credentials.trust.grants import TrustedIssuers
from protocols.credentials.verify import verify
from protocols.did import key as did_key
from protocols.did.document import DidDocument
from protocols.did.resolver import resolve_offline
from protocols.errors import BadInput, NotNow
from protocols.jsonld.contexts import BUNDLED, ContextStore
from protocols.jsonld.processor import DEFAULT
from protocols.keys import KeyPair, PublicKey, SoftwareSigner
from protocols.multiformats import multibase_decode, multibase_encode
from protocols.status.source import StatusListCopy

__all__ = ["JCS", "RDFC", "SUITES", "Subject"]

RDFC = "eddsa-rdfc-2022"
JCS = "eddsa-jcs-2022"
SUITES = (RDFC, JCS)
_SECRET_PREFIX = b"\x80\x26"  # the multicodec of an Ed25519 secret key


class _Offline:
    """Resolves what needs no network, and has no status lists."""

    async def resolve(self, did: str) -> DidDocument:
        document = resolve_offline(did)
        if document is None:
            raise BadInput("did.method_unknown", "The DID needs the network.", "Use a did:key.")
        return document

    async def get(self, _url: str, *, refresh: bool = False) -> StatusListCopy:
        del refresh
        raise NotNow("status.unreachable", "There is no network here.", "Measure a record without status.")

    get_token = get


class Subject:
    """One issuer and its record."""

    def __init__(self) -> None:
        self.key = KeyPair.from_seed(os.urandom(32))
        self.did = did_key.did_from_public(self.key.public)
        self.signer = SoftwareSigner(self.key, did_key.verification_method(self.did))
        self.subject = did_key.did_from_public(KeyPair.from_seed(os.urandom(32)).public)
        data = files("node.records").joinpath("demo_catalogue.json").read_bytes()
        self.achievement = Catalogue.parse(data).list()[0]
        self.now = datetime.now(UTC).replace(microsecond=0)
        policies = VerificationPolicies(Config(), Path(), NoResources(), SkillIndex(), TrustedIssuers())
        self.policy = policies.verifier(trust=[self.did])
        self.offline = _Offline()

    def unsigned(self) -> dict[str, Any]:
        """The record, built."""
        return build_credential(
            achievement=self.achievement,
            issuer=IssuerProfile(self.did, "Riverside Community College", "https://riverside.example"),
            credential_id="urn:uuid:0b2f6a3c-7a53-4a0e-9a0f-3f6a4a1c2d5e",
            valid_from=self.now,
            subject_did=self.subject,
        )

    def issue(self, suite: str) -> dict[str, Any]:
        """Build the record as a node does, with its contexts stated where they are not signed, and sign it."""
        unsigned = self.unsigned()
        if not signs_contexts(suite):
            unsigned = with_contexts_bound(unsigned, DEFAULT.store)
        return add_proof(unsigned, suite=suite, signer=self.signer, created=self.now)

    def prove(self, record: Mapping[str, Any]) -> None:
        """Make the proof of a record alone: the record is at hand, with the options of its proof."""
        proof = record["proof"]
        options = {name: value for name, value in proof.items() if name not in ("proofValue", "@context")}
        unsecured = UnsecuredDocument({name: value for name, value in record.items() if name != "proof"}, DEFAULT)
        suite = CRYPTOSUITES[proof["cryptosuite"]]
        assert not isinstance(suite, Selective)
        if suite.create(unsecured, options, self.signer) != proof:
            raise AssertionError("the proof is another one")  # Ed25519 gives the same each time

    async def verify(self, text: bytes) -> None:
        """Every check of the record, as a verifier makes them."""
        result = await verify(text, resolver=self.offline, statuses=self.offline, policy=self.policy, now=self.now)
        if not result.verified:
            raise AssertionError(f"the record does not verify: {result}")

    def verify_proof(self, record: Mapping[str, Any]) -> None:
        """The proof alone, from the parsed record and the known key."""
        unsecured = UnsecuredDocument({name: value for name, value in record.items() if name != "proof"}, DEFAULT)
        if not verify_proof(unsecured, record["proof"], PublicKey(self.key.codec, self.key.public)):
            raise AssertionError("the proof does not verify")

    def verify_with_pyld(self, record: Mapping[str, Any]) -> None:
        """The proof alone, as one writes it with plain pyld: contexts are at hand, and pyld's own caches are on."""
        proof = dict(record["proof"])
        signature = multibase_decode(proof.pop("proofValue"))
        unsecured = {name: value for name, value in record.items() if name != "proof"}
        bindings.crypto_sign_open(signature + _hashed_with_pyld(proof, unsecured), self.key.public)

    def prove_with_pyld(self, record: Mapping[str, Any]) -> None:
        """Make the proof alone, likewise."""
        proof = {name: value for name, value in record["proof"].items() if name != "proofValue"}
        unsecured = {name: value for name, value in record.items() if name != "proof"}
        multibase_encode(self.key.sign(_hashed_with_pyld(proof, unsecured)))

    def for_peers(self) -> dict[str, Any]:
        """What another program needs to do the same."""
        own = did_key.resolve(self.did).raw
        method = {"@context": "https://w3id.org/security/multikey/v1", **own["verificationMethod"][0]}
        secret = multibase_encode(_SECRET_PREFIX + self.key.seed)
        return {
            "seed": self.key.seed.hex(),
            "keyPair": {**method, "secretKeyMultibase": secret},
            "verificationMethod": self.signer.verification_method,
            "documents": {self.did: own, self.signer.verification_method: method},
            "contexts": {url: _CONTEXTS.get(url) for url in BUNDLED},
            "unsigned": self.unsigned(),
            "signed": self.issue(RDFC),
        }


_CONTEXTS = ContextStore()


def _load(url: str, _options: Any) -> dict[str, Any]:
    return {"contextUrl": None, "documentUrl": url, "document": _CONTEXTS.get(url)}


def _pyld_nquads(document: dict[str, Any]) -> str:
    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": _load}
    return str(jsonld.normalize(document, options))


def _hashed_with_pyld(proof: dict[str, Any], unsecured: dict[str, Any]) -> bytes:
    parts = ({**proof, "@context": unsecured["@context"]}, unsecured)
    return b"".join(hashlib.sha256(_pyld_nquads(part).encode()).digest() for part in parts)
