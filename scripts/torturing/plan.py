"""What will happen, drawn from the seed before anything begins: which faults, on whom, when, and what the driver does.

The same options give the same plan. How far processes have come when a fault strikes is up to the machine, so a run
repeats as far as processes can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

__all__ = ["COLLEGE", "LEARNER", "Act", "Action", "Fate", "Fault", "Step", "acts", "draw", "fates"]

COLLEGE = "college"
LEARNER = "learner"
_LONG_RUN_KILLS = 100
_KILLS_A_FAULT = 12
_OFFSETS = (-3600, -300, -45, 45, 300, 3600)


class Fault(StrEnum):
    """What the injector does."""

    KILL = "kill"
    KILL_SERVER = "kill-server"
    """SIGKILL the postmaster and everything under it."""
    KILL_BACKEND = "kill-backend"
    """SIGKILL one process of the database that works for the node, upon which the server recovers by itself."""
    CUT = "cut"
    FILL = "fill"
    SKEW = "skew"

    @property
    def is_kill(self) -> bool:
        """Whether it counts as one of the kills that were asked for."""
        return self in {Fault.KILL, Fault.KILL_SERVER, Fault.KILL_BACKEND}


@dataclass(frozen=True, slots=True)
class Step:
    """One fault.

    Attributes:
        after: seconds to wait before it; with a kill, since both nodes were last ready.
        target: the node that it is for; both for a cut.
        seconds: how long it stays; 0 for a kill.
        offset: by how many seconds the clock is wrong.
        starting: a kill that strikes while its victim starts, however far that is.
        silent: a cut that swallows what is sent, where others refuse it.
    """

    fault: Fault
    after: float
    target: str = ""
    seconds: float = 0.0
    offset: int = 0
    starting: bool = False
    silent: bool = False

    def __str__(self) -> str:
        words = [self.fault.value, self.target, "while it starts" if self.starting else f"after {self.after:.2f} s"]
        words += [f"by {self.offset:+d} s"] * bool(self.offset) + ["silently"] * self.silent
        words += [f"for {self.seconds:.1f} s"] * bool(self.seconds)
        return " ".join(word for word in words if word)


def draw(seed: int, kills: int, *, is_postgresql: bool, faults: frozenset[str]) -> list[Step]:
    """The faults of a run, in order.

    Args:
        faults: of ``kill``, ``network``, ``disk`` and ``clock``, those that are wanted.
    """
    chance = Random(f"{seed}/faults")
    kinds = [kind for kind, name in _SLOW.items() if name in faults]
    steps: list[Step] = []
    for number in range(kills):
        steps.append(_kill(chance, is_postgresql) if "kill" in faults else Step(Fault.KILL, 0.5))
        if kinds and number % max(1, _KILLS_A_FAULT // len(kinds)) == 1:
            steps.append(_slow(chance, kinds[len(steps) % len(kinds)], is_long=kills >= _LONG_RUN_KILLS))
    return steps if "kill" in faults else [step for step in steps if not step.fault.is_kill]


_SLOW = {Fault.CUT: "network", Fault.FILL: "disk", Fault.SKEW: "clock"}


def _kill(chance: Random, is_postgresql: bool) -> Step:
    target = chance.choice((COLLEGE, LEARNER))
    kind = chance.random() if is_postgresql else 1.0
    fault = Fault.KILL_SERVER if kind < 0.2 else Fault.KILL_BACKEND if kind < 0.35 else Fault.KILL
    return Step(fault, chance.uniform(0.1, 1.4), target, starting=fault is Fault.KILL and chance.random() < 0.12)


def _slow(chance: Random, fault: Fault, *, is_long: bool) -> Step:
    after, target = chance.uniform(0.0, 0.5), chance.choice((COLLEGE, LEARNER))
    if fault is Fault.CUT:
        seconds = chance.uniform(60.0, 120.0) if is_long and chance.random() < 0.05 else chance.uniform(0.5, 3.0)
        return Step(fault, after, seconds=seconds, silent=chance.random() < 0.5)
    if fault is Fault.FILL:
        return Step(fault, after, target, seconds=chance.uniform(1.0, 4.0))
    return Step(fault, after, target, seconds=chance.uniform(1.0, 6.0), offset=chance.choice(_OFFSETS))


class Act(StrEnum):
    """What the driver has a node do."""

    OFFER = "offer"
    REVOKE = "revoke"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do.

    Attributes:
        also: further records of the same offer.
        which: of the records that were issued last, 0 for the newest.
        pause: seconds before it.
    """

    act: Act
    also: int
    which: float
    pause: float


def acts(seed: int) -> Iterator[Action]:
    """What the driver does, without end."""
    chance = Random(f"{seed}/acts")
    while True:
        act = chance.choices(list(Act), weights=(48, 20, 8, 8, 16))[0]
        yield Action(act, chance.choices((0, 1, 2), weights=(8, 1, 1))[0], chance.random(), chance.uniform(0.2, 1.2))


class Fate(StrEnum):
    """What becomes of a message on its way."""

    DELIVER = "deliver"
    LOSE = "lose"
    LOSE_ANSWER = "lose the answer"
    DOUBLE = "double"
    REPEAT = "repeat later"
    DELAY = "delay"
    HOLD = "hold, and deliver after others"


def fates(seed: int, target: str) -> Iterator[tuple[Fate, float]]:
    """What becomes of each message to a node in turn, without end, with a number of seconds for what waits."""
    chance = Random(f"{seed}/network/{target}")
    while True:
        yield chance.choices(list(Fate), weights=(58, 7, 7, 8, 8, 7, 5))[0], chance.uniform(0.05, 2.5)
