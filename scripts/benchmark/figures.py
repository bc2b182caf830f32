"""What a benchmark tells: figures, some with a target, as an aligned table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Figure", "Target", "as_json", "as_table"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be: at least ``limit``, or less than it."""

    limit: float
    is_floor: bool = False

    def met_by(self, value: float) -> bool:
        """Whether ``value`` is good enough."""
        return value >= self.limit if self.is_floor else value < self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.is_floor else '<'} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured.

    Attributes:
        name: stable, for machines: ``area.what``.
        value: in ``unit``; the median of the rounds.
        spread: lowest and highest of the rounds.
        baseline: what raw operation it was compared with in the same rounds, if any.
        ratio: its rate over that of the baseline; its reciprocal is how many raw operations one costs.
    """

    name: str
    about: str
    value: float
    unit: str
    spread: tuple[float, float]
    baseline: str | None = None
    ratio: float | None = None
    target: Target | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        return None if self.target is None else self.target.met_by(self.value)


_HEADINGS = ("what", "value", "unit", "lowest - highest", "costs as much as", "target", "met")
_MET = {None: "", True: "yes", False: "NO"}
_TO_THE_RIGHT = frozenset({1, 3})


def as_table(figures: Sequence[Figure]) -> str:
    """The figures in aligned columns."""
    rows = [_HEADINGS, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def as_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """The figures as JSON objects."""
    return [
        {
            "name": figure.name,
            "about": figure.about,
            "value": _rounded(figure.value),
            "unit": figure.unit,
            "lowest": _rounded(figure.spread[0]),
            "highest": _rounded(figure.spread[1]),
            "baseline": figure.baseline,
            "ratio": None if figure.ratio is None else _rounded(figure.ratio),
            "target": None if figure.target is None else str(figure.target),
            "met": figure.met,
        }
        for figure in figures
    ]


def _cells(figure: Figure) -> tuple[str, ...]:
    cost = "" if figure.ratio is None else f"{_short(1 / figure.ratio)} x {figure.baseline}"
    spread = f"{_short(figure.spread[0])} - {_short(figure.spread[1])}"
    target = "" if figure.target is None else str(figure.target)
    return (figure.about, _short(figure.value), figure.unit, spread, cost, target, _MET[figure.met])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if column in _TO_THE_RIGHT else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(padded).rstrip()


def _short(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
