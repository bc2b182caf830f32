"""What the benchmark says of what it measured: targets, ratios by round, and a table that can be read."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from scripts.benchmark.chart import draw
from scripts.benchmark.figures import Figure, Target, as_json, as_table
from scripts.benchmark.timing import Batch, Compared, Plan, compare


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        (Target(90.0), 89.9, True),
        (Target(90.0), 90.0, False),
        (Target(4.0, is_floor=True), 4.0, True),
        (Target(4.0, is_floor=True), 3.99, False),
    ],
)
def test_a_target_is_a_ceiling_not_to_reach_or_a_floor_to_stand_on(target: Target, value: float, met: bool) -> None:
    assert target.met_by(value) is met


def test_a_ratio_compares_within_rounds_so_that_a_slow_round_does_not_count() -> None:
    compared = Compared({"raw": [100.0, 10.0, 100.0], "work": [50.0, 5.0, 50.0]})
    assert compared.ratio("work", "raw") == 0.5


def test_everything_is_done_in_every_round() -> None:
    done = {"a": 0, "b": 0}

    def counting(name: str) -> Batch:
        def batch(times: int) -> None:
            for _ in range(times):
                done[name] += 1

        return batch

    compared = compare({name: counting(name) for name in done}, Plan(rounds=3, slice_seconds=1e-4))
    assert [len(rates) for rates in compared.rates.values()] == [3, 3]
    assert all(times >= 3 for times in done.values())


def test_the_table_lines_up_and_says_what_was_missed() -> None:
    figures = [
        Figure("a", "a thing", 12_345.6, "/s", (10_000.0, 20_000.0), "Ed25519 sign", 0.25),
        Figure("b", "another thing, longer", 91.0, "MiB", (91.0, 91.0), target=Target(90.0)),
    ]
    heading, _rule, first, second = as_table(figures).splitlines()
    assert "4.00 x Ed25519 sign" in first
    assert second.endswith("NO")
    column = heading.index("unit")
    assert first[column:].startswith("/s ") and second[column:].startswith("MiB ")
    assert [entry["met"] for entry in as_json(figures)] == [None, False]


def test_the_chart_is_an_image_that_says_in_words_what_it_shows() -> None:
    figures = [
        Figure("issue.eddsa-rdfc-2022", "issue, <ours>", 4_000.0, "/s", (1.0, 1.0)),
        Figure("issue.plain-pyld", "issue, plain pyld", 200.0, "/s", (1.0, 1.0)),
        Figure("memory", "memory", 66.0, "MiB", (1.0, 1.0)),
    ]
    root = ElementTree.fromstring(draw(figures, when="2026-11-24"))
    assert root.attrib["role"] == "img"
    texts = ["".join(element.itertext()) for element in root]
    assert "issue, <ours>: 4,000 a second; issue, plain pyld: 200 a second." in texts
    widths = [float(element.attrib["width"]) for element in root if element.tag.endswith("rect")]
    assert len(widths) == 2
    assert widths[0] > widths[1]
