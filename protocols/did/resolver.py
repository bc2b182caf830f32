"""From a DID to its document: the table of methods, and the interface that everything else resolves through.

A new method is one file and one line in :data:`DID_METHODS`. Methods whose document follows from the identifier
are resolved here; for those whose document lies on the web, this says where and how to read it, and ``node/net``
fetches it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from protocols.did import https_controller, jwk, key, peer2, peer4, web
from protocols.did.document import DidDocument
from protocols.did.files import AlsoNeeded
from protocols.did.resolution import Resolved
from protocols.did.syntax import check_controller
from protocols.did.webvh import method as webvh
from protocols.errors import BadInput

__all__ = ["DID_METHODS", "HttpMethod", "OfflineMethod", "RenewingResolver", "Resolver", "method_of", "resolve_offline"]


class Resolver(Protocol):
    """Gives the document of a DID."""

    async def resolve(self, did: str) -> DidDocument:
        """The document of ``did``.

        Raises:
            BadInput: ``did.*``: the DID or its document cannot be used.
            NotNow: ``did.unreachable``: the document cannot be had at the moment.
        """


@runtime_checkable
class RenewingResolver(Resolver, Protocol):
    """A resolver that keeps documents for a while, so that the one it gives may lack the newest key."""

    async def resolve_anew(self, did: str) -> DidDocument:
        """The document of ``did`` as its server has it now.

        Raises:
            BadInput: ``did.*``: the DID or its document cannot be used.
            NotNow: ``did.unreachable``: the server cannot be asked, even where a copy is kept.
        """


@dataclass(frozen=True, slots=True)
class OfflineMethod:
    """A method whose identifier carries the document.

    Attributes:
        express: the document written as resolution options say, where the method has such options; raises
            :class:`BadInput`.
    """

    resolve: Callable[[str], DidDocument]
    express: Callable[[str, Mapping[str, str]], DidDocument] | None = None


class _DocumentUrl(Protocol):
    def __call__(self, did: str, /, *, allow_http: bool) -> str: ...


class _ReadFiles(Protocol):
    def __call__(self, did: str, files: Sequence[bytes], /, *, now: datetime) -> Resolved | AlsoNeeded: ...


def _any_change(_kept: bytes, _new: bytes) -> None:
    """For documents that may be replaced as a whole."""


@dataclass(frozen=True, slots=True)
class HttpMethod:
    """A method whose document is fetched by HTTP GET.

    Attributes:
        document_url: where its first file is.
        read: reads the files that were asked for, in their order: gives the document, or names one more file that it
            needs; raises :class:`BadInput`.
        check_change: raises :class:`BadInput` where the first file may not take the place of the one kept before.
    """

    document_url: _DocumentUrl
    read: _ReadFiles
    check_change: Callable[[bytes, bytes], None] = _any_change


DID_METHODS: dict[str, OfflineMethod | HttpMethod] = {
    key.PREFIX: OfflineMethod(key.resolve, key.express),
    jwk.PREFIX: OfflineMethod(jwk.resolve),
    peer2.PREFIX: OfflineMethod(peer2.resolve),
    peer4.PREFIX: OfflineMethod(peer4.resolve),
    web.PREFIX: HttpMethod(web.document_url, web.read),
    webvh.PREFIX: HttpMethod(webvh.document_url, webvh.read, webvh.check_change),
    https_controller.PREFIX: HttpMethod(https_controller.document_url, https_controller.read),
}
"""Prefix of the DID -> how to resolve it."""


def method_of(did: str) -> OfflineMethod | HttpMethod:
    """The method of a DID.

    Raises:
        BadInput: ``did.malformed`` or ``did.method_unsupported``.
    """
    check_controller(did)
    for prefix, method in DID_METHODS.items():
        if did.startswith(prefix):
            return method
    raise BadInput(
        "did.method_unsupported",
        "The DID is of a method that this node does not know.",
        f"Use one of {', '.join(prefix.removesuffix(':') for prefix in DID_METHODS)}.",
    )


def resolve_offline(did: str) -> DidDocument | None:
    """The document of ``did``, or ``None`` where it has to be fetched.

    Raises:
        BadInput: ``did.*``.
    """
    method = method_of(did)
    return method.resolve(did) if isinstance(method, OfflineMethod) else None
