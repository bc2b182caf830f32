"""DIDComm v2 envelopes: encrypted with or without a sender, signed, and one in the other (DIDComm 2.1 §Security).

How it works: :func:`unpack` takes off one envelope after another, in one of the orders that the specification allows,
resolving the DIDs of sender and signer, and compares what the message says of itself with the keys that it found.
:func:`pack` puts one on; envelopes are combined by packing what was packed.

It promises that a sender is reported only where its DID lists the key under ``keyAgreement`` and the content opened
under it, and a signer only where its DID lists the key under ``authentication``. As with v1, whoever is one of several
recipients could make an authenticated message for the others' keys, were they not all of one DID, which is checked.
Finding keys and documents, and what an unauthenticated message may do, are left to the running node.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from protocols import strict_json
from protocols.did.document import DidDocument, Relationship, VerificationMethod
from protocols.did.resolver import Resolver
from protocols.did.syntax import did_of
from protocols.didcomm import codec_v2, signed_v2
from protocols.didcomm.addressing_v2 import check_addressing
from protocols.didcomm.envelope_types import AgreementKeyStore, Entropy
from protocols.didcomm.message import PlainMessage
from protocols.errors import BadInput, LernodeError, NotNow, PeerFault
from protocols.jose import ECDH_1PU, MAX_RECIPIENTS, Jwe, open_jwe, read_jwe, seal_jwe
from protocols.keys import AgreementKey, PublicKey
from protocols.multiformats import b64url_encode

__all__ = ["MAX_BYTES", "MEDIA_TYPE", "Encryption", "Layer", "SenderKey", "Unpacked", "pack", "recipients_of", "unpack"]

MEDIA_TYPE = "application/didcomm-encrypted+json"

# The largest plaintext in base64url, signed, encrypted twice, and once more for a mediator.
MAX_BYTES = 6 * strict_json.MAX_BYTES


class Encryption(StrEnum):
    """How content is encrypted; with a sender, it has to be the first."""

    A256CBC_HS512 = "A256CBC-HS512"
    A256GCM = "A256GCM"
    XC20P = "XC20P"


class Layer(StrEnum):
    """The kinds of envelopes."""

    ANONCRYPT = "anoncrypt"
    AUTHCRYPT = "authcrypt"
    SIGNED = "signed"


_COMBINATIONS = frozenset(
    {
        (Layer.SIGNED,),
        (Layer.ANONCRYPT,),
        (Layer.AUTHCRYPT,),
        (Layer.ANONCRYPT, Layer.SIGNED),
        (Layer.AUTHCRYPT, Layer.SIGNED),
        (Layer.ANONCRYPT, Layer.AUTHCRYPT),
        # §IANA Media Types says not to make this one; the last vector of Appendix C.3 is one.
        (Layer.ANONCRYPT, Layer.AUTHCRYPT, Layer.SIGNED),
    }
)
"""From the outermost in (DIDComm 2.1 §IANA Media Types)."""


@dataclass(frozen=True, slots=True)
class SenderKey:
    """The key of ours that authenticates an envelope.

    Attributes:
        kid: its DID URL, under ``keyAgreement`` of our DID's document.
    """

    kid: str
    key: AgreementKey


class Unpacked(msgspec.Struct, frozen=True):
    """What was in the envelopes, its addressing checked against them.

    Attributes:
        layers: the envelopes, from the outermost in.
        sender: the key (DID URL) that authenticated the encryption; None where none did.
        signer: the key (DID URL) that signed; None where none did.
        recipient: the key of ours (DID URL) that opened the innermost encryption; None where there was none.
        signed: the signed message as it was inside the encryption, which proves to others who said it.
    """

    message: PlainMessage
    layers: tuple[Layer, ...]
    sender: str | None = None
    signer: str | None = None
    recipient: str | None = None
    signed: bytes | None = None


def recipients_of(document: DidDocument, codecs: Sequence[int]) -> tuple[VerificationMethod, ...]:
    """The keys to encrypt for so that a DID can read it on each of its devices (§Key IDs).

    Args:
        codecs: kinds of keys that may be used, the favourite first; with a sender, those that it has.

    Raises:
        BadInput: ``envelope.recipient`` where the document has none of these.
    """
    keys = document.methods(Relationship.KEY_AGREEMENT)
    for codec in codecs:
        found = tuple(method for method in keys if method.key.codec == codec)
        if found:
            return found[:MAX_RECIPIENTS]
    raise BadInput("envelope.recipient", "The DID has no key that can be encrypted for.", "Ask for another DID.")


def pack(
    plaintext: bytes,
    *,
    to: Sequence[VerificationMethod],
    sender: SenderKey | None,
    entropy: Entropy,
    encryption: Encryption = Encryption.A256CBC_HS512,
) -> bytes:
    """Encrypt a message, or what was packed or signed already.

    Args:
        to: keys of one DID and curve, see :func:`recipients_of`.
        sender: authenticates it; anonymous where it is None.

    Raises:
        BadInput: ``envelope.recipient`` where ``to`` is empty or the keys do not go together; ``jwe.alg_unsupported``
            where the encryption does not go with a sender.
    """
    kids = [method.id for method in to]
    header: dict[str, Any] = {"typ": MEDIA_TYPE, "enc": encryption.value, "apv": b64url_encode(_apv(kids))}
    if sender is not None:
        header |= {"skid": sender.kid, "apu": b64url_encode(sender.kid.encode())}
    try:
        if len({did_of(kid) for kid in kids}) != 1:
            raise BadInput("jwe.recipients", "The keys are not of one DID.", "Encrypt for each DID on its own.")
        jwe = seal_jwe(
            plaintext,
            header=header,
            recipients=[(method.id, method.key) for method in to],
            sender=None if sender is None else sender.key,
            entropy=entropy,
        )
    except BadInput as error:
        if error.code != "jwe.recipients":
            raise
        raise BadInput("envelope.recipient", error.message, "Check the document of the recipient.") from None
    return strict_json.dumps(jwe)


async def unpack(
    envelope: bytes, keys: AgreementKeyStore, resolver: Resolver, raw: dict[str, Any] | None = None
) -> Unpacked:
    """Open what is encrypted for one of ``keys``, or signed, and check what it says of itself.

    Args:
        raw: the JSON object that the envelope is, where it was read already.

    Raises:
        PeerFault: ``envelope.too_large``, ``envelope.malformed``, ``envelope.not_for_us``, ``envelope.unreadable``,
            ``envelope.sender`` where the sender's key is not one of its DID, ``envelope.signature``,
            ``message.addressing``, or as :func:`protocols.didcomm.codec_v2.decode`.
        NotNow: ``did.unreachable``.
    """
    if len(envelope) > MAX_BYTES:
        raise PeerFault("envelope.too_large", f"The envelope is larger than {MAX_BYTES} bytes.", "Send less.")
    layers: list[Layer] = []
    recipients: list[str] = []
    sender = signer = signed = None
    content = envelope
    if raw is None:
        raw = _object(content)
    while True:
        if "ciphertext" in raw:
            jwe = _read_encrypted(raw)
            layer = Layer.AUTHCRYPT if jwe.alg == ECDH_1PU else Layer.ANONCRYPT
            _descend(layers, layer)
            # First whether it is for us: nobody else's envelope makes us ask others for documents.
            kid, key = _own_key(jwe, keys)
            recipients.append(kid)
            if layer is Layer.AUTHCRYPT:
                sender = _skid(jwe)
            content = _decrypt(jwe, kid, key, await _sender_key(sender, resolver) if sender is not None else None)
        elif "payload" in raw:
            _descend(layers, Layer.SIGNED)
            signed = content
            content, signer = await signed_v2.open_signed(raw, resolver)
        else:
            break
        raw = _object(content)
    if not layers:
        raise _malformed("does not protect its message")
    if len(content) > strict_json.MAX_BYTES:
        raise PeerFault(
            "envelope.too_large", f"The message is larger than {strict_json.MAX_BYTES} bytes.", "Send less."
        )
    message = codec_v2.decode_object(raw)
    check_addressing(message, sender=sender, signer=signer, recipients=tuple(recipients))
    return Unpacked(
        message=message,
        layers=tuple(layers),
        sender=sender,
        signer=signer,
        recipient=recipients[-1] if recipients else None,
        signed=signed,
    )


def _descend(layers: list[Layer], layer: Layer) -> None:
    layers.append(layer)
    if tuple(layers) not in _COMBINATIONS:
        raise _malformed("is in another in an order that DIDComm 2.1 does not define")


def _read_encrypted(raw: Mapping[str, Any]) -> Jwe:
    """Read an encrypted message, and check what of DIDComm's own its headers have to say."""
    try:
        jwe = read_jwe(raw)
        dids = {did_of(kid) if "#" in kid else None for kid in jwe.recipients}
        if len(dids) != 1 or None in dids:
            raise _malformed("is not for keys of one DID")
    except BadInput as error:
        raise _malformed(f"cannot be read. {error.message}") from None
    typ = jwe.header.get("typ")
    if typ is not None and not codec_v2.is_media_type(typ, MEDIA_TYPE):
        raise _malformed("has the typ of something else")
    if jwe.parties[1] != _apv(jwe.recipients):
        raise _malformed("has an apv that is not of its recipients")
    # A sender that the algorithm does not authenticate must not even be looked at.
    if jwe.alg != ECDH_1PU and ("skid" in jwe.header or "apu" in jwe.header):
        raise _malformed("names a sender that nothing authenticates")
    return jwe


def _skid(jwe: Jwe) -> str:
    """The sender's key; it stands in ``apu`` too, or there alone (§ECDH-1PU key wrapping)."""
    try:
        named = jwe.parties[0].decode("ascii")
        if "#" not in named or not did_of(named) or jwe.header.get("skid", named) != named:
            raise _malformed("does not name its sender the same in apu and skid")
    except (UnicodeDecodeError, BadInput):
        raise _malformed("has an apu that names no key") from None
    return named


async def _sender_key(skid: str, resolver: Resolver) -> PublicKey:
    try:
        document = await resolver.resolve(did_of(skid))
        return document.method_for(skid, Relationship.KEY_AGREEMENT).key
    except NotNow:
        raise
    except BadInput as error:
        raise PeerFault("envelope.sender", error.message, "Use a key under keyAgreement of your DID.") from None


def _own_key(jwe: Jwe, keys: AgreementKeyStore) -> tuple[str, AgreementKey]:
    """The first recipient's key that is ours, and its name."""
    for kid in jwe.recipients:
        key = keys.find_agreement(kid)
        if key is not None:
            return kid, key
    raise PeerFault("envelope.not_for_us", "No key of this node opens the envelope.", "Use our current DID document.")


def _decrypt(jwe: Jwe, kid: str, key: AgreementKey, sender: PublicKey | None) -> bytes:
    try:
        return open_jwe(jwe, kid, key, sender)
    except BadInput:
        raise PeerFault("envelope.unreadable", "The envelope does not decrypt.", "Pack it again.") from None


def _object(content: bytes) -> dict[str, Any]:
    try:
        return strict_json.loads_object(content, max_bytes=MAX_BYTES)
    except LernodeError as error:
        raise _malformed(f"cannot be read. {error.message}") from None


def _apv(kids: Iterable[str]) -> bytes:
    return hashlib.sha256(".".join(sorted(kids)).encode()).digest()


def _malformed(what: str) -> PeerFault:
    return PeerFault("envelope.malformed", f"The envelope {what}.", "See DIDComm 2.1.")
