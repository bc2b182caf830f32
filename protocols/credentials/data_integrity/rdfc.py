"""eddsa-rdfc-2022, ecdsa-rdfc-2019, and Ed25519Signature2020: a signature over the canonical RDF of a document.

Spec: VC Data Integrity EdDSA 1.0 §3.2 and §A, VC Data Integrity ECDSA 1.0 §3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols.credentials.data_integrity.hash_pair import HashPair, hash_of, hash_pair
from protocols.credentials.data_integrity.suite import UnsecuredDocument, check_created
from protocols.multiformats import Multicodec

__all__ = ["RdfcSuite"]


@dataclass(frozen=True, slots=True)
class RdfcSuite(HashPair):
    """The options are signed as they are: the document's context joins them only while they are made canonical."""

    def signed_bytes(self, unsecured: UnsecuredDocument, options: Mapping[str, Any], codec: Multicodec) -> bytes:
        """The hash data (EdDSA §3.2.4, ECDSA §3.2.4)."""
        check_created(options)
        by = hash_of(codec)
        document = unsecured.nquads_by(by).encode()  # first, as its trouble is remembered
        return hash_pair(unsecured.nquads_of(options, by).encode(), document, codec)
