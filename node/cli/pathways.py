"""``lernode pathways``: what is missing for a job, and which achievements close it."""

from __future__ import annotations

import click

from node.cli.client import with_api
from node.cli.match import show_lines
from node.cli.options import Setting, common, suggest
from node.cli.output import line, note
from node.http.pathway_schemas import ClosingView, GapView, NewGap

__all__ = ["pathways"]


@click.command(short_help="Show what is missing for a job, and what closes it.")
@common
@click.argument("profile")
@click.argument("exchange", required=False)
@click.option("--number", type=int, help="The version of the profile; else the last.")
@click.option("--wished", is_flag=True, help="Close what is wished, too.")
@click.option("--by", "unit", help="Count hours, credits, 'price in EUR', or achievements; else what most state.")
def pathways(
    setting: Setting, profile: str, exchange: str | None, number: int | None, wished: bool, unit: str | None
) -> None:
    """Show what is missing for PROFILE, in your own records or in what somebody presented to you in EXCHANGE.

    Achievements are those of your own catalogue, once it is published, and of catalogues that you took (lernode
    catalogue take); only those whose issuer you trust for them count. The cheapest set comes first, and it is told
    what the cost is counted in and whether nothing is cheaper.

    \b
    Examples:
      lernode pathways welder
      lernode pathways welder --by hours --wished
      lernode pathways welder 9b1e      an adviser, for a learner who has presented records for that
    """
    wanted = NewGap(profile=profile, exchange=exchange, number=number, wished=wished, unit=unit)
    found = with_api(setting, lambda api: api.post("/admin/pathways", GapView, wanted))
    if setting.shown_as_json(found):
        return
    line(f"{found.title}, version {found.number}", bold=True)
    if not found.missing:
        line("Nothing is missing.", style="green")
        return
    show_lines(found.missing, others=False)
    if found.path:
        how = "nothing is cheaper" if found.exact else f"at most {found.bound:.2f} times the cheapest"
        line(f"What closes it: {found.cost} {found.unit} ({how})", bold=True)
    for each in found.path:
        _show(each)
    for name in found.open:
        line(f"  ✗ {name}: nothing closes it", style="red")
    for title, some in (
        (f"Without a cost in {found.unit}:", found.uncosted),
        ("If you trusted the issuer:", found.untrusted),
    ):
        if some:
            line(title)
        for each in some:
            _show(each)
    if not found.catalogues:
        note("There is no catalogue here yet.")
        suggest("lernode catalogue take URL")


def _show(each: ClosingView) -> None:
    costs = (
        ", ".join(f"{cost} {unit.removeprefix('price in ')}" for unit, cost in each.costs.items()) or "no cost stated"
    )
    line(f"  → {each.name} ({costs}), {each.issuer}")
    for skill, way in each.closes.items():
        level = "; the level is still to be reached" if skill in each.levels_open else ""
        line(f"      {skill} ({way}){level}")
    line(f"      {each.trusted}")
