"""The proof values of ecdsa-sd-2023: CBOR in multibase base64url, a base proof's and a derived proof's.

Spec: VC Data Integrity ECDSA 1.0 §3.5.2, §3.5.3, §3.5.7 and §3.5.8. Read strictly: every element has its type and
length, nothing is tagged (which also keeps the decoder's extensions out), no key or index stands there twice, and
nothing follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import cbor2

from protocols.credentials.data_integrity.suite import malformed
from protocols.errors import BadInput
from protocols.multiformats import b64url_decode_exact, b64url_encode

__all__ = ["MAX_STATEMENTS", "BaseProofValue", "DerivedProofValue", "is_base_proof_value"]

MAX_STATEMENTS = 5_000
"""How many statements may be signed one by one, which bounds the time that checking them takes."""

_BASE_HEADER = b"\xd9\x5d\x00"
_DERIVED_HEADER = b"\xd9\x5d\x01"
_BASE_PREFIX = "u2V0A"  # the header in multibase base64url
_P256_PREFIX = b"\x80\x24"
_SIGNATURE, _PUBLIC_KEY, _KEY = 64, 35, 32
_MAX_CHARS = 1_000_000


@dataclass(frozen=True, slots=True)
class BaseProofValue:
    """What the issuer gives the holder.

    Attributes:
        public_key: of the pair that signed the statements, as multikey bytes.
        hmac_key: what the labels of blank nodes are made with; 32 bytes.
        signatures: one a statement that is not mandatory, in order.
    """

    base_signature: bytes
    public_key: bytes
    hmac_key: bytes
    signatures: list[bytes]
    mandatory_pointers: list[str]

    def encode(self) -> str:
        """The ``proofValue``."""
        elements = (
            self.base_signature, self.public_key, self.hmac_key, self.signatures, self.mandatory_pointers,
        )  # fmt: skip
        return _encode(_BASE_HEADER, elements)

    @classmethod
    def decode(cls, value: Any) -> BaseProofValue:
        """Read a ``proofValue``.

        Raises:
            BadInput: ``proof.malformed``.
        """
        base_signature, public_key, hmac_key, signatures, pointers = _decode(value, _BASE_HEADER)
        _require(_is_bytes(base_signature, _SIGNATURE) and _is_public_key(public_key) and _is_bytes(hmac_key, _KEY))
        _require(_is_list(signatures, lambda item: _is_bytes(item, _SIGNATURE)))
        _require(_is_list(pointers, lambda item: type(item) is str))
        return cls(base_signature, public_key, hmac_key, signatures, pointers)


@dataclass(frozen=True, slots=True)
class DerivedProofValue:
    """What the holder shows.

    Attributes:
        signatures: one a statement that is shown and not mandatory, in order.
        label_map: number of a blank node's canonical label in what is shown -> the digest of its signed label.
        mandatory_indexes: which of the statements that are shown are mandatory.
    """

    base_signature: bytes
    public_key: bytes
    signatures: list[bytes]
    label_map: dict[int, bytes]
    mandatory_indexes: list[int]

    def encode(self) -> str:
        """The ``proofValue``."""
        elements = (
            self.base_signature, self.public_key, self.signatures, self.label_map, self.mandatory_indexes,
        )  # fmt: skip
        return _encode(_DERIVED_HEADER, elements)

    @classmethod
    def decode(cls, value: Any) -> DerivedProofValue:
        """Read a ``proofValue``.

        Raises:
            BadInput: ``proof.malformed``.
        """
        base_signature, public_key, signatures, label_map, indexes = _decode(value, _DERIVED_HEADER)
        _require(_is_bytes(base_signature, _SIGNATURE) and _is_public_key(public_key))
        _require(_is_list(signatures, lambda item: _is_bytes(item, _SIGNATURE)))
        _require(type(label_map) is dict)
        _require(all(_is_index(number) and _is_bytes(digest, _KEY) for number, digest in label_map.items()))
        _require(_is_list(indexes, _is_index) and len(set(indexes)) == len(indexes))
        return cls(base_signature, public_key, signatures, label_map, indexes)


def is_base_proof_value(value: Any) -> bool:
    """Whether a ``proofValue`` is, by its header, that of a base proof."""
    return isinstance(value, str) and value.startswith(_BASE_PREFIX)


def _encode(header: bytes, elements: tuple[Any, ...]) -> str:
    return "u" + b64url_encode(header + cbor2.dumps(list(elements)))


def _decode(value: Any, header: bytes) -> list[Any]:
    if not isinstance(value, str) or value[:1] != "u" or len(value) > _MAX_CHARS:
        raise malformed("its proofValue is not base64url multibase")
    try:
        data = b64url_decode_exact(value[1:])
    except BadInput:
        raise malformed("its proofValue is not base64url multibase") from None
    if data[:3] != header:
        raise malformed("its proofValue begins otherwise than one of ecdsa-sd-2023")
    try:
        elements = cbor2.loads(data[3:], max_depth=2, allow_duplicate_keys=False, semantic_decoders=_NO_TAGS)
        again = cbor2.dumps(elements)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError):
        raise malformed("its proofValue is not CBOR without tags") from None
    if again != data[3:]:
        raise malformed("its proofValue is not in the one shortest CBOR form")
    if not isinstance(elements, list) or len(elements) != 5:
        raise malformed("its proofValue has not five elements")
    return elements


def _refuse(*_: object) -> NoReturn:
    raise ValueError("tagged")


class _NoTags(dict[int, Callable[..., Any]]):
    """A decoder for every tag, the well-known ones too, which refuses it."""

    def __missing__(self, _tag: int) -> Callable[..., Any]:
        return _refuse


_NO_TAGS = _NoTags()


def _require(holds: bool) -> None:
    if not holds:
        raise malformed("its proofValue has an element of another kind or length")


def _is_bytes(value: Any, size: int) -> bool:
    return type(value) is bytes and len(value) == size


def _is_public_key(value: Any) -> bool:
    return _is_bytes(value, _PUBLIC_KEY) and value.startswith(_P256_PREFIX)


def _is_index(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**32


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return type(value) is list and len(value) <= 2 * MAX_STATEMENTS and all(fits(item) for item in value)
