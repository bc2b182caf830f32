"""``lernode log``: the audit trail."""

from __future__ import annotations

from pathlib import Path

import click

from node.cli.client import with_api
from node.cli.options import Setting, common
from node.cli.output import fields, line, note, short, table
from node.http.schemas import ChainView, HeadsToCheck, HeadView, LogEntry, Page
from protocols.errors import BadInput

__all__ = ["log"]

_MAX_HEADS_FILE = 32 << 20


@click.group(short_help="Show the audit trail, or check that it is whole.", invoke_without_command=True)
@common
@click.option("--after", type=click.IntRange(0), default=0, metavar="NUMBER", help="Begin after this entry.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many entries.")
@click.option("--event", help="Only this kind, e.g. record.issued.")
@click.option("--subject", help="Only what is about this id.")
@click.pass_context
def log(ctx: click.Context, setting: Setting, after: int, limit: int, event: str | None, subject: str | None) -> None:
    """Show what happened in the node, in order; each entry holds the hash of the one before.

    \b
    Examples:
      lernode log
      lernode log --event record.issued --json
      lernode log verify
      lernode log head >> /mnt/elsewhere/heads.txt

    Next: keep signed heads in another place, and compare them later: lernode log verify --head FILE
    """
    if ctx.invoked_subcommand is not None:
        return
    found = with_api(
        setting,
        lambda api: api.get("/admin/log", Page[LogEntry], after=after, limit=limit, event=event, subject=subject),
    )
    if setting.shown_as_json(found):
        return
    rows = (
        (str(e.seq), e.at.strftime("%Y-%m-%d %H:%M:%S"), e.event, short(e.actor), " ".join(map(short, e.subjects)))
        for e in found.items
    )
    table(("NO", "WHEN (UTC)", "EVENT", "BY", "ABOUT"), rows)
    if found.next is not None:
        line(f"There are more: add --after {found.next}")


@log.command()
@common
@click.option(
    "--head", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with signed heads that was kept elsewhere, one a line.",
)  # fmt: skip
def verify(setting: Setting, file: Path | None) -> None:
    """Check the chain of hashes, and every head of it that the node has signed; say the first entry that is wrong.

    \b
    Examples:
      lernode log verify
      lernode log verify --head /mnt/elsewhere/heads.txt

    It ends with 0 where the trail is whole, and with 1 where it is not.
    """
    heads = HeadsToCheck(heads=() if file is None else _heads(file))
    report = with_api(setting, lambda api: api.post("/admin/log/verify", ChainView, heads))
    if not setting.shown_as_json(report):
        _tell(report)
    if not report.whole:
        raise click.exceptions.Exit(1)


@log.command()
@common
def head(setting: Setting) -> None:
    """Sign the head of the trail as it is now, and print it; the node does so every day into audit-heads.txt.

    \b
    Example:
      lernode log head >> /mnt/elsewhere/heads.txt

    Next: lernode log verify --head /mnt/elsewhere/heads.txt
    """
    signed = with_api(setting, lambda api: api.post("/admin/log/heads", HeadView))
    if setting.shown_as_json(signed):
        return
    line(signed.statement)
    note(f"It covers the entries up to {signed.seq}.")


def _tell(report: ChainView) -> None:
    if report.whole:
        line("The audit trail is whole.", style="green")
        fields([("entries", report.entries), ("head", report.head), ("signed heads", report.heads)])
        return
    if report.broken_at is not None:
        line(f"The audit trail is broken at entry {report.broken_at}.", style="red")
    for bad in report.bad_heads:
        line(f"The signed head of entry {'?' if bad.seq is None else bad.seq} does not hold. {bad.reason}", style="red")
    line("Next: compare with a backup; somebody changed the store by other means.")


def _heads(file: Path) -> tuple[str, ...]:
    try:
        if file.stat().st_size > _MAX_HEADS_FILE:
            raise BadInput("cli.heads_file", "The file with signed heads is too large.", "Name another file.")
        return tuple(file.read_text(encoding="ascii").split())
    except (OSError, UnicodeDecodeError):
        raise BadInput("cli.heads_file", "The file with signed heads cannot be read.", "Name a text file.") from None
