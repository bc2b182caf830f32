"""W3C Bitstring Status List 1.0 §2.1: the entries in a record that say where its statuses are.

Promises: whatever breaks a MUST of §2.1 ends in :class:`~protocols.errors.BadInput` (the MALFORMED_VALUE_ERROR of §3).
Messages belong to values by the ``status`` that each names, not by their order: a proof over RDF does not sign that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from protocols.credentials.model import is_url
from protocols.errors import BadInput

__all__ = [
    "DEFAULT_MESSAGES", "ENTRY_TYPE", "MESSAGE", "REFRESH", "REVOCATION", "SUSPENSION", "UNDEFINED", "StatusEntry",
    "parse_status_entries", "status_entry", "whole_messages",
]  # fmt: skip

ENTRY_TYPE: Final = "BitstringStatusListEntry"

REVOCATION: Final = "revocation"
SUSPENSION: Final = "suspension"
REFRESH: Final = "refresh"
MESSAGE: Final = "message"

UNDEFINED: Final = "undefined"
"""The message of a value that means nothing yet."""
DEFAULT_MESSAGES: Final = ("unset", "set")
"""What the values of one bit mean where the entry gives no messages."""

_MAX_ENTRIES_OF_RECORD = 16
_MAX_STATUS_SIZE = 16  # the messages of more would not fit into a document
_MAX_TEXT = 2048
_HEX = re.compile(r"0x[0-9a-fA-F]{1,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """One ``BitstringStatusListEntry`` of a record.

    Attributes:
        purpose: ``revocation``, ``suspension``, ``refresh``, ``message``, or another purpose, kept as written.
        index: position in the list, in entries.
        list_url: where the list's credential is.
        size: bits an entry (``statusSize``); 1 where the record does not say.
        messages: what each value means (``statusMessage``); as many as there are values.
        references: where more is said of the statuses (``statusReference``).
        id: the entry's own identifier, or None.
    """

    purpose: str
    index: int
    list_url: str
    size: int = 1
    messages: tuple[str, ...] = DEFAULT_MESSAGES
    references: tuple[str, ...] = ()
    id: str | None = None


def status_entry(
    url: str, purpose: str, index: int, *, messages: Sequence[str] = (), references: Sequence[str] = ()
) -> dict[str, Any]:
    """The ``credentialStatus`` entry that points at ``index`` of the list at ``url``.

    Args:
        messages: what each value means, as :func:`whole_messages` gives them; none for one bit that is set or not.
        references: URLs of documents about the statuses.
    """
    size = (len(messages) - 1).bit_length()
    about = [{"status": hex(value), "message": text} for value, text in enumerate(messages)]
    return {
        "id": f"{url}#{index}",
        "type": ENTRY_TYPE,
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": url,
        **({"statusSize": size, "statusMessage": about} if messages else {}),
        **({"statusReference": references[0] if len(references) == 1 else list(references)} if references else {}),
    }


def whole_messages(messages: Sequence[str]) -> tuple[str, ...]:
    """``messages`` followed by as many undefined ones as make a power of two, at least two."""
    size = max(1, (len(messages) - 1).bit_length())
    return (*messages, *[UNDEFINED] * ((1 << size) - len(messages)))


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
        raise _malformed(f"has more than {_MAX_ENTRIES_OF_RECORD} entries")
    return tuple(_parse_entry(entry) for entry in entries)


def _parse_entry(entry: object) -> StatusEntry:
    if not isinstance(entry, dict):
        raise _malformed("is not an object")
    types = entry.get("type")
    if ENTRY_TYPE not in (types if isinstance(types, list) else [types]):
        raise BadInput(
            "status.type_unsupported",
            "The record's status is of a type that this node cannot check.",
            f"Ask the issuer for a {ENTRY_TYPE}.",
        )
    url = _text(entry, "statusListCredential")
    if not url.startswith(("https://", "http://")):
        raise _malformed("has a statusListCredential that is not an http(s) URL")
    size = entry.get("statusSize", 1)
    if type(size) is not int or not 1 <= size <= _MAX_STATUS_SIZE:
        raise _malformed(f"has a statusSize that is not a number from 1 to {_MAX_STATUS_SIZE}")
    return StatusEntry(
        purpose=_text(entry, "statusPurpose"),
        index=_index(entry),
        list_url=url,
        size=size,
        messages=_messages(entry, size),
        references=_references(entry),
        id=_id(entry, url),
    )


def _id(entry: Mapping[str, Any], list_url: str) -> str | None:
    identifier = entry.get("id")
    if identifier is None:
        return None
    if not is_url(identifier):
        raise _malformed("has an id that is not a URL")
    if identifier == list_url:
        raise _malformed("has the URL of the status list as its own id")
    return str(identifier)


def _index(entry: Mapping[str, Any]) -> int:
    text = entry.get("statusListIndex")
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= _MAX_TEXT):
        raise _malformed("has a statusListIndex that is not a whole number, written as a string")
    return int(text)


def _messages(entry: Mapping[str, Any], size: int) -> tuple[str, ...]:
    given = entry.get("statusMessage")
    if given is None and size == 1:
        return DEFAULT_MESSAGES
    if not isinstance(given, list) or len(given) != 1 << size:
        raise _malformed(f"has no statusMessage with one message for each of its {1 << size} values")
    found: dict[int, str] = {}
    for item in given:
        value, text = _message(item)
        found[value] = text
    ids = [item["id"] for item in given if isinstance(item.get("id"), str)]
    if len(set(ids)) != len(ids):
        # In RDF, and so under the signature, messages of one id are one, whose parts could be mixed at will.
        raise _malformed("has two messages of one id")
    if found.keys() != set(range(1 << size)):
        raise _malformed("has a statusMessage that does not name each value once")
    return tuple(found[value] for value in range(1 << size))


def _message(item: object) -> tuple[int, str]:
    status = item.get("status") if isinstance(item, dict) else None
    text = item.get("message") if isinstance(item, dict) else None
    if not isinstance(status, str) or not _HEX.fullmatch(status):
        raise _malformed("has a statusMessage without a status in hexadecimal, prefixed with 0x")
    if not isinstance(text, str) or len(text) > _MAX_TEXT:
        raise _malformed(f"has a statusMessage without a message of up to {_MAX_TEXT} characters")
    return int(status, 16), text


def _references(entry: Mapping[str, Any]) -> tuple[str, ...]:
    value = entry.get("statusReference")
    if value is None:
        return ()
    urls = value if isinstance(value, list) else [value]
    if not all(is_url(url) for url in urls):
        raise _malformed("has a statusReference that is not a URL or several")
    return tuple(urls)


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT:
        raise _malformed(f"has no {name}, or one that is not a string of up to {_MAX_TEXT} characters")
    return value


def _malformed(what: str) -> BadInput:
    return BadInput("status.entry_malformed", f"The record's credentialStatus {what}.", "Ask the issuer to correct it.")
