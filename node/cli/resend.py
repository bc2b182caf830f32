"""``lernode resend``: send the last message of an exchange again."""

from __future__ import annotations

import click

from node.cli.client import segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import fields, line, short, when
from node.http.schemas import ExchangeDetail

__all__ = ["resend"]


@click.command(short_help="Send an unanswered message again.")
@common
@click.argument("exchange")
def resend(setting: Setting, exchange: str) -> None:
    """Send your last message of an exchange again, as it was, where the peer owes an answer.

    A peer that has it already does nothing: nobody gets two records, or two requests.

    \b
    Example:
      lernode resend 3f2a

    Next: lernode status shows how the exchange goes; lernode accept 3f2a --decline WHY gives up waiting.
    """
    path = f"/admin/exchanges/{segment(exchange)}/resend"
    found = with_api(setting, lambda api: api.post(path, ExchangeDetail, to_peer=True))
    if setting.shown_as_json(found):
        return
    line(f"Sent again to {found.peer or 'the peer'}.", style="green")
    fields([("exchange", short(found.id)), ("state", found.state), ("ends", when(found.expires))])
    suggest("lernode status")
