"""``lernode prune``: forget what is old."""

from __future__ import annotations

import click

from node.cli.client import with_api
from node.cli.options import Setting, common
from node.cli.output import fields, line
from node.http.schemas import Prune, PruneView

__all__ = ["prune"]


@click.command(short_help="Forget what the configuration keeps no longer.")
@common
@click.option("--dry-run", is_flag=True, help="Only count what would be forgotten.")
@click.option("--vacuum", is_flag=True, help="Also give back the space; messages wait meanwhile.")
def prune(setting: Setting, dry_run: bool, vacuum: bool) -> None:
    """Forget now what the section [retention] of the configuration keeps no longer. A running node does so once a day.

    \b
    Examples:
      lernode prune --dry-run
      lernode prune --vacuum

    Records, connections, status lists and the audit trail are not forgotten by this. For a person: lernode erase.
    """
    wanted = Prune(dry_run=dry_run, vacuum=vacuum)
    found = with_api(setting, lambda api: api.post("/admin/prune", PruneView, wanted))
    if setting.shown_as_json(found):
        return
    line("Would be forgotten:" if dry_run else "Forgotten:", bold=True)
    fields((name.replace("_", " "), number) for name, number in found.forgotten.items())
