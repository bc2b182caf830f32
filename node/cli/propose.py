"""``lernode propose``: ask a peer for a record, or say what could be shown; also instead of what the peer wants."""

from __future__ import annotations

from pathlib import Path

import click

from node.cli.client import with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import fields, line, short
from node.cli.request import read_definition
from node.http.schemas import ExchangeView, PresentationProposal, RecordProposal
from protocols.errors import BadInput

__all__ = ["propose"]


@click.command(short_help="Ask for a record, or say what you could show.")
@common
@click.argument("connection", required=False)
@click.option("--answer", metavar="EXCHANGE", help="Instead of the offer or request that waits under this id.")
@click.option("--achievement", "achievements", multiple=True, help="Of a record you would like; repeatable.")
@click.option("--skill", "skills", multiple=True, metavar="CODE", help="A skill that you can show; repeatable.")
@click.option("--type", "kind", help="A type of record that you can show.")
@click.option(
    "--definition",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What you can show, as a DIF Presentation Exchange v2 definition (JSON).",
)
@click.option("--comment", help="For the person there.")
def propose(
    setting: Setting,
    connection: str | None,
    answer: str | None,
    achievements: tuple[str, ...],
    skills: tuple[str, ...],
    kind: str | None,
    definition: Path | None,
    comment: str | None,
) -> None:
    """Begin an exchange from the holder's side, or answer an offer or a request with what you would rather have.

    \b
    Examples:
      lernode propose "Prairie College" --achievement https://college.example/achievements/welding-1
      lernode propose --answer 3f2a --achievement https://college.example/achievements/welding-2
      lernode propose "Mill & Co" --skill 51-4121.00 --comment "For your advertisement of Monday"
      lernode propose --answer 9b1e --type OpenBadgeCredential

    Of an offer of several records you accept all or none. Where you want some of them, answer it with the
    achievements of those.

    Next: the peer answers with an offer or a request; lernode accept and lernode present show it.
    """
    shows = bool(skills) or kind is not None or definition is not None
    if bool(achievements) is shows:
        hint = "Give --achievement, or one of --skill, --type and --definition."
        raise BadInput("cli.usage", "Say which record you would like, or what you could show.", hint)
    wanted: RecordProposal | PresentationProposal
    if achievements:
        path = "/admin/credentials/proposals"
        wanted = RecordProposal(connection=connection, exchange=answer, comment=comment, achievements=achievements)
    else:
        path = "/admin/presentations/proposals"
        wanted = PresentationProposal(
            connection=connection,
            exchange=answer,
            comment=comment,
            skills=list(skills),
            type=kind,
            definition=read_definition(definition),
        )
    made = with_api(setting, lambda api: api.post(path, ExchangeView, wanted, to_peer=True))
    if setting.shown_as_json(made):
        return
    line(f"Proposed to {made.peer or 'the peer'}.", style="green")
    fields([("exchange", short(made.id)), ("state", made.state)])
    suggest("lernode status shows when the peer has answered.")
