"""W3C Bitstring Status List 1.0: the credential that a list is published as (§2.2), and reading one status (§3.2).

Leaves to others: fetching and caching the list (``source``), its proof, issuer and validity period
(``protocols.credentials``), which index a record gets (``storage``).

What the values of a status mean stands in the entries of the records, where their issuer committed to it, and not in
the list: §2.2 also names ``statusMessages`` and ``statusSize`` for the list, but no context of the W3C defines them
there, so no proof could cover them. A list that names a size all the same must not contradict the entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from protocols.errors import BadInput
from protocols.status.bitstring import Bitstring
from protocols.status.entry import StatusEntry
from protocols.status.errors import list_error

__all__ = ["LIST_CREDENTIAL_TYPE", "LIST_TYPE", "Status", "list_ttl", "read_status", "status_list_credential"]

LIST_TYPE: Final = "BitstringStatusList"
LIST_CREDENTIAL_TYPE: Final = "BitstringStatusListCredential"

_VCDM_2_CONTEXT = "https://www.w3.org/ns/credentials/v2"
_MAX_TTL_MS = 366 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Status:
    """What a list says of one record, as the result of §3.2.

    Attributes:
        value: the bits of the entry; 0 means that nothing is set.
        message: what the value means by the record's own entry; for developers, not for the record's holder.
    """

    purpose: str
    value: int
    message: str

    @property
    def valid(self) -> bool:
        """Whether nothing is set."""
        return self.value == 0


def status_list_credential(
    *,
    url: str,
    issuer: str,
    purposes: Sequence[str],
    bits: Bitstring,
    valid_from: datetime,
    ttl_ms: int,
    valid_until: datetime | None = None,
) -> dict[str, Any]:
    """The unsigned VCDM 2.0 ``BitstringStatusListCredential`` for ``bits``.

    Args:
        url: where the credential will be served; its ``id``.
        purposes: what the list is for, one or more.
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
            "statusPurpose": purposes[0] if len(purposes) == 1 else list(purposes),
            "encodedList": bits.encode(),
            "ttl": ttl_ms,
        },
    }


def _decode(encoded: str, size: int) -> Bitstring:
    return Bitstring.decode(encoded, size=size)


def read_status(
    list_credential: Mapping[str, Any], entry: StatusEntry, decode: Callable[[str, int], Bitstring] = _decode
) -> Status:
    """What the list says at the entry (§3.2, all but retrieval and proof).

    Args:
        list_credential: the credential found at ``entry.list_url``, its proof and issuer already verified.
        decode: unpacks an ``encodedList`` of entries of so many bits; for those who read one list many times.

    Raises:
        BadInput: ``status.list_malformed``, ``status.list_foreign``, ``status.purpose_mismatch``,
            ``status.size_mismatch``, ``status.list_encoding``, ``status.list_too_large``, ``status.list_length`` or
            ``status.index_out_of_range``.
    """
    subject = _subject(list_credential)
    if list_credential.get("id", entry.list_url) != entry.list_url:
        raise BadInput(
            "status.list_foreign",
            "The status list found at the record's URL calls itself by another URL.",
            "Ask the issuer to publish the list under its own id.",
        )
    if entry.purpose not in _purposes(subject):
        raise BadInput(
            "status.purpose_mismatch",
            "The status list is not for the purpose that the record names.",
            "Ask the issuer which list holds this purpose.",
        )
    if subject.get("statusSize", entry.size) != entry.size:
        raise BadInput(
            "status.size_mismatch",
            "The entries of the status list have another size than the record says.",
            "Ask the issuer which list holds this record.",
        )
    encoded = subject.get("encodedList")
    if not isinstance(encoded, str):
        raise list_error("has no encodedList")
    value = decode(encoded, entry.size).get(entry.index)
    return Status(entry.purpose, value, entry.messages[value])


def list_ttl(list_credential: Mapping[str, Any]) -> timedelta | None:
    """How long a copy of the list may be used before it should be fetched again; None where it does not say.

    Raises:
        BadInput: ``status.list_malformed``.
    """
    ttl = _subject(list_credential).get("ttl")
    if ttl is None:
        return None
    # Some issuers write the number as a string, as the specification's drafts did.
    milliseconds = int(ttl) if isinstance(ttl, str) and ttl.isascii() and ttl.isdigit() and len(ttl) <= 15 else ttl
    if type(milliseconds) is not int or milliseconds < 0:
        raise list_error("has a ttl that is not a number of milliseconds")
    return timedelta(milliseconds=min(milliseconds, _MAX_TTL_MS))


def _subject(credential: Mapping[str, Any]) -> Mapping[str, Any]:
    types = credential.get("type")
    if LIST_CREDENTIAL_TYPE not in (types if isinstance(types, list) else [types]):
        raise list_error(f"is not a {LIST_CREDENTIAL_TYPE}")
    subject = credential.get("credentialSubject")
    if not isinstance(subject, dict):
        raise list_error("has no single credentialSubject")
    kinds = subject.get("type")
    if LIST_TYPE not in (kinds if isinstance(kinds, list) else [kinds]):
        raise list_error(f"has a credentialSubject that is not a {LIST_TYPE}")
    return subject


def _purposes(subject: Mapping[str, Any]) -> list[str]:
    value = subject.get("statusPurpose")
    purposes: list[Any] = value if isinstance(value, list) else [value]
    if not purposes or not all(isinstance(purpose, str) for purpose in purposes):
        raise list_error("has a statusPurpose that is not one string or more")
    return purposes


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
