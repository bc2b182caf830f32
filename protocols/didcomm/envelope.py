"""Envelopes of whatever wire version: which it is, by its content, and what was in it.

A DIDComm v2 envelope lists its recipients, or its signatures, in the open; a v1 envelope (Aries RFC 0019) does not. The
media type says nothing that could be relied on. Packing stands with each version, as keys are named differently
there: verkeys in :mod:`protocols.didcomm.envelope_v1`, verification methods in :mod:`protocols.didcomm.envelope_v2`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from protocols import strict_json
from protocols.did.resolver import Resolver
from protocols.didcomm import codec_v1, envelope_v1, envelope_v2, signed_v2
from protocols.didcomm.envelope_types import AgreementKeyStore, KeyStore
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import LernodeError, PeerFault

__all__ = [
    "ACCEPTED_MEDIA_TYPES", "MAX_BYTES", "MEDIA_TYPES", "EnvelopeKeys", "Opened", "is_accepted_media_type",
    "open_envelope", "wire_of",
]  # fmt: skip

MEDIA_TYPES: dict[Wire, str] = {Wire.V1: envelope_v1.MEDIA_TYPE, Wire.V2: envelope_v2.MEDIA_TYPE}
"""What an encrypted message is sent as."""

# RFC 0044 §Media types: agents of before it was written post envelopes under the last two.
ACCEPTED_MEDIA_TYPES = frozenset(
    {*MEDIA_TYPES.values(), signed_v2.MEDIA_TYPE, "application/ssi-agent-wire", "application/json"}
)

MAX_BYTES = max(envelope_v1.MAX_BYTES, envelope_v2.MAX_BYTES)
"""The longest envelope of any version."""

_V2_MEMBERS = frozenset({"recipients", "payload"})


class EnvelopeKeys(KeyStore, AgreementKeyStore, Protocol):
    """The keys that can open envelopes of every version."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A message and who the envelope proves it is from.

    Attributes:
        sender: the key that authenticated it: verkey in v1, DID URL in v2; None where it is anonymous.
        recipient: the key of ours that opened it, likewise; None where it was signed only.
        signer: the key (DID URL) that signed it; v2 only.
    """

    message: PlainMessage
    sender: str | None
    recipient: str | None
    signer: str | None = None


def is_accepted_media_type(content_type: str) -> bool:
    """Whether an HTTP body with this ``Content-Type`` may be an envelope; parameters do not matter."""
    return content_type.partition(";")[0].strip().lower() in ACCEPTED_MEDIA_TYPES


def wire_of(raw: Mapping[str, Any]) -> Wire:
    """The version of an envelope that is a JSON object already."""
    return Wire.V1 if _V2_MEMBERS.isdisjoint(raw) else Wire.V2


async def open_envelope(envelope: bytes, keys: EnvelopeKeys, resolver: Resolver) -> Opened:
    """Open an envelope and read the message in it.

    Raises:
        PeerFault: ``envelope.*`` or ``message.*``.
        BadInput: ``json.*`` where the message is not JSON within limits.
        NotNow: ``did.unreachable``: who sent it cannot be found out at the moment.
    """
    raw = _object(envelope)
    if wire_of(raw) is Wire.V1:
        old = envelope_v1.unpack(envelope, keys, raw)
        return Opened(codec_v1.decode(old.plaintext), old.sender, old.recipient)
    new = await envelope_v2.unpack(envelope, keys, resolver, raw)
    return Opened(new.message, new.sender, new.recipient, new.signer)


def _object(envelope: bytes) -> dict[str, Any]:
    if len(envelope) > MAX_BYTES:
        raise PeerFault("envelope.too_large", f"The envelope is larger than {MAX_BYTES} bytes.", "Send less.")
    try:
        return strict_json.loads_object(envelope, max_bytes=MAX_BYTES)
    except LernodeError as error:
        raise PeerFault(
            "envelope.malformed", f"The envelope cannot be read. {error.message}", "Send a DIDComm message."
        ) from None
