"""``lernode match``: hold records against a job profile, requirement by requirement."""

from __future__ import annotations

from typing import Any

import click

from node.cli.client import with_api
from node.cli.options import Setting, common, only_used, suggest
from node.cli.output import line, note, short
from node.http.matching_schemas import LineView, MatchView, NewMatch

__all__ = ["match", "show_lines"]

_MARKS = {"met": ("✓", "green"), "not-met": ("✗", "red"), "not-checked": ("?", "yellow")}
_WORDS = {"met": "met", "not-met": "not met", "not-checked": "not checked"}


@click.command(short_help="Hold records against a job profile.")
@common
@click.argument("profile")
@click.argument("exchange", required=False)
@click.option("--number", type=int, help="The version of the profile; else the last.")
@click.option("--quick", is_flag=True, help="Own records: verify nothing now; what that leaves open is told.")
@click.option("--trust", multiple=True, metavar="DID", help="What was presented: believe this issuer for once.")
@click.option("--others", is_flag=True, help="Also show records that were looked at and did not decide.")
def match(
    setting: Setting,
    profile: str,
    exchange: str | None,
    number: int | None,
    quick: bool,
    trust: tuple[str, ...],
    others: bool,
) -> None:
    """Show which requirements of PROFILE are met by what was presented in EXCHANGE, or by your own records.

    Each requirement is met (✓), not met (✗), or could not be checked (?), and says why: by which record, through which
    crosswalk. There is no score, and nobody is ranked. It ends with 0 where all that is required is met, else with 1.

    \b
    Examples:
      lernode match welder                 what you hold
      lernode match welder 9b1e            what a peer presented
      lernode match welder 9b1e --json
    """
    if exchange is not None:
        only_used("number", "trust", "others", use="for what was presented")
    else:
        only_used("number", "quick", "others", use="for own records")
    wanted = NewMatch(profile=profile, number=number, exchange=exchange, check=not quick, trust=trust)
    found = with_api(setting, lambda api: api.post("/admin/match", MatchView, wanted))
    if not setting.shown_as_json(found):
        line(f"{found.title}, version {found.number}", bold=True)
        show_lines(found.lines, others=others)
        for each in found.unknown:
            where = each.framework or each.url or "which it does not name"
            note(f"“{each.record_name}” attests “{each.skill}”, of a framework that this node does not have: {where}")
        _sum_up(found.lines)
        suggest("lernode framework import FILE, where a framework is missing; see docs/matching.md")
    if any(each.outcome != "met" for each in found.lines if each.requirement.need == "required"):
        raise click.exceptions.Exit(1)


def show_lines(lines: list[LineView], *, others: bool) -> None:
    """Each requirement with why it stands so, the required ones first."""
    for need in ("required", "wished"):
        some = [each for each in lines if each.requirement.need == need]
        if some:
            line(need)
        for each in some:
            mark, colour = _MARKS[each.outcome]
            wanted = each.requirement
            level = f", at least {wanted.level.value} ({wanted.level.scale.name})" if wanted.level else ""
            line(f"  {mark} {wanted.skill.name}{level}", style=colour)
            by = "" if each.used is None else f"  [{short(each.used.record)}, {each.used.through}]"
            line(f"      {each.reason}{by}")
            for other in each.others if others else ():
                line(f"      also: {other.reason}  [{short(other.record)}, {other.through}]")
            if others and each.more:
                line(f"      and {each.more} more")


def _sum_up(lines: list[LineView]) -> None:
    told: list[Any] = []
    for need in ("required", "wished"):
        counts = {
            word: sum(each.outcome == outcome and each.requirement.need == need for each in lines)
            for outcome, word in _WORDS.items()
        }
        if sum(counts.values()):
            told.append(f"{need}: " + ", ".join(f"{count} {word}" for word, count in counts.items() if count))
    line("; ".join(told) + ".")
