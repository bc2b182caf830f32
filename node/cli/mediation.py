"""``lernode mediation``: this node's mediators, and the peers that it mediates for."""

from __future__ import annotations

import click
import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import line, short, table, when
from node.http.schemas import ClientView, LeaveMediator, MediatorView, Page

__all__ = ["mediation"]


class _Both(msgspec.Struct, rename="camel"):
    mediators: list[MediatorView]
    clients: list[ClientView]


@click.group(short_help="Show and end mediation, for this node and for others.", invoke_without_command=True)
@common
@click.pass_context
def mediation(ctx: click.Context, setting: Setting) -> None:
    """Show who holds messages for this node, and for whom this node holds some.

    \b
    Examples:
      lernode mediation
      lernode mediation collect                   ask for messages now
      lernode mediation stop Mediator             use it for nothing new
      lernode mediation stop Mediator --forget    and be found by it no more
      lernode mediation end Ada                   hold nothing for Ada any more

    Next: lernode mediate asks a peer to be your mediator. To mediate for others, set mediation.enabled.
    """
    if ctx.invoked_subcommand is not None:
        return
    both = with_api(setting, _both)
    if setting.shown_as_json(both):
        return
    if not both.mediators and not both.clients:
        line("Nobody holds messages for this node, and it holds none for others.")
        suggest("lernode mediate asks a peer to be your mediator.")
    if both.mediators:
        rows = (
            (
                m.label or short(m.connection),
                m.state,
                "at once" if m.live else "when asked",
                str(m.names),
                str(m.unconfirmed),
            )
            for m in both.mediators
        )
        table(("MEDIATOR", "STATE", "MESSAGES COME", "KNOWS", "UNCONFIRMED"), rows)
    if both.clients:
        held = (
            (c.label or short(c.connection), str(c.recipients), str(c.messages), str(c.total_bytes), when(c.since))
            for c in both.clients
        )
        table(("MEDIATED FOR", "RECIPIENTS", "HELD", "BYTES", "SINCE"), held)


@mediation.command()
@common
def collect(setting: Setting) -> None:
    """Ask the mediators for messages now, without waiting for the next time.

    \b
    Example:
      lernode mediation collect
    """
    found = with_api(setting, lambda api: api.post("/admin/collect", Page[MediatorView]))
    if setting.shown_as_json(found):
        return
    line(f"Asked {len(found.items)} mediator{'' if len(found.items) == 1 else 's'}.", style="green")
    suggest("lernode status shows what has come.")


@mediation.command()
@common
@click.argument("mediator")
@click.option("--forget", is_flag=True, help="Take back all keys: peers that send by it reach you no more.")
def stop(setting: Setting, mediator: str, forget: bool) -> None:
    """Use a MEDIATOR for nothing new. What peers already send by it still comes, unless you --forget it.

    \b
    Example:
      lernode mediation stop Mediator
    """
    path = f"/admin/mediators/{segment(mediator)}/leave"
    left = with_api(setting, lambda api: api.post(path, MediatorView, LeaveMediator(forget=forget), to_peer=True))
    if setting.shown_as_json(left):
        return
    line(f"{left.label or 'The mediator'} is now {left.state}.", style="green")
    suggest("lernode mediate asks another peer.")


@mediation.command()
@common
@click.argument("peer")
def end(setting: Setting, peer: str) -> None:
    """Hold nothing for PEER any more. What is held for it is forgotten, and it is told.

    \b
    Example:
      lernode mediation end Ada
    """
    path = f"/admin/clients/{segment(peer)}/end"
    had = with_api(setting, lambda api: api.post(path, ClientView, to_peer=True))
    if setting.shown_as_json(had):
        return
    line(f"Nothing is held for {had.label or 'that peer'} any more; {had.messages} messages were.", style="green")


async def _both(api: Api) -> _Both:
    return _Both(
        mediators=(await api.get("/admin/mediators", Page[MediatorView])).items,
        clients=(await api.get("/admin/clients", Page[ClientView], limit=100)).items,
    )
