"""Whether the JWS of a signed badge holds under a CryptographicKey (Open Badges 2.0, RFC 7515).

RS256 is the algorithm that Open Badges 2.0 names; the others go by the keys that the node knows. The key comes from the
issuer's profile, so that one in the header says nothing.
"""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from protocols.errors import BadInput
from protocols.jose.jws import WITH_RSA, read_jws
from protocols.keys import PublicKey
from protocols.multiformats import Multicodec

__all__ = ["holds_under"]

_CURVES = {"secp256r1": Multicodec.P256_PUB, "secp384r1": Multicodec.P384_PUB}
_MAX_PEM = 4096


def holds_under(jws: str, pem: Any) -> bool:
    """Whether the signature is one under the key.

    Raises:
        BadInput: ``jws.*``, ``encoding.*``, ``json.*``; ``badge.key`` where the key cannot be used.
    """
    try:
        key = load_pem_public_key(pem.encode()) if isinstance(pem, str) and len(pem) <= _MAX_PEM else None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    known: PublicKey | None = None
    if isinstance(key, RSAPublicKey):
        known = PublicKey(Multicodec.RSA_PUB, key.public_bytes(Encoding.DER, PublicFormat.PKCS1))
    elif isinstance(key, Ed25519PublicKey):
        known = PublicKey(Multicodec.ED25519_PUB, key.public_bytes_raw())
    elif isinstance(key, EllipticCurvePublicKey) and key.curve.name in _CURVES:
        point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        known = PublicKey(_CURVES[key.curve.name], point)
    if known is None or not known.is_usable:
        raise BadInput("badge.key", "The key of the badge's issuer cannot be used.", "Ask the issuer for another one.")
    return read_jws(jws, WITH_RSA, allow_jwk=True).holds_under(known)
