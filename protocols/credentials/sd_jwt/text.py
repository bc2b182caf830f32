"""An SD-JWT as text: the issuer's JWT, disclosures and a key binding JWT, between tildes (RFC 9901 §4).

Only the compact form is read and written; the JWS JSON form (§8), which is optional, is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from protocols import strict_json
from protocols.errors import BadInput
from protocols.jose import MAX_BYTES, Jwt, read_jwt
from protocols.multiformats import b64url_decode_exact, b64url_encode

__all__ = ["HASHES", "MAX_DISCLOSURES", "Disclosure", "SdJwt", "digest_of", "join", "malformed", "read_sd_jwt"]

MAX_DISCLOSURES = 4_096

HASHES: dict[str, Callable[[bytes], Any]] = {
    "sha-256": hashlib.sha256,
    "sha-384": hashlib.sha384,
    "sha-512": hashlib.sha512,
}
"""``_sd_alg`` -> the hash (RFC 9901 §4.1.1, IANA Named Information Hash Algorithms)."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A disclosure (RFC 9901 §4.2).

    Attributes:
        text: as it stands in the SD-JWT; what the digest is made of.
        name: of the claim; ``None`` for an element of an array.
    """

    text: str
    name: str | None
    value: Any


@dataclass(frozen=True, slots=True)
class SdJwt:
    """An SD-JWT that was read, not verified.

    Attributes:
        text: all of it up to and with the last tilde: what a key binding JWT signs the hash of.
        jwt: the issuer's, with its digests.
        key_binding: the key binding JWT as text; ``None`` where there is none.
    """

    text: str
    jwt: Jwt
    disclosures: tuple[Disclosure, ...]
    key_binding: str | None

    @property
    def hash_name(self) -> str:
        """The hash of digests, a key of :data:`HASHES`."""
        return str(self.jwt.claims.get("_sd_alg", "sha-256"))


def read_sd_jwt(text: str) -> SdJwt:
    """Read an SD-JWT, or an SD-JWT with key binding.

    Raises:
        BadInput: ``sd_jwt.malformed``, ``sd_jwt.hash_unsupported``, ``jws.*``, ``json.*``, ``encoding.*``.
    """
    if len(text) > MAX_BYTES:
        raise malformed(f"it is longer than {MAX_BYTES} characters")
    if "~" not in text:
        raise malformed("it has no tilde at its end")
    issued, *disclosures, key_binding = text.split("~")
    if len(disclosures) > MAX_DISCLOSURES:
        raise malformed(f"it has more than {MAX_DISCLOSURES} disclosures")
    jwt = read_jwt(issued)
    name = jwt.claims.get("_sd_alg", "sha-256")
    if not isinstance(name, str) or name not in HASHES:
        raise BadInput("sd_jwt.hash_unsupported", "The SD-JWT uses an unknown hash.", f"Use {', '.join(HASHES)}.")
    presented = text[: len(text) - len(key_binding)]
    return SdJwt(presented, jwt, tuple(_read_disclosure(item) for item in disclosures), key_binding or None)


def join(issued: str, disclosures: Sequence[str]) -> str:
    """The issuer's JWT and disclosures as an SD-JWT."""
    return "~".join([issued, *disclosures, ""])


def digest_of(text: str, hash_name: str) -> str:
    """The digest of a disclosure, or of a whole SD-JWT (RFC 9901 §4.2.3, §4.3.1)."""
    return b64url_encode(HASHES[hash_name](text.encode("ascii")).digest())


def malformed(why: str) -> BadInput:
    """The error for an SD-JWT that breaks a rule."""
    return BadInput("sd_jwt.malformed", f"The SD-JWT cannot be read: {why}.", "Its maker has to correct it.")


def _read_disclosure(text: str) -> Disclosure:
    content = strict_json.loads(b64url_decode_exact(text))
    if not isinstance(content, list) or not content or not isinstance(content[0], str):
        raise malformed("a disclosure is not a list that begins with a salt")
    match content[1:]:
        case [value]:
            return Disclosure(text, None, value)
        case [str(name), value]:
            return Disclosure(text, name, value)
    raise malformed("a disclosure has neither a value nor a name and a value")
