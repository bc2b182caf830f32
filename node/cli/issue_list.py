"""``lernode issue --csv``: one signed record for each learner of a list, and every bad row by its line.

The list is sent to the node in parts, each of which is issued whole or not at all, and under a name that is the list's
digest. So an interrupted command, typed again, goes on where it ended: the node knows which rows have their record.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, suggest
from node.cli.output import line, note
from node.cli.progress import counted
from node.cli.write import make_folder, write_record
from node.http.catalogue_schemas import AchievementDetail
from node.http.documents import document_bytes
from node.http.schemas import BatchAward, BatchRowView, BatchToIssue, BatchView
from node.records.catalogue import Achievement
from node.records.csv_input import LearnerList, LearnerRow, parse_learners
from node.runtime.collector import leave_to_the_collector_what_comes_and_goes
from protocols import strict_json
from protocols.errors import BadInput

__all__ = ["Order", "issue_list"]

_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be issued to a list.

    Attributes:
        out: the folder for the signed files; None where the records stay with the node.
        strict: issue to nobody while a row is wrong.
        valid_from: where a row has no date; the time of the first part where this is None too.
    """

    achievement: str
    csv_file: Path
    out: Path | None
    strict: bool
    valid_from: datetime | None
    valid_until: datetime | None


class _BadRow(msgspec.Struct, rename="camel"):
    line: int
    column: str
    code: str
    message: str


class _Issued(msgspec.Struct, rename="camel"):
    line: int
    file: str | None
    record: str
    is_new: bool


class _Outcome(msgspec.Struct, rename="camel"):
    batch: str
    issued: list[_Issued]
    problems: list[_BadRow]


def issue_list(setting: Setting, order: Order) -> None:
    """Issue to every learner whose row is right and who has no record of this list yet.

    Ends the command with 1 where a row was not issued.

    Raises:
        BadInput: ``csv.*`` where nothing of the file can be used.
        WrongState: ``catalogue.unknown_achievement``.
    """
    try:
        data = order.csv_file.read_bytes()
    except OSError:
        raise BadInput("cli.csv", "The CSV file cannot be read.", "Name another file.") from None
    if order.out is not None:
        make_folder(order.out)
    try:
        outcome = with_api(setting, lambda api: _issue_all(api, order, data))
    except KeyboardInterrupt:
        note("Stopped. What is issued stays; the same command goes on with the rest.")
        raise
    if not setting.shown_as_json(outcome):
        _show(outcome, order)
    if outcome.problems:
        raise click.exceptions.Exit(1)


async def _issue_all(api: Api, order: Order, data: bytes) -> _Outcome:
    if api.is_own_node:
        leave_to_the_collector_what_comes_and_goes()
    achievement = await _achievement(api, order.achievement)
    learners = parse_learners(data, result=achievement.result)
    outcome = _Outcome(_name_of(achievement, order, data), [], _problems(learners))
    if order.strict and outcome.problems:
        return outcome
    with counted("Issuing", len(learners.rows)) as advance:
        async for part in _parts(api, order, outcome.batch, achievement, learners.rows):
            # In a thread, as the node may be one with this process and has the next part in hand.
            await asyncio.to_thread(_take, part, order.out, achievement.slug, outcome)
            advance(len(part.issued) + len(part.problems))
    outcome.problems.sort(key=lambda problem: problem.line)
    return outcome


async def _parts(
    api: Api, order: Order, batch: str, achievement: Achievement, rows: Sequence[LearnerRow]
) -> AsyncIterator[BatchView]:
    """What the node says of each part, in order; the next part is under way while one is looked at."""

    def ask(start: int) -> asyncio.Task[BatchView]:
        awards = [_award(row, order) for row in rows[start : start + _ROWS_AT_ONCE]]
        wanted = BatchToIssue(batch=batch, achievement=achievement.id, awards=awards, documents=order.out is not None)
        return asyncio.create_task(api.post("/admin/credentials/issue-batch", BatchView, wanted))

    starts = range(0, len(rows), _ROWS_AT_ONCE)
    coming = ask(0) if starts else None
    try:
        for start in starts:
            assert coming is not None
            part = await coming
            following = start + _ROWS_AT_ONCE
            coming = ask(following) if following < len(rows) else None
            yield part
    finally:
        if coming is not None:
            coming.cancel()
            with suppress(asyncio.CancelledError):
                await coming


def _take(part: BatchView, out: Path | None, slug: str, outcome: _Outcome) -> None:
    for row in part.issued:
        try:
            file = None if out is None else _keep(out / f"{slug}-{outcome.batch[:8]}-{int(row.key):05d}.json", row)
        except BadInput as error:
            outcome.problems.append(_BadRow(int(row.key), "", error.code, error.message))
        else:
            outcome.issued.append(_Issued(int(row.key), file, row.id, row.is_new))
    outcome.problems += [_BadRow(int(row.key), "", row.code, row.message) for row in part.problems]


def _keep(file: Path, row: BatchRowView) -> str:
    """Write a record, unless it is there from the time before."""
    document = document_bytes(row.document)
    try:
        write_record(file, document)
    except BadInput:
        if file.read_bytes() != document:
            raise
    return str(file)


async def _achievement(api: Api, name: str) -> Achievement:
    found = await api.get(f"/admin/catalogue/{segment(name)}", AchievementDetail)
    return Achievement.from_document(strict_json.loads_object(bytes(found.document)), slug=found.slug)


def _name_of(achievement: Achievement, order: Order, data: bytes) -> str:
    """The digest of all that decides what the records say."""
    days = [None if day is None else day.isoformat() for day in (order.valid_from, order.valid_until)]
    said = strict_json.dumps([achievement.document, *days])
    return hashlib.sha256(hashlib.sha256(said).digest() + hashlib.sha256(data).digest()).hexdigest()


def _award(row: LearnerRow, order: Order) -> BatchAward:
    return BatchAward(
        key=str(row.line),
        name=row.name,
        did=row.did,
        email=row.email,
        valid_from=row.date or order.valid_from,
        valid_until=order.valid_until,
        result=row.result,
    )


def _problems(learners: LearnerList) -> list[_BadRow]:
    return [_BadRow(p.line, p.column, p.code, p.message) for p in learners.problems]


def _show(outcome: _Outcome, order: Order) -> None:
    for problem in outcome.problems:
        column = f", {problem.column}" if problem.column else ""
        note(f"line {problem.line}{column}: {problem.message}")
    new = sum(row.is_new for row in outcome.issued)
    if new:
        where = f"written to {order.out}" if order.out else "kept"
        line(f"{new:,} records are signed and {where}.", style="green")
    if len(outcome.issued) > new:
        line(f"{len(outcome.issued) - new:,} learners of this list had their record already.")
    if outcome.problems:
        bad = len({problem.line for problem in outcome.problems})
        rest = "nothing was issued" if order.strict and not outcome.issued else "they were not issued"
        line(f"{bad:,} rows are wrong; {rest}.", style="red")
        line("Next: mend those rows and issue them from a file of their own.")
    elif order.out:
        line(f"Next: hand the files over; lernode verify {order.out} checks them all.")
    else:
        suggest("lernode records --issued lists them; the same command with --out FOLDER writes them to files.")
