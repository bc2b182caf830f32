"""Whether the JWS of a signed badge holds under a CryptographicKey (Open Badges 2.0, RFC 7515).

RS256 is the algorithm that Open Badges 2.0 names, and no other format here has it; the others go by the keys that the
node knows. The key comes from the issuer's profile, so that nothing in the header is looked at but ``alg``.
"""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from protocols import strict_json
from protocols.errors import BadInput
from protocols.jose.jws import read_jws
from protocols.keys import PublicKey
from protocols.multiformats import Multicodec, b64url_decode_exact

__all__ = ["holds_under"]

_RSA_BITS = range(2048, 8193)
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
    if isinstance(key, RSAPublicKey) and key.key_size in _RSA_BITS:
        return _rs256(jws, key)
    known: PublicKey | None = None
    if isinstance(key, Ed25519PublicKey):
        known = PublicKey(Multicodec.ED25519_PUB, key.public_bytes_raw())
    elif isinstance(key, EllipticCurvePublicKey) and key.curve.name in _CURVES:
        point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        known = PublicKey(_CURVES[key.curve.name], point)
    if known is None:
        raise BadInput("badge.key", "The key of the badge's issuer cannot be used.", "Ask the issuer for another one.")
    return read_jws(jws).holds_under(known)


def _rs256(jws: str, key: RSAPublicKey) -> bool:
    signing_input, _, signature = jws.rpartition(".")
    header = strict_json.loads_object(b64url_decode_exact(signing_input.partition(".")[0]), max_depth=8)
    if header.get("alg") != "RS256":
        raise BadInput(
            "jws.alg_unsupported", "The JWS is not signed as its key is used.", "Its maker has to sign anew."
        )
    if "crit" in header or header.get("b64", True) is not True:
        raise BadInput("jws.header_refused", "The header of the JWS has a critical extension.", "Leave it out.")
    try:
        key.verify(b64url_decode_exact(signature), signing_input.encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
