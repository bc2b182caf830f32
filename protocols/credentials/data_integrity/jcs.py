"""eddsa-jcs-2022 and ecdsa-jcs-2019: a signature over the canonical JSON of a document.

Spec: VC Data Integrity EdDSA 1.0 §3.3, VC Data Integrity ECDSA 1.0 §3.3.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from protocols import strict_json
from protocols.canonical_json import NotCanonical, canonical_json
from protocols.credentials.data_integrity.hash_pair import HashPair, hash_of
from protocols.credentials.data_integrity.suite import UnsecuredDocument, check_created, malformed
from protocols.credentials.model import as_list
from protocols.errors import BadInput
from protocols.jsonld.rdfc import Hash
from protocols.multiformats import Multicodec

__all__ = ["JcsSuite", "jcs"]

_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384}
_MAX_KEPT_BYTES = 2048


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
        document = unsecured.document
        if "@context" in options and options["@context"] != document.get("@context"):
            signed = as_list(options["@context"])
            if as_list(document.get("@context"))[: len(signed)] != signed:
                raise malformed("the document's @context does not begin with the proof's")
            document = {**document, "@context": options["@context"]}
        by = hash_of(codec)
        return _digest_of_options(options, by) + _HASHES[by](jcs(document)).digest()


def jcs(value: dict[str, Any]) -> bytes:
    """The canonical JSON of ``value`` (RFC 8785).

    Raises:
        BadInput: ``proof.not_canonical`` where a number or a string has no such form.
    """
    try:
        return canonical_json(value)
    except NotCanonical:
        raise _not_canonical() from None


def _digest_of_options(options: Mapping[str, Any], by: Hash) -> bytes:
    """The hash of the proof configuration (§3.3.4, §3.3.5), which all records share that one key signs in a second."""
    try:
        text = strict_json.dumps(options)
    except (TypeError, ValueError, RecursionError):
        raise _not_canonical() from None
    return (_kept_digest if len(text) <= _MAX_KEPT_BYTES else _digest)(text, by)


def _digest(text: bytes, by: Hash) -> bytes:
    """The hash of the canonical form of options written as ``text``: of the text alone, so that it may be kept."""
    options = json.loads(text)
    check_created(options)
    return _HASHES[by](jcs(options)).digest()


_kept_digest = lru_cache(maxsize=256)(_digest)


def _not_canonical() -> BadInput:
    message = "The document has a number or text that JSON canonicalisation cannot write."
    return BadInput("proof.not_canonical", message, "Write large numbers as strings.")
