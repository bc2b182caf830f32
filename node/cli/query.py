"""``lernode query``: what a peer is asked for, without asking it yet."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from node.cli.client import segment, with_api
from node.cli.options import Setting, common
from node.cli.output import emit_json, note
from node.http.matching_schemas import QueryView

__all__ = ["query"]


@click.group(short_help="Turn a job profile into what a peer is asked for.")
@common
def query(setting: Setting) -> None:
    """Make presentation queries (DIF Presentation Exchange), to be looked at or used elsewhere.

    \b
    Example:
      lernode query from-profile welder -o welder-query.json
    """
    del setting


@query.command("from-profile")
@common
@click.argument("name")
@click.option("--number", type=int, help="The version of the profile; else the last.")
@click.option("--wished", is_flag=True, help="Ask for the wished skills too.")
@click.option("--most", type=click.IntRange(1, 32), help="Only so many, the most important ones.")
@click.option("--at-least", type=click.IntRange(1, 32), help="Who has not all may answer for so many; see request.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Else it is printed.")
def from_profile(
    setting: Setting,
    name: str,
    number: int | None,
    wished: bool,
    most: int | None,
    at_least: int | None,
    output: Path | None,
) -> None:
    """Turn the job profile NAME into a presentation definition that asks for its required skills, and no more.

    A record answers that attests the skill, or what counts for it by your frameworks and crosswalks. Where no level is
    asked for, a record that can be shown in part is to show only that it attests the skill.

    \b
    Examples:
      lernode query from-profile welder
      lernode query from-profile welder --most 10 -o q.json && lernode request Ada --definition q.json
      lernode request Ada --profile welder --most 10      the same in one step
    """
    path = f"/admin/job-profiles/{segment(name)}/query"
    found = with_api(
        setting,
        lambda api: api.get(
            path, QueryView, number=number, wished="true" if wished else None, most=most, atLeast=at_least
        ),
    )
    document = msgspec.json.encode(found.definition)
    if output is None:
        emit_json(document)
        return
    output.write_bytes(msgspec.json.format(document, indent=2) + b"\n")
    note(f"Written to {output}.")
