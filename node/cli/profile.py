"""``lernode profile``: which skills a job requires and which it wishes for."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, only_used, suggest
from node.cli.output import clean, emit_json, fields, line, note, table
from node.http.matching_schemas import NewJobProfile, OccupationToTake, SkillToAsk
from node.http.schemas import Page
from node.skills.profile import JobProfile, encode
from protocols.errors import BadInput

__all__ = ["profile"]

_PATH = "/admin/job-profiles"


@click.group(short_help="Keep profiles of jobs: required and wished skills.", invoke_without_command=True)
@common
@click.pass_context
def profile(ctx: click.Context, setting: Setting) -> None:
    """Keep profiles of jobs: which skills are required and wished, and at which level.

    \b
    Examples:
      lernode profile add welder --occupation 51-4121.00      what O*NET says that welders need
      lernode profile add fitter --require W.1 --wish W.2      your own list
      lernode profile add nurse --file nurse.csv               with the columns skill, need, level, steps
      lernode profile                                          which there are
      lernode profile show welder
      lernode profile export welder -o welder.json             for another node

    docs/matching.md has more. Next: lernode match welder, or lernode request PEER --profile welder
    """
    if ctx.invoked_subcommand is None:
        _list(setting)


@profile.command()
@common
@click.argument("name")
@click.option("--title", help="What the job is called; else as the occupation, or as NAME.")
@click.option("--occupation", metavar="CODE", help="Take the skills of an occupation, by code or URL.")
@click.option("--in", "framework", metavar="FRAMEWORK", help="Where the occupation is, if several have the code.")
@click.option("--required-from", type=float, default=3.5, show_default=True, help="Importance of what is required.")
@click.option("--wished-from", type=float, default=3.0, show_default=True, help="Importance of what is wished.")
@click.option("--no-levels", is_flag=True, help="Ask for the skills, and not for the levels of O*NET.")
@click.option("--require", "required", multiple=True, metavar="SKILL", help="A skill by code or URL; repeatable.")
@click.option("--wish", "wished", multiple=True, metavar="SKILL", help="Likewise, for one that is wished.")
@click.option("--file", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="CSV or JSON.")
def add(
    setting: Setting,
    name: str,
    title: str | None,
    occupation: str | None,
    framework: str | None,
    required_from: float,
    wished_from: float,
    no_levels: bool,
    required: tuple[str, ...],
    wished: tuple[str, ...],
    file: Path | None,
) -> None:
    """Keep the profile NAME, as a new version where there is one.

    A CSV has the column skill (code or URL) and may have need (required or wished), name, level, scale, and steps
    (from low to high, apart by bars) or low and high. A level without a scale is refused: nobody could compare it.

    \b
    Examples:
      lernode profile add welder --occupation 51-4121.00 --required-from 4 --wish W.2
      lernode profile add nurse --file nurse.csv --title "Nurse, night shift"
    """
    if file is not None:
        only_used("title", "file", use="with --file")
        with file.open("rb") as content:
            kept = with_api(
                setting, lambda api: api.upload(f"{_PATH}/file", JobProfile, content, name=name, title=title)
            )
    else:
        wanted = NewJobProfile(
            name=name,
            title=title,
            occupation=None
            if occupation is None
            else OccupationToTake(
                code=occupation,
                framework=framework,
                required_from=required_from,
                wished_from=wished_from,
                levels=not no_levels,
            ),
            skills=(
                *(SkillToAsk(skill=each, need="required") for each in required),
                *(SkillToAsk(skill=each, need="wished") for each in wished),
            ),
        )
        if occupation is None and not wanted.skills:
            raise BadInput("cli.usage", "A profile needs skills.", "Give --occupation, --require, --wish or --file.")
        kept = with_api(setting, lambda api: api.post(_PATH, JobProfile, wanted))
    if setting.shown_as_json(kept):
        return
    count = sum(each.need == "required" for each in kept.requirements)
    line(
        f"Kept “{kept.title}” as {kept.name}, version {kept.number}: {count} required, "
        f"{len(kept.requirements) - count} wished.",
        style="green",
    )
    suggest(f"lernode profile show {kept.name}, or lernode match {kept.name}")


@profile.command("list")
@common
def list_them(setting: Setting) -> None:
    """Show the profiles, each in its last version.

    \b
    Example:
      lernode profile list --json
    """
    _list(setting)


@profile.command()
@common
@click.argument("name")
@click.option("--number", type=int, help="The version; else the last.")
def show(setting: Setting, name: str, number: int | None) -> None:
    """Show what the profile NAME asks for.

    \b
    Example:
      lernode profile show welder
    """
    found = _get(setting, name, number)
    if setting.shown_as_json(found):
        return
    line(found.title, bold=True)
    of = found.occupation
    fields(
        (
            ("version", str(found.number)),
            ("occupation", f"{of.name} ({of.framework}, version {of.number})" if of else None),
        )
    )
    rows = (
        (
            each.need,
            each.skill.name,
            each.skill.code or each.skill.url or "",
            "" if each.importance is None else f"{each.importance:.2f}",
            "" if each.level is None else f"{each.level.value} ({each.level.scale.name})",
        )
        for each in found.requirements
    )
    table(("need", "skill", "code", "importance", "at least"), rows)


@profile.command()
@common
@click.argument("name")
@click.option("--number", type=int, help="The version; else the last.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Else it is printed.")
def export(setting: Setting, name: str, number: int | None, output: Path | None) -> None:
    """Write the profile NAME as JSON, which lernode profile add --file reads on any node.

    \b
    Example:
      lernode profile export welder -o welder.json
    """
    document = encode(_get(setting, name, number))
    if output is None:
        emit_json(document)
        return
    output.write_bytes(msgspec.json.format(document, indent=2) + b"\n")
    note(f"Written to {output}.")


@profile.command()
@common
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(setting: Setting, name: str, yes: bool) -> None:
    """Forget the profile NAME with all its versions.

    \b
    Example:
      lernode profile remove welder
    """
    if not yes:
        click.confirm(f"Forget {clean(name)} with all its versions?", abort=True, err=True)
    gone = with_api(setting, lambda api: api.delete(f"{_PATH}/{segment(name)}", JobProfile))
    if not setting.shown_as_json(gone):
        line(f"“{gone.title}” is forgotten.")


def _get(setting: Setting, name: str, number: int | None) -> JobProfile:
    async def work(api: Api) -> JobProfile:
        return await api.get(f"{_PATH}/{segment(name)}", JobProfile, number=number)

    return with_api(setting, work)


def _list(setting: Setting) -> None:
    found = with_api(setting, lambda api: api.get(_PATH, Page[JobProfile]))
    if setting.shown_as_json(found):
        return
    if found.items:
        rows = ((each.name, each.title, str(each.number), str(len(each.requirements))) for each in found.items)
        table(("name", "title", "version", "skills"), rows)
    else:
        line("There is no job profile yet.")
        suggest("lernode profile add NAME --occupation CODE")
