"""What a node takes from the world besides network and disk, as arguments: time, randomness, names, environment."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from protocols.didcomm.message import PlainMessage
from protocols.multiformats import b64url_encode

__all__ = ["Clock", "Witness", "World"]

Clock = Callable[[], datetime]
Witness = Callable[[Literal["sent", "received"], PlainMessage], None]


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _nobody(_way: Literal["sent", "received"], _message: PlainMessage) -> None:
    pass


def _random_uuid() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class World:
    """Time (aware, UTC), entropy (so many unpredictable bytes), fresh identifiers, and who is told of messages.

    Attributes:
        witness: called with each message of a peer that was opened, and with each that is to be sent, in plaintext; for
            reports of interoperability. Nobody by default.
        environ: where it looks for passwords and PINs, when it needs them.
    """

    clock: Clock = _utc_now
    entropy: Callable[[int], bytes] = os.urandom
    new_id: Callable[[], str] = _random_uuid
    witness: Witness = _nobody
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def secret(self) -> str:
        """256 unpredictable bits as base64url: 43 characters, which RFC 7636 §4.1 takes as a verifier, too."""
        return b64url_encode(self.entropy(32))
