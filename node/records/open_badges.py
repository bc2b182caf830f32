"""Open Badges 3.0 records: build an unsigned OpenBadgeCredential for one learner (OB 3.0 §B, AchievementCredential).

For VCDM 2.0, and for VCDM 1.1 where a peer knows no other. The achievement goes in exactly as the catalogue has it. As
little as possible is said of the learner: a DID and no e-mail address; where only an address is known, its salted hash.

Signing, the choice of times and identifiers, and the status entries come from outside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from node.records.catalogue import Achievement
from protocols import strict_json
from protocols.credentials.checks.recipient import identity_hash
from protocols.credentials.model import CONTEXT_V1, CONTEXT_V2, Version, is_url
from protocols.credentials.times import format_time
from protocols.did.syntax import check_did
from protocols.errors import BadInput

__all__ = ["OB_CONTEXT", "STATUS_CONTEXT", "IssuerProfile", "build_credential", "check_email", "hashed_address",
           "profile", "withholdable"]  # fmt: skip

OB_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
STATUS_CONTEXT = "https://www.w3.org/ns/credentials/status/v1"
"""Where VCDM 1.1 documents take the terms of status entries from; VCDM 2.0 has them in its own context."""

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f\"(),:;<>\[\\\]]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,62}")
_MAX_EMAIL = 254
_MIN_SALT = 16


@dataclass(frozen=True, slots=True)
class IssuerProfile:
    """Who issues (OB 3.0 §B, Profile).

    Attributes:
        did: the issuer's DID, whose key signs.
        url: its home page.
    """

    did: str
    name: str
    url: str | None = None


def build_credential(
    *,
    achievement: Achievement,
    issuer: IssuerProfile,
    credential_id: str,
    valid_from: datetime,
    valid_until: datetime | None = None,
    subject_did: str | None = None,
    subject_email: str | None = None,
    subject_name: str | None = None,
    open_subject: bool = False,
    salt: str | None = None,
    result: dict[str, Any] | None = None,
    evidence: Sequence[dict[str, Any]] = (),
    status_entries: Sequence[dict[str, Any]] = (),
    data_model: Version = Version.V2_0,
) -> dict[str, Any]:
    """An unsigned OpenBadgeCredential.

    Args:
        credential_id: a URL or URN of its own, e.g. ``urn:uuid:…``.
        valid_from: when it begins to be valid, timezone-aware; to the second.
        subject_did: whom it is about; with it the address is left out.
        subject_email: whom it is about, where no DID is known; only its hash is written.
        subject_name: written in clear, so only where the learner is to be known by name to whoever sees the record.
        open_subject: allow that nobody is named, for an offer: whoever accepts it names itself.
        salt: for the hash of the address: at least 16 characters that nobody can guess, new for every record.
        result: a Result, from :func:`node.records.results.make_result`.
        evidence: Evidence objects (OB 3.0 §B, Evidence).
        status_entries: ``credentialStatus`` entries, none, one or several (VCDM 2.0 §4.10).

    Raises:
        BadInput: ``record.no_subject``, ``record.email``, ``record.salt``, ``record.id``, ``record.validity`` or
            ``did.malformed``.
    """
    _check_times(valid_from, valid_until)
    if not is_url(credential_id):
        raise BadInput("record.id", "The record's id is not a URL.", "Give it one, such as urn:uuid:….")
    check_did(issuer.did)
    start, end = ("validFrom", "validUntil") if data_model is Version.V2_0 else ("issuanceDate", "expirationDate")
    document: dict[str, Any] = {
        "@context": _contexts(data_model, with_status=bool(status_entries)),
        "id": credential_id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": achievement.name,
        "issuer": profile(issuer),
        start: format_time(valid_from),
        **({end: format_time(valid_until)} if valid_until else {}),
        "credentialSubject": {
            **_subject(subject_did, subject_email, subject_name, salt, open_subject),
            "achievement": achievement.document,
            **({"result": [result]} if result else {}),
        },
        **({"evidence": list(evidence)} if evidence else {}),
        **({"credentialStatus": _one_or_all(status_entries)} if status_entries else {}),
    }
    # A deep copy, so that nobody changes the catalogue; in this way the quickest.
    copy: dict[str, Any] = msgspec.json.decode(strict_json.dumps(document))
    return copy


def withholdable(credential: dict[str, Any]) -> list[str]:
    """What a learner may want to show apart from the rest, as JSON Pointers: who it is, each result, each evidence."""
    places = [(credential, "/evidence")]
    places += [(credential["credentialSubject"], f"/credentialSubject/{name}") for name in ("identifier", "result")]
    pointers = []
    for thing, pointer in places:
        items = thing.get(pointer.rpartition("/")[2])
        if isinstance(items, list):
            pointers += [pointer, *(f"{pointer}/{number}" for number in range(len(items)))]
    return pointers


def check_email(address: str) -> str:
    """``address`` itself, if it has the form of an e-mail address (a plain ``local@domain``, RFC 5321 §4.1.2).

    Raises:
        BadInput: ``record.email``.
    """
    if len(address) > _MAX_EMAIL or not _EMAIL.fullmatch(address):
        raise BadInput("record.email", "A value is not an e-mail address.", "Write it as name@example.org.")
    return address


def profile(issuer: IssuerProfile) -> dict[str, Any]:
    """The issuer as it stands in a record."""
    said = {"id": issuer.did, "type": ["Profile"], "name": issuer.name}
    return said | ({"url": issuer.url} if issuer.url else {})


def hashed_address(email: str, salt: str | None) -> dict[str, Any]:
    """Whom a record is about, by the hash of an e-mail address (OB 3.0 §B, IdentityObject).

    Raises:
        BadInput: ``record.email``, ``record.salt``.
    """
    check_email(email)
    if salt is None or len(salt) < _MIN_SALT:
        message = "The salt of the hashed e-mail address is missing or too short."
        raise BadInput("record.salt", message, f"Give at least {_MIN_SALT} random characters.")
    return {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": identity_hash(email, salt),
        "identityType": "emailAddress",
        "salt": salt,
    }


def _check_times(valid_from: datetime, valid_until: datetime | None) -> None:
    if any(moment is not None and moment.utcoffset() is None for moment in (valid_from, valid_until)):
        raise BadInput("record.validity", "A time of validity has no time zone.", "Give it one, such as UTC.")
    if valid_until is not None and valid_until <= valid_from:
        raise BadInput("record.validity", "The record would end before it begins.", "Set a later end.")


def _contexts(data_model: Version, *, with_status: bool) -> list[str]:
    if data_model is Version.V2_0:
        return [CONTEXT_V2, OB_CONTEXT]
    return [CONTEXT_V1, OB_CONTEXT, *([STATUS_CONTEXT] if with_status else [])]


def _subject(
    did: str | None, email: str | None, name: str | None, salt: str | None, may_be_open: bool
) -> dict[str, Any]:
    subject: dict[str, Any] = {"type": ["AchievementSubject"]}
    identifiers = []
    if did is not None:
        subject = {"id": check_did(did), **subject}
    elif email is not None:
        identifiers.append(hashed_address(email, salt))
    elif not may_be_open:
        raise BadInput("record.no_subject", "The record is about nobody.", "Give the learner's DID or e-mail address.")
    if name:
        named = {"type": "IdentityObject", "hashed": False, "identityHash": name, "identityType": "ext:name"}
        identifiers.append(named)
    return subject | ({"identifier": identifiers} if identifiers else {})


def _one_or_all(entries: Sequence[dict[str, Any]]) -> dict[str, Any] | list[dict[str, Any]]:
    return entries[0] if len(entries) == 1 else list(entries)
