"""``lernode log``: the audit trail."""

from __future__ import annotations

import click
import msgspec

from node.cli.client import with_api
from node.cli.options import Setting, common
from node.cli.output import emit_json, fields, line, short, table
from node.http.schemas import ChainView, LogEntry, Page

__all__ = ["log"]


@click.command(short_help="Show the audit trail, or check that it is whole.")
@common
@click.option("--verify", is_flag=True, help="Check the chain of hashes.")
@click.option("--after", type=click.IntRange(0), default=0, metavar="NUMBER", help="Begin after this entry.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many entries.")
@click.option("--event", help="Only this kind, e.g. record.issued.")
@click.option("--subject", help="Only what is about this id.")
def log(setting: Setting, verify: bool, after: int, limit: int, event: str | None, subject: str | None) -> None:
    """Show what happened in the node, in order; each entry holds the hash of the one before.

    \b
    Examples:
      lernode log
      lernode log --event record.issued --json
      lernode log --verify

    Next: keep the head that --verify shows in another place, and compare it later.
    """
    if verify:
        _verify(setting)
        return
    found = with_api(
        setting,
        lambda api: api.get("/admin/log", Page[LogEntry], after=after, limit=limit, event=event, subject=subject),
    )
    if setting.json:
        emit_json(msgspec.json.encode(found))
        return
    rows = (
        (str(e.seq), e.at.strftime("%Y-%m-%d %H:%M:%S"), e.event, short(e.actor), ", ".join(map(short, e.subjects)))
        for e in found.items
    )
    table(("NO", "WHEN (UTC)", "EVENT", "BY", "ABOUT"), rows)
    if found.next is not None:
        line(f"There are more: add --after {found.next}")


def _verify(setting: Setting) -> None:
    report = with_api(setting, lambda api: api.post("/admin/log/verify", ChainView))
    if setting.json:
        emit_json(msgspec.json.encode(report))
    elif report.whole:
        line("The audit trail is whole.", style="green")
        fields([("entries", report.entries), ("head", report.head)])
    else:
        line(f"The audit trail is broken at entry {report.broken_at}.", style="red")
        line("Next: compare with a backup; somebody changed the store's file by other means.")
    if not report.whole:
        raise click.exceptions.Exit(1)
