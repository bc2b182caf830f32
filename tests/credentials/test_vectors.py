"""The vectors of VC Data Integrity EdDSA 1.0 pass byte for byte: made from the published keys, and verified."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from protocols.credentials.data_integrity import CRYPTOSUITES, UnsecuredDocument, add_proof, verify_proof
from protocols.credentials.data_integrity.hash_pair import HashPair
from protocols.credentials.data_integrity.jcs import jcs
from protocols.credentials.data_integrity.proofs import previous_proofs, unsecured_for
from protocols.errors import BadInput
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.processor import Processor
from protocols.keys import KeyPair, PublicKey, SoftwareSigner
from protocols.multiformats import Multicodec, multibase_decode
from tests.shared_data import shared_json, shared_path

ROOT = "vectors/vc-di-eddsa"
_SCHEMA, _CITIZENSHIP, _DATE = (
    "https://schema.org/",
    "https://w3id.org/citizenship#",
    "http://www.w3.org/2001/XMLSchema#dateTime",
)
# Contexts that only the vectors use. Of the citizenship context, the terms of the one sample, as its published
# canonical form spells them out.
PROCESSOR = Processor(
    ContextStore(
        {
            "https://www.w3.org/ns/credentials/examples/v2": {
                "@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}
            },
            "https://w3id.org/citizenship/v4rc1": {
                "@context": {
                    "Person": _SCHEMA + "Person",
                    "image": {"@id": _SCHEMA + "image", "@type": "@id"},
                    "birthDate": {"@id": _SCHEMA + "birthDate", "@type": _DATE},
                    "residentSince": {"@id": _CITIZENSHIP + "residentSince", "@type": _DATE},
                    **{n: _SCHEMA + n for n in ("givenName", "additionalName", "familyName", "gender", "identifier")},
                    **{
                        n: _CITIZENSHIP + n
                        for n in (
                            "EmploymentAuthorizationDocumentCredential", "EmploymentAuthorizationDocument",
                            "EmployablePerson", "birthCountry", "employmentAuthorizationDocument", "lprCategory",
                            "lprNumber",
                        )
                    },
                }
            },
        }
    )
)  # fmt: skip


@dataclass(frozen=True)
class Vector:
    suite: str
    folder: str
    tag: str
    unsigned: str = "unsigned.json"

    def json(self, name: str) -> Any:
        return shared_json(f"{ROOT}/{self.folder}/{name}{self.tag}.json")

    def text(self, name: str) -> str:
        return shared_path(f"{ROOT}/{self.folder}/{name}{self.tag}.txt").read_text()

    def document(self) -> dict[str, Any]:
        """The unsigned document under the contexts that were signed."""
        return {**shared_json(f"{ROOT}/{self.unsigned}"), "@context": self.json("signed")["@context"]}


VECTORS = [
    Vector("eddsa-rdfc-2022", "eddsa-rdfc-2022", "DataInt"),
    Vector("eddsa-rdfc-2022", "eddsa-rdfc-2022/employ", "DataInt", "employmentAuth.json"),
    Vector("eddsa-jcs-2022", "eddsa-jcs-2022", "JCS"),
    Vector("Ed25519Signature2020", "Ed25519Signature2020", "EdSig"),
]
EACH = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.folder)


def key_pair(item: dict[str, str]) -> KeyPair:
    return KeyPair.from_seed(multibase_decode(item["privateKeyMultibase"])[2:])


def signer(item: dict[str, str]) -> SoftwareSigner:
    public = item["publicKeyMultibase"]
    return SoftwareSigner(key_pair(item), f"did:key:{public}#{public}")


def without_proof(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "proof"}


@EACH
def test_the_canonical_document_and_its_hash_are_the_published_ones(vector: Vector) -> None:
    document = vector.document()
    canonical = jcs(document) if vector.tag == "JCS" else PROCESSOR.canonical_nquads(document).encode()
    assert canonical == vector.text("canonDoc").encode()
    assert hashlib.sha256(canonical).hexdigest() == vector.text("docHash").strip()


@EACH
def test_the_canonical_proof_configuration_and_its_hash_are_the_published_ones(vector: Vector) -> None:
    config = vector.json("proofConfig")
    canonical = jcs(config) if vector.tag == "JCS" else PROCESSOR.canonical_nquads(config).encode()
    assert canonical == vector.text("proofCanon").encode()
    assert hashlib.sha256(canonical).hexdigest() == vector.text("proofHash").strip()


@EACH
def test_what_is_signed_is_the_published_combined_hash(vector: Vector) -> None:
    suite = CRYPTOSUITES[vector.suite]
    assert isinstance(suite, HashPair)
    options, signature = suite.open(vector.json("signed")["proof"], Multicodec.ED25519_PUB)
    unsecured = UnsecuredDocument(without_proof(vector.json("signed")), PROCESSOR)
    assert suite.signed_bytes(unsecured, options, Multicodec.ED25519_PUB).hex() == vector.text("combinedHash").strip()
    assert signature.hex() == vector.text("sigHex").strip()


@EACH
def test_adding_the_proof_gives_the_published_document(vector: Vector) -> None:
    made = add_proof(
        vector.document(),
        suite=vector.suite,
        signer=signer(shared_json(f"{ROOT}/keyPair.json")),
        created=datetime.fromisoformat(vector.json("signed")["proof"]["created"]),
        processor=PROCESSOR,
    )
    assert made == vector.json("signed")
    assert made["proof"]["proofValue"] == vector.text("sigBTC58").strip()


@EACH
def test_the_published_proof_verifies_and_with_another_bit_it_does_not(vector: Vector) -> None:
    signed = vector.json("signed")
    key = PublicKey.from_multikey(shared_json(f"{ROOT}/keyPair.json")["publicKeyMultibase"])
    good = UnsecuredDocument(without_proof(signed), PROCESSOR)
    bad = UnsecuredDocument({**without_proof(signed), "description": "Another."}, PROCESSOR)
    assert verify_proof(good, signed["proof"], key)
    assert not verify_proof(bad, signed["proof"], key)
    assert not verify_proof(good, {**signed["proof"], "created": "2023-02-24T23:36:39Z"}, key)


CHAIN = f"{ROOT}/proof-set-chain"
STEPS = [
    ("unsigned", "signedProofSet1", "keyPair1"),
    ("signedProofSet1", "signedProofSet2", "keyPair2"),
    ("signedProofSet2", "signedProofChain1", "keyPair3"),
    ("signedProofChain1", "signedProofChain2", "keyPair4"),
]


@pytest.mark.parametrize(("before", "after", "key"), STEPS)
def test_sets_and_chains_grow_into_the_published_documents(before: str, after: str, key: str) -> None:
    expected = shared_json(f"{CHAIN}/{after}.json")
    proof = expected["proof"][-1] if isinstance(expected["proof"], list) else expected["proof"]
    made = add_proof(
        shared_json(f"{CHAIN}/{before}.json"),
        suite="eddsa-rdfc-2022",
        signer=signer(shared_json(f"{CHAIN}/multiKeyPairs.json")[key]),
        created=datetime.fromisoformat(proof["created"]),
        proof_id=proof.get("id"),
        previous_proof=proof.get("previousProof"),
        processor=PROCESSOR,
    )
    assert made == expected


@pytest.mark.parametrize("name", [after for _, after, _ in STEPS])
def test_every_proof_of_the_published_sets_and_chains_verifies(name: str) -> None:
    signed = shared_json(f"{CHAIN}/{name}.json")
    proofs = signed["proof"] if isinstance(signed["proof"], list) else [signed["proof"]]
    base = UnsecuredDocument(without_proof(signed), PROCESSOR)
    for proof in proofs:
        key = PublicKey.from_multikey(proof["verificationMethod"].partition("#")[2])
        assert verify_proof(unsecured_for(base, previous_proofs(proof, proofs), PROCESSOR), proof, key)


def test_a_chained_proof_without_what_it_builds_on_is_refused() -> None:
    signed = shared_json(f"{CHAIN}/signedProofChain2.json")
    with pytest.raises(BadInput) as caught:
        previous_proofs(signed["proof"][3], signed["proof"][:2])
    assert caught.value.code == "proof.previous_missing"
