"""The grammar of DIDs and DID URLs (DID Core 1.0 §3), bounded in length.

Leaves what an identifier means to the file of its method.
"""

from __future__ import annotations

import re
from functools import lru_cache

from protocols.errors import BadInput

__all__ = ["MAX_DID_CHARS", "absolute_url", "check_controller", "check_did", "controller_of", "did_of"]

MAX_DID_CHARS = 10_000
"""Longest DID read: a did:peer:4 in long form carries a whole document."""

_DID = re.compile(r"did:[a-z0-9]+:(?:[A-Za-z0-9._:-]|%[0-9A-Fa-f]{2})+", re.ASCII)
_HTTPS = re.compile(
    r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?](?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*+)?", re.ASCII
)
_MAX_HTTPS = 4096
_URL_PART = re.compile(r"[/?#]")
# Path and query, then one fragment; no text fits in two ways, or matching would take exponential time.
_CHARS = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*+"
_URL_REST = re.compile(f"(?:[/?]{_CHARS})?(?:#{_CHARS})?", re.ASCII)


def check_did(did: str) -> str:
    """``did`` itself, if it is a DID and nothing more (no path, query or fragment).

    Raises:
        BadInput: ``did.malformed``.
    """
    if len(did) > MAX_DID_CHARS or not _DID.fullmatch(did) or did.endswith(":"):
        raise BadInput("did.malformed", "A value is not a DID.", "Write it as did:method:identifier (DID Core §3.1).")
    return did


def check_controller(name: str) -> str:
    """``name`` itself, if it can name a controller: a DID, or an ``https`` URL (Controlled Identifiers 1.0 §2.1).

    Raises:
        BadInput: ``did.malformed``.
    """
    if name.startswith("https://") and len(name) <= _MAX_HTTPS and _HTTPS.fullmatch(name):
        return name
    return check_did(name)


def controller_of(url: str) -> str:
    """Whose verification method a URL names: what stands before the fragment, or as :func:`did_of`.

    Raises:
        BadInput: ``did.malformed``.
    """
    return check_controller(url.partition("#")[0]) if url.startswith("https://") else did_of(url)


@lru_cache(maxsize=128)
def did_of(did_url: str) -> str:
    """The DID of a DID URL (DID Core §3.2), without path, query and fragment; kept, as a message has few of them.

    Raises:
        BadInput: ``did.malformed``.
    """
    part = _URL_PART.search(did_url)
    if part is None:
        return check_did(did_url)
    if len(did_url) > 2 * MAX_DID_CHARS or not _URL_REST.fullmatch(did_url, part.start()):
        raise BadInput("did.malformed", "A value is not a DID URL.", "Write it as did:method:identifier#fragment.")
    return check_did(did_url[: part.start()])


def absolute_url(reference: str, did: str) -> str:
    """A DID URL, relative (``#key``, DID Core §3.2.2) or absolute, as an absolute one with ``did`` as its base.

    Raises:
        BadInput: ``did.malformed``.
    """
    url = did + reference if reference.startswith("#") else reference
    controller_of(url)
    return url
