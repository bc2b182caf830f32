"""Active contexts: what the terms of a document mean at one place in it, worked out once and kept.

Processing a context (JSON-LD 1.1 API §5.1) is pyld's; it is also where pyld spends its time, so each result is
kept under the active context it started from and the name of the local context. A context of the store is
named by its identity, an inline one by its text. The memory is bounded; so is what one document may ask for.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any

from pyld.jsonld import KEYWORDS, JsonLdError, JsonLdProcessor, freeze

from protocols.errors import BadInput, LernodeError
from protocols.jsonld.contexts import ContextStore

__all__ = ["BASE", "ActiveContext", "ActiveContexts", "Budget", "derivation", "refusal"]

BASE = "x-lernode-relative:///"
"""The base IRI of every document: no IRI that starts so was absolute in the document, and safe mode refuses it."""

_MAX_KEPT = 1024
_MAX_DERIVED = 400
_MAX_INLINE = 32
_MAX_INLINE_CHARS = 1 << 16
_MAX_INLINE_STRING = 1024

_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*|_):\S*").fullmatch
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*").fullmatch
_LIKE_KEYWORD = re.compile("@[a-zA-Z]+").fullmatch
_KEYWORDS = frozenset(KEYWORDS)

ActiveContext = Any
"""pyld's active context: a mapping with ``mappings``, ``_uuid`` and perhaps ``previousContext``, ``@vocab``, ..."""


class Budget:
    """What one document may ask of context processing.

    Raises:
        BadInput: ``jsonld.too_complex`` where it asks for more.
    """

    __slots__ = ("_chars", "_derived", "_inline")

    def __init__(self) -> None:
        self._derived: set[Hashable] = set()
        self._inline = self._chars = 0

    @property
    def asked(self) -> frozenset[Hashable]:
        """The derivations so far."""
        return frozenset(self._derived)

    def derived(self, key: Hashable) -> None:
        """Count a derivation, once however often it is used and whether or not it was at hand."""
        self._derived.add(key)
        if len(self._derived) > _MAX_DERIVED:
            raise BadInput("jsonld.too_complex", "The document uses too many contexts.", "Use fewer.")

    def inline(self, chars: int, references: int) -> None:
        """Count one inline context object of so many characters, and the contexts that it refers to."""
        self._inline += 1 + references
        self._chars += chars
        if self._inline > _MAX_INLINE or self._chars > _MAX_INLINE_CHARS:
            raise BadInput("jsonld.too_complex", "The document has too many inline contexts.", "Use fewer.")


def derivation(active: ActiveContext, name: Hashable, *, override_protected: bool, propagate: bool) -> Hashable:
    """What the way from one active context to another is known by, in memory and in budgets."""
    return active["_uuid"], name, override_protected, propagate


class ActiveContexts:
    """Derives active contexts for one store, and remembers the latest of them.

    Attributes:
        initial: the active context in which every document starts: no term is defined.
    """

    def __init__(self, store: ContextStore) -> None:
        self._store = store
        self._kept: OrderedDict[Hashable, ActiveContext] = OrderedDict()
        self.options = {
            "base": BASE,
            "processingMode": "json-ld-1.1",
            "documentLoader": self._load,
            "contextResolver": _Resolver(store),
        }
        self.initial: ActiveContext = JsonLdProcessor()._get_initial_context(self.options)

    def local(self, active: ActiveContext, local: Any, budget: Budget) -> ActiveContext:
        """The active context that an ``@context`` in the document makes of another.

        Raises:
            BadInput: ``jsonld.context_unknown``, ``jsonld.context_invalid``, ``jsonld.too_complex``, ...
        """
        for member in local if isinstance(local, list) else (local,):
            if isinstance(member, Mapping) and not self._store.owns(member):
                budget.inline(len(json.dumps(member, default=dict)), _check_inline(member))
        return self.scoped(active, local, self.name(local), budget, override_protected=False, propagate=True)

    def scoped(
        self,
        active: ActiveContext,
        local: Any,
        name: Hashable,
        budget: Budget,
        *,
        override_protected: bool,
        propagate: bool,
    ) -> ActiveContext:
        """The active context that the context of a term makes of another.

        Args:
            name: the local context's :meth:`name`.
            override_protected: True for property-scoped contexts.
            propagate: False for type-scoped contexts.

        Raises:
            BadInput: as :meth:`local`.
        """
        if local == []:
            return active
        key = derivation(active, name, override_protected=override_protected, propagate=propagate)
        budget.derived(key)
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known
        derived = self._process(active, self._own_copy(local), override_protected, propagate)
        self._kept[key] = derived
        if len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return derived

    def name(self, local: Any) -> Hashable:
        """What a local context is known by: URL, identity in the store, or text; for a list, those of its members.

        Raises:
            BadInput: ``jsonld.context_invalid`` or ``jsonld.too_complex``.
        """
        if isinstance(local, str):
            return local
        if self._store.owns(local):
            return id(local)
        if isinstance(local, list):
            if len(local) > _MAX_INLINE:
                raise BadInput("jsonld.too_complex", "The document lists too many contexts.", "List fewer.")
            return tuple(self.name(member) for member in local)
        if local is None or local is False:
            return "null", None
        if not isinstance(local, Mapping):
            raise _invalid("a local context is neither URL, object nor null")
        return "inline", json.dumps(local, default=dict)

    def _own_copy(self, local: Any) -> Any:
        # What is kept must not change when the caller changes the document.
        if isinstance(local, list) and not self._store.owns(local):
            return [self._own_copy(member) for member in local]
        if isinstance(local, Mapping) and not self._store.owns(local):
            return json.loads(json.dumps(local, default=dict))
        return local

    def _process(self, active: ActiveContext, local: Any, override_protected: bool, propagate: bool) -> ActiveContext:
        try:
            derived = JsonLdProcessor()._process_context(
                active, local, self.options, override_protected=override_protected, propagate=propagate
            )
        except Exception as error:  # pyld meets some malformed contexts with KeyError, TypeError and others
            raise refusal(error, "context") from None
        if "_uuid" not in derived:  # an object whose @context is an empty list; pyld refuses it when it expands
            raise refusal(JsonLdError("", "jsonld.SyntaxError", code="keyword redefinition"), "document")
        if not _ABSOLUTE(derived.get("@vocab", "_:")) or derived.get("@vocab", "").startswith(BASE[:-1]):
            raise _invalid("its @vocab is relative")
        if not _LANGUAGE(derived.get("@language", "en")):
            raise _invalid("its @language is no BCP 47 language tag")
        return derived

    def _load(self, url: str, _options: Any) -> Any:
        return {"contextUrl": None, "documentUrl": url, "document": self._store.get(url)}


class _Resolved:
    """A context object as pyld's processing wants it; results are kept by ActiveContexts, not here."""

    __slots__ = ("document",)

    def __init__(self, document: Any) -> None:
        self.document = document

    def get_processed(self, _active: ActiveContext) -> None:
        return None

    def set_processed(self, _active: ActiveContext, _processed: ActiveContext) -> None:
        return None


class _Resolver:
    """Finds local contexts: URLs in the store, objects as they are."""

    def __init__(self, store: ContextStore) -> None:
        self._store = store

    def resolve(self, _active: ActiveContext, context: Any, _base: str, _cycles: Any = None) -> list[_Resolved]:
        if isinstance(context, Mapping) and "@context" in context:
            context = context["@context"]
        members = context if isinstance(context, list) else [context]
        return [found for member in members for found in self._member(member, 0)]

    def _member(self, member: Any, depth: int) -> list[_Resolved]:
        if isinstance(member, str):
            if depth > 8:
                raise _invalid("contexts refer to each other without end")
            content = self._store.get(member)["@context"]
            inner = content if isinstance(content, list) else [content]
            return [found for part in inner for found in self._member(part, depth + 1)]
        if member is None or member is False:
            return [_Resolved(False)]
        if not isinstance(member, Mapping):
            raise _invalid("a local context is neither URL, object nor null")
        if "@import" in member:
            raise _invalid("@import is not supported; list the context in @context instead")
        # Frozen, as pyld writes into context objects in some places.
        return [_Resolved(freeze(member))]


def refusal(error: BaseException, part: str) -> LernodeError:
    """The error to raise for one of pyld's: our own where it wraps one, else named by the standard's error code."""
    code = ""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, LernodeError):
            return inner
        if isinstance(inner, JsonLdError) and inner.code:
            code = str(inner.code)
        inner = inner.__cause__
    if part == "context" or "context" in code or "term" in code or "mapping" in code:
        return _invalid(code or "it breaks the syntax of JSON-LD")
    return BadInput(
        "jsonld.invalid",
        f"The document is not valid JSON-LD: {code or 'it breaks the syntax'}.",
        "See the error codes of JSON-LD 1.1 API §9.4.3.",
    )


def _check_inline(context: Any) -> int:
    """Refuse terms and values that look like keywords: JSON-LD ignores them, so they would not be signed.

    Returns:
        how many references to contexts stand inside, as each is processed in its place.
    """
    references = 0
    members = [*context, *context.values()] if isinstance(context, Mapping) else context
    for member in members:
        if isinstance(member, str):
            if len(member) > _MAX_INLINE_STRING:
                # It would stand in the quads as often as the term in the document.
                raise BadInput("jsonld.too_complex", "An inline context has too long an IRI.", "Use a shorter one.")
            if _LIKE_KEYWORD(member) and member not in _KEYWORDS:
                raise BadInput(
                    "jsonld.reserved_term",
                    f"A context uses {member[:40]}, which looks like a keyword but is none.",
                    "Choose a name without @.",
                )
        elif isinstance(member, Mapping | list):
            references += _check_inline(member)
    if isinstance(context, Mapping) and "@context" in context:
        scoped = context["@context"]
        references += sum(isinstance(part, str) for part in (scoped if isinstance(scoped, list) else [scoped]))
    return references


def _invalid(why: str) -> BadInput:
    return BadInput("jsonld.context_invalid", f"A JSON-LD context is not valid: {why}.", "Correct the @context.")
