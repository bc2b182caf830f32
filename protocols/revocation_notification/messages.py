"""Revocation Notification messages (Aries RFC 0183, RFC 0721): ``revoke``, and the ack and problem report it adopts.

1.0 names the thread in which the record was issued; 2.0 names the record in a format. RFC 0721 has a format for
AnonCreds only; records of Issue Credential's ``aries/ld-proof-vc@v1.0`` (RFC 0593) are named here by that format and
the ``id`` of the credential. Which record is meant, and whether the issuer tells the truth, is left to the node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from protocols.didcomm import ack
from protocols.didcomm.fields import Fields, is_id
from protocols.didcomm.message import AckOn, PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.errors import PeerFault

__all__ = ["FAMILY", "LD_PROOF_VC", "Named", "RevocationMessage", "Revoke", "decode"]

FAMILY = DIDCOMM_ORG + "revocation_notification"
LD_PROOF_VC = "aries/ld-proof-vc@v1.0"
_MAX_CREDENTIAL_ID = 2048


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """How a message names a record.

    Attributes:
        thread_id: 1.0: the Issue Credential thread; None in 2.0.
        revocation_format, credential_id: 2.0: None in 1.0.
    """

    thread_id: str | None = None
    revocation_format: str | None = None
    credential_id: str | None = None

    @property
    def major(self) -> int:
        """Of the version that names records so."""
        return 2 if self.thread_id is None else 1


@dataclass(frozen=True, slots=True)
class Revoke:
    """The record is revoked. ``comment`` is for people and is never trusted."""

    id: str
    thid: str
    record: Named
    comment: str | None = None
    please_ack: frozenset[AckOn] = frozenset()

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it; v2 has no way to ask for an ack of the outcome."""
        named = msgspec.structs.asdict(self.record) | {"comment": self.comment}
        body: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
        return PlainMessage(
            f"{FAMILY}/{self.record.major}.0/revoke",
            self.id,
            self.thid,
            body=body,
            please_ack=self.please_ack,
            wire=wire,
        )


RevocationMessage = Revoke | ack.Ack


def decode(message: PlainMessage) -> RevocationMessage:
    """Read a message of either version, of any minor one; an ack may also be a plain one of RFC 0015.

    Raises:
        PeerFault: ``message.type`` or ``message.malformed``.
    """
    if ack.is_ack(message):
        return ack.decode(message)
    if message.name != "revoke" or message.protocol not in {f"{FAMILY}/1", f"{FAMILY}/2"}:
        raise PeerFault("message.type", "Revocation Notification has no such message.", "See Aries RFC 0721.")
    fields = Fields(message.body)
    named = _by_thread(fields) if message.protocol == f"{FAMILY}/1" else _by_format(fields)
    # Over v2, where nobody can ask for it, the outcome is always acknowledged.
    please_ack = message.please_ack if message.wire is Wire.V1 else frozenset({AckOn.OUTCOME})
    return Revoke(message.id, message.thid, named, fields.optional_text("comment"), please_ack)


def _by_thread(fields: Fields) -> Named:
    thread_id = fields.text("thread_id", max_chars=_MAX_CREDENTIAL_ID)
    if not is_id(thread_id, max_chars=_MAX_CREDENTIAL_ID):
        raise fields.fault("thread_id", "is not an identifier")
    return Named(thread_id=thread_id)


def _by_format(fields: Fields) -> Named:
    return Named(
        revocation_format=fields.text("revocation_format", max_chars=256),
        credential_id=fields.text("credential_id", max_chars=_MAX_CREDENTIAL_ID),
    )
