"""Comprehensive Learner Records: build an unsigned ClrCredential of records of one learner (CLR 2.0 §B).

The records go in exactly as they were signed. Which of them, whether they hold, signing, the choice of times and
identifiers, and the status entry come from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from node.records.open_badges import OB_CONTEXT, IssuerProfile, hashed_address, profile
from protocols.credentials.model import CLR_CREDENTIAL, CONTEXT_V2
from protocols.credentials.times import format_time

__all__ = ["CLR_CONTEXT", "Association", "AssociationType", "build_learner_record", "learner"]

CLR_CONTEXT = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"

AssociationType = Literal[
    "exactMatchOf", "isChildOf", "isParentOf", "isPartOf", "isPeerOf", "isRelatedTo", "precedes", "replacedBy"
]


@dataclass(frozen=True, slots=True)
class Association:
    """How an achievement stands to another one (CLR 2.0 §B, Association).

    Attributes:
        source, target: ids of achievements; of what the source is to the target.
    """

    source: str
    kind: AssociationType
    target: str

    @property
    def document(self) -> dict[str, Any]:
        """As it stands in a record."""
        ends = {"sourceId": self.source, "targetId": self.target}
        return {"type": ["Association"], "associationType": self.kind, **ends}


def learner(*, did: str | None = None, email: str | None = None, salt: str | None = None) -> dict[str, Any]:
    """Whom a record is about (CLR 2.0 §B, ClrSubject), by a DID or by the hash of an address.

    Args:
        salt: for the hash of the address, see :func:`node.records.open_badges.build_credential`.

    Raises:
        BadInput: ``record.email``, ``record.salt``.
    """
    named = {"id": did} if did is not None else {"identifier": [hashed_address(email or "", salt)]}
    return {**named, "type": ["ClrSubject"]}


def build_learner_record(
    *,
    issuer: IssuerProfile,
    credential_id: str,
    name: str,
    valid_from: datetime,
    subject: dict[str, Any],
    credentials: Sequence[dict[str, Any]],
    associations: Sequence[Association] = (),
    partial: bool,
) -> dict[str, Any]:
    """An unsigned ClrCredential of version 2.0 of the W3C's data model.

    Args:
        valid_from: when it is awarded.
        subject: from :func:`learner`.
        credentials: the records in it, each with its own proof or in an envelope.
        partial: whether its issuer knows of more records of the learner than are in it.
    """
    related = {"association": [each.document for each in associations]} if associations else {}
    return {
        "@context": [CONTEXT_V2, CLR_CONTEXT, OB_CONTEXT],
        "id": credential_id,
        "type": ["VerifiableCredential", CLR_CREDENTIAL],
        "name": name,
        "issuer": profile(issuer),
        "validFrom": format_time(valid_from),
        "partial": partial,
        "credentialSubject": {**subject, "verifiableCredential": list(credentials), **related},
    }
