"""``lernode cohort``: the skills of many learners, exactly for the issuer, and in counts with noise for others."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click
import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import fields, line, short, table, when
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
_SUMMED_HEAD = ("skill", "learners", "low", "high", "told_by", "kept_back_by")
_LOOK_EVERY_SECONDS = 0.2
_SHOWN = 8
_LEARNERS_HEAD = ("subject", "name", "records", "skills", "codes")


@click.group(short_help="Count the skills of many learners.")
@common
def cohort(setting: Setting) -> None:
    """Count the skills of many learners.

    \b
    Examples:
      lernode cohort report                             how many learners have which skill, exactly, for yourself
      lernode cohort report --learners --out class.csv  a line for each learner
      lernode cohort ask "Prairie College" Lakeside --skill 51-4121.00
                                                        how many have it there, told with noise
      lernode cohort allow "State Agency"               let a peer ask you

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


@cohort.command()
@common
@click.argument("peers", nargs=-1, required=True)
@click.option("--skill", "skills", multiple=True, metavar="SKILL", help="By URL or code; repeatable.")
@click.option("--framework", help="All skills of this framework, instead.")
@click.option("--epsilon", default="1", show_default=True, help="How much an answer may tell of any one learner.")
@click.option(
    "--most", type=click.IntRange(1, 50), help="Skills for which one learner counts; else 5, or all if fewer."
)
@click.option("--purpose", help="For the people there.")
@click.option("--wait", type=float, default=10.0, show_default=True, help="Seconds to wait for the answers.")
def ask(
    setting: Setting,
    peers: tuple[str, ...],
    skills: tuple[str, ...],
    framework: str | None,
    epsilon: str,
    most: int | None,
    purpose: str | None,
    wait: float,
) -> None:
    """Ask PEERS how many of their learners have which skill, and add up what they answer.

    Each answer has noise, so that it tells next to nothing of any one learner: with a smaller epsilon less, and the
    counts are less exact. Between which numbers the exact sum is, in 95 of 100 cases, is shown. Small groups are kept
    back. A node answers only whom its owner allows, and the same question gets the same answer again.

    \b
    Examples:
      lernode cohort ask "Prairie College" Lakeside --skill 51-4121.00 --purpose "Training for the shipyard"
      lernode cohort ask Lakeside --framework welding --epsilon 0.5

    Next: lernode cohort result
    """
    wanted = c.CohortQuestion(
        connections=list(peers),
        skills=skills,
        framework=framework,
        epsilon=epsilon,
        most=most,
        purpose=purpose,
    )

    async def work(api: Api) -> c.CohortInquiry:
        asked = await api.post(f"{_PATH}/questions", c.CohortInquiry, wanted, to_peer=True)
        if api.is_own_node:
            return asked
        path, until = f"{_PATH}/questions/{segment(asked.id)}", time.monotonic() + wait
        async with waiting("Waiting for the answers"):
            while any(_is_open(peer) for peer in asked.peers) and time.monotonic() < until:
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
                asked = await api.get(path, c.CohortInquiry)
        return asked

    found = with_api(setting, work)
    if not setting.shown_as_json(found):
        _show(found)


@cohort.command()
@common
@click.argument("question", required=False)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the counts to a new .csv file.")
def result(setting: Setting, question: str | None, out: Path | None) -> None:
    """Show what peers answered to a question, by its id; without one, which questions you asked.

    \b
    Examples:
      lernode cohort result
      lernode cohort result 3f2a --out region.csv
    """
    if question is None:
        asked = with_api(setting, lambda api: api.get(f"{_PATH}/questions", Page[c.CohortInquiry]))
        if not setting.shown_as_json(asked):
            rows = (
                (short(each.id), when(each.created), _answered(each), str(len(each.skills)), each.purpose)
                for each in asked.items
            )
            table(("QUESTION", "ASKED", "ANSWERED", "SKILLS", "PURPOSE"), rows)
        return
    if out is not None:
        check_new(out)
    found = with_api(setting, lambda api: api.get(f"{_PATH}/questions/{segment(question)}", c.CohortInquiry))
    if out is not None:
        with new_file(out) as file:
            file.writelines(written([_SUMMED_HEAD, *map(_summed_row, found.skills)]))
        _wrote(len(found.skills), "skills", out)
    elif not setting.shown_as_json(found):
        _show(found)


@cohort.command("waiting")
@common
def waiting_questions(setting: Setting) -> None:
    """Show the questions of peers that you want to look at yourself (lernode cohort allow --review).

    \b
    Example:
      lernode cohort waiting

    Next: lernode accept ID answers one, and lernode accept ID --decline REASON does not
    """
    found = with_api(setting, lambda api: api.get(f"{_PATH}/waiting", Page[c.WaitingQuestion]))
    if setting.shown_as_json(found):
        return
    for each in found.items:
        line(each.exchange.peer or short(each.exchange.connection_id), bold=True)
        skills = ", ".join(each.skills[:_SHOWN]) + (" ..." if len(each.skills) > _SHOWN else "")
        fields(
            [
                ("question", short(each.exchange.id)),
                ("skills", f"{len(each.skills)}: {skills}"),
                ("costs", f"epsilon {each.epsilon}, one learner counted for {each.most} at most"),
                ("purpose", each.purpose),
            ]
        )
        suggest(f"lernode accept {short(each.exchange.id)}")
    if not found.items:
        line("No question waits for you.")


@cohort.command()
@common
@click.option("--minimum", type=click.IntRange(min=1), help="Learners that a group should have to be told.")
@click.option("--budget", metavar="EPSILON", help="What all askers together may spend in a period.")
@click.option("--period", type=click.IntRange(min=1), metavar="DAYS", help="After which what was spent is back.")
def policy(setting: Setting, minimum: int | None, budget: str | None, period: int | None) -> None:
    """Show who may ask for counts of your learners and what is spent, or set what holds for all of them.

    Until you allow a peer, nobody is answered. A learner's node has issued nothing, and so has nothing to tell.

    \b
    Examples:
      lernode cohort policy
      lernode cohort policy --minimum 20 --budget 3 --period 365
    """
    if minimum is None and budget is None and period is None:
        found = with_api(setting, lambda api: api.get(f"{_PATH}/policy", c.CohortPolicyView))
    else:
        wanted = c.CohortPolicyToSet(minimum=minimum, budget=budget, period=period)
        found = with_api(setting, lambda api: api.post(f"{_PATH}/policy", c.CohortPolicyView, wanted))
    _show_policy(setting, found)


@cohort.command()
@common
@click.argument("peer")
@click.option("--per-question", default="1", show_default=True, metavar="EPSILON", help="Of one question at most.")
@click.option("--budget", default="2", show_default=True, metavar="EPSILON", help="Of all its questions in a period.")
@click.option("--review", is_flag=True, help="Look at each question yourself: lernode cohort waiting.")
def allow(setting: Setting, peer: str, per_question: str, budget: str, review: bool) -> None:
    """Let PEER ask how many of your learners have which skill, as often as its budget lasts.

    Epsilon bounds by how much all that is told may change what anybody can conclude of one learner: at most by the
    factor e^epsilon, which is 2.7 for 1 and 7.4 for 2. docs/cohorts.md says what that protects, and what not.

    \b
    Examples:
      lernode cohort allow "State Agency"
      lernode cohort allow "State Agency" --per-question 0.5 --budget 2 --review
    """
    wanted = c.AskerToAllow(connection=peer, per_question=per_question, budget=budget, review=review)
    _show_policy(setting, with_api(setting, lambda api: api.post(f"{_PATH}/askers", c.CohortPolicyView, wanted)))


@cohort.command()
@common
@click.argument("peer")
def refuse(setting: Setting, peer: str) -> None:
    """Let PEER ask no more. What it has spent stays spent, and what it was told it knows.

    \b
    Example:
      lernode cohort refuse "State Agency"
    """
    _show_policy(
        setting, with_api(setting, lambda api: api.delete(f"{_PATH}/askers/{segment(peer)}", c.CohortPolicyView))
    )


def _show_policy(setting: Setting, found: c.CohortPolicyView) -> None:
    if setting.shown_as_json(found):
        return
    fields(
        [
            ("smallest group", f"{found.minimum} learners"),
            ("budget of all", f"{found.spent} of {found.budget} spent in {found.period} days"),
            ("can answer", "yes" if found.can_answer else "no: pip install 'lernode[aggregates]'"),
        ]
    )
    if not found.askers:
        line("Nobody may ask.")
        suggest("lernode cohort allow PEER")
        return
    rows = (
        (each.peer or short(each.connection), each.per_question, f"{each.spent} of {each.budget}", _review(each))
        for each in found.askers
    )
    table(("MAY ASK", "A QUESTION", "SPENT", "ANSWERED"), rows)


def _review(asker: c.AllowedAsker) -> str:
    return "after you look at it" if asker.review else "at once"


def _show(found: c.CohortInquiry) -> None:
    rows = ((each.exchange.peer or short(each.exchange.connection_id), _standing(each)) for each in found.peers)
    table(("PEER", "ANSWER"), rows)
    line()
    if any(each.counted for each in found.peers):
        shown = (
            (
                each.skill,
                "kept back" if each.count is None else f"{each.count:,}",
                f"{each.low:,} to {each.high:,}",
                f"{each.told_by} of {each.told_by + each.kept_back_by}",
            )
            for each in found.skills
        )
        table(("SKILL", "LEARNERS, ABOUT", "IN 95 OF 100 CASES", "TOLD BY"), shown)
        line(f"With noise: an epsilon of {found.epsilon} at each peer, one learner counted for {found.most} at most.")
    suggest(f"lernode cohort result {short(found.id)}")


def _standing(peer: c.AskedPeer) -> str:
    if peer.counted is not None:
        return f"counted on {peer.counted:%Y-%m-%d}, groups of {peer.minimum} or more"
    if peer.problem is not None:
        return f"no: {peer.explain or peer.problem}"
    return "not yet"


def _is_open(peer: c.AskedPeer) -> bool:
    return peer.counted is None and peer.problem is None


def _answered(found: c.CohortInquiry) -> str:
    return f"{sum(each.counted is not None for each in found.peers)} of {len(found.peers)}"


def _summed_row(each: c.SummedSkill) -> tuple[str | None, ...]:
    count = None if each.count is None else str(each.count)
    return each.skill, count, str(each.low), str(each.high), str(each.told_by), str(each.kept_back_by)


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
