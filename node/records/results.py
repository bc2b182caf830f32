"""Results: what an achievement says that a learner may reach (ResultDescription), and what one learner reached.

Open Badges 3.0 §B, Result and ResultDescription. A result is checked against its description before it is signed:
whether the value is one of those allowed, lies within the bounds, and is enough to have earned the achievement at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from protocols.errors import BadInput

__all__ = ["MAX_RESULT_CHARS", "Level", "ResultDescription", "make_result", "number_of"]

MAX_RESULT_CHARS = 200

_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,12})?", re.ASCII)
_STATUSES = ("Completed", "Enrolled", "Failed", "InProgress", "OnHold", "Withdrew")


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a rubric (OB 3.0 §B, RubricCriterionLevel)."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ResultDescription:
    """What values a result may have.

    Attributes:
        result_type: e.g. ``LetterGrade``, ``Percent``, ``Status`` (OB 3.0 §B, ResultType).
        allowed: in order from low to high; empty where any value will do.
        minimum: lowest possible number, as text; ``None`` without a bound.
        maximum: highest possible number, as text; ``None`` without a bound.
        required: the least value that earns the achievement.
        levels: of a rubric, in their order.
        required_level: id of the least level that earns the achievement.
    """

    id: str
    name: str
    result_type: str
    allowed: tuple[str, ...] = ()
    minimum: str | None = None
    maximum: str | None = None
    required: str | None = None
    levels: tuple[Level, ...] = ()
    required_level: str | None = None

    @classmethod
    def from_document(cls, raw: dict[str, Any]) -> ResultDescription:
        """Read a ResultDescription that the schema has found valid."""
        return cls(
            id=raw["id"],
            name=raw["name"],
            result_type=raw["resultType"],
            allowed=tuple(raw.get("allowedValue", ())),
            minimum=raw.get("valueMin"),
            maximum=raw.get("valueMax"),
            required=raw.get("requiredValue"),
            levels=tuple(Level(level["id"], level["name"]) for level in raw.get("rubricCriterionLevel", ())),
            required_level=raw.get("requiredLevel"),
        )

    def problems(self) -> Iterator[tuple[str, str]]:
        """What contradicts itself, as the property's name and a sentence."""
        for name, bound in (("valueMin", self.minimum), ("valueMax", self.maximum)):
            if bound is not None and number_of(bound) is None:
                yield name, "The value is not a plain decimal number."
        low, high = number_of(self.minimum), number_of(self.maximum)
        if low is not None and high is not None and low > high:
            yield "valueMin", "The value is above valueMax."
        if self.required is not None and self.allowed and self.required not in self.allowed:
            yield "requiredValue", "The value is not in allowedValue."
        if self.required is not None and not self.allowed and self._is_bounded and not self._within(self.required):
            yield "requiredValue", "The value is not a number from valueMin to valueMax."
        if self.required_level is not None and self.required_level not in [level.id for level in self.levels]:
            yield "requiredLevel", "The value is the id of no rubricCriterionLevel."
        if len(set(self.allowed)) != len(self.allowed):
            yield "allowedValue", "A value stands there twice."

    @property
    def _is_bounded(self) -> bool:
        return self.minimum is not None or self.maximum is not None

    def _within(self, value: str) -> bool:
        number, low, high = number_of(value), number_of(self.minimum), number_of(self.maximum)
        return number is not None and (low is None or number >= low) and (high is None or number <= high)


def make_result(description: ResultDescription, value: str) -> dict[str, Any]:
    """The Result of one learner, who reached ``value``: a grade, a number, a status or a level's name.

    Raises:
        BadInput: ``result.too_long``, ``result.not_allowed``, ``result.out_of_range`` or ``result.below_required``.
    """
    if len(value) > MAX_RESULT_CHARS:
        raise BadInput("result.too_long", f"The result is longer than {MAX_RESULT_CHARS} characters.", "Shorten it.")
    result: dict[str, Any] = {"type": ["Result"], "resultDescription": description.id}
    if description.levels:
        return {**result, "achievedLevel": _level(description, value).id}
    if description.result_type == "Status":
        _check_listed(value, _STATUSES)
        return {**result, "status": value}
    _check_value(description, value)
    return {**result, "value": value}


def _level(description: ResultDescription, value: str) -> Level:
    names = [level.name for level in description.levels]
    _check_listed(value, names)
    reached = description.levels[names.index(value)]
    if description.required_level is not None:
        ids = [level.id for level in description.levels]
        _check_enough(ids.index(reached.id) >= ids.index(description.required_level))
    return reached


def _check_value(description: ResultDescription, value: str) -> None:
    required = description.required
    if description.allowed:
        _check_listed(value, description.allowed)
        if required is not None:
            _check_enough(description.allowed.index(value) >= description.allowed.index(required))
        return
    if not description._is_bounded:
        return
    if not description._within(value):
        low, high = description.minimum or "any", description.maximum or "any"
        message = "The result is not a number within the bounds of the achievement."
        raise BadInput("result.out_of_range", message, f"Give a plain decimal number from {low} to {high}.")
    number, least = number_of(value), number_of(required)
    _check_enough(number is None or least is None or number >= least)


def _check_listed(value: str, allowed: tuple[str, ...] | list[str]) -> None:
    if value not in allowed:
        hint = f"Give one of: {', '.join(allowed[:30])}."
        raise BadInput("result.not_allowed", "The result is not one that the achievement allows.", hint)


def _check_enough(enough: bool) -> None:
    if not enough:
        message = "The result is below what the achievement asks for."
        raise BadInput("result.below_required", message, "Leave out who has not earned it.")


def number_of(text: str | None) -> Decimal | None:
    """A plain decimal number; None for anything else."""
    return Decimal(text) if text is not None and _NUMBER.fullmatch(text) else None
