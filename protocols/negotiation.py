"""What the machines of Issue Credential and Present Proof have in common (Aries RFC 0453, RFC 0454, RFC 0032).

In both, two sides propose and answer in one thread until one of them sends the thing itself, and either may give up.

* :class:`Negotiation` is what every such exchange keeps, :class:`Rules` are the steps that do not depend on what is
  negotiated: through the table of transitions, to the end with a reason, and the refusal of what does not fit.
* A message that waits for an answer may say until when (``~timing.expires_time``; ``expires_time`` in DIDComm v2). The
  step then has an ``Expires`` effect; the node calls the machine's ``expire`` at that time, and refuses late answers.
* The id of the last message that this side sent is kept, so that ``resend`` sends the same one again: whoever has it
  already does nothing. ``answer_again`` does so for a peer that repeats what that message answers. What it said is
  found in the exchange itself; no message is kept for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from protocols.didcomm.ack import Ack, AckStatus
from protocols.didcomm.problem_report import ProblemReport
from protocols.errors import PeerFault, WrongState
from protocols.machine import Effect, Expires, NewId, Send, Step

__all__ = ["MAX_ROUNDS", "Negotiation", "Rules", "awaiting", "last_headers"]

MAX_ROUNDS = 16
"""Messages that one side may negotiate with in one exchange; negotiation must end."""


class Negotiation(msgspec.Struct, frozen=True, kw_only=True):
    """What an exchange keeps, whatever it is about.

    Attributes:
        comment: the peer's last; for display, never trusted.
        applied: ids of the peer's messages that have been applied.
        problem: why it was abandoned: the peer's problem report code, or this side's own code.
        explain: the same in words; a peer's are for display, never trusted.
        expires: seconds since 1970 until which the last message can be answered; None where it does not say.
        sent_id, sent_comment: of the last message that this side sent; None where the peer has given up.
    """

    thid: str
    pthid: str | None = None
    comment: str | None = None
    applied: tuple[str, ...] = ()
    problem: str | None = None
    explain: str | None = None
    expires: int | None = None
    sent_id: str | None = None
    sent_comment: str | None = None


class Message(Protocol):
    """A message of a thread."""

    @property
    def id(self) -> str: ...
    @property
    def thid(self) -> str: ...


N = TypeVar("N", bound=Negotiation)


@dataclass(frozen=True, slots=True)
class Rules(Generic[N]):
    """The steps of one protocol that do not depend on what is negotiated.

    Attributes:
        area: of error codes, e.g. ``issue_credential``.
        thing: what the exchange is about, in a word for a person.
        rfc: that states the protocol.
        protocol: the PIURI of v1, for problem reports.
        abandoned_code: of the problem report that ends an exchange.
        transitions: (role, state, event) to state.
        events: what each type of message of the peer is as an event.
        give_up: the event of sending a problem report.
        abandoned: the state after it.
        terminal: the states in which an exchange is over.
    """

    area: str
    thing: str
    rfc: str
    protocol: str
    abandoned_code: str
    transitions: Mapping[tuple[Any, Any, Any], Any]
    events: Mapping[type[Any], Any]
    give_up: Any
    abandoned: Any
    terminal: Collection[Any]

    def apply(self, exchange: N, message: Message, **changes: Any) -> N:
        """The exchange after a message of the peer, which will not be applied again.

        Raises:
            PeerFault: ``<area>.unexpected_message``.
        """
        state = self._next(exchange, self.events[type(message)])
        if state is None:
            raise PeerFault(
                f"{self.area}.unexpected_message",
                "The message does not fit the role or state of its thread.",
                f"See Aries {self.rfc}.",
            )
        comment = getattr(message, "comment", None) or exchange.comment
        applied = (*exchange.applied, message.id)
        kept: dict[str, Any] = {"expires": getattr(message, "expires", None), **changes}
        return msgspec.structs.replace(exchange, state=state, comment=comment, applied=applied, **kept)

    def decide(self, exchange: N, event: Any, **changes: Any) -> N:
        """The exchange after a decision of this side.

        Raises:
            WrongState: ``<area>.wrong_state``.
        """
        state = self._next(exchange, event)
        if state is None:
            raise self.wrong_state()
        return msgspec.structs.replace(exchange, state=state, **{"expires": None, **changes})

    def may(self, exchange: N, event: Any) -> bool:
        """Whether this side can decide so now."""
        return self._next(exchange, event) is not None

    def abandon(self, exchange: N, problem: str, explain: str, new_id: NewId, **changes: Any) -> Step[N]:
        """End the exchange and tell the peer why.

        Raises:
            WrongState: ``<area>.wrong_state``.
        """
        over = self.decide(exchange, self.give_up, problem=problem, explain=explain, sent_id=new_id(), **changes)
        return Step(over, (Send(self.last_report(over)),))

    def expire(self, exchange: N, new_id: NewId) -> Step[N]:
        """End the exchange because nobody answered in time.

        Raises:
            WrongState: ``<area>.wrong_state``.
        """
        return self.abandon(exchange, f"{self.area}.expired", "There was no answer in time.", new_id)

    def last_ack(self, exchange: N) -> Ack:
        """What told the peer that this side is content."""
        return Ack(id=exchange.sent_id or "", thid=exchange.thid, pthid=exchange.pthid, protocol=self.protocol)

    def last_report(self, exchange: N) -> ProblemReport:
        """What told the peer that this side has given up."""
        return self._report(exchange, exchange.sent_id or "", exchange.explain or "")

    def _report(self, exchange: N, message_id: str, explain: str) -> ProblemReport:
        return ProblemReport(
            id=message_id,
            thid=exchange.thid,
            pthid=exchange.pthid,
            code=self.abandoned_code,
            protocol=self.protocol,
            explain=explain,
        )

    def before(self, exchange: N, message: Message, *, negotiates: bool, new_id: NewId) -> Step[N] | None:
        """What is done with a message whatever it says; None where it is looked at further.

        Args:
            negotiates: it is one of those that could go back and forth for ever.

        Raises:
            PeerFault: ``<area>.wrong_thread``, ``<area>.unexpected_message``.
        """
        if message.thid != exchange.thid:
            raise PeerFault(f"{self.area}.wrong_thread", "The message is of another thread.", "Set ~thread.thid.")
        if message.id in exchange.applied:
            return Step(exchange)
        if isinstance(message, Ack | ProblemReport):
            return None
        if self._state(exchange) == self.abandoned:
            return Step(exchange, (Send(self._report(exchange, new_id(), "The exchange is over.")),))
        if negotiates and len(exchange.applied) >= MAX_ROUNDS:
            self.apply(exchange, message)
            explain = "The negotiation took too many rounds."
            return self.abandon(exchange, f"{self.area}.too_many_rounds", explain, new_id)
        return None

    def receive_ack(self, exchange: N, message: Ack, **changes: Any) -> Step[N]:
        """The peer is content. Where that is no news it changes nothing: some agents acknowledge unasked."""
        if self._state(exchange) in self.terminal:
            return Step(exchange)
        done = self.apply(exchange, message, **changes)
        # RFC 0015: PENDING says that the outcome will be told later.
        return Step(exchange if message.status is AckStatus.PENDING else done)

    def receive_report(self, exchange: N, message: ProblemReport, **changes: Any) -> Step[N]:
        """The peer gives up. What is over stays as it ended, and a report is never answered by a report."""
        if message.is_warning or self._state(exchange) in self.terminal:
            return Step(exchange)
        said = {"problem": message.code, "explain": message.explain or None, "sent_id": None}
        return Step(self.apply(exchange, message, **said, **changes))

    def unknown_thread(self) -> PeerFault:
        """The error for a message that cannot start a thread and names none that is known."""
        return PeerFault(f"{self.area}.unknown_thread", "The message names no known thread.", "Start a new one.")

    def wrong_state(self) -> WrongState:
        """The error for a decision that does not fit."""
        return WrongState(
            f"{self.area}.wrong_state",
            f"The {self.thing} exchange is not in a state that allows this.",
            "Look at its state and whose turn it is.",
        )

    def _next(self, exchange: N, event: Any) -> Any:
        return self.transitions.get((getattr(exchange, "role"), self._state(exchange), event))  # noqa: B009

    def _state(self, exchange: N) -> Any:
        # Role and state are each protocol's own enumerations, so that the base cannot have them.
        return getattr(exchange, "state")  # noqa: B009


def awaiting(exchange: Negotiation, *effects: Effect) -> Step[Any]:
    """The step to ``exchange``, which ends by itself where its last message says until when it can be answered."""
    return Step(exchange, effects if exchange.expires is None else (*effects, Expires(exchange.expires)))


def last_headers(exchange: Negotiation) -> dict[str, Any]:
    """The headers of the last message that this side sent."""
    return {
        "id": exchange.sent_id,
        "thid": exchange.thid,
        "pthid": exchange.pthid,
        "comment": exchange.sent_comment,
        "expires": exchange.expires,
    }
