"""How often a second of CPU time something can be done: medians of rounds, each beside a raw operation.

What is compared is measured in turn, in short slices, so that whatever else the machine does meanwhile slows both.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from scripts.benchmark.figures import Figure

__all__ = ["Batch", "Compared", "Plan", "compare", "each", "each_awaited", "figure_of", "progress", "spread"]

Batch = Callable[[int], float | None]
"""Does something so many times; gives the seconds of CPU that it took where another process did it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How thoroughly to measure.

    Attributes:
        rounds: how often everything is measured; the median counts. Many short rounds rather than few long ones,
            so that what else the machine does falls on a thing and on its baseline alike.
        slice_seconds: how long one thing is measured in one round.
        pairs: how many pairs of nodes exchange records, one after the other.
        exchanges: how many exchanges of one pair are timed.
        starts: how often a node, and the demo, is started.
        learners: how long the list is to which records are issued, and how many files the folder has.
        stored: how many records an issuer has, one after the other.
    """

    rounds: int = 21
    slice_seconds: float = 0.1
    pairs: int = 3
    exchanges: int = 40
    starts: int = 5
    learners: int = 10_000
    stored: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)

    @classmethod
    def quick(cls) -> Plan:
        """Enough to see whether something broke."""
        return cls(rounds=5, slice_seconds=0.05, pairs=1, exchanges=16, starts=2, learners=1_000, stored=(1_000, 4_000))


@dataclass(frozen=True, slots=True)
class Compared:
    """Rates of several things in the same rounds, per second."""

    rates: Mapping[str, list[float]]

    def ratio(self, name: str, baseline: str) -> float:
        """The median over the rounds of one rate over another."""
        return statistics.median(self.ratios(name, baseline))

    def ratios(self, name: str, baseline: str) -> list[float]:
        """One rate over another, by round."""
        return [rate / raw for rate, raw in zip(self.rates[name], self.rates[baseline], strict=True)]


def each(work: Callable[[], object]) -> Batch:
    """A batch of ``work``."""

    def batch(times: int) -> None:
        for _ in range(times):
            work()

    return batch


def each_awaited(run: Callable[[Coroutine[Any, Any, None]], None], work: Callable[[], Awaitable[object]]) -> Batch:
    """A batch of ``work`` on the loop that ``run`` has, entered once a batch."""

    async def all_of(times: int) -> None:
        for _ in range(times):
            await work()

    return lambda times: run(all_of(times))


def compare(batches: Mapping[str, Batch], plan: Plan) -> Compared:
    """Measure every batch in every round, after a warm-up that also finds how many times fill a slice."""
    times = {name: _fill(batch, plan.slice_seconds) for name, batch in batches.items()}
    rates: dict[str, list[float]] = {name: [] for name in batches}
    for _ in range(plan.rounds):
        for name, batch in batches.items():
            with _quiet_collector():
                rates[name].append(times[name] / _seconds(batch, times[name]))
    return Compared(rates)


def figure_of(compared: Compared, name: str, about: str, baseline: str) -> Figure:
    """The rate of one thing as a figure beside its raw operation."""
    rates = compared.rates[name]
    return Figure(
        name=name,
        about=about,
        value=statistics.median(rates),
        unit="/s",
        spread=spread(rates),
        baseline=baseline,
        ratio=compared.ratio(name, baseline),
    )


def spread(values: list[float]) -> tuple[float, float]:
    """Lowest and highest."""
    return min(values), max(values)


def progress(text: str) -> None:
    """Tell the person who waits."""
    print(text, file=sys.stderr, flush=True)


def _fill(batch: Batch, seconds: float) -> int:
    times = 1
    while (took := _seconds(batch, times)) < seconds / 4:
        times = max(times * 2, int(times * seconds / 4 / max(took, 1e-9)))
    return max(1, round(times * seconds / took))


def _seconds(batch: Batch, times: int) -> float:
    """Of CPU time, as what is compared computes and never waits: other work on the machine then counts for less."""
    began = time.process_time()
    elsewhere = batch(times)
    return time.process_time() - began if elsewhere is None else elsewhere


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """Collect before, so that nobody pays for another's garbage; the collector itself stays on, as in a node."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
