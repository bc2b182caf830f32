"""The one name of a recipient, however a forward or a keylist writes it.

Aries RFC 0094 says DID or DID URL, deployed agents write raw base58 or did:key (RFC 0360), DIDComm 2.1 §Routing has
DIDs and key ids. A key of kind Ed25519 is known by its raw base58, anything else by its DID without fragment, a
did:peer:4 by its short form.
"""

from __future__ import annotations

from protocols.did import peer4
from protocols.did.syntax import did_of
from protocols.errors import BadInput, PeerFault
from protocols.multiformats import Multicodec, b58_decode, b58_encode, multikey_decode, multikey_encode

__all__ = ["MAX_NAME", "as_did", "name_of"]

MAX_NAME = 12_000
"""A did:peer:4 in long form carries its document."""

_DID_KEY = "did:key:"
_KEY_BYTES = 32


def name_of(text: str) -> str:
    """The name under which a mediator knows the recipient that ``text`` names.

    Raises:
        PeerFault: ``routing.recipient`` where it names neither a key nor a DID.
    """
    try:
        if not text.startswith("did:"):
            if len(b58_decode(text, max_chars=64)) != _KEY_BYTES:
                raise _unreadable()
            return text
        did = did_of(text)
        if did.startswith(_DID_KEY):
            codec, key = multikey_decode(did.removeprefix(_DID_KEY))
            return b58_encode(key) if codec is Multicodec.ED25519_PUB else did
        return peer4.short_form(did) if did.startswith(peer4.PREFIX) else did
    except BadInput:
        raise _unreadable() from None


def as_did(name: str) -> str:
    """The name as a DID: of a key, its did:key."""
    if name.startswith("did:"):
        return name
    return _DID_KEY + multikey_encode(Multicodec.ED25519_PUB, b58_decode(name, max_chars=64))


def _unreadable() -> PeerFault:
    return PeerFault("routing.recipient", "A recipient is neither a key nor a DID.", "Name it by did:key or its DID.")
