"""Token Status List: the claims of a Status List Token, and the reference that a token has into it.

Spec: draft-ietf-oauth-status-list-20 §4 to §8. A Status List Token is a signed JWT (§5.1); what stands here begins
where its claims are read, and leaves its signature, issuer, and whether it is valid now, to ``protocols.credentials``.

Promises: whatever breaks a MUST of §5.1 or §6.2 ends in :class:`~protocols.errors.BadInput`; a list is unpacked under
a hard limit. Left out: CWT, historical resolution (§8.4), and the aggregation of lists (§9), whose URI is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, Final

from protocols.credentials.model import is_url
from protocols.errors import BadInput
from protocols.status.errors import list_error
from protocols.status.status_array import STATUS_SIZES, StatusArray

__all__ = [
    "MEDIA_TYPE", "StatusReference", "StatusType", "TokenStatusList", "lifetime", "parse_claims",
    "parse_reference", "read_token_status", "status_claim", "status_list_claims",
]  # fmt: skip

MEDIA_TYPE: Final = "statuslist+jwt"
"""The ``typ`` of a Status List Token, and after ``application/`` its media type."""

_MAX_TIME = 253_402_300_799
_MAX_TTL = timedelta(days=366)


class StatusType(IntEnum):
    """The values that mean the same everywhere (§7.1); 3 and 12 to 15 are the application's, others are reserved."""

    VALID = 0
    INVALID = 1
    SUSPENDED = 2


@dataclass(frozen=True, slots=True)
class StatusReference:
    """Where the status of a token is (§6.2).

    Attributes:
        index: position in the list (``idx``).
        uri: where the Status List Token is, and its ``sub``.
    """

    index: int
    uri: str


@dataclass(frozen=True, slots=True)
class TokenStatusList:
    """The claims of a Status List Token (§5.1).

    Attributes:
        uri: its ``sub``.
        issuer: its ``iss``, which it need not have.
        issued_at, expires: its ``iat`` and ``exp``, in UTC.
        ttl: how long a copy may be used before it should be fetched again; None where it does not say.
        aggregation_uri: where the issuer's lists are listed, as written.
    """

    uri: str
    issuer: str | None
    issued_at: datetime
    expires: datetime | None
    ttl: timedelta | None
    statuses: StatusArray
    aggregation_uri: str | None = None


def parse_reference(claims: Mapping[str, Any]) -> StatusReference | None:
    """The reference in a token's ``status`` claim; None where it has no such claim.

    Raises:
        BadInput: ``status.reference_malformed``, or ``status.mechanism_unsupported`` where its status is kept in
            another way: a status that cannot be checked is not a good one.
    """
    if "status" not in claims:
        return None
    status = claims["status"]
    if not isinstance(status, dict) or not status:
        raise _reference_error("is not an object with a member for a mechanism")
    if "status_list" not in status:
        raise BadInput(
            "status.mechanism_unsupported",
            "The record's status is kept in a way that this node cannot check.",
            "Ask the issuer for a status_list.",
        )
    reference = status["status_list"]
    if not isinstance(reference, dict):
        raise _reference_error("has a status_list that is not an object")
    index, uri = reference.get("idx"), reference.get("uri")
    if type(index) is not int or index < 0:
        raise _reference_error("has an idx that is not a whole number from 0")
    if not isinstance(uri, str) or not is_url(uri) or not uri.startswith(("https://", "http://")):
        raise _reference_error("has a uri that is not an http(s) URL")
    return StatusReference(index, uri)


def status_claim(reference: StatusReference) -> dict[str, Any]:
    """The ``status`` claim with this reference."""
    return {"status_list": {"idx": reference.index, "uri": reference.uri}}


def parse_claims(claims: Mapping[str, Any]) -> TokenStatusList:
    """Read the claims of a Status List Token.

    Raises:
        BadInput: ``status.list_malformed``, ``status.list_encoding`` or ``status.list_too_large``.
    """
    issuer = claims.get("iss")
    if issuer is not None and not isinstance(issuer, str):
        raise list_error("has an iss that is not a string")
    uri = claims.get("sub")
    if not isinstance(uri, str) or not uri:
        raise list_error("has no sub")
    issued_at = _time(claims, "iat")
    if issued_at is None:
        raise list_error("has no iat")
    statuses, aggregation_uri = _status_list(claims.get("status_list"))
    ttl, expires = lifetime(claims)
    return TokenStatusList(
        uri=uri,
        issuer=issuer,
        issued_at=issued_at,
        expires=expires,
        ttl=ttl,
        statuses=statuses,
        aggregation_uri=aggregation_uri,
    )


def lifetime(claims: Mapping[str, Any]) -> tuple[timedelta | None, datetime | None]:
    """The ``ttl`` and ``exp`` of a Status List Token, for whoever keeps a copy (§13.7).

    Raises:
        BadInput: ``status.list_malformed``.
    """
    return _ttl(claims), _time(claims, "exp")


def read_token_status(status_list: TokenStatusList, reference: StatusReference) -> int:
    """What the list says of the token with the reference (§8.3, steps 3 to 6).

    Args:
        status_list: of a token whose signature and issuer are verified already.

    Raises:
        BadInput: ``status.list_foreign`` or ``status.index_out_of_range``.
    """
    if status_list.uri != reference.uri:
        raise BadInput(
            "status.list_foreign",
            "The status list found at the record's URL calls itself by another URL.",
            "Ask the issuer to publish the list under its own URL.",
        )
    return status_list.statuses.get(reference.index)


def status_list_claims(
    *,
    uri: str,
    issuer: str,
    statuses: StatusArray,
    issued_at: datetime,
    ttl: timedelta,
    expires: datetime | None = None,
) -> dict[str, Any]:
    """The claims of a Status List Token.

    Args:
        uri: where it will be served.
        ttl: how long a copy may be used before it should be fetched again; more than nothing.
        issued_at, expires: aware times.
    """
    return {
        "iss": issuer,
        "sub": uri,
        "iat": int(issued_at.timestamp()),
        **({} if expires is None else {"exp": int(expires.timestamp())}),
        "ttl": max(1, int(ttl.total_seconds())),
        "status_list": {"bits": statuses.bits, "lst": statuses.encode()},
    }


def _status_list(value: object) -> tuple[StatusArray, str | None]:
    if not isinstance(value, dict):
        raise list_error("has no status_list")
    bits, encoded, aggregation_uri = value.get("bits"), value.get("lst"), value.get("aggregation_uri")
    if type(bits) is not int or bits not in STATUS_SIZES:
        raise list_error("has bits other than 1, 2, 4 or 8")
    if not isinstance(encoded, str):
        raise list_error("has no lst")
    if aggregation_uri is not None and not isinstance(aggregation_uri, str):
        raise list_error("has an aggregation_uri that is not a string")
    return StatusArray.decode(encoded, bits=bits), aggregation_uri


def _time(claims: Mapping[str, Any], name: str) -> datetime | None:
    """A NumericDate (RFC 7519 §2)."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_TIME:
        raise list_error(f"has an {name} that is not a number of seconds since 1970")
    return datetime.fromtimestamp(value, UTC)


def _ttl(claims: Mapping[str, Any]) -> timedelta | None:
    value = claims.get("ttl")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise list_error("has a ttl that is not a positive number of seconds")
    return timedelta(seconds=min(value, _MAX_TTL.total_seconds()))


def _reference_error(what: str) -> BadInput:
    return BadInput("status.reference_malformed", f"The record's status claim {what}.", "Ask the issuer to correct it.")
