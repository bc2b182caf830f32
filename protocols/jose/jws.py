"""JWS in compact serialisation (RFC 7515), with EdDSA, ES256 and ES384 (RFC 8037, RFC 7518, RFC 9864); RS256 is read.

Why not a library: signing goes through :class:`~protocols.keys.Signer`, which may be a hardware module, and checking
through :class:`~protocols.keys.PublicKey`, whose Ed25519 refuses what OpenSSL's takes; JOSE libraries want keys of
their own types in memory, and read headers with a lenient JSON parser. What is left of a JWS is this file.

Promises: one signature has one text (base64url without padding and without stray bits, I-JSON headers, signatures of
the one length that the algorithm has), ``alg`` says only what the key has to be, and no key comes from the header.
Leaves to the caller which key to check with, and to the key whether the signature holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols import strict_json
from protocols.errors import BadInput
from protocols.keys import SIGNATURE_BYTES, PublicKey, Signer
from protocols.multiformats import Multicodec, b64url_decode_exact, b64url_encode

__all__ = ["ALGORITHMS", "MAX_BYTES", "WITH_RSA", "Jws", "read_jws", "sign_jws"]

MAX_BYTES = 1_500_000
"""Characters of a compact JWS: a payload of 1 MiB in base64url, and its header."""

_MAX_HEADER = 32_768  # a kid may be a did:peer:4 in long form
_MAX_HEADER_DEPTH = 8

ALGORITHMS = {
    "EdDSA": Multicodec.ED25519_PUB,
    "Ed25519": Multicodec.ED25519_PUB,
    "ES256": Multicodec.P256_PUB,
    "ES384": Multicodec.P384_PUB,
}
"""``alg`` -> the one kind of key that it goes with; what credentials and tokens may be signed with."""

WITH_RSA = ALGORITHMS | {"RS256": Multicodec.RSA_PUB}
"""And what Open Badges and Comprehensive Learner Records of others are."""

_ALG_OF = {codec: name for name, codec in reversed(ALGORITHMS.items())}
_KEYS_IN_HEADER = ("jwk", "jku", "x5u", "x5c")


@dataclass(frozen=True, slots=True)
class Jws:
    """A JWS that was read, not verified.

    Attributes:
        header: the protected header.
        codec: the kind of key that its ``alg`` goes with.
        payload: the decoded payload.
        signing_input: what is signed, as received (RFC 7515 §2).
    """

    header: Mapping[str, Any]
    codec: Multicodec
    payload: bytes
    signing_input: bytes
    signature: bytes

    @property
    def kid(self) -> str | None:
        """The hint which key signed (RFC 7515 §4.1.4)."""
        kid = self.header.get("kid")
        return kid if isinstance(kid, str) else None

    @property
    def typ(self) -> str | None:
        """The media type of the whole (RFC 7515 §4.1.9)."""
        typ = self.header.get("typ")
        return typ if isinstance(typ, str) else None

    def holds_under(self, key: PublicKey) -> bool:
        """Whether the signature is one under ``key``.

        Raises:
            BadInput: ``jws.key_type`` where the key is of another kind than ``alg`` says.
        """
        if self.codec is not key.codec:
            raise BadInput(
                "jws.key_type", "The key is of another kind than the JWS says.", "Use a key and alg that go together."
            )
        return key.verify(self.signing_input, self.signature)


def read_jws(text: str | bytes, algorithms: Mapping[str, Multicodec] = ALGORITHMS, *, allow_jwk: bool = False) -> Jws:
    """Read a compact JWS.

    Args:
        algorithms: those that are allowed, and what kind of key each goes with.
        allow_jwk: whether the header may show the key, for a caller who takes that for the name of a key and no more.

    Raises:
        BadInput: ``jws.too_large``, ``jws.malformed``, ``jws.header_refused`` (a key or critical extension in the
            header), ``jws.alg_unsupported``, ``encoding.base64url``, ``json.*``.
    """
    if len(text) > MAX_BYTES:
        raise BadInput("jws.too_large", f"The JWS is longer than {MAX_BYTES} characters.", "Send less.")
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    parts = text.split(".")
    if len(parts) != 3:
        raise _malformed("it has not three parts")
    encoded_header, encoded_payload, encoded_signature = parts
    if len(encoded_header) > _MAX_HEADER:
        raise _malformed(f"its header is longer than {_MAX_HEADER} characters")
    header = strict_json.loads_object(b64url_decode_exact(encoded_header), max_depth=_MAX_HEADER_DEPTH)
    codec = _check_header(header, algorithms, allow_jwk)
    signature = b64url_decode_exact(encoded_signature)
    if codec in SIGNATURE_BYTES and len(signature) != SIGNATURE_BYTES[codec]:
        raise _malformed("its signature is not as long as those of its algorithm")
    payload = b64url_decode_exact(encoded_payload)
    return Jws(header, codec, payload, f"{encoded_header}.{encoded_payload}".encode(), signature)


def sign_jws(payload: bytes, signer: Signer, header: Mapping[str, Any]) -> str:
    """A compact JWS of ``payload``.

    Args:
        header: what it says beside ``alg``, which is that of the signer's key, and ``kid``, which is the signer's
            verification method where ``header`` names none; a ``kid`` of None leaves it out.

    Raises:
        BadInput: ``jws.key_type`` where there is no algorithm for the signer's key.
    """
    alg = _ALG_OF.get(signer.codec)
    if alg is None:
        raise BadInput("jws.key_type", "There is no JWS algorithm for the key.", "Use Ed25519, P-256 or P-384.")
    full = {"alg": alg, "kid": signer.verification_method, **header}
    full = {name: value for name, value in full.items() if value is not None}
    signing_input = f"{b64url_encode(strict_json.dumps(full))}.{b64url_encode(payload)}"
    return f"{signing_input}.{b64url_encode(signer.sign(signing_input.encode()))}"


def _check_header(header: dict[str, Any], algorithms: Mapping[str, Multicodec], allow_jwk: bool) -> Multicodec:
    """The kind of key that ``alg`` names; refuses what would say more than a header may."""
    for name in _KEYS_IN_HEADER:
        if name in header and not (allow_jwk and name == "jwk"):
            raise BadInput("jws.header_refused", f"The header of the JWS brings a key in {name}.", "Name it by kid.")
    # No extension is understood, so whatever is critical has to be refused (RFC 7515 §4.1.11); RFC 7797 is one.
    if "crit" in header or header.get("b64", True) is not True:
        raise BadInput("jws.header_refused", "The header of the JWS has a critical extension.", "Leave it out.")
    for name in ("kid", "typ", "cty"):
        if not isinstance(header.get(name, ""), str):
            raise _malformed(f"its {name} is not a string")
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in algorithms:
        raise BadInput("jws.alg_unsupported", "The algorithm of the JWS is not allowed.", "Use EdDSA, ES256 or ES384.")
    return algorithms[alg]


def _malformed(why: str) -> BadInput:
    return BadInput("jws.malformed", f"The JWS cannot be read: {why}.", "Its maker has to correct it.")
