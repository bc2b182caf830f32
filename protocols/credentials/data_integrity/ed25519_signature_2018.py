"""Ed25519Signature2018: the hashes of eddsa-rdfc-2022, signed as a detached JWS with an unencoded payload (RFC 7797).

Deprecated, but what ACA-Py signs presentations with by default. One header is made; any that says ``EdDSA``,
``b64: false`` and ``crit: ["b64"]`` and nothing more is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols import strict_json
from protocols.credentials.data_integrity.rdfc import RdfcSuite
from protocols.credentials.data_integrity.suite import UnsecuredDocument, malformed
from protocols.errors import BadInput
from protocols.keys import SIGNATURE_BYTES
from protocols.multiformats import Multicodec, b64url_decode, b64url_encode

__all__ = ["Ed25519Signature2018"]

_HEADER = {"alg": "EdDSA", "b64": False, "crit": ["b64"]}
_OWN_HEADER = b64url_encode(strict_json.dumps(_HEADER))
_MAX_JWS = 512


@dataclass(frozen=True, slots=True)
class Ed25519Signature2018(RdfcSuite):
    """The suite; between :meth:`open` or :meth:`prepare` and :meth:`seal`, ``jws`` is the header alone."""

    def prepare(self, _unsecured: UnsecuredDocument, options: dict[str, Any]) -> dict[str, Any]:
        """The options with an unsigned JWS, for its header is part of what is signed."""
        return {**options, "jws": f"{_OWN_HEADER}.."}

    def signed_bytes(self, unsecured: UnsecuredDocument, options: Mapping[str, Any], codec: Multicodec) -> bytes:
        """The JWS signing input: encoded header, a dot, and the hash data as it is (RFC 7797 §3)."""
        header = str(options["jws"]).split(".", 1)[0]
        covered = {name: item for name, item in options.items() if name != "jws"}
        # Named, for super() without arguments does not work in a class that dataclass(slots=True) makes anew.
        return header.encode() + b"." + RdfcSuite.signed_bytes(self, unsecured, covered, codec)

    def seal(self, options: Mapping[str, Any], signature: bytes) -> dict[str, Any]:
        """The options with the JWS complete."""
        return {**options, "jws": f"{options['jws']}{b64url_encode(signature)}"}

    def open(self, proof: Mapping[str, Any], codec: Multicodec) -> tuple[dict[str, Any], bytes]:
        """The options, whose ``jws`` keeps the header only, and the signature."""
        header, signature = _read_jws(proof.get("jws"), SIGNATURE_BYTES[codec])
        return {**proof, "jws": f"{header}.."}, signature


def _read_jws(jws: Any, size: int) -> tuple[str, bytes]:
    parts = jws.split(".") if isinstance(jws, str) and len(jws) <= _MAX_JWS else []
    if len(parts) != 3 or parts[1]:
        raise malformed("its jws is not detached")
    try:
        header, signature = strict_json.loads(b64url_decode(parts[0])), b64url_decode(parts[2])
    except BadInput:
        raise malformed("its jws is not base64url") from None
    if header != _HEADER or header["b64"] is not False:
        raise malformed("its jws has another header than EdDSA with an unencoded payload")
    if len(signature) != size or b64url_encode(signature) != parts[2]:
        raise malformed(f"its signature is not {size} bytes of base64url")
    return parts[0], signature
