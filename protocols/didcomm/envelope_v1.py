"""DIDComm v1 encryption envelope: Aries RFC 0019 pack and unpack, RFC 0094 forward wrapping.

How it works: a fresh content key encrypts the plaintext once (ChaCha20-Poly1305-IETF, 12-byte nonce, with the base64url
text of ``protected`` as associated data; the registered name in ``enc`` says xchacha20, the RFC's algorithm does not).
The content key is encrypted for each recipient: by ``crypto_box`` from the sender, whose verkey travels sealed to the
recipient (Authcrypt), or by a sealed box (Anoncrypt). Keys are Ed25519 and are mapped to X25519.

It promises that a sender is reported only where the content key opened under the sender's key and the content opened
under the content key. It cannot promise more than the RFC: whoever is one of **several** recipients of an
authenticated envelope knows its content key and could write another content for its fellow recipients.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nacl import bindings
from nacl.exceptions import CryptoError

from protocols import strict_json
from protocols.didcomm.envelope_types import Entropy, KeyStore, Unpacked
from protocols.didcomm.fields import Fields
from protocols.errors import BadInput, LernodeError, PeerFault
from protocols.keys import KeyPair, ed25519_public_to_x25519
from protocols.multiformats import b58_decode, b58_encode, b64url_decode, b64url_encode

__all__ = ["MAX_BYTES", "MEDIA_TYPE", "pack", "unpack", "wrap_for_routing"]

MEDIA_TYPE = "application/didcomm-envelope-enc"

_ENC = "xchacha20poly1305_ietf"
_TYP = "JWM/1.0"
_AUTHCRYPT = "Authcrypt"
_ANONCRYPT = "Anoncrypt"
_FORWARD = "https://didcomm.org/routing/1.0/forward"
# Base64url of base64url of the largest plaintext, twice for a mediator in between, fits four times the JSON limit.
MAX_BYTES = 4 * strict_json.MAX_BYTES
_MAX_RECIPIENTS = 64
_KEY_BYTES = 32
_NONCE_BYTES = bindings.crypto_aead_chacha20poly1305_ietf_NPUBBYTES
_TAG_BYTES = bindings.crypto_aead_chacha20poly1305_ietf_ABYTES
_BOX_NONCE_BYTES = bindings.crypto_box_NONCEBYTES


def pack(plaintext: bytes, *, to: Sequence[str], sender: KeyPair | None, entropy: Entropy) -> bytes:
    """RFC 0019 §Pack Message: Authcrypt with a ``sender``, Anoncrypt without.

    Raises:
        BadInput: ``envelope.recipient``.
    """
    if not 0 < len(to) <= _MAX_RECIPIENTS:
        raise BadInput("envelope.recipient", f"An envelope is for 1 to {_MAX_RECIPIENTS} keys.", "Name a recipient.")
    content_key = entropy(bindings.crypto_aead_chacha20poly1305_ietf_KEYBYTES)
    protected = {
        "enc": _ENC,
        "typ": _TYP,
        "alg": _ANONCRYPT if sender is None else _AUTHCRYPT,
        "recipients": [_recipient(verkey, content_key, sender, entropy) for verkey in to],
    }
    protected_text = b64url_encode(strict_json.dumps(protected))
    nonce = entropy(_NONCE_BYTES)
    sealed = bindings.crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, protected_text.encode(), nonce, content_key)
    return strict_json.dumps(
        {
            "protected": protected_text,
            "iv": b64url_encode(nonce),
            "ciphertext": b64url_encode(sealed[:-_TAG_BYTES]),
            "tag": b64url_encode(sealed[-_TAG_BYTES:]),
        }
    )


def unpack(envelope: bytes, keys: KeyStore, raw: dict[str, Any] | None = None) -> Unpacked:
    """RFC 0019 §Unpack Message, with the first recipient whose key ``keys`` has.

    Args:
        raw: the JSON object that the envelope is, where it was read already.

    Raises:
        PeerFault: ``envelope.too_large``, ``envelope.malformed``, ``envelope.not_for_us`` or ``envelope.unreadable``.
    """
    if len(envelope) > MAX_BYTES:
        raise PeerFault("envelope.too_large", f"The envelope is larger than {MAX_BYTES} bytes.", "Send less.")
    try:
        parsed = _parse(strict_json.loads_object(envelope, max_bytes=MAX_BYTES) if raw is None else raw)
    except PeerFault:
        raise
    except LernodeError:
        raise _malformed("is not the JSON of RFC 0019") from None
    for recipient in parsed.recipients:
        key = keys.find(recipient.verkey)
        if key is not None:
            return _open(parsed, recipient, key)
    raise PeerFault("envelope.not_for_us", "No key of this node opens the envelope.", "Use our current DID document.")


def wrap_for_routing(
    envelope: bytes, *, to: str, routing_keys: Sequence[str], new_id: Callable[[], str], entropy: Entropy
) -> bytes:
    """RFC 0094: one ``forward`` a mediator, each packed anonymously for that mediator.

    ``to`` names a verkey in raw base58, as deployed mediators expect, not the RFC's older ``did#key``.

    Raises:
        BadInput: ``envelope.recipient``.
    """
    if len(routing_keys) > _MAX_RECIPIENTS:
        raise BadInput("envelope.recipient", f"A route has at most {_MAX_RECIPIENTS} mediators.", "Shorten it.")
    for routing_key in routing_keys:
        inner = strict_json.loads_object(envelope, max_bytes=len(envelope))
        forward = {"@type": _FORWARD, "@id": new_id(), "to": to, "msg": inner}
        envelope = pack(strict_json.dumps(forward), to=[routing_key], sender=None, entropy=entropy)
        to = routing_key
    return envelope


@dataclass(frozen=True, slots=True)
class _Recipient:
    verkey: str
    encrypted_key: bytes
    sender: bytes | None
    nonce: bytes | None


@dataclass(frozen=True, slots=True)
class _Parsed:
    protected: bytes
    recipients: tuple[_Recipient, ...]
    nonce: bytes
    sealed: bytes


def _recipient(verkey: str, content_key: bytes, sender: KeyPair | None, entropy: Entropy) -> dict[str, Any]:
    public = _x25519(verkey)
    if sender is None:
        return {"encrypted_key": b64url_encode(_seal(content_key, public, entropy)), "header": {"kid": verkey}}
    nonce = entropy(_BOX_NONCE_BYTES)
    encrypted_key = bindings.crypto_box(content_key, nonce, public, sender.x25519_secret())
    return {
        "encrypted_key": b64url_encode(encrypted_key),
        "header": {
            "kid": verkey,
            "sender": b64url_encode(_seal(sender.verkey.encode(), public, entropy)),
            "iv": b64url_encode(nonce),
        },
    }


def _seal(message: bytes, public: bytes, entropy: Entropy) -> bytes:
    """libsodium's ``crypto_box_seal`` with the ephemeral key from ``entropy``, so that vectors repeat."""
    ephemeral_public, ephemeral_secret = bindings.crypto_box_seed_keypair(entropy(bindings.crypto_box_SEEDBYTES))
    nonce = hashlib.blake2b(ephemeral_public + public, digest_size=_BOX_NONCE_BYTES).digest()
    return ephemeral_public + bindings.crypto_box(message, nonce, public, ephemeral_secret)


def _x25519(verkey: str) -> bytes:
    try:
        return ed25519_public_to_x25519(_public(verkey))
    except (LernodeError, CryptoError):
        raise BadInput("envelope.recipient", "A recipient key is no Ed25519 verkey.", "Check the document.") from None


@lru_cache(maxsize=1024)
def _public(verkey: str) -> bytes:
    """The 32 bytes of a verkey that is written the one way base58 writes them."""
    public = b58_decode(verkey, max_chars=64)
    if len(public) != _KEY_BYTES or b58_encode(public) != verkey:
        raise _malformed("names a key that is no verkey")
    return public


def _parse(raw: dict[str, Any]) -> _Parsed:
    outer = _fields(raw)
    protected_text = outer.text("protected", max_chars=MAX_BYTES)
    protected = _fields(strict_json.loads_object(b64url_decode(protected_text)))
    alg = protected.text("alg")
    if protected.text("enc") != _ENC or protected.text("typ") != _TYP or alg not in {_AUTHCRYPT, _ANONCRYPT}:
        raise _malformed("uses an algorithm that RFC 0019 does not define")
    recipients = protected.mappings("recipients", max_items=_MAX_RECIPIENTS)
    nonce = b64url_decode(outer.text("iv", max_chars=64))
    tag = b64url_decode(outer.text("tag", max_chars=64))
    if len(nonce) != _NONCE_BYTES or len(tag) != _TAG_BYTES or not recipients:
        raise _malformed("has a nonce, tag or recipient list of the wrong length")
    return _Parsed(
        protected=protected_text.encode(),
        recipients=tuple(_parse_recipient(recipient, authenticated=alg == _AUTHCRYPT) for recipient in recipients),
        nonce=nonce,
        sealed=b64url_decode(outer.text("ciphertext", max_chars=MAX_BYTES)) + tag,
    )


def _parse_recipient(raw: dict[str, Any], *, authenticated: bool) -> _Recipient:
    fields = _fields(raw)
    header = _fields(fields.mapping("header"))
    verkey = header.text("kid", max_chars=64)
    _public(verkey)
    sender, nonce = header.optional_text("sender"), header.optional_text("iv")
    # A sender that the algorithm does not authenticate must not even be looked at.
    if (sender is not None) != authenticated or (nonce is not None) != authenticated:
        raise _malformed("names a sender where its algorithm has none, or none where it has")
    return _Recipient(
        verkey=verkey,
        encrypted_key=b64url_decode(fields.text("encrypted_key")),
        sender=None if sender is None else b64url_decode(sender),
        nonce=None if nonce is None else b64url_decode(nonce),
    )


def _open(parsed: _Parsed, recipient: _Recipient, key: KeyPair) -> Unpacked:
    try:
        sender, content_key = _open_content_key(recipient, key)
        plaintext = bindings.crypto_aead_chacha20poly1305_ietf_decrypt(
            parsed.sealed, parsed.protected, parsed.nonce, content_key
        )
    # PyNaCl reports a wrong length by its ValueError and TypeError, a failed tag by its CryptoError.
    except (CryptoError, ValueError, TypeError, LernodeError):
        raise PeerFault("envelope.unreadable", "The envelope does not decrypt.", "Pack it again.") from None
    return Unpacked(plaintext=plaintext, sender=sender, recipient=recipient.verkey)


def _open_content_key(recipient: _Recipient, key: KeyPair) -> tuple[str | None, bytes]:
    public, secret = key.x25519_public(), key.x25519_secret()
    if recipient.sender is None or recipient.nonce is None:
        return None, bindings.crypto_box_seal_open(recipient.encrypted_key, public, secret)
    sender = bindings.crypto_box_seal_open(recipient.sender, public, secret).decode("ascii")
    sender_public = ed25519_public_to_x25519(_public(sender))
    return sender, bindings.crypto_box_open(recipient.encrypted_key, recipient.nonce, sender_public, secret)


def _fields(raw: dict[str, Any]) -> Fields:
    return Fields(raw, where="envelope", code="envelope.malformed")


def _malformed(what: str) -> PeerFault:
    return PeerFault("envelope.malformed", f"The envelope {what}.", "See Aries RFC 0019.")
