"""A sealed document as text: a JWS in JSON serialisation, of one signature, with its certificate in the header.

Specs: RFC 7515 §7.2 (general and flattened), RFC 7797 (the payload as it is, ``b64`` false), ETSI TS 119 182-1 (JAdES).
European Digital Credentials for Learning come so.

Promises: the algorithm and the certificate are those of the protected header, and what is signed is the payload as it
stands in the text. What JAdES lets a signer say besides (place, role, its own time) is taken as said; a signature over
something else than the payload (``sigD``) is refused. The unprotected header, where time-stamps are, is not read.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509

from protocols import strict_json
from protocols.errors import BadInput
from protocols.multiformats import b64url_decode_exact

__all__ = ["Seal", "is_sealed", "read_seal"]

_MAX_CERTIFICATES = 8
_MAX_HEADER = 65_536
_UNDERSTOOD = frozenset({"b64", "sigT", "sigPl", "srCms", "srAts", "sigPId", "adoTst", "iat", "x5t#o", "sigX5ts"})
"""What may be critical: that the payload stands as it is, and what a signer says of itself and of the time."""


@dataclass(frozen=True, slots=True)
class Seal:
    """A sealed text that was read, not verified.

    Attributes:
        header: the protected one.
        payload: what is sealed.
        signing_input: what is signed (RFC 7515 §2, RFC 7797 §3).
        certificates: that of the signer first, then those that it was issued under, as far as they are given.
        created: when its signer says that it was made.
    """

    header: Mapping[str, Any]
    payload: bytes
    signing_input: bytes
    signature: bytes
    certificates: tuple[x509.Certificate, ...]
    created: str | None

    @property
    def algorithm(self) -> str:
        """The ``alg`` of its header."""
        return str(self.header["alg"])


def is_sealed(item: dict[str, Any]) -> bool:
    """Whether a JSON object is a JWS: it has the members that RFC 7515 §7.2 asks for, which no credential has."""
    return isinstance(item.get("payload"), str) and ("signatures" in item or "signature" in item)


def read_seal(item: dict[str, Any]) -> Seal:
    """Read a JWS in JSON serialisation.

    Raises:
        BadInput: ``seal.malformed``, ``seal.several``, ``seal.extension``, ``seal.no_certificate``,
            ``seal.certificate_malformed``, ``encoding.base64url``, ``json.*``.
    """
    signatures = item.get("signatures", [item])
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        raise BadInput("seal.several", "The document has not one seal.", "Bring one that has one.")
    protected, signature = signatures[0].get("protected"), signatures[0].get("signature")
    if not isinstance(protected, str) or not isinstance(signature, str) or len(protected) > _MAX_HEADER:
        raise _malformed("it has no protected header, or no signature")
    header = strict_json.loads_object(b64url_decode_exact(protected), max_depth=8)
    if not isinstance(header.get("alg"), str):
        raise _malformed("it names no algorithm")
    _check_critical(header)
    text = item["payload"]
    return Seal(
        header=header,
        payload=b64url_decode_exact(text) if header.get("b64", True) else text.encode(),
        signing_input=f"{protected}.{text}".encode(),
        signature=b64url_decode_exact(signature),
        certificates=_certificates(header),
        created=_created(header),
    )


def _check_critical(header: dict[str, Any]) -> None:
    critical = header.get("crit", [])
    if not isinstance(critical, list) or not all(isinstance(name, str) for name in critical):
        raise _malformed("its list of critical extensions is none")
    raw = header.get("b64", True)
    if not isinstance(raw, bool) or (raw is False and "b64" not in critical):
        raise _malformed("it does not say in time that its payload stands as it is (RFC 7797 §6)")
    if "sigD" in header or not set(critical) <= _UNDERSTOOD & header.keys():
        raise BadInput("seal.extension", "The seal has an extension that is not understood.", "Ask who sealed it.")


def _certificates(header: dict[str, Any]) -> tuple[x509.Certificate, ...]:
    given = header.get("x5c")
    if not isinstance(given, list) or not 0 < len(given) <= _MAX_CERTIFICATES:
        raise BadInput("seal.no_certificate", "The seal does not bring its certificate.", "Ask who sealed it for one.")
    try:
        return tuple(x509.load_der_x509_certificate(b64decode(each, validate=True)) for each in given)
    except (binascii.Error, TypeError, ValueError):
        message = "A certificate of the seal cannot be read."
        raise BadInput("seal.certificate_malformed", message, "Ask who sealed it.") from None


def _created(header: dict[str, Any]) -> str | None:
    """The claimed time: ``iat``, or ``sigT`` of JAdES before 1.2.1."""
    seconds = header.get("iat")
    if isinstance(seconds, int) and not isinstance(seconds, bool) and 0 <= seconds < 1 << 34:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    said = header.get("sigT")
    return said if isinstance(said, str) else None


def _malformed(why: str) -> BadInput:
    return BadInput("seal.malformed", f"The seal cannot be read: {why}.", "Ask who sealed it for another one.")
