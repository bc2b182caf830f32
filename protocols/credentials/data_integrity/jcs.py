"""eddsa-jcs-2022 and ecdsa-jcs-2019: a signature over the canonical JSON of a document.

Spec: VC Data Integrity EdDSA 1.0 §3.3, VC Data Integrity ECDSA 1.0 §3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols.canonical_json import NotCanonical, canonical_json
from protocols.credentials.data_integrity.hash_pair import HashPair, hash_pair
from protocols.credentials.data_integrity.suite import UnsecuredDocument, check_created, malformed
from protocols.credentials.model import as_list
from protocols.errors import BadInput
from protocols.multiformats import Multicodec

__all__ = ["JcsSuite", "jcs"]


@dataclass(frozen=True, slots=True)
class JcsSuite(HashPair):
    """The options keep the context that was signed, so that later proofs may add contexts of their own."""

    def prepare(self, unsecured: UnsecuredDocument, options: dict[str, Any]) -> dict[str, Any]:
        """The options with the document's context (§3.3.1)."""
        document = unsecured.document
        return {**options, "@context": document["@context"]} if "@context" in document else options

    def signed_bytes(self, unsecured: UnsecuredDocument, options: Mapping[str, Any], codec: Multicodec) -> bytes:
        """The hash data (§3.3.4).

        Where the options have a context, it stands for the document's, which has to begin with it (§3.3.2).
        """
        check_created(options)
        document: Mapping[str, Any] = unsecured.document
        if "@context" in options:
            signed = as_list(options["@context"])
            if as_list(document.get("@context"))[: len(signed)] != signed:
                raise malformed("the document's @context does not begin with the proof's")
            document = {**document, "@context": options["@context"]}
        return hash_pair(jcs(options), jcs(document), codec)


def jcs(value: Mapping[str, Any]) -> bytes:
    """The canonical JSON of ``value`` (RFC 8785).

    Raises:
        BadInput: ``proof.not_canonical`` where a number or a string has no such form.
    """
    try:
        return canonical_json(dict(value))
    except NotCanonical:
        message = "The document has a number or text that JSON canonicalisation cannot write."
        raise BadInput("proof.not_canonical", message, "Write large numbers as strings.") from None
