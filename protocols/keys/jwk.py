"""Public keys as JSON Web Keys (RFC 7517; OKP by RFC 8037 §2, EC and RSA by RFC 7518 §6.2 and §6.3)."""

from __future__ import annotations

from typing import Any

from protocols.errors import BadInput
from protocols.keys.ecdsa import coordinates, public_from_coordinates
from protocols.keys.rsa import rsa_numbers, rsa_public
from protocols.keys.signing import PublicKey
from protocols.multiformats import Multicodec, b64url_decode_exact, b64url_encode

__all__ = ["public_jwk", "read_public_jwk"]

_MAX_MEMBER = 128
_MAX_MODULUS = 1366  # of 8192 bits
_OKP = {"Ed25519": Multicodec.ED25519_PUB, "X25519": Multicodec.X25519_PUB}
_EC = {
    "P-256": Multicodec.P256_PUB,
    "P-384": Multicodec.P384_PUB,
    "P-521": Multicodec.P521_PUB,
    "secp256k1": Multicodec.SECP256K1_PUB,
}
_CURVE_OF = {codec: name for name, codec in (_OKP | _EC).items()}


def public_jwk(key: PublicKey) -> dict[str, str]:
    """``key`` with the members that its kind requires, in the order of a thumbprint (RFC 7638 §3.2).

    Raises:
        BadInput: ``key.malformed`` where it is no point of its curve, or no key.
    """
    if key.codec is Multicodec.RSA_PUB:
        modulus, exponent = rsa_numbers(key.raw)
        return {"e": b64url_encode(exponent), "kty": "RSA", "n": b64url_encode(modulus)}
    curve = _CURVE_OF[key.codec]
    if curve in _OKP:
        return {"crv": curve, "kty": "OKP", "x": b64url_encode(key.raw)}
    x, y = coordinates(key.codec, key.raw)
    return {"crv": curve, "kty": "EC", "x": b64url_encode(x), "y": b64url_encode(y)}


def read_public_jwk(value: Any) -> PublicKey:
    """The key of a JWK. A key with ``d`` has lost its secret and is refused (DID Core 1.0 §5.2.1).

    Raises:
        BadInput: ``key.malformed``.
    """
    if not isinstance(value, dict) or "d" in value:
        raise _malformed()
    kind, curve = value.get("kty"), value.get("crv")
    if kind == "OKP" and isinstance(curve, str) and curve in _OKP:
        raw = _member(value, "x")
        if len(raw) != 32:
            raise _malformed()
        return PublicKey(_OKP[curve], raw)
    if kind == "EC" and isinstance(curve, str) and curve in _EC:
        codec = _EC[curve]
        return PublicKey(codec, public_from_coordinates(codec, _member(value, "x"), _member(value, "y")))
    if kind == "RSA":
        return PublicKey(Multicodec.RSA_PUB, rsa_public(_member(value, "n", _MAX_MODULUS), _member(value, "e")))
    raise _malformed()


def _member(value: dict[str, Any], name: str, longest: int = _MAX_MEMBER) -> bytes:
    text = value.get(name)
    if not isinstance(text, str) or len(text) > longest:
        raise _malformed()
    return b64url_decode_exact(text)


def _malformed() -> BadInput:
    return BadInput(
        "key.malformed", "A JSON Web Key cannot be used.", "Use a public key over Ed25519, X25519, P-256 or P-384."
    )
