"""Reading credentials and presentations of the W3C data model, versions 2.0 and 1.1.

Every reader here is total: for any JSON value it gives a value or nothing, and never raises, so that a document can
be asked before or without being checked. Whether the document keeps the rules of the data model is decided in
``structure.py``; whether it is true, in ``verify.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

__all__ = [
    "CLR_CREDENTIAL", "CONTEXT_V1", "CONTEXT_V2", "Version", "alignments", "as_list", "contexts", "credentials_of",
    "has_type",
    "holder_id", "id_of", "is_presentation", "is_url", "issuer_id", "proofs_of", "status_entries", "subject_ids",
    "subjects", "types_of", "version_of",
]  # fmt: skip

CONTEXT_V2 = "https://www.w3.org/ns/credentials/v2"
CLR_CREDENTIAL = "ClrCredential"
"""The type of a Comprehensive Learner Record 2.0, which has credentials in it."""
CONTEXT_V1 = "https://www.w3.org/2018/credentials/v1"

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x1f\x7f]+")
_MAX_URL = 20_000  # a did:peer:4 in long form carries a whole document


class Version(StrEnum):
    """The versions of the data model, told apart by the first context."""

    V2_0 = "2.0"
    V1_1 = "1.1"


_VERSIONS = {CONTEXT_V2: Version.V2_0, CONTEXT_V1: Version.V1_1}


def as_list(value: Any) -> list[Any]:
    """A JSON-LD value as the set that it stands for: nothing, one, or several."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def is_url(value: Any) -> bool:
    """Whether ``value`` is an absolute URL (or URN, or DID URL)."""
    return isinstance(value, str) and len(value) <= _MAX_URL and _URL.fullmatch(value) is not None


def id_of(value: Any) -> str | None:
    """The identifier of something given as its URL or as an object with an ``id``."""
    identifier = value.get("id") if isinstance(value, dict) else value
    return identifier if is_url(identifier) else None


def contexts(document: dict[str, Any]) -> list[Any]:
    """The values of ``@context``, in order."""
    return as_list(document.get("@context"))


def version_of(document: dict[str, Any]) -> Version | None:
    """The version of the data model, or ``None`` where the first context is of neither."""
    first = next(iter(contexts(document)), None)
    return _VERSIONS.get(first) if isinstance(first, str) else None


def types_of(thing: Any) -> list[str]:
    """The types of an object."""
    if not isinstance(thing, dict):
        return []
    return [name for name in as_list(thing.get("type")) if isinstance(name, str)]


def has_type(thing: Any, name: str) -> bool:
    """Whether ``name`` is one of an object's types."""
    return name in types_of(thing)


def is_presentation(document: dict[str, Any]) -> bool:
    """Whether the document says that it is a presentation."""
    return has_type(document, "VerifiablePresentation")


def issuer_id(document: dict[str, Any]) -> str | None:
    """Who issued the credential (VCDM 2.0 §4.7)."""
    return id_of(document.get("issuer"))


def holder_id(document: dict[str, Any]) -> str | None:
    """Who presents, where the presentation says so (VCDM 2.0 §4.13)."""
    return id_of(document.get("holder"))


def subjects(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What the credential makes claims about (VCDM 2.0 §4.8)."""
    return [subject for subject in as_list(document.get("credentialSubject")) if isinstance(subject, dict)]


def subject_ids(document: dict[str, Any]) -> list[str | None]:
    """The id of each subject in order, ``None`` for one without."""
    return [id_of(subject) for subject in subjects(document)]


def status_entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of ``credentialStatus`` (VCDM 2.0 §4.10)."""
    return [entry for entry in as_list(document.get("credentialStatus")) if isinstance(entry, dict)]


def credentials_of(presentation: dict[str, Any]) -> list[Any]:
    """What stands in ``verifiableCredential``, in order; not only objects, for nothing may be overlooked."""
    return as_list(presentation.get("verifiableCredential"))


def proofs_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The proofs of a secured document (VC Data Integrity 1.0 §2.1)."""
    return [proof for proof in as_list(document.get("proof")) if isinstance(proof, dict)]


def alignments(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The alignments to skills that an Open Badges 3.0 or CLR 2.0 record states.

    Those of its achievements, of their result descriptions and of the results (OB 3.0 §B.2 and following); not
    those of records within the record, which are verified for themselves.
    """
    return [item for part in _aligned_parts(document) for item in as_list(part.get("alignment")) if _is_object(item)]


def _aligned_parts(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for subject in subjects(document):
        for achievement in _objects(subject.get("achievement")):
            yield achievement
            yield from _objects(achievement.get("resultDescription"))
        yield from _objects(subject.get("result"))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in as_list(value) if _is_object(item)]


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)
