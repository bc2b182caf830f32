"""``lernode erase``: all that is kept of a person."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
import msgspec

from node.cli.client import Api, with_api
from node.cli.options import Setting, common
from node.cli.output import fields, is_terminal, line, short
from node.cli.write import check_new, write_record
from node.http.schemas import Erase, ErasureView
from protocols.errors import BadInput

__all__ = ["erase"]


@click.command(short_help="Erase all that is kept of a person.")
@common
@click.argument("who", metavar="PEER|SUBJECT")
@click.option("--dry-run", is_flag=True, help="Only say what would be erased.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the signed report to this file.")
def erase(setting: Setting, who: str, dry_run: bool, yes: bool, report: Path | None) -> None:
    """Erase a peer (its name or connection), or a subject of records (a DID, an e-mail address), for good.

    Of a peer go the connection, every conversation on it, and the records that were issued over it; of a subject,
    every record and conversation that names it. Places in status lists stay, for verifiers rely on them, and so does
    the audit trail, which has ids and digests only. A report, signed by the node, says what went.

    \b
    Examples:
      lernode erase Ada --dry-run
      lernode erase did:key:z6Mk... --yes --report erased.jwt
      lernode erase ada@example.org

    To revoke records, do so before: lernode revoke. To tell the peer, disconnect before: lernode disconnect.
    """
    if report is not None:
        check_new(report)
    wanted = Erase(subject=who) if ":" in who or "@" in who else Erase(connection=who)

    async def ask(api: Api, *, trial: bool) -> ErasureView:
        return await api.post("/admin/erasures", ErasureView, msgspec.structs.replace(wanted, dry_run=trial))

    if not yes or dry_run:
        found = with_api(setting, lambda api: ask(api, trial=True))
        _show(setting, found, "Would be erased:")
        if dry_run:
            return
        if not is_terminal():
            raise BadInput("cli.not_confirmed", "Erasing is for good, and nobody is there to be asked.", "Add --yes.")
        click.confirm("Erase this for good?", abort=True, err=True)
    done = with_api(setting, lambda api: ask(api, trial=False))
    if report is not None and done.report is not None:
        write_record(report, done.report.encode())
    _show(setting, done, "Erased:")


def _show(setting: Setting, found: ErasureView, title: str) -> None:
    if setting.shown_as_json(found):
        return
    line(title, bold=True)
    fields((what.replace("_", " "), number) for what, number in Counter(e.what for e in found.erased).items())
    if found.kept:
        line(f"{len(found.kept)} places in status lists stay as they are.")
    if found.related:
        line(f"These connections stay; erase them too if they are the person's: {', '.join(map(short, found.related))}")
    if found.report_id is not None:
        line(f"The signed report is kept as {found.report_id}.")
