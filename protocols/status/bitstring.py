"""W3C Bitstring Status List 1.0: entries in a record, the list that they point into, and reading one status.

Promises: a list that unpacks to more than the limit is refused in constant memory; every malformed entry or
list ends in :class:`~protocols.errors.BadInput` with a ``status.*`` code; equal bits give equal bytes, so that
an unchanged list keeps its ETag. Leaves to others: fetching and caching the list (``source``), its proof,
issuer and validity period (``protocols.credentials``), which index a record gets (``storage``).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from protocols.errors import BadInput
from protocols.multiformats import b64url_decode, b64url_encode

__all__ = [
    "ENTRY_TYPE", "LIST_CREDENTIAL_TYPE", "LIST_TYPE", "MAX_LIST_BYTES", "MIN_LIST_ENTRIES", "REVOCATION",
    "SUSPENSION", "Bitstring", "StatusEntry", "list_ttl", "parse_status_entries", "read_status", "status_entry",
    "status_list_credential",
]  # fmt: skip

ENTRY_TYPE: Final = "BitstringStatusListEntry"
LIST_TYPE: Final = "BitstringStatusList"
LIST_CREDENTIAL_TYPE: Final = "BitstringStatusListCredential"
REVOCATION: Final = "revocation"
SUSPENSION: Final = "suspension"

MIN_LIST_ENTRIES: Final = 131_072
"""Fewest entries a list may have, so that one record hides among many (§6.1, group privacy)."""
MAX_LIST_BYTES: Final = 1 << 22
"""Most bytes a list may unpack to: 33 million entries of one bit."""

_MAX_ENTRIES_OF_RECORD = 16
_MAX_STATUS_SIZE = 32
_MAX_TEXT = 2048
_MAX_INDEX_DIGITS = 12
_VCDM_2_CONTEXT = "https://www.w3.org/ns/credentials/v2"


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """One ``BitstringStatusListEntry`` of a record (§2.1).

    Attributes:
        purpose: ``revocation``, ``suspension``, or another purpose, kept as written.
        index: position in the list, in entries.
        list_url: where the list's credential is.
        size: bits an entry; 1 where the record does not say.
        id: the entry's own identifier, or None.
    """

    purpose: str
    index: int
    list_url: str
    size: int = 1
    id: str | None = None


class Bitstring:
    """The bits of a list; index 0 is the left-most bit of the first byte (§3.4)."""

    __slots__ = ("_bytes",)

    def __init__(self, entries: int = MIN_LIST_ENTRIES) -> None:
        """A list of zeros with room for ``entries`` bits, rounded up to whole bytes.

        Raises:
            BadInput: ``status.list_length`` where that is fewer than the minimum or more than the limit.
        """
        size = -(-entries // 8)
        if not MIN_LIST_ENTRIES // 8 <= size <= MAX_LIST_BYTES:
            raise _length_error()
        self._bytes = bytearray(size)

    @classmethod
    def from_bytes(cls, data: bytes) -> Bitstring:
        """A list whose bits are those of ``data``, e.g. as a store keeps them.

        Raises:
            BadInput: ``status.list_length``.
        """
        bits = cls(len(data) * 8)
        bits._bytes[:] = data
        return bits

    @classmethod
    def decode(cls, encoded: str, *, max_bytes: int = MAX_LIST_BYTES) -> Bitstring:
        """Unpack an ``encodedList``: multibase base64url of one GZIP member (§3.3).

        Raises:
            BadInput: ``status.list_encoding``, ``status.list_too_large`` or ``status.list_length``.
        """
        if not encoded.startswith("u"):
            raise _encoding_error()
        try:
            packed = b64url_decode(encoded[1:])
        except BadInput:
            raise _encoding_error() from None
        return cls.from_bytes(_gunzip(packed, max_bytes))

    def __len__(self) -> int:
        return len(self._bytes) * 8

    def __bytes__(self) -> bytes:
        return bytes(self._bytes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bitstring) and self._bytes == other._bytes

    __hash__ = None  # type: ignore[assignment]  # it can change

    def get(self, index: int, size: int = 1) -> int:
        """The value of the entry at ``index``, where every entry has ``size`` bits.

        Raises:
            BadInput: ``status.index_out_of_range`` (the RANGE_ERROR of §3.2).
        """
        first, end = index * size, (index + 1) * size
        if index < 0 or end > len(self):
            raise _range_error()
        window = int.from_bytes(self._bytes[first // 8 : -(-end // 8)], "big")
        return window >> (-end % 8) & ((1 << size) - 1)

    def set(self, index: int, value: bool) -> None:
        """Set or clear the bit at ``index``.

        Raises:
            BadInput: ``status.index_out_of_range``.
        """
        if not 0 <= index < len(self):
            raise _range_error()
        mask = 0x80 >> index % 8
        if value:
            self._bytes[index // 8] |= mask
        else:
            self._bytes[index // 8] &= ~mask

    def encode(self) -> str:
        """The ``encodedList`` (§3.3); the GZIP header holds no time, so equal bits give equal text."""
        packer = zlib.compressobj(level=9, wbits=_GZIP)
        return "u" + b64url_encode(packer.compress(bytes(self._bytes)) + packer.flush())


def status_entry(url: str, purpose: str, index: int) -> dict[str, Any]:
    """The ``credentialStatus`` entry that points at ``index`` of the list at ``url`` (§2.1)."""
    return {
        "id": f"{url}#{index}",
        "type": ENTRY_TYPE,
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": url,
    }


def status_list_credential(
    *,
    url: str,
    issuer: str,
    purpose: str,
    bits: Bitstring,
    valid_from: datetime,
    ttl_ms: int,
    valid_until: datetime | None = None,
) -> dict[str, Any]:
    """The unsigned VCDM 2.0 ``BitstringStatusListCredential`` for ``bits`` (§2.2).

    Args:
        url: where the credential will be served; its ``id``.
        ttl_ms: milliseconds after which a verifier should fetch it again.
        valid_from, valid_until: aware times; written in UTC to the second. Without ``valid_until`` a copy stays
            checkable when its issuer is gone, and how old a copy may be is the verifier's decision.
    """
    return {
        "@context": [_VCDM_2_CONTEXT],
        "id": url,
        "type": ["VerifiableCredential", LIST_CREDENTIAL_TYPE],
        "issuer": issuer,
        "validFrom": _utc(valid_from),
        **({} if valid_until is None else {"validUntil": _utc(valid_until)}),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": LIST_TYPE,
            "statusPurpose": purpose,
            "encodedList": bits.encode(),
            "ttl": ttl_ms,
        },
    }


def parse_status_entries(credential: Mapping[str, Any]) -> tuple[StatusEntry, ...]:
    """Every entry of the record's ``credentialStatus``; empty where it has none.

    An entry of another type is refused, not passed over: a status that cannot be checked is not a good one.

    Raises:
        BadInput: ``status.entry_malformed`` or ``status.type_unsupported``.
    """
    value = credential.get("credentialStatus")
    if value is None:
        return ()
    entries = value if isinstance(value, list) else [value]
    if len(entries) > _MAX_ENTRIES_OF_RECORD:
        raise _entry_error(f"has more than {_MAX_ENTRIES_OF_RECORD} entries")
    return tuple(_parse_entry(entry) for entry in entries)


def read_status(list_credential: Mapping[str, Any], entry: StatusEntry) -> bool:
    """Whether the entry's status is set, i.e. not zero (§3.2, all but retrieval and proof).

    Args:
        list_credential: the credential found at ``entry.list_url``, its proof and issuer already verified.

    Raises:
        BadInput: ``status.list_malformed``, ``status.list_foreign``, ``status.purpose_mismatch``,
            ``status.list_encoding``, ``status.list_too_large``, ``status.list_length`` or
            ``status.index_out_of_range``.
    """
    subject = _list_subject(list_credential)
    if list_credential.get("id", entry.list_url) != entry.list_url:
        raise BadInput(
            "status.list_foreign",
            "The status list found at the record's URL calls itself by another URL.",
            "Ask the issuer to publish the list under its own id.",
        )
    purposes = subject.get("statusPurpose")
    if entry.purpose not in (purposes if isinstance(purposes, list) else [purposes]):
        raise BadInput(
            "status.purpose_mismatch",
            "The status list is not for the purpose that the record names.",
            "Ask the issuer which list holds this purpose.",
        )
    encoded = subject.get("encodedList")
    if not isinstance(encoded, str):
        raise _list_error("has no encodedList")
    bits = Bitstring.decode(encoded)
    if len(bits) // entry.size < MIN_LIST_ENTRIES:
        raise _length_error()
    return bits.get(entry.index, entry.size) != 0


def list_ttl(list_credential: Mapping[str, Any]) -> timedelta | None:
    """How long a copy of the list may be used before it should be fetched again; None where it does not say.

    Raises:
        BadInput: ``status.list_malformed``.
    """
    ttl = _list_subject(list_credential).get("ttl")
    if ttl is None:
        return None
    # Some issuers write the number as a string, as the specification's drafts did.
    milliseconds = int(ttl) if isinstance(ttl, str) and ttl.isascii() and ttl.isdigit() and len(ttl) <= 15 else ttl
    if type(milliseconds) is not int or not 0 <= milliseconds < 10**15:
        raise _list_error("has a ttl that is not a number of milliseconds")
    return timedelta(milliseconds=min(milliseconds, _MAX_TTL_MS))


_GZIP = zlib.MAX_WBITS | 16
_MAX_TTL_MS = 366 * 24 * 3_600_000


def _gunzip(packed: bytes, limit: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=_GZIP)
    try:
        data = unpacker.decompress(packed, limit + 1)
    except zlib.error:
        raise _encoding_error() from None
    if len(data) > limit:
        raise BadInput(
            "status.list_too_large",
            f"The status list unpacks to more than {limit} bytes.",
            "Ask the issuer for a smaller list.",
        )
    if not unpacker.eof or unpacker.unused_data:
        raise _encoding_error()
    return data


def _parse_entry(entry: object) -> StatusEntry:
    if not isinstance(entry, dict):
        raise _entry_error("is not an object")
    types = entry.get("type")
    if ENTRY_TYPE not in (types if isinstance(types, list) else [types]):
        raise BadInput(
            "status.type_unsupported",
            "The record's status is of a type that this node cannot check.",
            f"Ask the issuer for a {ENTRY_TYPE}.",
        )
    identifier = entry.get("id")
    if identifier is not None and not isinstance(identifier, str):
        raise _entry_error("has an id that is not a string")
    url = _text(entry, "statusListCredential")
    if not url.startswith(("https://", "http://")):
        raise _entry_error("has a statusListCredential that is not an http(s) URL")
    size = entry.get("statusSize", 1)
    if type(size) is not int or not 1 <= size <= _MAX_STATUS_SIZE:
        raise _entry_error(f"has a statusSize that is not a number from 1 to {_MAX_STATUS_SIZE}")
    return StatusEntry(_text(entry, "statusPurpose"), _index(entry), url, size, identifier)


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT:
        raise _entry_error(f"has no {name}, or one that is not a string of up to {_MAX_TEXT} characters")
    return value


def _index(entry: Mapping[str, Any]) -> int:
    text = entry.get("statusListIndex")
    good = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= _MAX_INDEX_DIGITS
    if not good:
        raise _entry_error("has a statusListIndex that is not a whole number, written as a string")
    return int(str(text))


def _list_subject(credential: Mapping[str, Any]) -> Mapping[str, Any]:
    types = credential.get("type")
    if LIST_CREDENTIAL_TYPE not in (types if isinstance(types, list) else [types]):
        raise _list_error(f"is not a {LIST_CREDENTIAL_TYPE}")
    subject = credential.get("credentialSubject")
    if not isinstance(subject, dict):
        raise _list_error("has no single credentialSubject")
    kinds = subject.get("type")
    if LIST_TYPE not in (kinds if isinstance(kinds, list) else [kinds]):
        raise _list_error(f"has a credentialSubject that is not a {LIST_TYPE}")
    return subject


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _entry_error(what: str) -> BadInput:
    return BadInput("status.entry_malformed", f"The record's credentialStatus {what}.", "Ask the issuer to correct it.")


def _list_error(what: str) -> BadInput:
    return BadInput("status.list_malformed", f"The status list {what}.", "Ask the issuer to correct it.")


def _encoding_error() -> BadInput:
    return BadInput(
        "status.list_encoding",
        "The status list is not multibase base64url of GZIP.",
        "Ask the issuer to encode it by Bitstring Status List §3.3.",
    )


def _length_error() -> BadInput:
    return BadInput(
        "status.list_length",
        f"The status list has fewer than {MIN_LIST_ENTRIES} entries, or more than this node reads.",
        "Ask the issuer for a list of allowed length.",
    )


def _range_error() -> BadInput:
    return BadInput(
        "status.index_out_of_range",
        "The status index is beyond the end of the list.",
        "Ask the issuer which list holds this record.",
    )
