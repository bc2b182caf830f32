"""1EdTech Revocation List Status Method 1.0: the entry in a record, and the list that it points to.

The list is a plain JSON object at a URL of the issuer's, not signed: it rests on the issuer's web server, and on the
signature of the record, which names the URL. It holds the ids of revoked records; a record that it does not name is not
revoked. Leaves to others: fetching the list and how old a copy may be.

Promises: what is not such a list ends in :class:`~protocols.errors.BadInput`, an entry of it that cannot be read
included, for that could be the very record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from protocols.credentials.model import as_list, id_of
from protocols.status.errors import list_error

__all__ = ["REVOCATION_LIST_TYPE", "RevocationList", "parse_revocation_list"]

REVOCATION_LIST_TYPE: Final = "1EdTechRevocationList"

_MEMBERS = ("revokedCredential", "revokedCredentials")
"""The name in the data model, and the one that the text of the same specification uses; servers publish either."""


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list as it was published.

    Attributes:
        url: its ``id``.
        revoked: the ids of the records that are revoked now.
    """

    url: str
    issuer: str
    revoked: frozenset[str]


def parse_revocation_list(document: Any) -> RevocationList:
    """Read a published list.

    Raises:
        BadInput: ``status.list_malformed``.
    """
    if not isinstance(document, dict):
        raise list_error("is not a JSON object")
    url, issuer = id_of(document.get("id")), id_of(document.get("issuer"))
    if url is None or issuer is None:
        raise list_error("has no id or no issuer")
    named = [document[name] for name in _MEMBERS if name in document]
    if not named:
        raise list_error(f"has no {_MEMBERS[0]}")
    found = [_read(item) for value in named for item in as_list(value)]
    return RevocationList(url, issuer, frozenset(identifier for identifier, revoked in found if revoked))


def _read(item: Any) -> tuple[str, bool]:
    """A record's id, and whether it is revoked, which it is where the list does not say."""
    identifier = item.get("id") if isinstance(item, dict) else None
    revoked = item.get("revoked", True) if isinstance(item, dict) else None
    if not isinstance(identifier, str) or not isinstance(revoked, bool):
        raise list_error("has an entry without an id, or whose revoked is neither true nor false")
    return identifier, revoked
