"""What can be told of: the types of events, each with the topic to which it belongs and a schema that stays.

A protocol or role that has something of its own to tell adds a Struct and a line in :data:`EVENT_TYPES`, and calls
:func:`node.events.emit.emit` in the unit of work of what it tells of. A field may be added to a type; none is renamed,
removed, or given another meaning. No field holds personal data: ids of this node's own rows, words of protocols, codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from protocols.errors import BadInput

__all__ = [
    "EVENT_TYPES",
    "TOPICS",
    "ConnectionChanged",
    "ConsentGiven",
    "EventData",
    "EventType",
    "ExchangeChanged",
    "PersonErased",
    "RecordDeleted",
    "RecordIssued",
    "RecordStatusChanged",
    "RecordStored",
    "VerificationCompleted",
    "WebhookTest",
    "check_topics",
    "event_type_of",
]


def _doc(text: str) -> Meta:
    return Meta(description=text)


ExchangeId = Annotated[str, _doc("The exchange, as in `GET /admin/exchanges/{id}`.")]
MaybeExchangeId = Annotated[str | None, _doc("The exchange that brought it; null where there was none.")]
ConnectionId = Annotated[str, _doc("The connection, as in `GET /admin/connections/{id}`.")]
MaybeConnectionId = Annotated[str | None, _doc("The connection with the peer; null where there is none.")]
Direction = Annotated[str, _doc("`issued` by this node, or `held` by it.")]


class EventData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What an event says; the names on the wire are camelCase."""

    @property
    def lane(self) -> str:
        """What the event is about: events of one lane are delivered in order."""
        names = ("exchange_id", "record_id", "connection_id")
        return next((found for name in names if (found := getattr(self, name, None))), "")


class ConnectionChanged(EventData, frozen=True, kw_only=True):
    """A connection with a peer is in another state."""

    connection_id: ConnectionId
    role: Annotated[str, _doc("What this node is in it: `requester` or `responder`.")]
    state: Annotated[str, _doc("`completed`, `ended`, or a state of DID Exchange (docs/protocols.md).")]


class ExchangeChanged(EventData, frozen=True, kw_only=True):
    """A conversation with a peer went on."""

    exchange_id: ExchangeId
    connection_id: ConnectionId
    protocol: Annotated[str, _doc("Its protocol, e.g. `issue-credential`.")]
    role: Annotated[str, _doc("What this node is in it, e.g. `issuer`.")]
    state: Annotated[str, _doc("Its state, a word of the protocol's machine (docs/protocols.md).")]
    waiting_for: Annotated[str | None, _doc("The decision that a person owes; null where none does.")] = None
    error: Annotated[str | None, _doc("The code of why it ended badly; null where it did not.")] = None


class RecordIssued(EventData, frozen=True, kw_only=True):
    """This node signed a record."""

    record_id: Annotated[str, _doc("The record, as in `GET /admin/issued/{id}`.")]
    exchange_id: MaybeExchangeId = None
    connection_id: MaybeConnectionId = None


class RecordStored(EventData, frozen=True, kw_only=True):
    """This node holds a record that it did not hold before."""

    record_id: Annotated[str, _doc("The record, as in `GET /admin/records/{id}`.")]
    exchange_id: MaybeExchangeId = None
    connection_id: MaybeConnectionId = None


class RecordDeleted(EventData, frozen=True, kw_only=True):
    """This node forgot a record; its status stays as it was."""

    record_id: Annotated[str, _doc("The record that is gone.")]
    direction: Direction


class RecordStatusChanged(EventData, frozen=True, kw_only=True):
    """The status of a record is another: revoked, suspended, active again, or a message was set."""

    record_id: Annotated[str, _doc("The record, as in `GET /admin/issued/{id}` or `/admin/records/{id}`.")]
    direction: Direction
    status: Annotated[str, _doc("`revoked`, `suspended`, `active`, or the purpose of another status, e.g. `message`.")]


class VerificationCompleted(EventData, frozen=True, kw_only=True):
    """What a peer presented was checked."""

    verification_id: Annotated[str, _doc("The result, as in `GET /admin/exchanges/{exchangeId}/verification`.")]
    exchange_id: ExchangeId
    verified: Annotated[bool, _doc("Whether every check that is required passed.")]
    code: Annotated[str | None, _doc("The code of the first check that did not pass; null where all did.")] = None


class ConsentGiven(EventData, frozen=True, kw_only=True):
    """Records that this node holds were shown to a verifier."""

    exchange_id: ExchangeId
    connection_id: ConnectionId
    record_ids: Annotated[tuple[str, ...], _doc("Which records, as in `GET /admin/records/{id}`.")]


class PersonErased(EventData, frozen=True, kw_only=True):
    """What this node kept of a person was erased."""

    report_id: Annotated[str, _doc("The signed report, as in `GET /admin/erasures/{id}`.")]


class WebhookTest(EventData, frozen=True, kw_only=True):
    """Sent by `lernode webhooks test` to one webhook; it tells of nothing, and is in no stream."""

    webhook_id: Annotated[str, _doc("The webhook that is tested.")]


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of event: its name on the wire, the topic by which readers choose, and what it says."""

    name: str
    topic: str
    data: type[EventData]

    @property
    def schema_id(self) -> str:
        """The URN of its schema, with the version of the schema's meaning."""
        return f"urn:lernode:event:{self.name}:1"


EVENT_TYPES: tuple[EventType, ...] = (
    EventType("connection.changed", "connections", ConnectionChanged),
    EventType("exchange.changed", "exchanges", ExchangeChanged),
    EventType("record.issued", "records", RecordIssued),
    EventType("record.stored", "records", RecordStored),
    EventType("record.deleted", "records", RecordDeleted),
    EventType("record.status_changed", "revocations", RecordStatusChanged),
    EventType("verification.completed", "verifications", VerificationCompleted),
    EventType("consent.given", "consents", ConsentGiven),
    EventType("person.erased", "erasures", PersonErased),
    EventType("webhook.test", "webhooks", WebhookTest),
)
"""Every type of event; a new one is one line here."""

TOPICS: tuple[str, ...] = tuple(dict.fromkeys(kind.topic for kind in EVENT_TYPES))
_BY_DATA = {kind.data: kind for kind in EVENT_TYPES}


def event_type_of(data: EventData) -> EventType:
    """The type whose events say this."""
    return _BY_DATA[type(data)]


def check_topics(topics: Iterable[str]) -> None:
    """Refuse topics that there are not, which may be misspelt.

    Raises:
        BadInput: ``event.topic_unknown``.
    """
    for topic in topics:
        if topic not in TOPICS:
            raise BadInput("event.topic_unknown", "There is no such topic.", f"Use some of: {', '.join(TOPICS)}.")
