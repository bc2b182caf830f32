"""What was signed is what is shown: the form that a document must have for its JSON to mean what its proof covers.

A proof over RDF does not cover the JSON names. Whoever holds a signed document could therefore write
``credentialStatus`` or ``validUntil`` under another name that means the same to JSON-LD (its full IRI, an alias from
an inline context, ``@reverse``, another object of the same id), and whoever then reads the JSON would not see it.
Values that JSON-LD drops (``null``, empty sets) could be added. VCDM 2.0 asks for compacted documents (§1.3) and VC
Data Integrity 1.0 for known contexts (§4.6); this file says it so strictly that neither is possible:

* every property is a plain term, never an IRI, a prefixed name or a keyword, nor a second name that a known context
  has for something that verification reads;
* contexts are URLs, which the JSON-LD processor knows or refuses, or an object with nothing but an ``@vocab`` that
  cannot produce an IRI of the vocabularies that verification reads;
* nothing is null or an empty set, no blank node is named, and the document's own node is described in one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from protocols.credentials.model import as_list, is_url

__all__ = ["RESERVED_NAMESPACES", "SECOND_NAMES", "compaction_problem"]

RESERVED_NAMESPACES = (
    "http://purl.org/", "https://purl.org/", "http://schema.org/", "https://schema.org/", "http://www.w3.org/",
    "https://www.w3.org/", "https://w3id.org/", "http://w3id.org/", "https://purl.imsglobal.org/",
    "http://purl.imsglobal.org/",
)  # fmt: skip
"""Where the IRIs of the bundled contexts live; an inline ``@vocab`` may not reach into them."""

SECOND_NAMES = frozenset({"expiration"})
"""Terms of bundled contexts (security/v1) for what verification reads by another name (``expires`` of a proof)."""

_VALUE_KEYWORDS = frozenset({"@value", "@language", "@direction", "@type"})
_MAY_BE_EMPTY = frozenset({"verifiableCredential"})
_JSON_LITERALS = frozenset({"jsonSchema", "presentation_submission", "presentation_definition"})
"""Terms of type ``@json``: signed as JSON, as they are, so that nothing inside is dropped or renamed."""


def compaction_problem(document: dict[str, Any]) -> str | None:
    """The first reason why the JSON of ``document`` might say something else than what is signed, as a sentence.

    ``None`` where there is none. The document's depth must be bounded (``strict_json`` sees to that).
    """
    return next(_of_object(document, document.get("id"), is_root=True), None)


def _of_object(thing: dict[str, Any], root_id: Any, *, is_root: bool = False) -> Iterator[str]:
    if "@context" in thing:
        yield from _of_context(thing["@context"])
    is_value = "@value" in thing or "@list" in thing
    if not is_root and root_id is not None and thing.get("id") == root_id and not thing.keys() <= {"id", "type"}:
        yield "An object inside the document has the document's own id."
    for key, value in thing.items():
        if key == "@context":
            continue
        if not _is_plain(key) and not (is_value and key in _VALUE_KEYWORDS | {"@list"}):
            yield "A property is not a plain term."
        if key in SECOND_NAMES:
            yield "A property is written by a name that hides it from verification."
        if key == "id" and isinstance(value, str) and value.startswith("_:"):
            yield "A blank node is named."
        if key not in _JSON_LITERALS:
            yield from _of_value(value, root_id, may_be_empty=key in _MAY_BE_EMPTY)


def _of_value(value: Any, root_id: Any, *, may_be_empty: bool = False) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _of_object(value, root_id)
    elif isinstance(value, list):
        if not value and not may_be_empty:
            yield "A set is empty, which no proof covers."
        for item in value:
            yield from _of_value(item, root_id)
    elif value is None:
        yield "A value is null, which no proof covers."


def _of_context(context: Any) -> Iterator[str]:
    if context is None:
        yield "A context is null."
    for item in as_list(context):
        if isinstance(item, dict):
            if not (item.keys() == {"@vocab"} and _is_harmless_vocab(item["@vocab"])):
                yield "An inline context defines more than a vocabulary of its own."
        elif not is_url(item):
            yield "A context is neither a URL nor an object."


def _is_harmless_vocab(vocab: Any) -> bool:
    """Whether terms under ``vocab`` have one spelling each and cannot be those of a reserved namespace."""
    if not is_url(vocab) or not vocab.endswith(("#", "/")):
        return False
    return not any(vocab.startswith(name) or name.startswith(vocab) for name in RESERVED_NAMESPACES)


def _is_plain(key: str) -> bool:
    return bool(key) and key[0] != "@" and not any(char in ":/#" for char in key)
