"""Out-of-band messages: 1.1 in DIDComm v1 (Aries RFC 0434), 2.0 in v2 (DIDComm 2.1 §Out Of Band Messages).

An invitation, and in 1.1 the two messages that reuse a connection; in 2.0 any message under the invitation does. The
invitation travels in the clear (:mod:`protocols.out_of_band.link`), the others encrypted. Nothing in an invitation is
authenticated: label and goal are for display only. Attached requests are left to their protocols.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocols.did.key import did_from_public
from protocols.did.services import DIDCOMM_V1_TYPES, RFC19_PROFILE, Service, read_services
from protocols.did.syntax import check_did
from protocols.didcomm import attachments_v2
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.didcomm.versions import known_as, on_wire
from protocols.errors import BadInput, PeerFault
from protocols.multiformats import b58_decode

__all__ = [
    "PROTOCOL", "HandshakeReuse", "HandshakeReuseAccepted", "Invitation", "OutOfBandMessage", "decode",
]  # fmt: skip

PROTOCOL = DIDCOMM_ORG + "out-of-band/1.1"
_KNOWN_AS = DIDCOMM_ORG + "out-of-band/1"
_MAX_LABEL = 256
_MAX_ITEMS = 16


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a sender publishes so that a receiver can begin.

    Attributes:
        id: parent thread of every message that answers it.
        accept: media type profiles, the sender's favourite first.
        handshake_protocols: protocol URIs with version, the sender's favourite first.
        requests: first messages of other protocols, the sender's favourite first.
        services: where to answer, the sender's favourite first: a DID, or a service inline. In v2 it is the one DID
            that the invitation is from.
        wire: the version that the sender invites to.
    """

    id: str
    services: tuple[Service | str, ...]
    label: str = ""
    goal_code: str | None = None
    goal: str | None = None
    accept: tuple[str, ...] = (RFC19_PROFILE,)
    handshake_protocols: tuple[str, ...] = ()
    requests: tuple[Attachment, ...] = ()
    wire: Wire = Wire.V1

    @property
    def inline_recipient_keys(self) -> tuple[str, ...]:
        """The verkeys of the services that are written out; those of DIDs are in their documents."""
        return tuple(key for service in self.services if isinstance(service, Service) for key in service.recipient_keys)

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it.

        Raises:
            BadInput: ``encoding.base58`` or ``key.malformed`` where an inline service's key is no verkey;
                ``invitation.no_did`` in v2 where its service is no DID.
        """
        if wire is Wire.V2:
            return self._encode_v2()
        optional: dict[str, Any] = {
            "label": self.label,
            "goal_code": self.goal_code,
            "goal": self.goal,
            "accept": list(self.accept),
            "handshake_protocols": list(self.handshake_protocols),
            "requests~attach": [request.to_wire() for request in self.requests],
        }
        body = {name: value for name, value in optional.items() if value}
        body["services"] = [s if isinstance(s, str) else _inline(s) for s in self.services]
        return PlainMessage(f"{PROTOCOL}/invitation", self.id, self.id, body=body, wire=wire)

    def _encode_v2(self) -> PlainMessage:
        sender = self.services[0]
        if not isinstance(sender, str):
            raise BadInput("invitation.no_did", "The invitation is from no DID.", "Invite under a DID of this node.")
        accept = [profile for profile in self.accept if profile == Wire.V2.value] or [Wire.V2.value]
        optional = {"label": self.label, "goal_code": self.goal_code, "goal": self.goal, "accept": accept}
        return PlainMessage(
            f"{on_wire(PROTOCOL, Wire.V2)}/invitation",
            self.id,
            self.id,
            body={name: value for name, value in optional.items() if value},
            wire=Wire.V2,
            from_=sender,
            attachments=tuple(attachments_v2.write(request) for request in self.requests),
        )


@dataclass(frozen=True, slots=True)
class HandshakeReuse:
    """The receiver would use the connection that it already has; ``pthid`` is the invitation's id."""

    id: str
    pthid: str

    @property
    def thid(self) -> str:
        """The message starts its thread."""
        return self.id

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return PlainMessage(f"{PROTOCOL}/handshake-reuse", self.id, self.id, self.pthid, wire=wire)


@dataclass(frozen=True, slots=True)
class HandshakeReuseAccepted:
    """The sender knows the connection and will use it; ``thid`` is the reuse message's id."""

    id: str
    thid: str
    pthid: str

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return PlainMessage(f"{PROTOCOL}/handshake-reuse-accepted", self.id, self.thid, self.pthid, wire=wire)


OutOfBandMessage = Invitation | HandshakeReuse | HandshakeReuseAccepted


def decode(message: PlainMessage) -> OutOfBandMessage:
    """Read a message of the protocol, of any minor version.

    Raises:
        PeerFault: ``message.type``, ``message.malformed`` or ``attachment.malformed``.
    """
    if message.protocol == known_as(PROTOCOL, message.wire) and message.name == "invitation":
        return _invitation(message) if message.wire is Wire.V1 else _invitation_v2(message)
    if message.protocol == _KNOWN_AS and message.name == "handshake-reuse":
        if message.thid != message.id:
            raise Fields(message.body).fault("thid", "is not the message's own id")
        return HandshakeReuse(message.id, _parent(message))
    if message.protocol == _KNOWN_AS and message.name == "handshake-reuse-accepted":
        return HandshakeReuseAccepted(message.id, message.thid, _parent(message))
    raise PeerFault("message.type", "Out-of-band has no such message.", "See Aries RFC 0434 and DIDComm 2.1.")


def _parent(message: PlainMessage) -> str:
    if message.pthid is None:
        raise Fields(message.body).fault("pthid", "is missing")
    return message.pthid


def _invitation(message: PlainMessage) -> Invitation:
    fields = Fields(message.body, where="invitation")
    handshakes = fields.texts("handshake_protocols", max_items=_MAX_ITEMS, max_chars=256)
    requests = fields.mappings("requests~attach", max_items=_MAX_ITEMS)
    if not handshakes and not requests:
        raise fields.fault("handshake_protocols or requests~attach", "is missing")
    services = tuple(
        service
        for number, raw in enumerate(fields.items("services", max_items=_MAX_ITEMS))
        if (service := _service(raw, number, fields)) is not None
    )
    if not services:
        raise fields.fault("services", "has none that can be used")
    return Invitation(
        id=message.id,
        services=services,
        label=fields.optional_text("label", max_chars=_MAX_LABEL) or "",
        goal_code=fields.optional_text("goal_code", max_chars=_MAX_LABEL),
        goal=fields.optional_text("goal"),
        accept=fields.texts("accept", max_items=_MAX_ITEMS, max_chars=256),
        handshake_protocols=handshakes,
        requests=tuple(Attachment.from_wire(request) for request in requests),
    )


def _invitation_v2(message: PlainMessage) -> Invitation:
    fields = Fields(message.body, where="invitation")
    if message.from_ is None:
        raise fields.fault("from", "is missing")
    try:
        sender = check_did(message.from_)
    except BadInput:
        raise fields.fault("from", "is not a DID alone") from None
    if len(message.attachments) > _MAX_ITEMS:
        raise fields.fault("attachments", f"has more than {_MAX_ITEMS} items")
    return Invitation(
        id=message.id,
        services=(sender,),
        label=fields.optional_text("label", max_chars=_MAX_LABEL) or "",
        goal_code=fields.optional_text("goal_code", max_chars=_MAX_LABEL),
        goal=fields.optional_text("goal"),
        accept=fields.texts("accept", max_items=_MAX_ITEMS, max_chars=256),
        requests=tuple(attachments_v2.read(attachment) for attachment in message.attachments),
        wire=Wire.V2,
    )


def _service(raw: Any, number: int, fields: Fields) -> Service | str | None:
    """A DID, an inline service for DIDComm v1 (RFC 0434: also one without a type), or None where it is unusable."""
    if isinstance(raw, str):
        try:
            return check_did(raw)
        except BadInput:
            raise fields.fault("services", "has an item that is not a DID") from None
    if not isinstance(raw, dict):
        raise fields.fault("services", "has an item that is neither a DID nor a service")
    service_id = raw.get("id") if isinstance(raw.get("id"), str) else f"#inline-{number}"
    found = read_services({"type": DIDCOMM_V1_TYPES[0], **raw}, str(service_id), lambda _reference: None)
    return next((service for service in found if service.type == DIDCOMM_V1_TYPES[0]), None)


def _inline(service: Service) -> dict[str, Any]:
    return {
        "id": service.id,
        "type": service.type,
        "recipientKeys": [did_from_public(b58_decode(key)) for key in service.recipient_keys],
        "routingKeys": [did_from_public(b58_decode(key)) for key in service.routing_keys],
        "serviceEndpoint": service.endpoint,
    }
