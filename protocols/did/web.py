"""did:web: the document is a file on the web server that the identifier names (did:web method, W3C CCG).

Pure translation between URL, DID and document; fetching is left to ``node/net``. Retired keys stay in the document
as assertion methods, so that what they signed can still be verified, but authenticate nothing any more; they have no
``expires`` and no ``revoked``, after which nothing of theirs would verify. Withdrawn keys have ``revoked``, and may be
used for nothing (Controlled Identifiers 1.0 §2.2).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from protocols import strict_json
from protocols.credentials.times import format_time
from protocols.did.document import DidDocument, Relationship, parse_document
from protocols.did.resolution import Resolved
from protocols.did.syntax import absolute_url, check_did, did_of
from protocols.errors import BadInput
from protocols.keys import PublicKey

__all__ = ["PREFIX", "build_document", "did_from_url", "document_url", "owns", "parse", "read"]

PREFIX = "did:web:"

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_SEGMENT = re.compile(r"(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_DEFAULT_PORTS = {"https": 443, "http": 80}


def did_from_url(base_url: str) -> str:
    """The did:web whose document is served below ``base_url``, e.g. ``https://college.example:8443/registry``.

    Raises:
        BadInput: ``did.web_url``.
    """
    url, port = _split(base_url)
    host = (url.hostname or "").lower()
    if url.scheme not in _DEFAULT_PORTS or url.query or url.fragment or "@" in url.netloc:
        raise _bad_url("it is not a plain http(s) URL")
    _check_host(host)
    name = host if port in (None, _DEFAULT_PORTS[url.scheme]) else f"{host}%3A{port}"
    path = url.path.strip("/")
    segments = path.split("/") if path else []
    for segment in segments:
        _check_segment(segment)
    return PREFIX + ":".join([name, *segments])


def document_url(did: str, *, allow_http: bool = False) -> str:
    """Where the document of a did:web is: ``/.well-known/did.json``, or ``did.json`` below the path.

    Args:
        allow_http: take plain http for ``localhost`` and names below it, for nodes on one machine.

    Raises:
        BadInput: ``did.malformed`` or ``did.web_url``.
    """
    check_did(did)
    if not did.startswith(PREFIX):
        raise _bad_url("it is not a did:web")
    name, *segments = did.removeprefix(PREFIX).split(":")
    host, colon, port = name.replace("%3a", "%3A").partition("%3A")
    _check_host(host)
    if colon and not (_PORT.fullmatch(port) and int(port) < 65536):
        raise _bad_url("its port is not a port")
    for segment in segments:
        _check_segment(segment)
    scheme = "http" if allow_http and _is_loopback(host) else "https"
    authority = f"{host}:{port}" if colon else host
    path = "/".join(segments) if segments else ".well-known"
    return f"{scheme}://{authority}/{path}/did.json"


def owns(did: str, url: str) -> bool:
    """Whether a did:web is that of the server at a URL."""
    parts = urlsplit(url)
    try:
        return did_from_url(f"{parts.scheme}://{parts.netloc}") == did
    except BadInput:
        return False


def build_document(
    did: str,
    methods: Iterable[tuple[str, PublicKey]],
    *,
    retired: Iterable[tuple[str, PublicKey]] = (),
    withdrawn: Iterable[tuple[str, PublicKey, datetime]] = (),
) -> dict[str, Any]:
    """The document to serve for ``did``.

    Args:
        methods: keys in use, each as (key id: fragment or DID URL, public key).
        retired: keys that sign no more; what they signed still verifies.
        withdrawn: keys that somebody else may have, and since when; what they signed verifies no more.

    Raises:
        BadInput: ``did.malformed`` or, for a key id used twice, ``did.document_malformed``.
    """
    document_url(did)
    current = [_method(did, key_id, public) for key_id, public in methods]
    old = [_method(did, key_id, public) for key_id, public in retired]
    revoked = [_method(did, key_id, public) | {"revoked": format_time(at)} for key_id, public, at in withdrawn]
    document = {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": [*current, *old, *revoked],
        Relationship.AUTHENTICATION.value: [method["id"] for method in current],
        Relationship.ASSERTION_METHOD.value: [method["id"] for method in (*current, *old)],
    }
    parse_document(document, did)
    return document


def parse(did: str, body: bytes, *, now: datetime | None = None) -> DidDocument:
    """The document of ``did`` as its server gave it, with the keys that may be used at ``now``.

    Raises:
        BadInput: ``did.document_malformed`` or ``did.malformed``.
    """
    try:
        raw = strict_json.loads_object(body)
    except BadInput:
        raise BadInput(
            "did.document_malformed",
            "The DID document cannot be read: it is not a JSON object.",
            "The server's operator has to correct it.",
        ) from None
    return parse_document(raw, did, now=now)


def read(did: str, files: Sequence[bytes], *, now: datetime) -> Resolved:
    """As :func:`parse`, of the one file that there is.

    Raises:
        BadInput: ``did.document_malformed`` or ``did.malformed``.
    """
    return Resolved(did, parse(did, files[0], now=now))


def _split(base_url: str) -> tuple[SplitResult, int | None]:
    try:
        url = urlsplit(base_url)
        return url, url.port
    except ValueError:
        raise _bad_url("it is not a URL") from None


def _check_host(host: str) -> None:
    """A DNS name; the method excludes IP addresses (did:web §Method-specific identifier)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        last = host.rpartition(".")[2]
        if len(host) <= 253 and _HOST.fullmatch(host) and not last.isdigit() and not last.lower().startswith("0x"):
            return
        raise _bad_url("its host is not a DNS name") from None
    raise _bad_url("its host is an IP address")


def _check_segment(segment: str) -> None:
    plain = unquote(segment)
    if not _SEGMENT.fullmatch(segment) or plain in (".", "..") or any(c in plain for c in "/\\?#:") or "\x00" in plain:
        raise _bad_url("a part of its path is not allowed")


def _is_loopback(host: str) -> bool:
    return host.lower() == "localhost" or host.lower().endswith(".localhost")


def _method(did: str, key_id: str, public: PublicKey) -> dict[str, str]:
    url = absolute_url(key_id if key_id.startswith(("#", "did:")) else f"#{key_id}", did)
    if did_of(url) != did:
        raise BadInput("did.malformed", "A key id belongs to another DID.", "Give a fragment.")
    return {"id": url, "type": "Multikey", "controller": did, "publicKeyMultibase": public.multikey}


def _bad_url(why: str) -> BadInput:
    return BadInput("did.web_url", f"This cannot be a did:web: {why}.", "Use https, a DNS name and a plain path.")
