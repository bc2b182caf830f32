"""What was signed is what is shown: the form that a document must have for its JSON to mean what its proof covers.

A proof over RDF does not cover the JSON names. Whoever holds a signed document could therefore write
``credentialStatus`` or ``validUntil`` under another name that means the same to JSON-LD (its full IRI, an alias from
an inline context, ``@reverse``, another object of the same id), and whoever then reads the JSON would not see it.
Values that JSON-LD drops (``null``, empty sets) could be added. VCDM 2.0 asks for compacted documents (§1.3) and VC
Data Integrity 1.0 for known contexts (§4.6); this file says it so strictly that neither is possible:

* every property is a plain term, never an IRI, a prefixed name or a keyword, nor a second name that a known context
  has for the same; no type is the full IRI of something that verification knows by its term;
* contexts are URLs, which the JSON-LD processor knows or refuses, or objects in which every name follows from its IRI
  (``inline_contexts.py``);
* no blank node is named, and the nodes that verification reads (the document, its proofs, status entries and schemas)
  are each described in one place;
* nothing is null or an empty set, except where the signature is over the JSON itself and so covers it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from protocols.credentials.inline_contexts import RESERVED_NAMESPACES, InlineContexts, is_plain_term
from protocols.credentials.model import as_list
from protocols.jsonld.contexts import ContextStore

__all__ = ["SECOND_NAMES", "compaction_problem"]

SECOND_NAMES = frozenset(
    {
        "expiration", "Achievement", "Address", "Criteria", "GeoCoordinates", "Image", "PresentationSubmission",
        "Profile", "AssociationType", "CountryCode", "PhoneNumber",
    }
)  # fmt: skip
"""Terms of bundled contexts that as properties mean what verification and people read by another name.

``expiration`` (security/v1) is the ``expires`` of a proof; the others are classes whose IRIs properties share.
"""

_VALUE_KEYWORDS = frozenset({"@value", "@language", "@direction", "@type", "@list"})
_MAY_BE_EMPTY = frozenset({"verifiableCredential"})
_JSON_LITERALS = frozenset({"jsonSchema", "presentation_submission", "presentation_definition"})
"""Terms of type ``@json``: signed as JSON, as they are, so that nothing inside is dropped or renamed."""

_OF_RESOURCES = frozenset({"id", "type", "mediaType", "digestSRI", "digestMultibase"})
_TYPE_SCHEMES = ("http://", "https://", "urn:", "did:")
_OPEN_TYPES = ("http://schema.org/", "https://schema.org/", "http://purl.org/", "https://purl.org/")
_READ_TYPES = tuple(name for name in RESERVED_NAMESPACES if name not in _OPEN_TYPES)


def compaction_problem(document: dict[str, Any], store: ContextStore, *, covers_json: bool = False) -> str | None:
    """The first reason why the JSON of ``document`` might say something else than what is signed, as a sentence.

    ``None`` where there is none. The document's depth must be bounded (``strict_json`` sees to that).

    Args:
        store: the contexts that are known by URL.
        covers_json: whether all signatures are over the JSON, so that they cover ``null`` and empty sets too.
    """
    return next(_Reading(document, store, covers_json).problems(), None)


class _Reading:
    """One walk over a document."""

    def __init__(self, document: dict[str, Any], store: ContextStore, covers_json: bool) -> None:
        self._document = document
        self._store = store
        self._covers_json = covers_json
        self._contexts = InlineContexts()
        self._single = _single_nodes(document)
        self._described: set[str] = set()

    def problems(self) -> Iterator[str]:
        yield from self._of_object(self._document, _JSON_LITERALS)
        inline, known = self._contexts, self._store
        if not inline.terms and not inline.has_vocabulary:
            return
        by_url = frozenset[str]().union(*(known.terms_of(url) for url in inline.urls if url in known))
        own = known.configured_terms()
        if inline.terms.keys() & (by_url | own):
            yield "An inline context redefines a term of a known context."
        members = list(_members(self._document))
        if inline.has_vocabulary and ({key for key, _ in members} & own) - by_url:
            yield "An inline vocabulary could stand in for a known context."
        if any(_uses_prefix(key, value, inline.prefixes) for key, value in members):
            yield "A value is written with a prefix of an inline context."

    def _of_object(self, thing: dict[str, Any], json_terms: frozenset[str]) -> Iterator[str]:
        if "@context" in thing:
            yield from self._contexts.problems_of(thing["@context"])
            json_terms |= self._contexts.json_terms(thing["@context"])
        if isinstance(thing.get("id"), str):
            yield from self._of_node(thing, thing["id"])
        is_value = "@value" in thing or "@list" in thing
        for key, value in thing.items():
            if key == "@context":
                continue
            if not is_plain_term(key) and not (is_value and key in _VALUE_KEYWORDS):
                yield "A property is not a plain term."
            if key in SECOND_NAMES:
                yield "A property is written by a name that hides it from verification."
            if key == "type":
                yield from _of_types(value)
            if key not in json_terms and not (key == "@value" and thing.get("@type") == "@json"):
                yield from self._of_value(key, value, json_terms)

    def _of_node(self, thing: dict[str, Any], identifier: str) -> Iterator[str]:
        if identifier.startswith("_:"):
            yield "A blank node is named."
        if thing.keys() <= self._single.get(identifier, thing.keys()):
            return
        if identifier in self._described:
            yield "Something that verification reads is described in two places."
        self._described.add(identifier)

    def _of_value(self, key: str, value: Any, json_terms: frozenset[str]) -> Iterator[str]:
        if isinstance(value, dict):
            yield from self._of_object(value, json_terms)
        elif isinstance(value, list):
            if not value and not self._covers_json and key not in _MAY_BE_EMPTY:
                yield "A set is empty, which no proof covers."
            for item in value:
                yield from self._of_value(key, item, json_terms)
        elif value is None and not self._covers_json:
            yield "A value is null, which no proof covers."


def _single_nodes(document: dict[str, Any]) -> dict[str, frozenset[str]]:
    """The ids of the nodes that are described once, and what of each may be said elsewhere too."""
    nodes = {}
    for name in ("credentialStatus", "proof", "credentialSchema"):
        for item in as_list(document.get(name)):
            if isinstance(item, dict) and isinstance(item.get("id"), str):
                nodes[item["id"]] = frozenset({"id"})
    if isinstance(document.get("id"), str):
        nodes[document["id"]] = frozenset({"id", "type"})
    for item in as_list(document.get("relatedResource")):  # the file of a schema is a resource too, and checked as such
        if isinstance(item, dict) and isinstance(item.get("id"), str) and item.keys() <= _OF_RESOURCES:
            nodes.pop(item["id"], None)
    return nodes


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every name in a document with what stands under it, leaving contexts aside."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "@context":
                yield from ((key, one) for one in as_list(item))
                yield from _members(item)
    elif isinstance(value, list):
        for item in value:
            yield from _members(item)


def _uses_prefix(key: str, value: Any, prefixes: dict[str, str]) -> bool:
    if key in prefixes:
        return True
    if not isinstance(value, str):
        return False
    word, colon, rest = value.partition(":")
    return word in prefixes and (key == "type" if not colon else not rest.startswith("//"))


def _of_types(value: Any) -> Iterator[str]:
    for name in as_list(value):
        if not isinstance(name, str) or ":" not in name:
            continue
        if not name.startswith(_TYPE_SCHEMES) or name.startswith(_READ_TYPES):
            yield "A type is written by a name that hides it from verification."
