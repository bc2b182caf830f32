"""The forward message: 1.0 in DIDComm v1 (Aries RFC 0094), 2.0 in v2 (DIDComm 2.1 §Routing Protocol 2.0).

It promises that what is to be forwarded looks like an encrypted message, and nothing about what is in it: whoever
forwards has no key for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols import strict_json
from protocols.didcomm.attachments_v2 import read
from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.didcomm.versions import known_as, on_wire
from protocols.errors import PeerFault
from protocols.routing.names import MAX_NAME

__all__ = ["KNOWN_AS", "MAX_FORWARDED", "PROTOCOL", "Forward", "decode"]

PROTOCOL = DIDCOMM_ORG + "routing/1.0"
KNOWN_AS = tuple(known_as(PROTOCOL, wire) for wire in Wire)
"""The protocol with its major version, on each wire."""

# Handed on, it stands in base64 in a message that may be as large as any.
MAX_FORWARDED = (strict_json.MAX_BYTES - 16_384) // 4 * 3
"""The longest envelope that is forwarded, in bytes."""

_MAX_ENVELOPES = 16
_ENCRYPTED = ("protected", "iv", "ciphertext", "tag")


@dataclass(frozen=True, slots=True)
class Forward:
    """Hold these envelopes for that recipient.

    Attributes:
        next: whom they are for, as the sender names it; see :func:`protocols.routing.names.name_of`.
        envelopes: encrypted messages, each as JSON text.
        expires_time: when it is no longer worth it, in seconds since 1970; v2 only.
    """

    id: str
    next: str
    envelopes: tuple[bytes, ...]
    expires_time: int | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it; v1 has room for one envelope."""
        type_uri = f"{on_wire(PROTOCOL, wire)}/forward"
        inner = [strict_json.loads_object(envelope) for envelope in self.envelopes]
        if wire is Wire.V1:
            return PlainMessage(type_uri, self.id, self.id, body={"to": self.next, "msg": inner[0]}, wire=wire)
        return PlainMessage(
            type_uri,
            self.id,
            self.id,
            body={"next": self.next},
            wire=wire,
            expires_time=self.expires_time,
            attachments=tuple({"data": {"json": each}} for each in inner),
        )


def decode(message: PlainMessage) -> Forward:
    """Read a forward of either version.

    Raises:
        PeerFault: ``message.type``, ``message.malformed``, ``attachment.*``, ``routing.not_encrypted``,
            ``routing.too_large``.
    """
    if message.protocol != known_as(PROTOCOL, message.wire) or message.name != "forward":
        raise PeerFault("message.type", "Routing has no such message.", "See Aries RFC 0094 and DIDComm 2.1.")
    fields = Fields(message.body)
    if message.wire is Wire.V1:
        next_name = fields.text("to", max_chars=MAX_NAME)
        return Forward(message.id, next_name, (_envelope(fields.mapping("msg")),))
    next_name = fields.text("next", max_chars=MAX_NAME)
    attached = [read(raw).json() for raw in message.attachments]
    if not 0 < len(attached) <= _MAX_ENVELOPES:
        raise fields.fault("attachments", f"are not 1 to {_MAX_ENVELOPES}")
    return Forward(message.id, next_name, tuple(_envelope(each) for each in attached), message.expires_time)


def _envelope(raw: Any) -> bytes:
    """The envelope as text; a message that is not encrypted is nobody's business in between."""
    if not isinstance(raw, Mapping) or not all(isinstance(raw.get(name), str) for name in _ENCRYPTED):
        raise PeerFault("routing.not_encrypted", "What is to be forwarded is not encrypted.", "Encrypt it first.")
    text = strict_json.dumps(dict(raw))
    if len(text) > MAX_FORWARDED:
        raise PeerFault("routing.too_large", f"A message for others has at most {MAX_FORWARDED} bytes.", "Send less.")
    return text
