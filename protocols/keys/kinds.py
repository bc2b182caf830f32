"""The kinds of keys that a node can sign with: how people and stores name them, and how a pair is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from protocols.errors import BadInput
from protocols.keys.ecdsa import EcdsaKeyPair
from protocols.keys.ed25519 import KeyPair
from protocols.keys.signing import SIGNATURE_BYTES, SigningKey
from protocols.multiformats import Multicodec

__all__ = ["KEY_KINDS", "KeyKind", "key_pair", "kind_of", "new_key"]

KeyKind = Literal["ed25519", "p256", "p384"]

KEY_KINDS: dict[KeyKind, Multicodec] = {
    "ed25519": Multicodec.ED25519_PUB,
    "p256": Multicodec.P256_PUB,
    "p384": Multicodec.P384_PUB,
}
"""Word for a kind of key -> the kind."""

_NAMES: dict[Multicodec, KeyKind] = {codec: name for name, codec in KEY_KINDS.items()}


def kind_of(codec: Multicodec) -> KeyKind:
    """The word for a kind of signing key."""
    return _NAMES[codec]


def key_pair(codec: Multicodec, seed: bytes) -> SigningKey:
    """The pair that belongs to a secret: the seed of RFC 8032 for Ed25519, the secret number for ECDSA.

    Raises:
        BadInput: ``key.malformed`` where the secret is none of its kind.
    """
    if codec is not Multicodec.ED25519_PUB:
        return EcdsaKeyPair.from_seed(codec, seed)
    if len(seed) != 32:
        raise BadInput("key.malformed", "A key is not one of its curve.", "Its owner has to correct it.")
    return KeyPair.from_seed(seed)


def new_key(codec: Multicodec, entropy: Callable[[int], bytes]) -> SigningKey:
    """A fresh pair.

    Args:
        entropy: gives so many unpredictable bytes.
    """
    size = SIGNATURE_BYTES[codec] // 2
    while True:
        # Not every number of this length is one of the curve's; FIPS 186-5 §A.2.2 draws again.
        try:
            return key_pair(codec, entropy(size))
        except BadInput:
            continue
