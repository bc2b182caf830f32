"""``lernode skills``: what the held records attest, as a table, a picture or a page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from node.cli.client import Api, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import fields, line, short, table
from node.cli.write import check_new, write_record
from node.http.profile_schemas import (
    AttestationView,
    PictureView,
    ProfiledSkillDetail,
    ProfiledSkillView,
    ReachedView,
    SkillRecordView,
)
from node.http.schemas import Page
from node.skills.held import age

__all__ = ["skills"]

_PATH = "/admin/profile"
_BELIEVED = {"trusted": "trusted", "untrusted": "not trusted", "unclear": "undecided", "self": "own statement"}


@click.command(short_help="Show the skills that your records attest, and how strongly.")
@common
@click.argument("skill", required=False)
@click.option("--as", "framework", metavar="FRAMEWORK", help="In terms of this framework, through its crosswalks.")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Draw them into a new SVG file.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a new page: picture and table.")
def skills(setting: Setting, skill: str | None, framework: str | None, svg: Path | None, html: Path | None) -> None:
    """Show every skill that the records you hold attest; or one SKILL, by code, URL or name, with all its records.

    How strong a skill is, is told by its parts: how many records, of which issuers and whether you trust these, which
    results, and how long ago. There is no score. What no framework of this node has is shown as the record names it.

    \b
    Examples:
      lernode skills
      lernode skills 51-4121.00
      lernode skills --as esco                  told in terms of another framework, where a crosswalk leads there
      lernode skills --html skills.html         a page that anybody can open, also with a screen reader
      lernode skills --svg skills.svg

    Next: lernode framework import FILE lets more skills be known; docs/portfolio.md has the details.
    """
    files = [path for path in (svg, html) if path is not None]
    for path in files:
        check_new(path)
    if skill is not None:
        _show_one(setting, skill)
        return
    if files:
        _draw(setting, framework, svg, html)
        return
    found = with_api(setting, lambda api: _every(api, framework))
    if setting.shown_as_json(Page(items=found)):
        return
    if not found:
        line("No held record attests a skill" + (f" of {framework}." if framework else " yet."))
        suggest("lernode skills" if framework else "lernode accept")
        return
    now = datetime.now(UTC)
    header = ("SKILL", "CODE", "FRAMEWORK", "IN FORCE", "RESULTS", "ISSUERS", "LAST")
    table(header, (_row(each, now) for each in found))
    suggest("lernode skills CODE shows one with all its records.")


async def _every(api: Api, framework: str | None) -> list[ProfiledSkillView]:
    found: list[ProfiledSkillView] = []
    after: str | None = None
    while True:
        page = await api.get(f"{_PATH}/skills", Page[ProfiledSkillView], framework=framework, after=after, limit=1000)
        found += page.items
        if page.next is None:
            return found
        after = page.next


def _row(each: ProfiledSkillView, now: datetime) -> tuple[str | None, ...]:
    name = each.name if each.through is None else f"{each.name} ({each.through.kind} {each.through.name})"
    framework = each.framework if each.known else f"{each.framework or 'none'} (not known here)"
    results = [one for part in each.attestations if part.standing == "valid" for one in part.results]
    return (
        name,
        each.code,
        framework,
        f"{each.valid} of {each.count}",
        "; ".join(dict.fromkeys(one.value for one in results)),
        ", ".join(dict.fromkeys(_issuer(part) for part in each.attestations)),
        age(each.last, now),
    )


def _issuer(part: AttestationView | SkillRecordView) -> str:
    told = _BELIEVED[part.believed.by]
    return told if part.believed.by == "self" else f"{part.issuer_name or short(part.issuer)} ({told})"


def _results(results: list[ReachedView]) -> str:
    return "; ".join(
        f"{one.name}: {one.value}" + (f" of {' < '.join(one.steps)}" if one.steps else "") for one in results
    )


def _show_one(setting: Setting, name: str) -> None:
    found = with_api(setting, lambda api: api.get(f"{_PATH}/skill", ProfiledSkillDetail, skill=name, limit=1000))
    if setting.shown_as_json(found):
        return
    skill, now = found.skill, datetime.now(UTC)
    line(skill.name, bold=True)
    fields(
        [
            ("code", skill.code),
            ("url", skill.url),
            ("framework", skill.framework if skill.known else f"{skill.framework or 'none'} (not known here)"),
            ("records", f"{skill.valid} in force of {skill.count}"),
            ("last", f"{skill.last:%Y-%m-%d}, {age(skill.last, now)}"),
            *(
                ("elsewhere", f"{m.kind} {m.name or m.code}" + (f" ({m.framework})" if m.framework else ""))
                for m in skill.matches
            ),
        ]
    )
    rows = (
        (short(r.record_id), r.name, _issuer(r), _results(r.results), f"{r.awarded:%Y-%m-%d}", r.standing)
        for r in found.records
    )
    table(("RECORD", "NAME", "ISSUER", "RESULTS", "AWARDED", "STANDING"), rows)
    for reason in dict.fromkeys(r.believed.reason for r in found.records if r.believed.by in {"untrusted", "unclear"}):
        line(f"  {reason}")
    suggest("lernode trust explain DID says why an issuer is trusted, or not.")


def _draw(setting: Setting, framework: str | None, svg: Path | None, html: Path | None) -> None:
    drawn = with_api(setting, lambda api: api.get(f"{_PATH}/picture", PictureView, framework=framework))
    for path, content in ((svg, drawn.svg), (html, drawn.html)):
        if path is not None:
            write_record(path, content.encode())
    if setting.shown_as_json(drawn):
        return
    for path in (svg, html):
        if path is not None:
            line(f"Written to {path}.", style="green")
