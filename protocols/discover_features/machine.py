"""Discover Features as a state machine (Aries RFC 0031, RFC 0557): a question, and at most one answer.

The RFCs name the roles and leave the states to pictures. Which features there are, and which of them this peer may
know of, is left to the node. Features that a peer discloses without being asked start no exchange.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from protocols.discover_features.messages import Disclosures, Feature, Queries, Query
from protocols.errors import BadInput, PeerFault
from protocols.machine import NewId, Send, Step

__all__ = [
    "TRANSITIONS", "Event", "Exchange", "Role", "State", "ask", "matches", "receive_disclosures", "receive_queries",
]  # fmt: skip

_MAX_WILDCARDS = 8


class Role(StrEnum):
    """RFC 0557 §Roles."""

    REQUESTER = "requester"
    RESPONDER = "responder"


class State(StrEnum):
    """Where a question is."""

    START = "start"
    QUERIES_SENT = "queries-sent"
    DONE = "done"


class Event(StrEnum):
    """What moves an exchange; in 1.0 the messages are called query and disclose."""

    SEND_QUERIES = "send queries"
    RECEIVE_QUERIES = "receive queries"
    RECEIVE_DISCLOSURES = "receive disclosures"


TRANSITIONS: Mapping[tuple[Role, State, Event], State] = MappingProxyType(
    {
        (Role.REQUESTER, State.START, Event.SEND_QUERIES): State.QUERIES_SENT,
        (Role.REQUESTER, State.QUERIES_SENT, Event.RECEIVE_DISCLOSURES): State.DONE,
        (Role.RESPONDER, State.START, Event.RECEIVE_QUERIES): State.DONE,
    }
)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One question.

    Attributes:
        asked: what it matches, with wildcards.
        features: what the peer answered.
    """

    thid: str
    pthid: str | None = None
    role: Role
    state: State
    major: int = 2
    asked: tuple[str, ...] = ()
    features: tuple[Feature, ...] = ()

    def asks_for(self, name: str) -> bool:
        """Whether a peer that supports the feature ``name`` says so in its answer."""
        return any(matches(pattern, name) for pattern in self.asked)


def ask(queries: Iterable[Query], *, new_id: NewId, major: int = 2) -> Step[Exchange]:
    """As the requester: ask which of these features the peer supports.

    Raises:
        BadInput: ``discover_features.queries`` where there is none, or version 1.0 cannot ask so.
    """
    wanted = tuple(queries)
    if not wanted or (major == 1 and len(wanted) > 1):
        raise BadInput(
            "discover_features.queries", "Not so many questions fit in one message.", "Ask one with version 1.0."
        )
    message_id = new_id()
    asked = tuple(query.match for query in wanted)
    exchange = Exchange(thid=message_id, role=Role.REQUESTER, state=State.START, major=major, asked=asked)
    return Step(_move(exchange, Event.SEND_QUERIES), (Send(Queries(message_id, message_id, wanted, major)),))


def receive_queries(message: Queries, features: Iterable[Feature], *, new_id: NewId) -> Step[Exchange]:
    """As the responder: disclose those of ``features`` that match a query, each once."""
    exchange = Exchange(
        thid=message.thid, pthid=message.pthid, role=Role.RESPONDER, state=State.START, major=message.major
    )
    found = tuple(feature for feature in features if any(_answers(feature, query) for query in message.queries))
    disclosures = Disclosures(new_id(), message.thid, found, message.major)
    return Step(_move(exchange, Event.RECEIVE_QUERIES), (Send(disclosures),))


def receive_disclosures(exchange: Exchange, message: Disclosures) -> Step[Exchange]:
    """As the requester: the peer has answered.

    Raises:
        PeerFault: ``discover_features.wrong_thread`` or ``discover_features.unexpected_message``.
    """
    if message.thid != exchange.thid or message.major != exchange.major:
        raise PeerFault(
            "discover_features.wrong_thread", "The disclosures answer another query.", "Use the query's id as thid."
        )
    moved = _move(exchange, Event.RECEIVE_DISCLOSURES)
    return Step(msgspec.structs.replace(moved, features=message.features))


def matches(pattern: str, text: str) -> bool:
    """Whether ``text`` is ``pattern``, in which ``*`` stands for any characters; linear in the length of both.

    A pattern with more wildcards than anybody needs matches nothing.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    if len(rest) > _MAX_WILDCARDS or not text.startswith(first):
        return False
    at = len(first)
    *middle, last = rest
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - len(last) >= at and text.endswith(last)


def _answers(feature: Feature, query: Query) -> bool:
    return feature.feature_type == query.feature_type and matches(query.match, feature.id)


def _move(exchange: Exchange, event: Event) -> Exchange:
    state = TRANSITIONS.get((exchange.role, exchange.state, event))
    if state is None:
        raise PeerFault(
            "discover_features.unexpected_message",
            "The message does not fit the state of its thread.",
            "See Aries RFC 0557.",
        )
    return msgspec.structs.replace(exchange, state=state)
