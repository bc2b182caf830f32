"""What all suites share that sign two hashes, of the proof configuration and of the document, with one signature.

Spec: VC Data Integrity EdDSA 1.0 §3 and VC Data Integrity ECDSA 1.0 §3.2, §3.3. The kind of key says the hash:
SHA-384 for P-384, else SHA-256.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols.credentials.data_integrity.suite import UnsecuredDocument, malformed
from protocols.credentials.data_integrity.terms import DATA_INTEGRITY_CONTEXTS
from protocols.errors import BadInput
from protocols.jsonld.rdfc import Hash
from protocols.keys import SIGNATURE_BYTES, PublicKey, Signer
from protocols.multiformats import Multicodec, multibase_decode, multibase_encode

__all__ = ["ECDSA", "ED25519", "HashPair", "hash_of", "hash_pair"]

ED25519 = frozenset({Multicodec.ED25519_PUB})
ECDSA = frozenset({Multicodec.P256_PUB, Multicodec.P384_PUB})

_MAX_PROOF_VALUE = 140  # 96 bytes in base58, and the multibase prefix


@dataclass(frozen=True, slots=True)
class HashPair(ABC):
    """A suite with one signature; it has no state. What differs is how things are made canonical."""

    name: str
    key_types: frozenset[Multicodec]
    proof_type: str = "DataIntegrityProof"
    contexts: tuple[str, ...] = DATA_INTEGRITY_CONTEXTS

    def create(self, unsecured: UnsecuredDocument, options: dict[str, Any], signer: Signer, /) -> dict[str, Any]:
        """The proof that ``options`` begin (Create Proof)."""
        prepared = self.prepare(unsecured, options)
        return self.seal(prepared, signer.sign(self.signed_bytes(unsecured, prepared, signer.codec)))

    def verify(self, unsecured: UnsecuredDocument, proof: Mapping[str, Any], key: PublicKey, /) -> bool:
        """Whether ``proof`` holds for the document under ``key`` (Verify Proof)."""
        options, signature = self.open(proof, key.codec)
        return key.verify(self.signed_bytes(unsecured, options, key.codec), signature)

    def prepare(self, _unsecured: UnsecuredDocument, options: dict[str, Any]) -> dict[str, Any]:
        """The options as they are signed with the document."""
        return options

    @abstractmethod
    def signed_bytes(self, unsecured: UnsecuredDocument, options: Mapping[str, Any], codec: Multicodec) -> bytes:
        """What a key of that kind signs (Hashing).

        Raises:
            BadInput: document or options cannot be made canonical.
        """

    def seal(self, options: Mapping[str, Any], signature: bytes) -> dict[str, Any]:
        """The proof made of its options and a signature."""
        return {**options, "proofValue": multibase_encode(signature)}

    def open(self, proof: Mapping[str, Any], codec: Multicodec) -> tuple[dict[str, Any], bytes]:
        """The options and the signature of a proof that a key of that kind is to have made.

        Raises:
            BadInput: ``proof.malformed``.
        """
        value = proof.get("proofValue")
        if not isinstance(value, str) or not value.startswith("z"):
            raise malformed("its proofValue is not base58-btc multibase")
        try:
            signature = multibase_decode(value, max_chars=_MAX_PROOF_VALUE)
        except BadInput:
            raise malformed("its proofValue is not base58-btc multibase") from None
        if len(signature) != SIGNATURE_BYTES[codec]:
            raise malformed(f"its signature is not {SIGNATURE_BYTES[codec]} bytes")
        return {name: item for name, item in proof.items() if name != "proofValue"}, signature


def hash_of(codec: Multicodec) -> Hash:
    """The hash that goes with a kind of key."""
    return "sha384" if codec is Multicodec.P384_PUB else "sha256"


def hash_pair(canonical_options: bytes, canonical_document: bytes, codec: Multicodec) -> bytes:
    """The hash of the proof configuration followed by that of the document; 64 bytes, 96 for P-384."""
    digest = hashlib.sha384 if codec is Multicodec.P384_PUB else hashlib.sha256
    return digest(canonical_options).digest() + digest(canonical_document).digest()
