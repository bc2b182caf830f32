"""Keys: signing with them, checking signatures, and writing them as JWK.

Signing keys live behind :class:`Signer`, so that a hardware module can stand in for a key in memory.
"""

from __future__ import annotations

from protocols.keys.agreement import AGREEMENT_CODECS, AgreementKey, AgreementKeyPair
from protocols.keys.ecdsa import EcdsaKeyPair
from protocols.keys.ed25519 import KeyPair, ed25519_public_to_x25519, ed25519_verify
from protocols.keys.jwk import public_jwk, read_public_jwk
from protocols.keys.kinds import KEY_KINDS, KeyKind, key_pair, kind_of, new_key
from protocols.keys.signing import SIGNATURE_BYTES, PublicKey, Signer, SigningKey, SoftwareSigner

__all__ = [
    "AGREEMENT_CODECS", "KEY_KINDS", "SIGNATURE_BYTES", "AgreementKey", "AgreementKeyPair", "EcdsaKeyPair", "KeyKind",
    "KeyPair", "PublicKey", "Signer", "SigningKey", "SoftwareSigner", "ed25519_public_to_x25519", "ed25519_verify",
    "key_pair", "kind_of", "new_key", "public_jwk", "read_public_jwk",
]  # fmt: skip
