"""Verification methods: reading the public key out of each type that lernode can use (DID Core 1.0 §5.2).

A type or a key that is not understood is no error, for a document may hold keys for others; it is only not usable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protocols.credentials.times import parse_time
from protocols.errors import BadInput
from protocols.keys import PublicKey, read_public_jwk
from protocols.multiformats import Multicodec, b58_decode

__all__ = ["METHOD_TYPES", "VerificationMethod", "end_of_use", "read_public_key"]

KeyReader = Callable[[Any], PublicKey]

_MATERIAL = ("publicKeyMultibase", "publicKeyJwk", "publicKeyBase58", "publicKeyHex", "publicKeyPem")
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class VerificationMethod:
    """A public key of a DID document.

    Attributes:
        id: absolute DID URL.
        controller: the DID that may use the key.
    """

    id: str
    type: str
    controller: str
    key: PublicKey


def _multibase(value: Any) -> PublicKey:
    return PublicKey.from_multikey(_text(value))


def _only(codec: Multicodec, reader: KeyReader) -> KeyReader:
    def read(value: Any) -> PublicKey:
        key = reader(value)
        if key.codec is not codec:
            raise _unusable()
        return key

    return read


def _base58_of(codec: Multicodec) -> KeyReader:
    def read(value: Any) -> PublicKey:
        return PublicKey(codec, _sized(b58_decode(_text(value), max_chars=128)))

    return read


METHOD_TYPES: dict[str, dict[str, KeyReader]] = {
    "Multikey": {"publicKeyMultibase": _multibase},
    "Ed25519VerificationKey2018": {"publicKeyBase58": _base58_of(Multicodec.ED25519_PUB)},
    "Ed25519VerificationKey2020": {"publicKeyMultibase": _only(Multicodec.ED25519_PUB, _multibase)},
    "X25519KeyAgreementKey2019": {"publicKeyBase58": _base58_of(Multicodec.X25519_PUB)},
    "X25519KeyAgreementKey2020": {"publicKeyMultibase": _only(Multicodec.X25519_PUB, _multibase)},
    "EcdsaSecp256r1VerificationKey2019": {
        "publicKeyMultibase": _only(Multicodec.P256_PUB, _multibase),
        "publicKeyJwk": _only(Multicodec.P256_PUB, read_public_jwk),
    },
    "JsonWebKey2020": {"publicKeyJwk": read_public_jwk},
    "JsonWebKey": {"publicKeyJwk": read_public_jwk},
}
"""Verification method type -> the properties that can hold its key, and how to read each."""


def read_public_key(method: dict[str, Any]) -> PublicKey | None:
    """The key of a verification method, or ``None`` where lernode cannot use it.

    A method with several key properties is not used: which one is meant is anyone's guess (DID Core §5.2.1).
    """
    readers = METHOD_TYPES.get(method["type"], {})
    given = [name for name in _MATERIAL if name in method]
    if len(given) != 1 or given[0] not in readers:
        return None
    try:
        key = readers[given[0]](method[given[0]])
    except BadInput:
        return None
    return key if key.is_usable else None


def end_of_use(method: dict[str, Any], now: datetime | None) -> BadInput | None:
    """Why nothing is verified with a method any more: it is ``revoked``, or it ``expires`` before ``now``, or ``None``.

    Whoever has a key can date a signature back, so when the signature says it was made does not matter (Controlled
    Identifiers 1.0 §2.2: proofs are not verified at or after that time).

    Args:
        now: where it is not known, as for documents that their DID carries, an end is taken to be reached.
    """
    for name, make in _ENDS.items():
        if name in method:
            end = parse_time(method[name], zone_required=False)
            if now is None or end is None or end <= now:
                return make("" if end is None else f" on {end:%Y-%m-%d}")
    return None


def _revoked(when: str) -> BadInput:
    return BadInput(
        "did.method_revoked",
        f"The owner of the key withdrew it{when}, so what was signed with it proves nothing any more.",
        "Ask the issuer for a new record.",
    )


def _expired(when: str) -> BadInput:
    return BadInput("did.method_expired", f"The key expired{when}.", "Ask the issuer for a new record.")


_ENDS = {"revoked": _revoked, "expires": _expired}


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 512:
        raise _unusable()
    return value


def _sized(key: bytes) -> bytes:
    if len(key) != _KEY_BYTES:
        raise _unusable()
    return key


def _unusable() -> BadInput:
    return BadInput("key.malformed", "A key is not of its declared type.", "Use an Ed25519 or X25519 key.")
