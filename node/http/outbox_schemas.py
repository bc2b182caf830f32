"""What the admin API takes and gives about messages on their way."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from node.http.schemas import EventNumber, Id, Limit, Name, _Given, _View

__all__ = ["OutgoingQuery", "OutgoingView", "RetriedView", "RetryMessages"]

Waiting = Literal["waiting", "given-up"]


class OutgoingQuery(_Given, frozen=True, kw_only=True):
    """Which messages."""

    after: Annotated[EventNumber, Meta(description="`next` of the page before.")] = 0
    limit: Limit = 100
    state: Annotated[Waiting | None, Meta(description="Only those that wait, or were given up.")] = None
    connection: Annotated[Name | None, Meta(description="Only those to this peer, by its id or its label.")] = None


class OutgoingView(_View, frozen=True, kw_only=True):
    """A message on its way to a peer."""

    id: str
    connection_id: str | None
    peer: Annotated[str | None, Meta(description="What the peer calls itself; it proves nothing.")]
    type: Annotated[str, Meta(description="URI of the type of the message.")]
    thread_id: str
    state: Waiting
    put_in: datetime
    attempts: int
    next_attempt: Annotated[datetime | None, Meta(description="Absent behind another message to the same peer.")]
    error: Annotated[str | None, Meta(description="Stable code of why the last attempt failed.")]


class RetryMessages(_Given, frozen=True, kw_only=True):
    """What to try again: one message, all to one peer, or all."""

    message: Annotated[Id | None, Meta(description="Its id, or the beginning of it.")] = None
    connection: Annotated[Name | None, Meta(description="All to this peer.")] = None


class RetriedView(_View, frozen=True, kw_only=True):
    """What is tried again."""

    given_up: Annotated[int, Meta(description="Messages that had been given up, and wait again.")]
    hastened: Annotated[int, Meta(description="Peers for whom a message waited for its next attempt, which is now.")]
