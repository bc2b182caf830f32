"""Two machines that talk over a network which loses, repeats and reorders, as bytes, with all state kept as JSON.

A lost message is sent again later, as the outbox does; so every message arrives in the end. In :func:`insist` it is
lost for good, after it was taken for delivered.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from protocols.didcomm import codec_v1
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import PeerFault, WrongState
from protocols.machine import Effect, Send, Step


@dataclass
class Side:
    """One node: its exchange as stored bytes, what it has done, and how it reads and decides."""

    receive: Callable[[Any, PlainMessage], Step[Any]]
    decisions: Callable[[Any], list[Callable[[], Step[Any]]]]
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    dedupe: bool
    answer_again: Callable[[Any, str], Any] | None = None
    stored: bytes | None = None
    seen: set[str] = field(default_factory=set)
    effects: list[Effect] = field(default_factory=list)
    faults: list[PeerFault] = field(default_factory=list)
    peer: Side | None = None
    inbox: list[bytes] = field(default_factory=list)

    @property
    def exchange(self) -> Any:
        return None if self.stored is None else self.decode(self.stored)

    def commit(self, step: Step[Any]) -> None:
        assert self.peer is not None
        self.stored = self.encode(step.exchange)
        for effect in step.effects:
            self.effects.append(effect)
            if isinstance(effect, Send):
                self.send(effect.message)

    def send(self, message: Any) -> None:
        assert self.peer is not None
        self.peer.inbox.append(codec_v1.encode(message.encode(Wire.V1)))

    def take(self, wire: bytes) -> None:
        plain = codec_v1.decode(wire)
        if self.dedupe and plain.id in self.seen:
            answer = self.answer_again(self.exchange, plain.id) if self.answer_again else None
            if answer is not None:
                self.send(answer)
            return
        before = self.stored
        try:
            self.commit(self.receive(self.exchange, plain))
            self.seen.add(plain.id)
        except PeerFault as fault:
            self.faults.append(fault)
            assert self.stored == before

    def sent(self, kind: type) -> list[Any]:
        return [e.message for e in self.effects if isinstance(e, Send) and isinstance(e.message, kind)]

    def did(self, kind: type) -> list[Any]:
        return [effect for effect in self.effects if isinstance(effect, kind)]


def join(one: Side, other: Side) -> None:
    one.peer, other.peer = other, one


def walk(sides: tuple[Side, Side], random: Random, *, steps: int) -> None:
    """Let the network and the people do ``steps`` things at random."""
    for _ in range(steps):
        side = random.choice(sides)
        if side.inbox and random.random() < 0.7:
            wire = side.inbox.pop(random.randrange(len(side.inbox)))
            fate = random.random()
            if fate < 0.2:
                side.inbox.append(wire)  # lost: comes again
                continue
            if fate < 0.5:
                side.inbox.append(wire)  # repeated: comes now and again
            side.take(wire)
        elif side.stored is not None and (decisions := side.decisions(side.exchange)):
            side.commit(random.choice(decisions)())


def settle(sides: tuple[Side, Side]) -> None:
    """Deliver everything, let everybody take the first decision that is open, until nothing moves."""
    for _ in range(400):
        moved = False
        for side in sides:
            while side.inbox:
                side.take(side.inbox.pop(0))
                moved = True
            if side.stored is not None and (decisions := side.decisions(side.exchange)):
                side.commit(decisions[0]())
                moved = True
        if not moved:
            return
    raise AssertionError("the two sides never come to rest")


def insist(
    sides: tuple[Side, Side], random: Random, resend: Callable[[Any], Step[Any]], *, is_over: Callable[[Any], bool]
) -> None:
    """Half of all messages are lost for good; whoever waits for an answer sends its last message again, until it ends.

    Args:
        resend: raises WrongState for who waits for no answer.
    """
    for _ in range(400):
        for side in sides:
            arrived = [wire for wire in side.inbox if random.random() < 0.5]
            side.inbox.clear()
            for wire in arrived:
                side.take(wire)
            if side.stored is not None and (decisions := side.decisions(side.exchange)):
                side.commit(decisions[0]())
        if all(side.stored is not None and is_over(side.exchange) for side in sides):
            return
        for side in sides:
            with suppress(WrongState):
                if side.stored is not None and not side.inbox:
                    side.commit(resend(side.exchange))
    raise AssertionError("the two sides never come to an end")
