"""The command of the crash harness."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import click

from scripts.torturing import plan, servers
from scripts.torturing.plan import Act
from scripts.torturing.run import FAULTS, Options, Outcome, torture


@click.command()
@click.option("--engine", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--kills", type=click.IntRange(min=0), default=50, show_default=True, help="How many processes to kill.")
@click.option(
    "--seed", type=int, help="Of everything that is drawn; the one of a run before repeats it. [default: new]"
)
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="No more faults after so long.")
@click.option(
    "--faults", default=",".join(FAULTS), show_default=True, help="What breaks, besides what a node does to itself."
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the report is written for machines. [default: in the folder of the run]",
)
@click.option("--keep", is_flag=True, help="Keep the folder of a run in which nothing was found, too.")
@click.option("--plan", "only_plan", is_flag=True, help="Print the faults that the seed gives, and end.")
def main(
    engine: str,
    kills: int,
    seed: int | None,
    minutes: float | None,
    faults: str,
    json_file: Path | None,
    keep: bool,
    only_plan: bool,
) -> None:
    """Kill two nodes and their databases at work, cut and garble the network, fill disks and skew clocks; then heal
    everything and look whether anything is lost or doubled.

    \b
    Examples:
      scripts/torture
      scripts/torture --engine postgresql --kills 200 --seed 7
      scripts/torture --kills 20 --faults kill,network --keep

    It ends with 1 where something is lost or doubled, and then keeps its folder, with the logs and both stores. Filling
    disks needs root, skewing clocks libfaketime; where they cannot be had, it says so and does the rest.

    How to read what it prints: docs/torture.md.
    """
    wanted = frozenset(name.strip() for name in faults.split(",") if name.strip())
    if not wanted <= set(FAULTS):
        raise click.UsageError(f"--faults takes {', '.join(FAULTS)}, separated by commas.")
    seed = secrets.randbelow(1 << 31) if seed is None else seed
    if only_plan:
        steps = plan.draw(seed, kills, is_postgresql=engine == "postgresql", faults=wanted)
        print("".join(f"{number} {step}\n" for number, step in enumerate(steps)), end="")
        return
    if engine == "postgresql" and (why := servers.why_not()) is not None:
        raise click.ClickException(why)
    folder = Path(tempfile.mkdtemp(prefix="lernode-torture-"))
    options = Options(engine=engine, kills=kills, seed=seed, minutes=minutes, faults=wanted, folder=folder)
    _say(f"Seed {seed}. The plan, the logs and the stores are in {folder}.")
    try:
        outcome = asyncio.run(torture(options, _say))
    except BaseException:
        _say(f"The run broke off. Seed {seed}; its folder is {folder}.")
        raise
    report = json_file or folder / "report.json"
    report.write_text(json.dumps(_report(options, outcome), indent=2) + "\n", encoding="utf-8")
    print(_table(options, outcome))
    if outcome.is_whole and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _say(f"Seed {seed}; the folder is {folder}.")
    sys.exit(not outcome.is_whole)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _report(options: Options, outcome: Outcome) -> dict[str, Any]:
    told = outcome.told
    return {
        "engine": options.engine,
        "seed": options.seed,
        "killsWanted": options.kills,
        "faultsWanted": sorted(options.faults),
        "skipped": outcome.skipped,
        "seconds": round(outcome.seconds, 1),
        "healingSeconds": round(outcome.healing_seconds, 1),
        "kills": outcome.kills,
        "faults": dict(outcome.faults),
        "network": dict(outcome.network),
        "starts": outcome.starts,
        "startSecondsMedian": round(median(outcome.start_seconds), 2) if outcome.start_seconds else None,
        "offersAnswered": len(told.exchanges[Act.OFFER]),
        "requestsAnswered": len(told.exchanges[Act.REQUEST]),
        "revocationsAnswered": len(told.revoked),
        "statusChangesAnswered": told.changes,
        "unsure": dict(told.unsure),
        "refused": dict(told.refused),
        "endedByThemselves": [
            {"node": end.node, "code": end.code, "seconds": round(end.after, 1), "explained": end.explained}
            for end in outcome.ends
        ],
        "counts": dict(outcome.counts),
        "checks": [{"name": c.name, "number": c.number, "findings": c.findings} for c in outcome.checks],
        "whole": outcome.is_whole,
    }


def _table(options: Options, outcome: Outcome) -> str:
    told = outcome.told
    faults = ", ".join(f"{number} {name}" for name, number in sorted(outcome.faults.items()))
    messages = ", ".join(f"{number} {name}" for name, number in outcome.network.most_common())
    lines = [
        f"{options.engine}, seed {options.seed}: {outcome.kills} kills in {outcome.seconds:.0f} s, "
        f"healed in {outcome.healing_seconds:.0f} s",
        f"  faults     {faults}",
        f"  network    {messages}",
        f"  in the end {', '.join(f'{number} {name}' for name, number in sorted(outcome.counts.items()))}",
        f"  answered   {len(told.exchanges[Act.OFFER])} offers, {len(told.exchanges[Act.REQUEST])} requests, "
        f"{len(told.revoked)} revocations; without a sure answer {sum(told.unsure.values())}",
        "",
    ]
    for check in outcome.checks:
        lines.append(f"  {'BROKEN' if check.findings else 'ok    '}  {check.name} ({check.number})")
        lines += [f"            {finding}" for finding in check.findings[:20]]
        lines += [f"            and {len(check.findings) - 20} more"] * (len(check.findings) > 20)
    return "\n".join(lines)


if __name__ == "__main__":
    main()
