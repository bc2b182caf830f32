"""How every protocol of lernode is written: an exchange is a value, a step is a pure function.

``step(exchange, message or decision) -> Step(exchange, effects)``. An effect is data that says what the
running node must do; only ``node/runtime`` knows how. The exchange and all effects of one step are
committed in one database transaction, so that a crash leaves either all of them or none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from protocols.didcomm.message import ProtocolMessage

__all__ = ["Ask", "Authenticate", "Decision", "Effect", "Expires", "NewId", "Send", "Step", "StoreCredential", "Verify"]

NewId = Callable[[], str]
"""Gives a fresh message or thread identifier each time it is called."""


class Decision(StrEnum):
    """What a person, or a policy that speaks for one, must decide before an exchange goes on."""

    ACCEPT_CONNECTION = "accept-connection"
    ANSWER_CREDENTIAL_PROPOSAL = "answer-credential-proposal"
    ACCEPT_OFFER = "accept-offer"
    ISSUE = "issue"
    ANSWER_PRESENTATION_PROPOSAL = "answer-presentation-proposal"
    SHARE_RECORDS = "share-records"
    GRANT_MEDIATION = "grant-mediation"
    ANSWER_QUESTION = "answer-question"


@dataclass(frozen=True, slots=True)
class Send:
    """Put the message in the outbox of the exchange's connection; ``again`` where it was there before."""

    message: ProtocolMessage
    again: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """The exchange waits for this decision; policy or a person answers through ``node/roles``."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class Expires:
    """The exchange ends by itself where nothing has moved it on until ``at``, in seconds since 1970."""

    at: int


@dataclass(frozen=True, slots=True)
class Verify:
    """Verify ``document`` and hand the result back; outside the transaction, where that needs the network.

    ``challenge`` and ``domain`` are set when the document is a presentation.
    """

    document: dict[str, Any]
    challenge: str | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Find out outside the transaction whether ``document``, a presentation, is signed by its holder; hand it back.

    ``challenge`` and ``domain`` are what it must be signed for.
    """

    document: dict[str, Any]
    challenge: str | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class StoreCredential:
    """Keep ``document`` as a record that this node holds; once for each ``position`` of an exchange."""

    document: dict[str, Any]
    position: int = 0


Effect = Send | Ask | Expires | Verify | Authenticate | StoreCredential

E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Step(Generic[E_co]):
    """What a transition gives: the exchange as it is now, and what must be done about it."""

    exchange: E_co
    effects: tuple[Effect, ...] = ()
