"""What a DID resolves to, and how resolution says so: document, metadata and errors (DID Resolution 1.0 §4, §8, §9).

Promises that a result has either content or an error, never both, and that a deactivated DID has no content.
Leaves obtaining the document to the methods and to ``node/net``. A result is written in two forms: that of DID
Resolution 1.0, and the older one in which errors are words (``invalidDid``), which did:key 0.9 and its test suite use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from protocols.did.document import DidDocument, parse_document
from protocols.errors import BadInput, LernodeError

__all__ = [
    "DEREFERENCING_TYPE", "DOCUMENT_TYPE", "OLD_RESULT_TYPE", "RESULT_TYPE", "ResolutionError", "ResolutionResult",
    "Resolved", "Version", "failed",
]  # fmt: skip

DOCUMENT_TYPE = "application/did"
RESULT_TYPE = "application/did-resolution"
DEREFERENCING_TYPE = "application/did-url-dereferencing"
OLD_RESULT_TYPE = 'application/ld+json;profile="https://w3id.org/did-resolution"'

_NAMESPACE = "https://www.w3.org/ns/did#"
_OLD_CONTEXT = "https://w3id.org/did-resolution/v1"


class _Kind(NamedTuple):
    name: str
    status: int
    title: str
    word: str


class ResolutionError(Enum):
    """Why there is no result (DID Resolution 1.0 §9; the last four: did:key 0.9 §3.1, each a case of another).

    The value is the name of the error's type, its HTTP status (§10.1), its title, and the word that the older form has.
    """

    INVALID_DID = _Kind("INVALID_DID", 400, "The DID is not valid.", "invalidDid")
    INVALID_DID_URL = _Kind("INVALID_DID_URL", 400, "The DID URL is not valid.", "invalidDidUrl")
    INVALID_OPTIONS = _Kind("INVALID_OPTIONS", 400, "An option is not valid.", "invalidOptions")
    NOT_FOUND = _Kind("NOT_FOUND", 404, "There is no such DID, version or part of a document.", "notFound")
    REPRESENTATION_NOT_SUPPORTED = _Kind(
        "REPRESENTATION_NOT_SUPPORTED", 406, "The media type is not supported.", "representationNotSupported"
    )
    INVALID_DID_DOCUMENT = _Kind("INVALID_DID_DOCUMENT", 500, "The DID document is malformed.", "invalidDidDocument")
    METHOD_NOT_SUPPORTED = _Kind("METHOD_NOT_SUPPORTED", 501, "The DID method is not supported.", "methodNotSupported")
    FEATURE_NOT_SUPPORTED = _Kind("FEATURE_NOT_SUPPORTED", 501, "That is not supported.", "featureNotSupported")
    INTERNAL_ERROR = _Kind("INTERNAL_ERROR", 500, "The DID cannot be resolved now.", "internalError")
    KEY_LENGTH = _Kind("INVALID_DID", 400, "The public key has the wrong length.", "invalidPublicKeyLength")
    KEY_INVALID = _Kind("INVALID_DID", 400, "The public key is not a point of its curve.", "invalidPublicKey")
    KEY_TYPE_UNKNOWN = _Kind("INVALID_OPTIONS", 400, "The public key format is not known.", "unsupportedPublicKeyType")
    KEY_TYPE_UNFIT = _Kind("INVALID_OPTIONS", 400, "The public key format is not for this key.", "invalidPublicKeyType")


_OF_CODE = {
    "did.url_malformed": ResolutionError.INVALID_DID_URL,
    "did.representation": ResolutionError.REPRESENTATION_NOT_SUPPORTED,
    "did.options": ResolutionError.INVALID_OPTIONS,
    "did.not_found": ResolutionError.NOT_FOUND,
    "did.version_unknown": ResolutionError.NOT_FOUND,
    "did.part_unknown": ResolutionError.NOT_FOUND,
    "did.document_malformed": ResolutionError.INVALID_DID_DOCUMENT,
    "did.method_unsupported": ResolutionError.METHOD_NOT_SUPPORTED,
    "did.feature_unsupported": ResolutionError.FEATURE_NOT_SUPPORTED,
    "did.key_length": ResolutionError.KEY_LENGTH,
    "did.key_invalid": ResolutionError.KEY_INVALID,
    "did.key_format_unknown": ResolutionError.KEY_TYPE_UNKNOWN,
    "did.key_format_unfit": ResolutionError.KEY_TYPE_UNFIT,
}


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a DID's document, proved by the method.

    Attributes:
        id: ``versionId``.
        time: from when on it was valid.
        raw: the document.
    """

    id: str
    time: datetime
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a method gave for a DID.

    Attributes:
        document: the latest; None where the DID is deactivated.
        metadata: of the latest version (DID Resolution 1.0 §4.3), times as text.
        versions: all of them, the first one first, where the method has versions.
    """

    did: str
    document: DidDocument | None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    versions: tuple[Version, ...] = ()

    def current(self) -> DidDocument:
        """The document, for whoever has to rely on it now.

        Raises:
            BadInput: ``did.deactivated``.
        """
        if self.document is None:
            raise BadInput("did.deactivated", "The DID is deactivated.", "Its controller has given it up; use another.")
        return self.document

    def version(self, options: Mapping[str, str]) -> tuple[DidDocument | None, dict[str, Any]]:
        """The document and metadata of the version that ``versionId``, ``versionNumber`` or ``versionTime`` asks for.

        Raises:
            BadInput: ``did.feature_unsupported`` for an option that the method does not have, ``did.version_unknown``,
                ``did.options`` for a time or number that is none, ``did.document_malformed``.
        """
        if not options:
            return self.document, dict(self.metadata)
        if not options.keys() <= _SELECTORS or not self.versions:
            raise BadInput("did.feature_unsupported", "The DID method does not have this option.", "Leave it out.")
        fitting = [n for n, version in enumerate(self.versions) if _fits(n, version, options)]
        if not fitting:
            raise BadInput("did.version_unknown", "The DID has no such version.", "Ask for one that it has.")
        chosen = self.versions[fitting[-1]]
        at = _time(chosen.time)
        metadata = {**self.metadata, "versionId": chosen.id, "versionTime": at, "updated": at}
        if fitting[-1] + 1 < len(self.versions):
            following = self.versions[fitting[-1] + 1]
            metadata |= {"nextVersionId": following.id, "nextUpdate": _time(following.time)}
        return parse_document(chosen.raw, self.did), metadata


@dataclass(frozen=True, slots=True)
class ResolutionResult:
    """The result of resolving a DID, or of dereferencing a DID URL.

    Attributes:
        content: the DID document, or the part of it that the DID URL names.
        metadata: of the process: ``contentType``, what else the resolver knows.
        content_metadata: of the document: versions, times, ``deactivated``.
        error: why there is no content, unless the DID is deactivated.
        detail: what exactly was wrong.
        is_part: whether a DID URL was dereferenced.
    """

    content: dict[str, Any] | None
    metadata: Mapping[str, Any]
    content_metadata: Mapping[str, Any]
    error: ResolutionError | None = None
    detail: str = ""
    is_part: bool = False

    @property
    def http_status(self) -> int:
        """The status of an HTTP answer with this result (DID Resolution 1.0 §10.1)."""
        if self.error is not None:
            return self.error.value.status
        return 410 if self.content_metadata.get("deactivated") is True else 200

    def process_metadata(self) -> dict[str, Any]:
        """``didResolutionMetadata``, with the error as problem details (RFC 9457)."""
        if self.error is None:
            return dict(self.metadata)
        kind = self.error.value
        error = {"type": _NAMESPACE + kind.name, "title": kind.title, "detail": self.detail}
        return {**self.metadata, "error": error}

    def to_json(self) -> dict[str, Any]:
        """A DID resolution result, or a DID URL dereferencing result (DID Resolution 1.0 §7, §8)."""
        metadata = self.process_metadata()
        if self.is_part:
            return {
                "content": self.content,
                "dereferencingMetadata": metadata,
                "contentMetadata": dict(self.content_metadata),
            }
        return {
            "didDocument": self.content,
            "didResolutionMetadata": metadata,
            "didDocumentMetadata": dict(self.content_metadata),
        }

    def to_old_json(self) -> dict[str, Any]:
        """The form of the drafts before: errors as words, and an empty document where there is none (DID Core §7.1)."""
        metadata = dict(self.metadata)
        if self.error is not None:
            metadata |= {"error": self.error.value.word, "errorMessage": self.detail}
        return {
            "@context": _OLD_CONTEXT,
            "didDocument": self.content or {},
            "didDereferencingMetadata" if self.is_part else "didResolutionMetadata": metadata,
            "didDocumentMetadata": dict(self.content_metadata),
        }


def failed(error: LernodeError, *, is_part: bool = False) -> ResolutionResult:
    """The result for an error on the way."""
    default = ResolutionError.INVALID_DID if isinstance(error, BadInput) else ResolutionError.INTERNAL_ERROR
    kind = _OF_CODE.get(error.code, default)
    return ResolutionResult(None, {}, {}, kind, error.message, is_part)


_SELECTORS = frozenset({"versionId", "versionNumber", "versionTime"})


def _fits(index: int, version: Version, wanted: Mapping[str, str]) -> bool:
    """Whether it is the version, or for a time one that was valid by then: the last of those is meant."""
    if "versionId" in wanted and version.id != wanted["versionId"]:
        return False
    if "versionNumber" in wanted and index + 1 != _number(wanted["versionNumber"]):
        return False
    return "versionTime" not in wanted or version.time <= _moment(wanted["versionTime"])


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadInput("did.options", "The versionNumber is not a number.", "Count versions from 1.")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadInput("did.options", "The versionTime is not a time.", "Write it as 2026-01-31T12:00:00Z.")
    return moment


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
