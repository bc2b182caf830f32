"""The message model that protocols see, whatever wire version carried the message.

Aries RFC 0005 (DIDComm v1), RFC 0008 (threading), RFC 0032 (``~timing``), RFC 0317 (``~please_ack``); DIDComm 2.1
§Plaintext Message Structure. A protocol's ``messages.py`` turns a :class:`PlainMessage` into its own typed message and
back; nothing else reads a raw body.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import msgspec

__all__ = ["AckOn", "PlainMessage", "ProtocolMessage", "Wire"]


class Wire(StrEnum):
    """The wire versions; a connection speaks one."""

    V1 = "didcomm/aip2;env=rfc19"
    V2 = "didcomm/v2"


class AckOn(StrEnum):
    """When a sender asks to be acknowledged (RFC 0317)."""

    RECEIPT = "RECEIPT"
    OUTCOME = "OUTCOME"


class PlainMessage(msgspec.Struct, frozen=True):
    """A message as every wire version can carry it.

    Attributes:
        type: message type URI, e.g. ``https://didcomm.org/issue-credential/2.0/offer-credential``.
        id: unique for the sender.
        thid: thread; the message's own ``id`` where the wire names none.
        pthid: parent thread, or None.
        body: everything else, decorators of the protocol included, headers and threading excluded.
        please_ack: when the sender asks for an acknowledgement; empty where it does not.
        expires_time: seconds since 1970 in UTC, by the sender's clock; when the sender gives up.
        from_: the sender's DID. What it is worth, the envelope says.
        to: DIDs of the audience.
        created_time: seconds since 1970 in UTC, by the sender's clock.
        attachments: as on the wire; :func:`protocols.didcomm.attachments_v2.read` reads one.
        from_prior: JWT that says which DID the sender had before; not verified.
        lang: language of the message (BCP 47).
        resend: earlier messages that the sender asks to have acknowledged, by id.
        ack: messages that this one acknowledges, the first received first.
        headers: those of extensions, e.g. ``return_route``.

    What follows ``wire``, ``expires_time`` excepted, is said by DIDComm v2 only; in v1 it is the body's, where it is
    said at all.
    """

    type: str
    id: str
    thid: str
    pthid: str | None = None
    body: Mapping[str, Any] = {}
    please_ack: frozenset[AckOn] = frozenset()
    wire: Wire = Wire.V1
    from_: str | None = None
    to: tuple[str, ...] = ()
    created_time: int | None = None
    expires_time: int | None = None
    attachments: tuple[Mapping[str, Any], ...] = ()
    from_prior: str | None = None
    lang: str | None = None
    resend: tuple[str, ...] = ()
    ack: tuple[str, ...] = ()
    headers: Mapping[str, Any] = {}

    @property
    def protocol(self) -> str:
        """The protocol URI with its major version, e.g. ``https://didcomm.org/issue-credential/2``."""
        family, version, _name = self.type.rsplit("/", 2)
        return f"{family}/{version.split('.')[0]}"

    @property
    def name(self) -> str:
        """The last segment of the type, e.g. ``offer-credential``."""
        return self.type.rsplit("/", 1)[1]


class ProtocolMessage(Protocol):
    """A typed message of one protocol."""

    @property
    def id(self) -> str:
        """Unique for the sender."""

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
