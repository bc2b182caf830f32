"""Encrypted envelopes, whatever the wire version: pack, unpack, and wrap for mediators.

Aries RFC 0019 is the one version spoken today; a second is one more entry in ``_FORMATS``. Media types are those
of RFC 0044. Finding keys, sending and receiving are left to the running node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from protocols.didcomm import envelope_v1
from protocols.didcomm.envelope_types import Entropy, KeyStore, Unpacked
from protocols.didcomm.message import Wire
from protocols.keys import KeyPair

__all__ = [
    "ACCEPTED_MEDIA_TYPES", "MEDIA_TYPE", "Entropy", "KeyStore", "Unpacked", "is_accepted_media_type", "pack",
    "unpack", "wrap_for_routing",
]  # fmt: skip

MEDIA_TYPE = envelope_v1.MEDIA_TYPE
# RFC 0044 §Media types: agents of before it was written post envelopes under the other two.
ACCEPTED_MEDIA_TYPES = frozenset({MEDIA_TYPE, "application/ssi-agent-wire", "application/json"})


class _Format(Protocol):
    def pack(self, plaintext: bytes, *, to: Sequence[str], sender: KeyPair | None, entropy: Entropy) -> bytes: ...

    def unpack(self, envelope: bytes, keys: KeyStore) -> Unpacked: ...

    def wrap_for_routing(
        self, envelope: bytes, *, to: str, routing_keys: Sequence[str], new_id: Callable[[], str], entropy: Entropy
    ) -> bytes: ...


_FORMATS: dict[Wire, _Format] = {Wire.V1: envelope_v1}


def is_accepted_media_type(content_type: str) -> bool:
    """Whether an HTTP body with this ``Content-Type`` may be an envelope; parameters do not matter."""
    return content_type.partition(";")[0].strip().lower() in ACCEPTED_MEDIA_TYPES


def pack(
    plaintext: bytes, *, to: Sequence[str], sender: KeyPair | None, entropy: Entropy, wire: Wire = Wire.V1
) -> bytes:
    """Encrypt ``plaintext`` for every verkey in ``to``; authenticated by ``sender``, anonymous where it is None.

    Raises:
        BadInput: ``envelope.recipient`` where ``to`` is empty, too long or holds what is no Ed25519 verkey.
    """
    return _FORMATS[wire].pack(plaintext, to=to, sender=sender, entropy=entropy)


def unpack(envelope: bytes, keys: KeyStore, *, wire: Wire = Wire.V1) -> Unpacked:
    """Open an envelope with the first of its recipients' keys that ``keys`` has.

    Raises:
        PeerFault: ``envelope.too_large``, ``envelope.malformed``, ``envelope.not_for_us`` or ``envelope.unreadable``.
    """
    return _FORMATS[wire].unpack(envelope, keys)


def wrap_for_routing(
    envelope: bytes,
    *,
    to: str,
    routing_keys: Sequence[str],
    new_id: Callable[[], str],
    entropy: Entropy,
    wire: Wire = Wire.V1,
) -> bytes:
    """Wrap a packed envelope once for every mediator (RFC 0094); unchanged where there is none.

    Args:
        to: the verkey that the innermost envelope is for.
        routing_keys: mediators' verkeys in the order of the DID document; the endpoint belongs to the last.

    Raises:
        BadInput: ``envelope.recipient``.
    """
    return _FORMATS[wire].wrap_for_routing(envelope, to=to, routing_keys=routing_keys, new_id=new_id, entropy=entropy)
