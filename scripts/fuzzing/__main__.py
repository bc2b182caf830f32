"""The command of fuzzing: each target in a process of its own, a line for each, and what was found kept as a file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

from scripts.fuzzing.targets import TARGETS

_HOME = Path(".fuzz")
_MEGABYTES = 1024
_HANGING_SECONDS = 30
_MOST_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How fuzzing a target ended.

    Attributes:
        findings: files with inputs that have to be looked at.
    """

    name: str
    runs: int
    covered: int
    findings: list[Path]
    code: int

    @property
    def is_clean(self) -> bool:
        return self.code == 0 and not self.findings


@click.command()
@click.option("--seconds", type=click.IntRange(min=1), default=60, show_default=True, help="How long each target.")
@click.option("--only", type=click.Choice(list(TARGETS)), multiple=True, help="Only this target; repeatable.")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1, help="Targets at a time. [default: CPUs]"
)
@click.option("--replay", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Run a finding once more.")
def main(seconds: int, only: tuple[str, ...], jobs: int, replay: Path | None) -> None:
    """Fuzz what reads bytes of strangers: no input may raise, verify unsigned, take over 1 s or 1 GiB.

    \b
    Examples:
      scripts/fuzz
      scripts/fuzz --seconds 600 --only verify
      scripts/fuzz --only did --replay .fuzz/findings/did-crash-0a1b2c

    Ends with 1 where something was found. What was learned is kept in .fuzz for the next time.
    """
    if replay is not None:
        sys.exit(max(_replay(name, replay) for name in only or _target_of(replay)))
    names = only or tuple(TARGETS)
    rounds = -(-len(names) // jobs)
    print(f"Fuzzing {', '.join(names)}: {seconds} s each, {rounds * seconds} s in all.", flush=True)
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = list(pool.map(lambda name: _report(_fuzz(name, seconds), seconds), names))
    sys.exit(not all(outcome.is_clean for outcome in outcomes))


def _target_of(finding: Path) -> list[str]:
    return [name for name in TARGETS if re.match(rf"{name}-(crash|timeout|oom|leak|slow)", finding.name)] or list(
        TARGETS
    )


def _replay(name: str, finding: Path) -> int:
    print(f"{name} <- {finding}")
    return subprocess.run(_command(name, str(finding)), check=False).returncode


def _fuzz(name: str, seconds: int) -> Outcome:
    corpus, findings = _HOME / "corpus" / name, _HOME / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    before = set(findings.glob(f"{name}-*"))
    log = _HOME / f"{name}.log"
    with log.open("wb") as out:
        code = subprocess.run(
            _command(
                name,
                f"-max_total_time={seconds}",
                f"-max_len={_MOST_BYTES}",
                f"-rss_limit_mb={_MEGABYTES}",
                f"-timeout={_HANGING_SECONDS}",
                f"-artifact_prefix={findings}/{name}-",
                "-print_final_stats=1",
                str(corpus),
            ),
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    said = log.read_text(encoding="utf-8", errors="replace")
    return Outcome(
        name,
        _last_number(r"number_of_executed_units:\s+(\d+)", said),
        _last_number(r" cov: (\d+)", said),
        sorted(set(findings.glob(f"{name}-[clot]*-*")) - before),
        code,
    )


def _command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "scripts.fuzzing.child", name, *arguments]


def _last_number(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def _report(outcome: Outcome, seconds: int) -> Outcome:
    rate = f"{outcome.runs:>9} runs {outcome.runs // seconds:>6}/s {outcome.covered:>6} edges"
    if outcome.is_clean:
        print(f"{outcome.name:<18} {rate}  clean", flush=True)
        return outcome
    print(f"{outcome.name:<18} {rate}  FOUND (exit {outcome.code}); see {_HOME}/{outcome.name}.log", flush=True)
    for finding in outcome.findings:
        print(f"  {finding}: scripts/fuzz --replay {finding}", flush=True)
    return outcome


if __name__ == "__main__":
    main()
