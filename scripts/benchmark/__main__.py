"""The benchmark's command: measure, print a table, write JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from scripts.benchmark import (
    acapy,
    chart,
    cohorts,
    demo,
    exchanges,
    frameworks,
    growth,
    hostile,
    idle,
    lists,
    matching,
    mediator,
    messages,
    records,
    scaling,
    sealing,
)
from scripts.benchmark.figures import Figure, as_json, as_table
from scripts.benchmark.timing import Plan, progress

_AREAS: Mapping[str, Callable[[Plan], list[Figure]]] = {
    "records": records.measure,
    "lists": lists.measure,
    "frameworks": frameworks.measure,
    "match": matching.measure,
    "cohorts": cohorts.measure,
    "messages": messages.measure,
    "exchanges": exchanges.measure,
    "growth": growth.measure,
    "idle": idle.measure,
    "scaling": scaling.measure,
    "mediator": mediator.measure,
    "sealing": sealing.measure,
    "demo": demo.measure,
    "hostile": hostile.measure,
    "acapy": acapy.measure,
}

_ONLY_WHEN_NAMED = frozenset({"growth"})  # an hour, and 25 GB of disk


@click.command()
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("bench.json"),
    show_default=True,
    help="Where the figures are written for machines.",
)
@click.option(
    "--chart",
    "chart_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where a chart of records is drawn (SVG).",
)
@click.option("--quick", is_flag=True, help="Fewer and shorter rounds: to see whether something broke.")
@click.option(
    "--only",
    type=click.Choice(list(_AREAS)),
    multiple=True,
    help="Only this area; repeatable. Growth, which takes an hour and 25 GB, is measured only so.",
)
def main(json_file: Path, chart_file: Path | None, quick: bool, only: tuple[str, ...]) -> None:
    """Measure what lernode costs on this machine, as ratios to raw Ed25519 of libsodium in the same run.

    \b
    Examples:
      scripts/bench
      scripts/bench --quick --only records --only messages
      scripts/bench --only records --chart docs/images/speed.svg

    What is measured, and how to read it: docs/performance.md.
    """
    plan = Plan.quick() if quick else Plan()
    machine = _machine()
    areas = only or [area for area in _AREAS if area not in _ONLY_WHEN_NAMED]
    figures = [figure for area in areas for figure in _AREAS[area](plan)]
    report = {"at": _now(), "quick": quick, "machine": machine, "figures": as_json(figures)}
    json_file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if chart_file is not None:
        chart_file.write_text(chart.draw(figures, when=_now()[:10]), encoding="utf-8")
    print(as_table(figures))
    print(f"\n{'; '.join(f'{name}: {value}' for name, value in machine.items())}")
    progress(f"Written to {json_file}.")


def _machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "loadBefore": round(os.getloadavg()[0], 2),
        "pynacl": version("pynacl"),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    main()
