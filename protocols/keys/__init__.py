"""Keys: signing with them, checking signatures, and writing them as JWK.

Signing keys live behind :class:`Signer`, so that a hardware module can stand in for a key in memory.
"""

from __future__ import annotations

from protocols.keys.ecdsa import EcdsaKeyPair
from protocols.keys.ed25519 import KeyPair, ed25519_public_to_x25519, ed25519_verify
from protocols.keys.jwk import public_jwk, read_public_jwk
from protocols.keys.signing import SIGNATURE_BYTES, PublicKey, Signer, SigningKey, SoftwareSigner

__all__ = [
    "SIGNATURE_BYTES", "EcdsaKeyPair", "KeyPair", "PublicKey", "Signer", "SigningKey", "SoftwareSigner",
    "ed25519_public_to_x25519", "ed25519_verify", "public_jwk", "read_public_jwk",
]  # fmt: skip
