"""``lernode mediate``: let a peer hold messages for this node."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from node.cli.accept import invitation_text
from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import fields, line, short
from node.cli.progress import waiting
from node.http.schemas import AcceptInvitation, ConnectionView, MediatorView, NewMediator
from protocols.errors import NotNow, WrongState

__all__ = ["mediate"]

T = TypeVar("T")
_WAIT_SECONDS = 15.0
_LOOK_EVERY_SECONDS = 0.1


@click.command(short_help="Let a peer hold messages for this node.")
@common
@click.argument("who")
def mediate(setting: Setting, who: str) -> None:
    """Ask WHO to hold messages for this node while it is off, or because nobody can reach it from outside.

    WHO is an invitation of the mediator (its link, its JSON, or a file that holds it), or a peer that you are connected
    with, by its name. From then on new invitations and connections lead to the mediator, which cannot read what it
    holds; this node comes for its messages whenever it runs.

    \b
    Examples:
      lernode mediate 'https://mediator.example/?oob=ey...'
      lernode mediate "Riverside College"

    Your node has to run: lernode run. Next: lernode mediation shows how it goes; lernode invite, lernode accept.
    """
    asked = with_api(setting, lambda api: _mediate(api, who))
    if setting.shown_as_json(asked):
        return
    name = asked.label or "The peer"
    if asked.state == "granted":
        line(f"{name} holds messages for you.", style="green")
    else:
        line(f"{name} was asked; it has not granted that yet.", style="yellow")
    fields([("connection", short(asked.connection)), ("state", asked.state), ("peers send to", asked.endpoint)])
    suggest("lernode mediation shows how it goes.")


async def _mediate(api: Api, who: str) -> MediatorView:
    if api.is_own_node:
        raise NotNow("node.not_running", "The node does not run.", "Start it in another terminal: lernode run")
    text = invitation_text(who)
    connection = who if text is None else await _connected(api, text)
    await api.post("/admin/mediators", MediatorView, NewMediator(connection=connection), to_peer=True)
    path = f"/admin/mediators/{segment(connection)}"
    async with waiting("Waiting for the mediator"):
        return await _until(lambda: api.get(path, MediatorView), lambda found: found.state != "requested")


async def _connected(api: Api, invitation: str) -> str:
    """The connection that answers the invitation, past any mediator that there is already.

    Raises:
        WrongState: ``connection.not_ready`` where the peer does not answer in time.
    """
    body = AcceptInvitation(invitation=invitation.strip(), direct=True)
    made = await api.post("/admin/connections", ConnectionView, body, to_peer=True)
    path = f"/admin/connections/{segment(made.id)}"
    async with waiting("Connecting"):
        found = await _until(lambda: api.get(path, ConnectionView), lambda found: found.state == "completed")
    if found.state != "completed":
        raise WrongState(
            "connection.not_ready", "The mediator has not answered yet.", f"Later: lernode mediate {short(made.id)}"
        )
    return found.id


async def _until(look: Callable[[], Awaitable[T]], is_there: Callable[[T], bool]) -> T:
    """What ``look`` gives once it is right, or after a while."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _WAIT_SECONDS
    while not is_there(found := await look()) and loop.time() < deadline:
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
    return found
