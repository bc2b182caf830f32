"""What a cryptosuite is, and what all suites that sign a pair of SHA-256 hashes with Ed25519 share.

Spec: VC Data Integrity 1.0 §3.1 and VC Data Integrity EdDSA 1.0 §3. A suite is one file with one class; which suites
there are says the table in ``registry.py``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol

import rfc8785

from protocols.credentials.times import parse_time
from protocols.errors import BadInput
from protocols.jsonld.processor import Processor
from protocols.multiformats import Multicodec, multibase_decode, multibase_encode

__all__ = ["Cryptosuite", "UnsecuredDocument", "check_created", "combined_hash", "decode_proof_value",
           "encode_proof_value", "jcs", "malformed", "rdfc_hashes"]  # fmt: skip

SIGNATURE_BYTES = 64
ED25519 = frozenset({Multicodec.ED25519_PUB})


class UnsecuredDocument:
    """A document without its proofs, or with only those that the proof at hand builds on.

    Its canonical form over RDF is made once and shared by everything that asks for it.
    """

    def __init__(self, document: Mapping[str, Any], processor: Processor) -> None:
        self.document = dict(document)
        self._processor = processor

    @cached_property
    def nquads(self) -> str:
        """The document in canonical N-Quads (RDFC-1.0).

        Raises:
            BadInput: from the JSON-LD processor, e.g. for a term that no context defines.
        """
        return self._processor.canonical_nquads(self.document)

    def nquads_of(self, options: Mapping[str, Any]) -> str:
        """Proof options under the document's context, in canonical N-Quads.

        Raises:
            BadInput: from the JSON-LD processor.
        """
        return self._processor.canonical_nquads({**options, "@context": self.document.get("@context")})


class Cryptosuite(Protocol):
    """How one kind of proof is made and read.

    Attributes:
        name: of the cryptosuite, or of the proof type where the type has only one suite.
        proof_type: the ``type`` of its proofs.
        key_types: the kinds of keys that its proofs are made with.
        contexts: each of these defines the terms of its proofs; the first is added to a document that has none.
    """

    @property
    def name(self) -> str: ...
    @property
    def proof_type(self) -> str: ...
    @property
    def contexts(self) -> tuple[str, ...]: ...
    @property
    def key_types(self) -> frozenset[Multicodec]: ...

    def prepare(self, document: Mapping[str, Any], options: dict[str, Any], /) -> dict[str, Any]:
        """The proof options as they are signed with ``document``."""

    def signed_bytes(self, unsecured: UnsecuredDocument, options: Mapping[str, Any], /) -> bytes:
        """What is signed: raises :class:`BadInput` where document or options cannot be made canonical."""

    def seal(self, options: Mapping[str, Any], signature: bytes) -> dict[str, Any]:
        """The proof made of its options and a signature."""

    def open(self, proof: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The options and the signature of a proof; raises :class:`BadInput` where it has none."""


def rdfc_hashes(unsecured: UnsecuredDocument, options: Mapping[str, Any]) -> bytes:
    """The hash data of the suites over RDF (EdDSA §3.2.4): hash of the proof configuration, hash of the document."""
    check_created(options)
    return combined_hash(unsecured.nquads_of(options).encode(), unsecured.nquads.encode())


def combined_hash(canonical_options: bytes, canonical_document: bytes) -> bytes:
    """SHA-256 of the proof configuration followed by SHA-256 of the document; 64 bytes."""
    return hashlib.sha256(canonical_options).digest() + hashlib.sha256(canonical_document).digest()


def jcs(value: Mapping[str, Any]) -> bytes:
    """The canonical JSON of ``value`` (RFC 8785).

    Raises:
        BadInput: ``proof.not_canonical`` where a number or a string has no such form.
    """
    try:
        return rfc8785.dumps(dict(value))
    except (rfc8785.CanonicalizationError, RecursionError):
        message = "The document has a number or text that JSON canonicalisation cannot write."
        raise BadInput("proof.not_canonical", message, "Write large numbers as strings.") from None


def check_created(options: Mapping[str, Any]) -> None:
    """Refuse options whose ``created`` is no time (EdDSA §3.2.5).

    Raises:
        BadInput: ``proof.malformed``.
    """
    if "created" in options and parse_time(options["created"], zone_required=False) is None:
        raise malformed("its created is not a time")


def encode_proof_value(options: Mapping[str, Any], signature: bytes) -> dict[str, Any]:
    """The options with the signature as multibase ``proofValue``."""
    return {**options, "proofValue": multibase_encode(signature)}


def decode_proof_value(proof: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The options and the signature of a proof with a ``proofValue`` in base58-btc.

    Raises:
        BadInput: ``proof.malformed``.
    """
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z"):
        raise malformed("its proofValue is not base58-btc multibase")
    try:
        signature = multibase_decode(value, max_chars=128)
    except BadInput:
        raise malformed("its proofValue is not base58-btc multibase") from None
    if len(signature) != SIGNATURE_BYTES:
        raise malformed("its signature is not 64 bytes")
    return {name: item for name, item in proof.items() if name != "proofValue"}, signature


def malformed(why: str) -> BadInput:
    """The error for a proof that cannot be read."""
    return BadInput("proof.malformed", f"The proof cannot be read: {why}.", "Its maker has to correct it.")
