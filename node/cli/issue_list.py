"""``lernode issue --csv``: one signed file for each learner of a list, and every bad row by its line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from node.cli.client import Api, with_api
from node.cli.options import Setting
from node.cli.output import emit_json, line, note
from node.cli.write import make_folder, write_record
from node.http.schemas import Award, CatalogueView, IssuedDetail
from node.records.catalogue import Achievement, Catalogue
from node.records.csv_input import LearnerList, LearnerRow, parse_learners
from protocols.errors import BadInput

__all__ = ["issue_list"]


class _BadRow(msgspec.Struct, rename="camel"):
    line: int
    column: str
    code: str
    message: str


class _Issued(msgspec.Struct, rename="camel"):
    line: int
    file: str
    record: str


class _Outcome(msgspec.Struct, rename="camel"):
    issued: list[_Issued]
    problems: list[_BadRow]


def issue_list(setting: Setting, achievement: str, csv_file: Path, out: Path, *, strict: bool) -> None:
    """Issue to every learner whose row is right; with ``strict`` to nobody while a row is wrong.

    Ends the command with 1 where a row was not issued.

    Raises:
        BadInput: ``csv.*`` where nothing of the file can be used.
        WrongState: ``catalogue.unknown_achievement``.
    """
    try:
        data = csv_file.read_bytes()
    except OSError:
        raise BadInput("cli.csv", "The CSV file cannot be read.", "Name another file.") from None
    make_folder(out)
    outcome = with_api(setting, lambda api: _issue_all(api, achievement, data, out, strict))
    if setting.json:
        emit_json(msgspec.json.encode(outcome))
    else:
        _show(outcome, out, strict=strict)
    if outcome.problems:
        raise click.exceptions.Exit(1)


async def _issue_all(api: Api, name: str, data: bytes, out: Path, strict: bool) -> _Outcome:
    achievement = await _achievement(api, name)
    learners = parse_learners(data, result=achievement.result)
    outcome = _Outcome([], _problems(learners))
    if strict and outcome.problems:
        return outcome
    with _progress(learners.rows) as rows:
        for row in rows:
            file = out / f"{achievement.slug}-{row.line:05d}.json"
            if file.exists():
                outcome.problems.append(_BadRow(row.line, "", "cli.file_exists", f"{file.name} is there already."))
                continue
            try:
                made = await api.post("/admin/credentials/issue", IssuedDetail, _award(achievement.id, row))
            except BadInput as error:
                outcome.problems.append(_BadRow(row.line, "", error.code, error.message))
                continue
            write_record(file, bytes(made.document))
            outcome.issued.append(_Issued(row.line, str(file), made.id))
    outcome.problems.sort(key=lambda problem: problem.line)
    return outcome


async def _achievement(api: Api, name: str) -> Achievement:
    found = await api.get("/admin/catalogue", CatalogueView)
    if not found.items:
        raise BadInput("catalogue.none", "The node has no catalogue.", "Name one with issuer.catalogue.")
    return Catalogue.parse(msgspec.json.encode([item.document for item in found.items])).get(name)


def _award(achievement: str, row: LearnerRow) -> Award:
    return Award(
        achievement=achievement,
        name=row.name,
        did=row.did,
        email=row.email,
        valid_from=row.date,
        result=row.result,
    )


def _problems(learners: LearnerList) -> list[_BadRow]:
    return [_BadRow(p.line, p.column, p.code, p.message) for p in learners.problems]


def _progress(rows: Sequence[LearnerRow]) -> click._termui_impl.ProgressBar[LearnerRow]:
    return click.progressbar(rows, label="Issuing", file=sys.stderr, hidden=not sys.stderr.isatty())


def _show(outcome: _Outcome, out: Path, *, strict: bool) -> None:
    for problem in outcome.problems:
        column = f", {problem.column}" if problem.column else ""
        note(f"line {problem.line}{column}: {problem.message}")
    if outcome.issued:
        line(f"{len(outcome.issued)} records are signed and written to {out}.", style="green")
    if outcome.problems:
        bad = len({problem.line for problem in outcome.problems})
        rest = "nothing was issued" if strict and not outcome.issued else "they were not issued"
        line(f"{bad} rows are wrong; {rest}.", style="red")
        line("Next: mend those rows and issue them from a file of their own.")
    else:
        line("Next: hand the files over; lernode verify FILE checks one.")
