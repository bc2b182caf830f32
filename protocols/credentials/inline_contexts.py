"""What an ``@context`` object inside a document may say, so that nobody can rename what is signed.

A signature over RDF does not cover contexts: whoever holds a signed document may rewrite its inline contexts and its
property names together, as long as the IRIs come out the same. So a name must follow from its IRI: an inline context
may define a term whose name *is* the last part of its IRI (``"grade": "https://college.example/terms#grade"``), in
any of the usual ways, and then there is no second name to write it by. Nor may it define

* a term that a context known by URL defines, or anything in the vocabularies that verification reads;
* another name for a keyword (but ``id`` and ``type``), a reverse or nested property, a map, an import, a base;
* the same term in two ways within one document.

A prefix (``"ex": "https://college.example/terms#"``) may stand for IRIs in definitions, not in values. An ``@vocab``
gives names that follow from their IRIs too. Languages, directions, types and containers of sets and lists change
either the RDF or nothing. Specs: JSON-LD 1.1 §9.15, VC Data Model 2.0 §4.3, §5.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from protocols.credentials.model import as_list, is_url

__all__ = ["FREE_NAMES", "RESERVED_NAMESPACES", "InlineContexts", "is_plain_term"]

RESERVED_NAMESPACES = (
    "http://purl.org/", "https://purl.org/", "http://schema.org/", "https://schema.org/", "http://www.w3.org/",
    "https://www.w3.org/", "https://w3id.org/", "http://w3id.org/", "https://purl.imsglobal.org/",
    "http://purl.imsglobal.org/", "https://identity.foundation/", "http://identity.foundation/",
    "https://www.iana.org/", "http://www.iana.org/", "urn:lernode:",
)  # fmt: skip
"""Where the IRIs of the bundled contexts live; an inline ``@vocab`` or definition may not reach into them."""

FREE_NAMES = re.compile(r"https?://schema\.org/(?!(?:AlignmentObject|encodingFormat|keywords)$)[A-Za-z0-9]+")
"""What of them may be defined all the same: bundled contexts have no other names for these IRIs."""

_LAST_PART = re.compile(r".*[#/:?]([^#/:?]*)", re.DOTALL)
_ABSOLUTE = ("http://", "https://", "urn:", "did:")
_PREFIX_ENDS = tuple(":/?#[]@")
_ALIASES = {"id": "@id", "type": "@type"}
_DEFINITION = frozenset({"@id", "@type", "@container", "@language", "@direction", "@protected", "@context"})
_CONTAINERS = frozenset({"@set", "@list"})
_DATATYPES = frozenset({"@id", "@vocab", "@json", "@none"})

_REDEFINED = "An inline context redefines a term."
_RESERVED = "An inline context defines terms of a vocabulary that verification reads."
_RENAMED = "An inline context gives a term that is not the last part of its IRI."
_FEATURE = "An inline context uses more than definitions of terms, a vocabulary, a language and a direction."


class InlineContexts:
    """All contexts of one document, as they are met.

    Attributes:
        urls: the contexts that the document names by URL.
        terms: what the inline contexts define, by term.
        prefixes: the terms that stand for the beginning of IRIs, and what they stand for.
        has_vocabulary: whether an inline context has an ``@vocab``.
    """

    def __init__(self) -> None:
        self.urls: set[str] = set()
        self.terms: dict[str, Any] = {}
        self.prefixes: dict[str, str] = {}
        self.has_vocabulary = False

    def problems_of(self, context: Any) -> Iterator[str]:
        """What is wrong with the value of an ``@context``, as sentences; what it says is remembered."""
        if context is None:
            yield "A context is null."
        for item in _members(context):
            if isinstance(item, dict):
                yield from self._of_object(item)
            elif is_url(item):
                self.urls.add(item)
            else:
                yield "A context is neither a URL nor an object."

    def json_terms(self, context: Any) -> frozenset[str]:
        """The terms that the value of an ``@context`` defines as JSON literals, whose content is signed as it is."""
        objects = [item for item in _members(context) if isinstance(item, dict)]
        return frozenset(
            term for item in objects for term, meaning in item.items()
            if isinstance(meaning, dict) and meaning.get("@type") == "@json"
        )  # fmt: skip

    def _of_object(self, context: dict[str, Any]) -> Iterator[str]:
        self._take_prefixes(context)
        for key, value in context.items():
            if key == "@vocab":
                self.has_vocabulary = self.has_vocabulary or value is not None
                if value is not None and not _is_harmless_vocab(value):
                    yield "An inline context has a vocabulary that could rename terms."
            elif key[:1] == "@":
                if not _is_harmless_keyword(key, value):
                    yield _FEATURE
            elif _ALIASES.get(key, "") != value:
                yield from self._of_term(key, value)

    def _take_prefixes(self, context: dict[str, Any]) -> None:
        for term, iri in context.items():
            if isinstance(iri, str) and iri.endswith(_PREFIX_ENDS) and iri.startswith(_ABSOLUTE) and term[:1] != "@":
                self.prefixes.setdefault(term, iri)

    def _of_term(self, term: str, definition: Any) -> Iterator[str]:
        if not is_plain_term(term) or self.terms.setdefault(term, definition) != definition:
            yield _REDEFINED
        if term in self.prefixes and self.prefixes[term] == definition:
            return
        identifier = definition.get("@id", term) if isinstance(definition, dict) else definition
        if isinstance(definition, dict):
            if not _is_harmless_definition(definition):
                yield _FEATURE
            if "@context" in definition:
                yield from self.problems_of(definition["@context"])
        if isinstance(definition, dict) and "@id" not in definition:
            return  # its IRI is the vocabulary and its name
        iri = self._absolute(identifier)
        if iri is None or not is_url(iri):
            yield "An inline context defines a term by something that is not an absolute IRI."
        elif iri.startswith(RESERVED_NAMESPACES) and FREE_NAMES.fullmatch(iri) is None:
            yield _RESERVED
        else:
            last = _LAST_PART.fullmatch(iri)
            if last is None or last[1] != term:
                yield _RENAMED

    def _absolute(self, identifier: Any) -> str | None:
        if not isinstance(identifier, str):
            return None
        prefix, colon, rest = identifier.partition(":")
        if colon and prefix in self.prefixes and not rest.startswith("//"):
            return self.prefixes[prefix] + rest
        return identifier if identifier.startswith(_ABSOLUTE) else None


def _members(context: Any) -> Iterator[Any]:
    """The contexts in the value of an ``@context``; one that is wrapped as if it were a file is what is in it."""
    for item in as_list(context):
        if isinstance(item, dict) and item.keys() == {"@context"}:
            inner = item["@context"]
            yield from [None] if inner is None else _members(inner)
        else:
            yield item


def is_plain_term(key: str) -> bool:
    """Whether a property is written by a term: no keyword, IRI or prefixed name."""
    return bool(key) and key[0] != "@" and not any(char in ":/#?" for char in key)


def _is_harmless_keyword(key: str, value: Any) -> bool:
    if key == "@version":
        return bool(value == 1.1)
    if key == "@protected":
        return isinstance(value, bool)
    return key in ("@language", "@direction") and (value is None or isinstance(value, str))


def _is_harmless_definition(definition: dict[str, Any]) -> bool:
    datatype = definition.get("@type", "@none")
    return (
        definition.keys() <= _DEFINITION
        and {item for item in as_list(definition.get("@container")) if isinstance(item, str)} <= _CONTAINERS
        and (datatype in _DATATYPES if str(datatype).startswith("@") else isinstance(datatype, str))
    )


def _is_harmless_vocab(vocab: Any) -> bool:
    """Whether terms under ``vocab`` have one spelling each and cannot be those of a reserved namespace."""
    if not is_url(vocab) or not vocab.endswith(("#", "/")):
        return False
    return not any(vocab.startswith(name) or name.startswith(vocab) for name in RESERVED_NAMESPACES)
