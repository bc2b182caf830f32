"""``lernode accept``: an invitation, an offered record, a connection; or no to one of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from node.cli.attached import attached_fields
from node.cli.client import Api, segment, with_api
from node.cli.exchanges import await_state, next_step, show_waiting
from node.cli.options import Setting, common, only_used, suggest
from node.cli.output import fields, line, short, when
from node.cli.present import show_and_send
from node.http.schemas import (
    AboutRecord,
    AcceptedView,
    AcceptInvitation,
    ConnectionView,
    Decline,
    ExchangeDetail,
    ExchangeView,
    Page,
    Present,
)
from protocols.errors import BadInput

__all__ = ["accept", "invitation_text"]

_MAX_INVITATION_BYTES = 1 << 20
_WAIT_SECONDS = 15.0
_CONNECTING = {"requester": "https://didcomm.org/didexchange/1", "receiver": "https://didcomm.org/out-of-band/2"}
_OUT_OF_BAND = "https://didcomm.org/out-of-band/1"
_SETTLED = ("done", "completed", "abandoned")


@click.command(short_help="Accept an invitation, an offer or a connection.")
@common
@click.argument("what", required=False)
@click.option("--new", is_flag=True, help="Make another connection, also with a peer that you are connected with.")
@click.option("--yes", is_flag=True, help="Where an offer asks for records of yours: show them without asking.")
@click.option("--decline", metavar="REASON", help="Say no, or take back what you sent; the peer is told the reason.")
def accept(setting: Setting, what: str | None, new: bool, yes: bool, decline: str | None) -> None:
    """Say yes to an invitation (its link, its JSON, a file that holds it, or - for standard input) or to what waits.

    An offer may ask for records of yours first. You see which fit and exactly what would leave, and are asked; lernode
    present ID answers it with others.

    \b
    Examples:
      lernode accept                                      what waits for you
      lernode accept 'https://college.example/?oob=ey...'
      lernode accept 3f2a                                 an offer or a connection, by its id
      lernode accept 3f2a --decline "not mine"

    Next: lernode records shows what you accepted, lernode status how it goes.
    """
    if what is None:
        if decline is not None:
            raise BadInput("cli.usage", "What is to be declined is not named.", "See what waits with: lernode accept")
        only_used(use="where nothing is named")
        waiting = with_api(setting, _waiting)
        _show(setting, waiting, lambda: show_waiting(waiting.items))
        return
    text = invitation_text(what)
    if text is not None and decline is None:
        connection, settled, asked = with_api(setting, lambda api: _connect(api, text, new=new))
        _show(setting, connection, lambda: _show_connection(connection, settled, asked))
        return
    if decline is not None:
        only_used("decline", use="with --decline")
    only_used("decline", "yes", use="for what waits here")
    answered = with_api(setting, lambda api: _answer(setting, api, what, decline, yes=yes))
    _show(setting, answered, lambda: _show_exchange(answered))


def _show(setting: Setting, document: msgspec.Struct, human: Callable[[], None]) -> None:
    if not setting.shown_as_json(document):
        human()


def invitation_text(what: str) -> str | None:
    """The text of an invitation that ``what`` is or names; None where it is the id of something that waits."""
    if what == "-":
        return sys.stdin.read(_MAX_INVITATION_BYTES + 1)
    if "://" in what or what.lstrip().startswith("{"):
        return what
    path = Path(what)
    try:
        if not path.is_file():
            return None
        with path.open(encoding="utf-8") as file:
            return file.read(_MAX_INVITATION_BYTES + 1)
    except (OSError, ValueError):
        raise BadInput("cli.invitation_file", "The invitation file cannot be read.", "Name a text file.") from None


async def _waiting(api: Api) -> Page[ExchangeView]:
    return await api.get("/admin/exchanges", Page[ExchangeView], waiting="true")


async def _connect(api: Api, text: str, *, new: bool) -> tuple[ConnectionView, str, list[ExchangeView]]:
    """The connection, what is to be said of it, and what that peer has asked or offered with the invitation."""
    body = AcceptInvitation(invitation=text.strip(), reuse=not new)
    accepted = await api.post("/admin/connections", AcceptedView, body, to_peer=True)
    connection: ConnectionView = accepted
    settled, reused = False, accepted.reused
    if not api.is_own_node:
        protocol = _OUT_OF_BAND if reused else _CONNECTING.get(connection.role, _OUT_OF_BAND)
        about = await api.get("/admin/exchanges", Page[ExchangeView], connection=connection.id, protocol=protocol)
        for exchange in about.items[:1]:
            ended = await await_state(api, exchange.id, _SETTLED, _WAIT_SECONDS, "Waiting for the peer")
            settled = ended.state == "done"
        connection = await api.get(f"/admin/connections/{segment(connection.id)}", ConnectionView)
    asked = (await api.get("/admin/exchanges", Page[ExchangeView], connection=connection.id, waiting="true")).items
    if reused:
        said = "You keep the connection with" if settled else "Asked to keep the connection (or --new) with"
    else:
        said = "Connected with" if connection.state == "completed" else "Answered the invitation of"
    return connection, said, asked


async def _answer(setting: Setting, api: Api, what: str, reason: str | None, *, yes: bool) -> ExchangeDetail:
    path = f"/admin/exchanges/{segment(what)}"
    if reason is not None:
        return await api.post(f"{path}/decline", ExchangeDetail, Decline(reason=reason), to_peer=True)
    asked = await api.get(path, ExchangeDetail)
    if asked.asks_for_records:
        if not setting.json:
            line("Before this is issued, records of yours are asked for:", bold=True)
            for about in asked.about:
                show_about(about)
        return await show_and_send(setting, api, asked.id, Present(), yes=yes)
    answered = await api.post(f"{path}/accept", ExchangeDetail, to_peer=True)
    if api.is_own_node or answered.state in _SETTLED:
        return answered
    return await await_state(api, answered.id, _SETTLED, _WAIT_SECONDS, "Waiting for the peer")


def _show_connection(connection: ConnectionView, settled: str, asked: list[ExchangeView]) -> None:
    name = connection.label or "a peer without a name"
    line(f"{settled} {name}.", style="green")
    fields([("connection", short(connection.id)), ("state", connection.state)])
    if asked:
        show_waiting(asked)
    else:
        suggest("lernode status shows when the peer has answered, and what it offers.")


def _show_exchange(exchange: ExchangeDetail) -> None:
    if exchange.state == "abandoned":
        line("The exchange is over, without a record.", style="yellow")
    elif exchange.record_ids:
        said = "The record is" if len(exchange.record_ids) == 1 else f"All {len(exchange.record_ids)} records are"
        line(f"{said} verified and kept.", style="green")
    else:
        line(f"Done; the exchange is now in the state {exchange.state}.", style="green")
    for about in exchange.about:
        show_about(about)
    fields(
        [
            ("exchange", short(exchange.id)),
            ("peer", exchange.peer),
            ("comment", exchange.comment),
            ("error", exchange.error),
            ("reason", exchange.reason),
        ]
    )
    if exchange.record_ids:
        suggest(
            f"lernode records {short(exchange.record_ids[0])}" if len(exchange.record_ids) == 1 else "lernode records"
        )
    elif (following := next_step(exchange)) is not None:
        suggest(following)


def show_about(about: AboutRecord) -> None:
    """What a record says, for a person who decides about it."""
    fields(
        [
            ("record", about.name),
            ("issuer", about.issuer_name or about.issuer),
            ("skills", ", ".join(skill.name for skill in about.skills) or None),
            *[(f"result: {name}", value) for name, value in about.results],
            ("valid from", when(about.valid_from)),
            ("valid until", when(about.valid_until)),
            *attached_fields(about.attached),
        ]
    )
