"""``lernode cohort``: the skills of many learners, exactly for the issuer, and in counts with noise for others."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click
import msgspec

from node.cli.client import Api, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import line, table
from node.cli.progress import waiting
from node.cli.write import check_new, new_file
from node.http import cohort_schemas as c
from node.http.schemas import Page
from node.records.csv_text import written
from protocols.errors import BadInput

__all__ = ["cohort"]

_PATH = "/admin/cohort"
_DAY = click.DateTime(["%Y-%m-%d"])
_AT_ONCE = 500
_SKILLS_HEAD = ("skill", "code", "framework", "url", "learners")
_LEARNERS_HEAD = ("subject", "name", "records", "skills", "codes")


@click.group(short_help="Count the skills of many learners.")
@common
def cohort(setting: Setting) -> None:
    """Count the skills of many learners.

    \b
    Examples:
      lernode cohort report                             how many learners have which skill, exactly, for yourself
      lernode cohort report --learners --out class.csv  a line for each learner

    docs/cohorts.md has more.
    """


@cohort.command()
@common
@click.option("--learners", is_flag=True, help="A line for each learner instead of for each skill.")
@click.option("--achievement", metavar="ID", help="Count only records of this achievement.")
@click.option("--since", type=_DAY, help="Count only records issued on this day (UTC) or later.")
@click.option("--until", type=_DAY, help="Count only records issued before this day (UTC).")
@click.option("--format", "form", type=click.Choice(["table", "csv", "jsonl"]), help="By default as --out ends.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a new .csv or .jsonl file.")
def report(
    setting: Setting,
    learners: bool,
    achievement: str | None,
    since: datetime | None,
    until: datetime | None,
    form: str | None,
    out: Path | None,
) -> None:
    """Say exactly how many learners have which skill, or what each learner has, by the records that you issued.

    Records count that are active, not over, and say whom they are about. It is for yourself: an exact count of few
    people tells about each of them. Cells of the CSV that a spreadsheet would take for a formula begin with an
    apostrophe. However many learners there are, a page of them at a time is in memory.

    \b
    Examples:
      lernode cohort report --since 2026-08-01
      lernode cohort report --out skills.csv
      lernode cohort report --learners --format jsonl | jq .name
    """
    form = form or {".csv": "csv", ".jsonl": "jsonl", "": "table"}.get("" if out is None else out.suffix.lower())
    if form is None:
        raise BadInput("cli.report", "A report is written as .csv or .jsonl.", "Choose another file name, or --format.")
    if form == "table" and (learners or out is not None):
        raise BadInput("cli.usage", "That is not written as a table.", "Give --format csv or --format jsonl.")
    if out is not None:
        check_new(out)
    which = {"achievement": achievement, "since": _utc(since), "until": _utc(until)}

    async def skills(api: Api) -> c.CohortSkills:
        async with waiting("Counting"):
            return await api.get_however_long(f"{_PATH}/skills", c.CohortSkills, **which)

    async def each(api: Api) -> int:
        with _sink(out) as file:
            return await _stream_learners(api, which, form, file)

    if learners:
        count = with_api(setting, each)
        _wrote(count, "learners", out)
        return
    found = with_api(setting, skills)
    if form != "table":
        with _sink(out) as file:
            file.writelines(_skills(found, form))
        _wrote(len(found.skills), "skills", out)
    elif not setting.shown_as_json(found):
        table(
            ("LEARNERS", "SKILL", "CODE", "FRAMEWORK"),
            ((f"{each.learners:,}", each.name, each.code, each.framework) for each in found.skills),
        )
        line(f"{found.learners:,} learners, {found.records:,} records.")
        suggest("lernode cohort report --out skills.csv")


async def _stream_learners(api: Api, which: dict[str, str | None], form: str, file: IO[bytes]) -> int:
    count = 0
    async for page in _pages(api, which):
        if form == "csv":
            rows = map(_learner_row, page)
            file.writelines(_without_head(written([_LEARNERS_HEAD, *rows]), skip=count > 0))
        else:
            file.writelines(msgspec.json.encode(learner) + b"\n" for learner in page)
        count += len(page)
    return count


def _without_head(pieces: Iterable[bytes], *, skip: bool) -> Iterator[bytes]:
    """Without the mark of the encoding and the names of the columns, where they stand in the file already."""
    for number, piece in enumerate(pieces):
        if number > 1 or not skip:
            yield piece


async def _pages(api: Api, which: dict[str, str | None]) -> AsyncIterator[list[c.CohortLearner]]:
    after: str | None = None
    while True:
        page = await api.get(f"{_PATH}/learners", Page[c.CohortLearner], **which, after=after, limit=_AT_ONCE)
        yield page.items
        if page.next is None:
            return
        after = page.next


def _learner_row(learner: c.CohortLearner) -> tuple[str | None, ...]:
    names = "; ".join(skill.name for skill in learner.skills)
    codes = "; ".join(skill.code or skill.url or skill.name for skill in learner.skills)
    return learner.subject, learner.name, str(learner.records), names, codes


def _skills(found: c.CohortSkills, form: str) -> Iterable[bytes]:
    if form == "jsonl":
        return (msgspec.json.encode(each) + b"\n" for each in found.skills)
    rows = ((each.name, each.code, each.framework, each.url, str(each.learners)) for each in found.skills)
    return written([_SKILLS_HEAD, *rows])


@contextmanager
def _sink(out: Path | None) -> Iterator[IO[bytes]]:
    """The new file, or standard output."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with new_file(out) as file:
        yield file


def _wrote(count: int, what: str, out: Path | None) -> None:
    if out is not None:
        line(f"{count:,} {what} are written to {out}.", style="green")


def _utc(day: datetime | None) -> str | None:
    return None if day is None else day.replace(tzinfo=UTC).isoformat()
