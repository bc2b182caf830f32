"""What was walked and how it ended, as a table and as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

__all__ = ["Run", "Step", "StepFailed"]

T = TypeVar("T")
_MAX_REASON = 300


class StepFailed(Exception):
    """A step did not end as it should have; the steps that need its result are not walked."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the matrix.

    Attributes:
        direction: who acts towards whom, e.g. ``lernode -> ACA-Py``.
        name: what is done.
        outcome: ``not walked`` where an earlier step failed whose result it needs.
        seconds: until both sides had what they should have.
        reason: why it failed.
    """

    direction: str
    name: str
    outcome: Literal["ok", "failed", "not walked"]
    seconds: float = 0.0
    reason: str = ""


@dataclass(slots=True)
class Run:
    """The steps of one run against one peer.

    Attributes:
        peer: its name and version.
        told: called with each step as it ends.
    """

    peer: str
    told: Callable[[Step], None] = lambda _step: None
    steps: list[Step] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every step ended well."""
        return all(step.outcome == "ok" for step in self.steps)

    async def step(self, direction: str, name: str, work: Awaitable[T]) -> T:
        """Do ``work`` and note how it ended.

        Raises:
            StepFailed: it did not end well.
        """
        began = time.perf_counter()
        try:
            result = await work
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"[:_MAX_REASON]
            self._note(Step(direction, name, "failed", time.perf_counter() - began, reason))
            raise StepFailed(name) from error
        self._note(Step(direction, name, "ok", time.perf_counter() - began))
        return result

    def not_walked(self, direction: str, name: str) -> None:
        """Note that a step was left out."""
        self._note(Step(direction, name, "not walked"))

    def _note(self, step: Step) -> None:
        self.steps.append(step)
        self.told(step)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "peer": self.peer,
            "ok": self.ok,
            "steps": [
                {"direction": s.direction, "step": s.name, "outcome": s.outcome, "ms": round(s.seconds * 1000)}
                | ({"reason": s.reason} if s.reason else {})
                for s in self.steps
            ],
        }

    def to_json_text(self) -> str:
        """:meth:`to_json` as text."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False)

    def table(self) -> str:
        """For people; it is Markdown too."""
        rows = [("peer", "direction", "step", "result", "time")]
        for step in self.steps:
            took = f"{step.seconds * 1000:,.0f} ms" if step.outcome != "not walked" else ""
            rows.append((self.peer, step.direction, step.name, step.outcome, took))
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        lines += [f"\n{step.direction}, {step.name}: {step.reason}" for step in self.steps if step.reason]
        return "\n".join(lines)
