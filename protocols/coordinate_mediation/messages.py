"""Coordinate Mediation messages: 1.0 (Aries RFC 0211), 2.0 and 3.0 (didcomm.org).

The versions differ in words: recipients are keys in 1.0 and DIDs later, and 3.0 says recipient where the others say
keylist. All read into the same messages; ``major`` says which one is meant, whatever wire carries it. Recipients stay
as written, see :func:`protocols.routing.names.name_of`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from protocols.did.syntax import did_of
from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.errors import BadInput, PeerFault
from protocols.routing.names import MAX_NAME, as_did, name_of

__all__ = [
    "FAMILY", "MAX_UPDATES", "Action", "CoordinateMediationMessage", "Keylist", "KeylistQuery", "KeylistUpdate",
    "KeylistUpdateResponse", "MediateDeny", "MediateGrant", "MediateRequest", "Pagination", "Result", "Update",
    "Updated", "decode",
]  # fmt: skip

FAMILY = DIDCOMM_ORG + "coordinate-mediation"
MAX_UPDATES = 256
_MAJORS = frozenset({1, 2, 3})
_MAX_ROUTES = 16
_MAX_ENDPOINT = 2048
_MAX_PAGE = 1000


class Action(StrEnum):
    """What is to become of a recipient."""

    ADD = "add"
    REMOVE = "remove"


class Result(StrEnum):
    """What became of it."""

    SUCCESS = "success"
    NO_CHANGE = "no_change"
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"


@dataclass(frozen=True, slots=True)
class Update:
    """One change of a keylist."""

    recipient: str
    action: Action


@dataclass(frozen=True, slots=True)
class Updated:
    """What became of one change."""

    recipient: str
    action: Action
    result: Result


@dataclass(frozen=True, slots=True)
class Pagination:
    """Which part of a keylist it is."""

    count: int
    offset: int
    remaining: int


@dataclass(frozen=True, slots=True)
class MediateRequest:
    """Would you mediate for me?"""

    id: str
    thid: str
    major: int

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return _message(self, "mediate-request", {}, wire)


@dataclass(frozen=True, slots=True)
class MediateGrant:
    """Yes: this is the route.

    Attributes:
        endpoint: where peers send; 1.0 only.
        routing_keys: raw base58, in the order of the route; 1.0 only.
        routing_dids: DIDs that lead to the mediator; 2.0 and 3.0.
    """

    id: str
    thid: str
    major: int
    endpoint: str | None = None
    routing_keys: tuple[str, ...] = ()
    routing_dids: tuple[str, ...] = ()

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        if self.major == 1:
            body = {"endpoint": self.endpoint, "routing_keys": [as_did(key) for key in self.routing_keys]}
        elif self.major == 2:
            body = {"routing_did": self.routing_dids[0]}
        else:
            body = {"routing_did": list(self.routing_dids)}
        return _message(self, "mediate-grant", body, wire)


@dataclass(frozen=True, slots=True)
class MediateDeny:
    """No."""

    id: str
    thid: str
    major: int

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        return _message(self, "mediate-deny", {}, wire)


@dataclass(frozen=True, slots=True)
class KeylistUpdate:
    """These recipients are mine now, or no longer."""

    id: str
    thid: str
    major: int
    updates: tuple[Update, ...]

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        updates = [{_recipient(self.major): each.recipient, "action": each.action.value} for each in self.updates]
        return _message(self, f"{_list(self.major)}-update", {"updates": updates}, wire)


@dataclass(frozen=True, slots=True)
class KeylistUpdateResponse:
    """What became of an update."""

    id: str
    thid: str
    major: int
    updated: tuple[Updated, ...]

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        updated = [
            {_recipient(self.major): each.recipient, "action": each.action.value, "result": each.result.value}
            for each in self.updated
        ]
        return _message(self, f"{_list(self.major)}-update-response", {"updated": updated}, wire)


@dataclass(frozen=True, slots=True)
class KeylistQuery:
    """Which recipients do you know as mine?"""

    id: str
    thid: str
    major: int
    limit: int | None = None
    offset: int = 0

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        body = {} if self.limit is None else {"paginate": {"limit": self.limit, "offset": self.offset}}
        return _message(self, f"{_list(self.major)}-query", body, wire)


@dataclass(frozen=True, slots=True)
class Keylist:
    """These."""

    id: str
    thid: str
    major: int
    recipients: tuple[str, ...]
    pagination: Pagination | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        field = "dids" if self.major == 3 else "keys"
        body: dict[str, Any] = {field: [{_recipient(self.major): each} for each in self.recipients]}
        if self.pagination is not None:
            page = self.pagination
            body["pagination"] = {"count": page.count, "offset": page.offset, "remaining": page.remaining}
        return _message(self, "recipient" if self.major == 3 else "keylist", body, wire)


CoordinateMediationMessage = (
    MediateRequest | MediateGrant | MediateDeny | KeylistUpdate | KeylistUpdateResponse | KeylistQuery | Keylist
)


def decode(message: PlainMessage) -> CoordinateMediationMessage:
    """Read a message of the protocol, of any version.

    Raises:
        PeerFault: ``message.type``, ``message.malformed`` or ``routing.recipient``.
    """
    family, version = message.protocol.rsplit("/", 1)
    if family != FAMILY or int(version) not in _MAJORS:
        raise _no_such_message()
    head = (message.id, message.thid, int(version))
    major, listed = int(version), _list(int(version))
    fields = Fields(message.body)
    match message.name.removeprefix(listed) if message.name.startswith(listed) else message.name:
        case "mediate-request":
            return MediateRequest(*head)
        case "mediate-deny":
            return MediateDeny(*head)
        case "mediate-grant":
            return _grant(head, fields, is_single=isinstance(message.body.get("routing_did"), str))
        case "-update":
            updates = fields.required_mappings("updates", max_items=MAX_UPDATES)
            return KeylistUpdate(*head, tuple(_update(raw, major) for raw in updates))
        case "-update-response":
            return KeylistUpdateResponse(
                *head, tuple(_updated(raw, major) for raw in fields.required_mappings("updated", max_items=MAX_UPDATES))
            )
        case "-query":
            return _query(head, fields)
        case "":
            return _keylist(head, fields)
    raise _no_such_message()


def _grant(head: tuple[str, str, int], fields: Fields, *, is_single: bool) -> MediateGrant:
    if head[2] == 1:
        keys = fields.texts("routing_keys", max_items=_MAX_ROUTES, max_chars=256)
        names = tuple(name_of(key) for key in keys)
        if any(name.startswith("did:") for name in names):
            raise fields.fault("routing_keys", "has an item that is no Ed25519 key")
        return MediateGrant(*head, endpoint=fields.text("endpoint", max_chars=_MAX_ENDPOINT), routing_keys=names)
    # 2.0 writes one DID, 3.0 a list of them; either is read.
    if is_single:
        dids: tuple[str, ...] = (fields.text("routing_did", max_chars=MAX_NAME),)
    else:
        dids = fields.texts("routing_did", max_items=_MAX_ROUTES, max_chars=MAX_NAME)
    if not dids or not all(_is_did(did) for did in dids):
        raise fields.fault("routing_did", "is not a DID")
    return MediateGrant(*head, routing_dids=dids)


def _update(raw: dict[str, Any], major: int) -> Update:
    fields = Fields(raw, where="update")
    recipient = fields.text(_recipient(major), max_chars=MAX_NAME)
    name_of(recipient)
    return Update(recipient, _action(fields))


def _updated(raw: dict[str, Any], major: int) -> Updated:
    fields = Fields(raw, where="update")
    result = fields.text("result", max_chars=32)
    if result not in {member.value for member in Result}:
        raise fields.fault("result", "is not one of the protocol")
    return Updated(fields.text(_recipient(major), max_chars=MAX_NAME), _action(fields), Result(result))


def _action(fields: Fields) -> Action:
    action = fields.text("action", max_chars=16)
    if action not in {member.value for member in Action}:
        raise fields.fault("action", "is neither add nor remove")
    return Action(action)


def _query(head: tuple[str, str, int], fields: Fields) -> KeylistQuery:
    asked = fields.optional_mapping("paginate")
    if asked is None:
        return KeylistQuery(*head)
    page = Fields(asked, where="paginate")
    limit = page.optional_integer("limit")
    offset = page.optional_integer("offset") or 0
    return KeylistQuery(*head, _MAX_PAGE if limit is None else min(limit, _MAX_PAGE), offset)


def _keylist(head: tuple[str, str, int], fields: Fields) -> Keylist:
    listed = fields.mappings("dids" if head[2] == 3 else "keys", max_items=_MAX_PAGE)
    recipients = tuple(Fields(raw).text(_recipient(head[2]), max_chars=MAX_NAME) for raw in listed)
    shown = fields.optional_mapping("pagination")
    if shown is None:
        return Keylist(*head, recipients)
    page = Fields(shown, where="pagination")
    count, offset = page.optional_integer("count"), page.optional_integer("offset")
    remaining = page.optional_integer("remaining")
    return Keylist(*head, recipients, Pagination(count or len(recipients), offset or 0, remaining or 0))


def _message(message: CoordinateMediationMessage, name: str, body: dict[str, Any], wire: Wire) -> PlainMessage:
    return PlainMessage(f"{FAMILY}/{message.major}.0/{name}", message.id, message.thid, body=body, wire=wire)


def _recipient(major: int) -> str:
    return "recipient_key" if major == 1 else "recipient_did"


def _list(major: int) -> str:
    return "recipient" if major == 3 else "keylist"


def _is_did(text: str) -> bool:
    try:
        return did_of(text) == text
    except BadInput:
        return False


def _no_such_message() -> PeerFault:
    return PeerFault("message.type", "Coordinate Mediation has no such message.", "See Aries RFC 0211.")
