"""What every envelope version shares: who opened it, for whom, and where keys and entropy come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from protocols.keys import AgreementKey, KeyPair

__all__ = ["AgreementKeyStore", "Entropy", "KeyStore", "Unpacked"]

Entropy = Callable[[int], bytes]
"""Gives that many unpredictable bytes each time it is called."""


class KeyStore(Protocol):
    """The keys that can open envelopes of DIDComm v1."""

    def find(self, verkey: str) -> KeyPair | None:
        """The pair with this Ed25519 public key (raw base58), or None where this node has no such key."""


class AgreementKeyStore(Protocol):
    """The keys that can open envelopes of DIDComm v2."""

    def find_agreement(self, kid: str) -> AgreementKey | None:
        """The key that this DID URL names, or None where this node has no such key."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was in an envelope of DIDComm v1.

    Attributes:
        plaintext: the message, decrypted and authenticated.
        sender: the sender's Ed25519 verkey (raw base58), proved by the encryption; None where it is anonymous.
        recipient: the verkey of ours that opened it.
    """

    plaintext: bytes = field(repr=False)
    sender: str | None
    recipient: str
