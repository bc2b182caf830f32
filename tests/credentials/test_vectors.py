"""The vectors of VC Data Integrity EdDSA 1.0 and ECDSA 1.0 pass byte for byte: made from the keys, and verified."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from protocols.credentials.data_integrity import CRYPTOSUITES, UnsecuredDocument, add_proof, verify_proof
from protocols.credentials.data_integrity.hash_pair import HashPair, hash_of
from protocols.credentials.data_integrity.jcs import jcs
from protocols.credentials.data_integrity.proofs import previous_proofs, unsecured_for
from protocols.errors import BadInput
from protocols.keys import EcdsaKeyPair, KeyPair, PublicKey, SigningKey, SoftwareSigner
from protocols.multiformats import Multicodec, multibase_decode
from tests.credentials.vector_contexts import PROCESSOR
from tests.shared_data import shared_json, shared_path

EDDSA, ECDSA = "vectors/vc-di-eddsa", "vectors/vc-di-ecdsa"


@dataclass(frozen=True)
class Vector:
    """One published example.

    Attributes:
        tag: how the names of its files end.
    """

    suite: str
    root: str
    folder: str
    tag: str
    key: str = "keyPair.json"
    codec: Multicodec = Multicodec.ED25519_PUB

    def json(self, name: str) -> Any:
        return shared_json(f"{self.root}/{self.folder}/{name}{self.tag}.json")

    def text(self, name: str) -> str:
        return shared_path(f"{self.root}/{self.folder}/{name}{self.tag}.txt").read_text()

    def document(self) -> dict[str, Any]:
        """The unsigned document under the contexts that were signed."""
        unsigned = "employmentAuth.json" if self.folder.endswith("employ") else "unsigned.json"
        return {**shared_json(f"{self.root}/{unsigned}"), "@context": self.json("signed")["@context"]}

    def keys(self) -> dict[str, str]:
        return shared_json(f"{self.root}/{self.key}")  # type: ignore[no-any-return]

    def canonical(self, document: dict[str, Any]) -> bytes:
        """The document as the suite makes it canonical."""
        if "jcs" in self.suite:
            return jcs(document)
        return PROCESSOR.canonical_nquads(document, hash_of(self.codec)).encode()

    def digest(self, canonical: bytes) -> str:
        return hashlib.new(hash_of(self.codec), canonical).hexdigest()


def ecdsa(suite: str, bits: int, folder: str = "") -> Vector:
    tag = f"{'JCS' if 'jcs' in suite else ''}ECDSAP{bits}"
    codec = Multicodec.P256_PUB if bits == 256 else Multicodec.P384_PUB
    return Vector(suite, ECDSA, f"{suite}-p{bits}{folder}", tag, f"p{bits}KeyPair.json", codec)


VECTORS = [
    Vector("eddsa-rdfc-2022", EDDSA, "eddsa-rdfc-2022", "DataInt"),
    Vector("eddsa-rdfc-2022", EDDSA, "eddsa-rdfc-2022/employ", "DataInt"),
    Vector("eddsa-jcs-2022", EDDSA, "eddsa-jcs-2022", "JCS"),
    Vector("Ed25519Signature2020", EDDSA, "Ed25519Signature2020", "EdSig"),
    *(ecdsa(suite, bits) for suite in ("ecdsa-rdfc-2019", "ecdsa-jcs-2019") for bits in (256, 384)),
    *(ecdsa("ecdsa-rdfc-2019", bits, "/employ") for bits in (256, 384)),
]
EACH = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.folder)


def key_pair(item: dict[str, str]) -> SigningKey:
    codec = PublicKey.from_multikey(item["publicKeyMultibase"]).codec
    secret = multibase_decode(item.get("privateKeyMultibase") or item["secretKeyMultibase"])[2:]
    return KeyPair.from_seed(secret) if codec is Multicodec.ED25519_PUB else EcdsaKeyPair.from_seed(codec, secret)


def signer(item: dict[str, str]) -> SoftwareSigner:
    public = item["publicKeyMultibase"]
    return SoftwareSigner(key_pair(item), f"did:key:{public}#{public}")


def without_proof(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "proof"}


@EACH
def test_the_canonical_document_and_its_hash_are_the_published_ones(vector: Vector) -> None:
    canonical = vector.canonical(vector.document())
    assert canonical == vector.text("canonDoc").encode()
    assert vector.digest(canonical) == vector.text("docHash").strip()


@EACH
def test_the_canonical_proof_configuration_and_its_hash_are_the_published_ones(vector: Vector) -> None:
    canonical = vector.canonical(vector.json("proofConfig"))
    assert canonical == vector.text("proofCanon").encode()
    assert vector.digest(canonical) == vector.text("proofHash").strip()


@EACH
def test_what_is_signed_is_the_published_combined_hash(vector: Vector) -> None:
    suite = CRYPTOSUITES[vector.suite]
    assert isinstance(suite, HashPair)
    options, signature = suite.open(vector.json("signed")["proof"], vector.codec)
    unsecured = UnsecuredDocument(without_proof(vector.json("signed")), PROCESSOR)
    assert suite.signed_bytes(unsecured, options, vector.codec).hex() == vector.text("combinedHash").strip()
    assert signature.hex() == vector.text("sigHex").strip()


@EACH
def test_adding_the_proof_gives_the_published_document(vector: Vector) -> None:
    made = add_proof(
        vector.document(),
        suite=vector.suite,
        signer=signer(vector.keys()),
        created=datetime.fromisoformat(vector.json("signed")["proof"]["created"]),
        processor=PROCESSOR,
    )
    assert made == vector.json("signed")
    assert made["proof"]["proofValue"] == vector.text("sigBTC58").strip()


@EACH
def test_the_published_proof_verifies_and_with_another_bit_it_does_not(vector: Vector) -> None:
    signed = vector.json("signed")
    key = PublicKey.from_multikey(vector.keys()["publicKeyMultibase"])
    good = UnsecuredDocument(without_proof(signed), PROCESSOR)
    bad = UnsecuredDocument({**without_proof(signed), "description": "Another."}, PROCESSOR)
    assert verify_proof(good, signed["proof"], key)
    assert not verify_proof(bad, signed["proof"], key)
    assert not verify_proof(good, {**signed["proof"], "created": "2023-02-24T23:36:39Z"}, key)


CHAIN = f"{EDDSA}/proof-set-chain"
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
