"""Controllers named by an ``https`` URL: the document is what is at that URL (Controlled Identifiers 1.0 §3.1).

It is read by the rules of DID documents: its ``id`` has to be the URL, and a key may be used only for what it is
listed under. Whoever has the web server has the identifier, as with did:web. Fetching is left to ``node/net``.

What is at ``/.well-known/jwks.json`` is a JWK Set (RFC 7517 §5) and no such document; its keys are those that the
server asserts with, each with its JWK as it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from protocols import strict_json
from protocols.did import web
from protocols.did.document import DidDocument, Relationship, parse_document
from protocols.did.resolution import Resolved
from protocols.did.syntax import check_controller
from protocols.errors import BadInput

__all__ = ["PREFIX", "document_url", "key_set_url", "read"]

PREFIX = "https://"

_KEY_SET = "/.well-known/jwks.json"


def document_url(name: str, *, allow_http: bool = False) -> str:
    """Where the document is: at the URL itself.

    Raises:
        BadInput: ``did.malformed``.
    """
    del allow_http
    return check_controller(name)


def key_set_url(name: str) -> str:
    """Where the JWK Set of the server of a controller is (Open Badges 3.0, implementation guide, key provenance)."""
    return f"{PREFIX}{urlsplit(name).netloc}{_KEY_SET}"


def read(name: str, files: Sequence[bytes], *, now: datetime) -> Resolved:
    """The document, with the keys that may be used at ``now``.

    Raises:
        BadInput: ``did.document_malformed`` or ``did.malformed``.
    """
    is_key_set = name == key_set_url(name)
    return Resolved(name, _of_key_set(name, files[0]) if is_key_set else web.parse(name, files[0], now=now))


def _of_key_set(name: str, body: bytes) -> DidDocument:
    try:
        keys = strict_json.loads_object(body).get("keys")
    except BadInput:
        keys = None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise BadInput(
            "did.document_malformed", "The server's key set cannot be read.", "The server's operator has to correct it."
        )
    methods = [
        {"id": f"{name}#{at}", "type": "JsonWebKey", "controller": name, "publicKeyJwk": key}
        for at, key in enumerate(keys)
        if _is_for_signatures(key)
    ]
    names = [method["id"] for method in methods]
    return parse_document({"id": name, "verificationMethod": methods, Relationship.ASSERTION_METHOD.value: names}, name)


def _is_for_signatures(key: dict[str, Any]) -> bool:
    """By ``use`` and ``key_ops`` (RFC 7517 §4.2, §4.3), where it says so."""
    operations = key.get("key_ops", ["verify"])
    return key.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
