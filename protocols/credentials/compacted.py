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
  are each described in one place, or a status entry of id and type alone in the same words;
* nothing is null, an empty set or a set in a set, except where the signature is over the JSON itself and so covers it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from protocols.credentials.inline_contexts import RESERVED_NAMESPACES, InlineContexts, is_plain_term
from protocols.credentials.model import as_list
from protocols.jsonld.contexts import ContextStore

__all__ = ["JSON_LITERALS", "SECOND_NAMES", "compaction_problem"]

SECOND_NAMES = frozenset(
    {
        "expiration", "Achievement", "Address", "Criteria", "GeoCoordinates", "Image", "PresentationSubmission",
        "Profile", "AssociationType", "CountryCode", "PhoneNumber", "CredentialApplication", "CredentialFulfillment",
    }
)  # fmt: skip
"""Terms of bundled contexts that as properties mean what verification and people read by another name.

``expiration`` (security/v1) is the ``expires`` of a proof; the others are classes whose IRIs properties share.
"""

_VALUE_KEYWORDS = frozenset({"@value", "@language", "@direction", "@type", "@list"})
_MAY_BE_EMPTY = frozenset({"verifiableCredential"})
JSON_LITERALS = frozenset({"jsonSchema", "presentation_submission", "presentation_definition"})
"""Terms of type ``@json``: signed as JSON, as they are, so that nothing inside is dropped or renamed."""

_MAX_FLAWLESS = 4096
_MAX_FLAWLESS_CHARS = 64
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
    try:
        _Reading(document, store, covers_json).read()
    except _Found as found:
        return str(found)
    return None


class _Found(Exception):
    """A problem; the message is its sentence. Raised, as a walk over every value must cost little."""


class _Reading:
    """One walk over a document."""

    def __init__(self, document: dict[str, Any], store: ContextStore, covers_json: bool) -> None:
        self._document = document
        self._store = store
        self._covers_json = covers_json
        self._contexts = InlineContexts()
        self._single = _single_nodes(document)
        self._repeatable = _repeatable_entries(document)
        self._described = set(self._repeatable)

    def read(self) -> None:
        """Raises :class:`_Found` for the first problem."""
        self._of_object(self._document, JSON_LITERALS)
        inline, known = self._contexts, self._store
        if not inline.terms and not inline.has_vocabulary:
            return
        by_url = frozenset[str]().union(*(known.terms_of(url) for url in inline.urls if url in known))
        own = known.configured_terms()
        if inline.terms.keys() & (by_url | own):
            raise _Found("An inline context redefines a term of a known context.")
        members = list(_members(self._document))
        if inline.has_vocabulary and ({key for key, _ in members} & own) - by_url:
            raise _Found("An inline vocabulary could stand in for a known context.")
        if any(_uses_prefix(key, value, inline.prefixes) for key, value in members):
            raise _Found("A value is written with a prefix of an inline context.")

    def _of_object(self, thing: dict[str, Any], json_terms: frozenset[str]) -> None:
        if "@context" in thing:
            for problem in self._contexts.problems_of(thing["@context"]):
                raise _Found(problem)
            json_terms |= self._contexts.json_terms(thing["@context"])
        if isinstance(thing.get("id"), str):
            self._of_node(thing, thing["id"])
        for key, value in thing.items():
            if key not in _FLAWLESS:
                _check_name(thing, key)
            if key == "type":
                _of_types(value)
            if type(value) is not str and key not in json_terms:
                self._of_value(key, value, thing, json_terms)

    def _of_node(self, thing: dict[str, Any], identifier: str) -> None:
        if identifier.startswith("_:"):
            raise _Found("A blank node is named.")
        if thing.keys() <= self._single.get(identifier, thing.keys()) or thing == self._repeatable.get(identifier):
            return
        if identifier in self._described:
            raise _Found("Something that verification reads is described in two places.")
        self._described.add(identifier)

    def _of_value(self, key: str, value: Any, holder: dict[str, Any], json_terms: frozenset[str]) -> None:
        if key == "@context" or (key == "@value" and holder.get("@type") == "@json"):
            return
        if isinstance(value, dict):
            self._of_object(value, json_terms)
        elif isinstance(value, list):
            if not value and not self._covers_json and key not in _MAY_BE_EMPTY:
                raise _Found("A set is empty, which no proof covers.")
            for item in value:
                if type(item) is list and not self._covers_json and key != "@list":
                    raise _Found("A set stands in a set, which no proof tells from one set.")
                if type(item) is not str:
                    self._of_value(key, item, holder, json_terms)
        elif value is None and not self._covers_json:
            raise _Found("A value is null, which no proof covers.")


_FLAWLESS: set[str] = set()
"""Names that were found to be right, for documents use the same ones again and again; bounded in number and length."""


def _check_name(thing: dict[str, Any], key: str) -> None:
    if key in SECOND_NAMES:
        raise _Found("A property is written by a name that hides it from verification.")
    if is_plain_term(key):
        if len(_FLAWLESS) >= _MAX_FLAWLESS:
            _FLAWLESS.clear()
        if len(key) <= _MAX_FLAWLESS_CHARS:
            _FLAWLESS.add(key)
    elif not _is_keyword_of(thing, key):
        raise _Found("A property is not a plain term.")


def _is_keyword_of(thing: dict[str, Any], key: str) -> bool:
    """Whether the name is a keyword that may stand there: a context, or what a value object or list is made of."""
    return key == "@context" or (key in _VALUE_KEYWORDS and ("@value" in thing or "@list" in thing))


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


def _repeatable_entries(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The status entries that are no more than an id and a type, by id.

    Records of one issuer that stand inside one another may name one list in the same words; neither can be left out of
    such an entry without it being of no known type.
    """
    entries = [item for item in as_list(document.get("credentialStatus")) if isinstance(item, dict)]
    return {item["id"]: item for item in entries if item.keys() == {"id", "type"} and isinstance(item["id"], str)}


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


def _of_types(value: Any) -> None:
    for name in value if isinstance(value, list) else (value,):
        if not isinstance(name, str) or ":" not in name:
            continue
        if not name.startswith(_TYPE_SCHEMES) or name.startswith(_READ_TYPES):
            raise _Found("A type is written by a name that hides it from verification.")
