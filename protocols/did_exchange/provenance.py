"""Who may speak for a DID in DID Exchange (Aries RFC 0023 §Request processing, §Response Processing).

Three questions, each a pure function: does the envelope's sender control the DID document; does the response's new DID
come from whoever made the invitation; is an attached document the document of its DID. Resolving is left to the node.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

from nacl.exceptions import CryptoError

from protocols import strict_json
from protocols.did.document import DidDocument, Relationship
from protocols.did.services import DIDCOMM_V1_TYPES
from protocols.did_exchange.messages import Request, Response
from protocols.didcomm.attachments import Attachment
from protocols.errors import LernodeError, PeerFault
from protocols.keys import KeyPair, PublicKey, ed25519_public_to_x25519
from protocols.multiformats import Multicodec, b58_decode, multibase_encode

__all__ = ["GENESIS_PREFIX", "attached_document", "check_control", "check_response", "sign_rotation"]

GENESIS_PREFIX = "did:peer:1"
"""The one DID method whose document only the message can bring: did:peer numeric algorithm 1."""

_SHA256_MULTIHASH = b"\x12\x20"


def check_control(document: DidDocument, sender: str | None) -> None:
    """Check that the key that authenticated the envelope belongs to the DID of the message.

    It does where the document lists it for authentication, for key agreement (as it is or as X25519), or as a
    recipient key of its DIDComm v1 service, by which RFC 0067 names the keys that pack and unpack.

    Raises:
        PeerFault: ``did_exchange.not_controlled``; also where the envelope was anonymous.
    """
    if sender is not None and _is_key_of(document, sender):
        return
    raise PeerFault(
        "did_exchange.not_controlled",
        "The message was not packed with a key of the DID that it gives.",
        "Pack it with a key that the DID document lists.",
    )


def sign_rotation(did: str, key: KeyPair, *, attachment_id: str) -> Attachment:
    """``did_rotate~attach``: the new DID, signed with the invitation's key."""
    return Attachment.of_bytes(did.encode(), id=attachment_id, media_type="text/string").signed(key)


def check_response(response: Response, *, invitation_keys: Collection[str], sender: str | None) -> None:
    """Check that the response's DID comes from whoever made the invitation.

    Every signature that is there must be valid (RFC 0023 §Response Processing), and there must be one, unless the
    envelope itself was authenticated by the invitation's key.

    Args:
        invitation_keys: verkeys of the invitation's services.

    Raises:
        PeerFault: ``did_exchange.unsigned_rotation``, ``did_exchange.rotation`` where the signed DID is another,
            ``attachment.*`` where a signature or content is wrong, ``did_exchange.document``.
    """
    if response.did_rotate is not None:
        response.did_rotate.verify(invitation_keys)
        if response.did_rotate.content() != response.did.encode():
            raise PeerFault("did_exchange.rotation", "The signed DID is not the response's.", "Sign the DID you give.")
    if response.did_doc is not None:
        response.did_doc.verify(invitation_keys)
        if _document_id(response.did_doc) != response.did:
            raise _foreign_document()
    elif response.did_rotate is None and (sender is None or sender not in invitation_keys):
        raise PeerFault(
            "did_exchange.unsigned_rotation",
            "Nothing shows that the response comes from whoever made the invitation.",
            "Sign did_rotate~attach with the invitation's key.",
        )


def attached_document(message: Request | Response, *, signers: Collection[str]) -> dict[str, Any] | None:
    """The DID document that a message brings, signed by one of ``signers``, for a DID that has no other source.

    Only did:peer:1 is such a DID, and the document must hash to it. For every other method the answer is None: whoever
    could bring a document for any DID could speak for any DID.

    Raises:
        PeerFault: ``did_exchange.document``, or ``attachment.*``.
    """
    if not message.did.startswith(GENESIS_PREFIX):
        return None
    if message.did_doc is None:
        raise PeerFault("did_exchange.document", "A did:peer:1 came without its document.", "Attach did_doc~attach.")
    message.did_doc.verify(signers)
    document = message.did_doc.json()
    if not isinstance(document, dict) or document.get("id") != message.did or _genesis(document) != message.did:
        raise _foreign_document()
    return document


def _is_key_of(document: DidDocument, sender: str) -> bool:
    try:
        public = b58_decode(sender, max_chars=64)
        x25519 = ed25519_public_to_x25519(public)
    except (LernodeError, CryptoError, ValueError, TypeError):
        return False
    methods = document.methods(Relationship.AUTHENTICATION) + document.methods(Relationship.KEY_AGREEMENT)
    listed = {method.key for method in methods}
    own = {PublicKey(Multicodec.ED25519_PUB, public), PublicKey(Multicodec.X25519_PUB, x25519)}
    recipients = {key for s in document.services if s.type in DIDCOMM_V1_TYPES for key in s.recipient_keys}
    return bool(listed & own) or sender in recipients


def _document_id(attachment: Attachment) -> str | None:
    document = attachment.json()
    identifier = document.get("id") if isinstance(document, dict) else None
    return identifier if isinstance(identifier, str) else None


def _genesis(document: dict[str, Any]) -> str:
    """Peer DID Method §Generation, numeric algorithm 1: the hash of the document as sent, without its ``id``."""
    stored = {name: value for name, value in document.items() if name != "id"}
    digest = hashlib.sha256(strict_json.dumps(stored)).digest()
    return GENESIS_PREFIX + multibase_encode(_SHA256_MULTIHASH + digest)


def _foreign_document() -> PeerFault:
    return PeerFault("did_exchange.document", "The attached document is of another DID.", "Attach the DID's own.")
