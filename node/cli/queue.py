"""``lernode queue``: messages that did not reach their peers yet, and those that were given up."""

from __future__ import annotations

import click

from node.cli.client import with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import line, short, table, when
from node.http.outbox_schemas import OutgoingView, RetriedView, RetryMessages
from node.http.schemas import Page
from protocols.errors import BadInput

__all__ = ["queue"]

_SHOWN = 100


@click.group(short_help="Show messages that did not arrive, and try them again.", invoke_without_command=True)
@common
@click.option("--peer", metavar="PEER", help="Only messages to this peer.")
@click.option("--given-up", is_flag=True, help="Only messages that were given up.")
@click.pass_context
def queue(ctx: click.Context, setting: Setting, peer: str | None, given_up: bool) -> None:
    """Show the messages that wait for a peer, and those that were given up after delivery.max_attempts.

    The messages to one peer go in order. One that was given up lets those behind it go on, and is kept for
    retention.messages_days.

    \b
    Examples:
      lernode queue
      lernode queue --given-up --peer Ada
      lernode queue retry 3f2a                    try one again
      lernode queue retry --peer Ada              try all to Ada again, now
      lernode queue retry --all

    Next: lernode status PEER says whether a peer answers now; lernode queue retry tries again.
    """
    if ctx.invoked_subcommand is not None:
        return
    state = "given-up" if given_up else None
    found = with_api(
        setting,
        lambda api: api.get("/admin/messages", Page[OutgoingView], state=state, connection=peer, limit=_SHOWN),
    )
    if setting.shown_as_json(found):
        return
    if not found.items:
        line("No message waits." if not given_up else "No message was given up.")
        return
    rows = (
        (short(m.id), m.peer, _kind(m), m.state, when(m.put_in), str(m.attempts), when(m.next_attempt), m.error)
        for m in found.items
    )
    table(("MESSAGE", "PEER", "TYPE", "STATE", "SINCE", "ATTEMPTS", "NEXT", "WHY"), rows)
    if found.next is not None:
        line(f"These are the oldest {_SHOWN}; --json and GET /admin/messages give the others.")
    suggest("lernode queue retry --all")


@queue.command()
@common
@click.argument("message", required=False)
@click.option("--peer", metavar="PEER", help="All messages to this peer.")
@click.option("--all", "everything", is_flag=True, help="All messages to all peers.")
def retry(setting: Setting, message: str | None, peer: str | None, everything: bool) -> None:
    """Try MESSAGE again, or all to a peer, or all: what was given up waits again, and what waits is tried now.

    A peer that has a message already does nothing with it: nobody gets two records.

    \b
    Examples:
      lernode queue retry 3f2a
      lernode queue retry --peer Ada
      lernode queue retry --all
    """
    if [message is not None, peer is not None, everything].count(True) != 1:
        raise BadInput("cli.usage", "Name a message, a peer, or all.", "See `lernode queue retry --help`.")
    wanted = RetryMessages(message=message, connection=peer)
    done = with_api(setting, lambda api: api.post("/admin/messages/retry", RetriedView, wanted, to_peer=True))
    if setting.shown_as_json(done):
        return
    line(f"{done.given_up} that were given up wait again; {done.hastened} peers are tried now.", style="green")
    suggest("lernode queue")


def _kind(message: OutgoingView) -> str:
    """The end of the type's URI: protocol, version and name."""
    return "/".join(message.type.rsplit("/", 3)[-3:])
