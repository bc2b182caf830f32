"""``lernode present``: answer a verifier's request, after seeing exactly what leaves."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from node.cli.client import Api, segment, with_api
from node.cli.exchanges import await_state, show_waiting
from node.cli.options import Setting, common, only_used
from node.cli.output import fields, line, short
from node.http.schemas import (
    Decline,
    DescriptorView,
    ExchangeDetail,
    ExchangeView,
    MatchesView,
    Page,
    Present,
    PreviewView,
)
from protocols.errors import BadInput, WrongState
from protocols.machine import Decision

__all__ = ["present", "show_and_send"]

_WAIT_SECONDS = 15.0
_SETTLED = ("done", "abandoned")
_STATES = {"revoked": "revoked", "suspended": "suspended"}


@click.command(short_help="Answer a request with records.")
@common
@click.argument("exchange", required=False)
@click.option("--choose", multiple=True, metavar="DESCRIPTOR=RECORD", help="Which record answers what; repeatable.")
@click.option("--fully", is_flag=True, help="Where it is open how much: all that is asked for and fits, not the least.")
@click.option("--with", "along", multiple=True, metavar="RECORD", help="Send this endorsement or accreditation along.")
@click.option("--yes", is_flag=True, help="Send without asking.")
@click.option("--decline", metavar="REASON", help="Send nothing; the verifier is told the reason.")
def present(
    setting: Setting,
    exchange: str | None,
    choose: tuple[str, ...],
    fully: bool,
    along: tuple[str, ...],
    yes: bool,
    decline: str | None,
) -> None:
    """Show who asks for what, which of your records fit, and exactly what would leave; then ask, and send.

    \b
    Examples:
      lernode present                                  which requests wait
      lernode present 9b1e
      lernode present 9b1e --fully
      lernode present 9b1e --choose skill-1=7c01 --yes
      lernode present 9b1e --with 40c7                 an endorsement that you hold of a record goes along
      lernode present 9b1e --decline "not for this job"
      lernode present 3f2a --choose diploma=7c01       accepts an offer that asks for records first

    Next: lernode status shows whether the verifier was satisfied, lernode receipts what you have shown to whom.
    """
    if exchange is None:
        only_used(use="without the id of a request")
        _show_requests(setting)
        return
    if decline is not None:
        only_used("decline", use="with --decline")
        answered = with_api(setting, lambda api: _decline(api, exchange, decline))
        _show_answered(setting, answered)
        return
    choice = Present(choose=dict(_pair(text) for text in choose), fully=fully, along=list(along))
    answered = with_api(setting, lambda api: show_and_send(setting, api, exchange, choice, yes=yes))
    _show_answered(setting, answered)
    if answered.error is not None:
        raise click.exceptions.Exit(1)


async def show_and_send(setting: Setting, api: Api, name: str, choice: Present, *, yes: bool) -> ExchangeDetail:
    """Show what is asked for and exactly what would leave, ask, and send it.

    Args:
        name: of a request, or of an offer that asks for records.
        yes: whether the person has agreed already.

    Raises:
        BadInput: ``cli.needs_yes``, or what the node says.
        WrongState: ``present.nothing_fits``, ``present.not_agreed``, or what the node says.
    """
    show = not setting.json
    if not yes and (setting.json or not sys.stdin.isatty()):
        raise BadInput("cli.needs_yes", "Nobody is there to agree.", "Look at what fits in the node, then add --yes.")
    path = f"/admin/exchanges/{segment(name)}"
    found = await api.get(f"{path}/matches", MatchesView, fully="true" if choice.fully else None)
    path = f"/admin/exchanges/{segment(found.exchange_id)}"
    if show:
        _show_matches(found, choice.choose)
    if not found.satisfiable and not choice.choose:
        line("Nothing fits, so nothing is sent by itself.", bold=True)
        taken_back = any(record.state != "active" for each in found.descriptors for record in each.records)
        hint = "Choose one that is not valid any more with --choose, or add" if taken_back else "Add"
        raise WrongState("present.nothing_fits", "No valid record fits what is asked.", f"{hint} --decline WHY.")
    if show:
        _show_leaving(await api.post(f"{path}/preview", PreviewView, choice))
    if not yes and not click.confirm("Send this?", default=False, err=True):
        raise WrongState("present.not_agreed", "Nothing was sent.", "What was asked still waits; see: lernode accept")
    answered = await api.post(f"{path}/present", ExchangeDetail, choice, to_peer=True)
    if api.is_own_node:
        return answered
    return await await_state(api, answered.id, _SETTLED, _WAIT_SECONDS, "Waiting for the peer")


async def _decline(api: Api, name: str, reason: str) -> ExchangeDetail:
    path = f"/admin/exchanges/{segment(name)}/decline"
    return await api.post(path, ExchangeDetail, Decline(reason=reason), to_peer=True)


def _show_matches(found: MatchesView, chosen: dict[str, str]) -> None:
    line(f"{found.peer or 'A peer without a name'} asks: {found.name or 'for records'}", bold=True)
    fields([("purpose", found.purpose)])
    for descriptor in _asked_once(found.descriptors):
        _show_descriptor(descriptor, chosen)
    if found.more:
        line("  More of what is asked for fits, and need not be shown; --fully shows it too.")


def _show_leaving(found: PreviewView) -> None:
    line()
    line("What would leave, with its proof:", bold=True)
    for each in found.records:
        line(f"  {each.record.name} ({short(each.record.id)})", bold=True)
        if each.record.state != "active":
            line(f"    Its issuer has {_STATES[each.record.state]} it; the verifier will see that.", style="yellow")
        for statement in each.shown:
            line(f"    {statement.path}: {statement.value}")
        if each.withheld:
            line("  What of it would not leave:", bold=True)
        for statement in each.withheld:
            line(f"    {statement.path}: {statement.value}")
    if found.along:
        line("What else could go along, which the verifier checks by itself (--with ID):", bold=True)
    for held in found.along:
        line(f"    {short(held.id)}  {held.name}, by {held.issuer}")


def _asked_once(descriptors: Sequence[DescriptorView]) -> list[DescriptorView]:
    """Without those that ask for the same in other words and that nothing is sent for."""
    shown: list[DescriptorView] = []
    for descriptor in descriptors:
        if descriptor.chosen or not any(_asks(one) == _asks(descriptor) for one in shown):
            shown.append(descriptor)
    return shown


def _asks(descriptor: DescriptorView) -> tuple[object, ...]:
    return descriptor.name, descriptor.purpose, [record.id for record in descriptor.records]


def _show_descriptor(descriptor: DescriptorView, chosen: dict[str, str]) -> None:
    line(f"  {descriptor.id}: {descriptor.name or descriptor.purpose or ''}")
    picked = chosen.get(descriptor.id) or descriptor.chosen
    for record in descriptor.records:
        is_picked = picked is not None and record.id.startswith(picked)
        state = "" if record.state == "active" else f", {_STATES[record.state]} by its issuer"
        line(f"    {'*' if is_picked else ' '} {short(record.id)}  {record.name}, by {record.issuer}{state}")
    if not descriptor.records:
        line("      no record of yours fits", style="yellow")


def _show_requests(setting: Setting) -> None:
    waiting = with_api(setting, lambda api: api.get("/admin/exchanges", Page[ExchangeView], waiting="true"))
    requests = [exchange for exchange in waiting.items if exchange.waiting_for == Decision.SHARE_RECORDS]
    if not setting.shown_as_json(Page(items=requests)):
        show_waiting(requests)


def _show_answered(setting: Setting, answered: ExchangeDetail) -> None:
    if setting.shown_as_json(answered):
        return
    if answered.error is not None:
        line("The exchange is over; the verifier did not take it, or you declined.", style="yellow")
    elif answered.state == "done":
        line("Sent, and the verifier was satisfied.", style="green")
    else:
        line("Sent.", style="green")
    fields(
        [
            ("exchange", short(answered.id)),
            ("state", answered.state),
            ("error", answered.error),
            ("reason", answered.reason),
        ]
    )


def _pair(text: str) -> tuple[str, str]:
    descriptor, equals, record = text.rpartition("=")
    if not equals or not descriptor or not record:
        raise BadInput("cli.choose", "A choice is written DESCRIPTOR=RECORD.", "See the names: lernode present ID")
    return descriptor, record
