"""``lernode verify FOLDER``: shows what became of each file, and how many of each verdict there are."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import click

from node.cli.options import Setting
from node.cli.output import line, mark, table
from node.cli.progress import counted
from node.cli.verify_file import FilePolicy
from node.cli.verify_pool import Verdict, all_cores, files_of, verify_files
from protocols.errors import BadInput

__all__ = ["verify_folder"]

_SHOWN = 20


def verify_folder(
    setting: Setting, folder: Path, trust: tuple[str, ...], *, any_issuer: bool, offline: bool, jobs: int | None
) -> None:
    """Verify every file of a folder; with ``--json`` one line for each, as soon as it is known.

    Ends the command with 1 where not all are verified.

    Raises:
        BadInput: ``cli.folder_empty``.
        LernodeError: ``config.*`` or ``store.*`` where there is a node that cannot be read.
    """
    files = files_of(folder)
    if not files:
        raise BadInput("cli.folder_empty", "There is no file in the folder.", "Name a folder with records.")
    how = FilePolicy(setting.home, trust, any_issuer=any_issuer, offline=offline)
    tally: Counter[tuple[bool, str, str]] = Counter()
    began = time.monotonic()
    jobs = jobs or all_cores()
    with counted("Verifying", len(files)) as advance:
        for verdict in verify_files(files, how, jobs=jobs, as_json=setting.json):
            if setting.json:
                click.echo(verdict.as_json)
            elif not verdict.verified:
                _show_bad(verdict, sum(count for (verified, *_), count in tally.items() if not verified))
            tally[verdict.verified, verdict.code, verdict.reason] += 1
            advance(1)
    if not setting.json:
        _show(tally, time.monotonic() - began)
    if not all(verified for verified, *_ in tally):
        raise click.exceptions.Exit(1)


def _show_bad(verdict: Verdict, before: int) -> None:
    if before < _SHOWN:
        sign, colour = mark("fail")
        line(f"{sign} {verdict.file}: {verdict.reason} [{verdict.code}]", style=colour)
    elif before == _SHOWN:
        line("… and more; --json names them all.")


def _show(tally: Counter[tuple[bool, str, str]], seconds: float) -> None:
    total = tally.total()
    ordered = sorted(tally.items(), key=lambda item: (not item[0][0], -item[1], item[0]))
    line()
    table(
        ("FILES", "VERDICT", "BECAUSE"),
        (
            (f"{count:,}", "verified" if verified else "not verified", "" if verified else f"{reason} [{code}]")
            for (verified, code, reason), count in ordered
        ),
    )
    line()
    line(f"{total:,} files in {seconds:.1f} s, {total / seconds:,.0f} a second.")
    if all(verified for verified, *_ in tally):
        line("ALL VERIFIED", style="green", bold=True)
    else:
        line("NOT ALL VERIFIED", style="red", bold=True)
