"""Controllers named by an ``https`` URL: the document is what is at that URL (Controlled Identifiers 1.0 §3.1).

It is read by the rules of DID documents: its ``id`` has to be the URL, and a key may be used only for what it is
listed under. Whoever has the web server has the identifier, as with did:web. Fetching is left to ``node/net``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from protocols.did import web
from protocols.did.resolution import Resolved
from protocols.did.syntax import check_controller

__all__ = ["PREFIX", "document_url", "read"]

PREFIX = "https://"


def document_url(name: str, *, allow_http: bool = False) -> str:
    """Where the document is: at the URL itself.

    Raises:
        BadInput: ``did.malformed``.
    """
    del allow_http
    return check_controller(name)


def read(name: str, files: Sequence[bytes], *, now: datetime) -> Resolved:
    """The document, with the keys that may be used at ``now``.

    Raises:
        BadInput: ``did.document_malformed`` or ``did.malformed``.
    """
    return Resolved(name, web.parse(name, files[0], now=now))
