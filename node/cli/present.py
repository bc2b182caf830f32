"""``lernode present``: answer a verifier's request, after seeing exactly what leaves."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click
import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.exchanges import await_state, show_waiting
from node.cli.options import Setting, common
from node.cli.output import emit_json, fields, line, short
from node.http.schemas import (
    Decline,
    DescriptorView,
    ExchangeDetail,
    ExchangeView,
    HeldDetail,
    MatchesView,
    Page,
    Present,
)
from protocols.errors import BadInput, WrongState
from protocols.machine import Decision

__all__ = ["present"]

_WAIT_SECONDS = 15.0
_SETTLED = ("done", "abandoned")


@click.command(short_help="Answer a request with records.")
@common
@click.argument("exchange", required=False)
@click.option("--choose", multiple=True, metavar="DESCRIPTOR=RECORD", help="Which record answers what; repeatable.")
@click.option("--yes", is_flag=True, help="Send without asking.")
@click.option("--decline", metavar="REASON", help="Send nothing; the verifier is told the reason.")
def present(setting: Setting, exchange: str | None, choose: tuple[str, ...], yes: bool, decline: str | None) -> None:
    """Show who asks for what, which of your records fit, and exactly what would leave; then ask, and send.

    \b
    Examples:
      lernode present                                  which requests wait
      lernode present 9b1e
      lernode present 9b1e --choose skill-1=7c01 --yes
      lernode present 9b1e --decline "not for this job"

    Next: lernode status shows whether the verifier was satisfied.
    """
    if exchange is None:
        _show_requests(setting)
        return
    if decline is not None:
        answered = with_api(setting, lambda api: _decline(api, exchange, decline))
        _show_answered(setting, answered)
        return
    chosen = dict(_pair(text) for text in choose)
    ask = not yes
    if ask and (setting.json or not sys.stdin.isatty()):
        raise BadInput("cli.needs_yes", "Nobody is there to agree.", "Look at what fits in the node, then add --yes.")
    answered = with_api(setting, lambda api: _present(api, exchange, chosen, ask=ask, show=not setting.json))
    _show_answered(setting, answered)
    if answered.error is not None:
        raise click.exceptions.Exit(1)


async def _present(api: Api, name: str, chosen: dict[str, str], *, ask: bool, show: bool) -> ExchangeDetail:
    path = f"/admin/exchanges/{segment(name)}"
    found = await api.get(f"{path}/matches", MatchesView)
    if show:
        await _show_matches(api, found, chosen)
    if not found.satisfiable and not chosen:
        raise WrongState("present.nothing_fits", "No record fits what is asked.", "Add --decline WHY to say so.")
    if ask and not click.confirm("Send this?", default=False, err=True):
        raise WrongState("present.not_agreed", "Nothing was sent.", "The request still waits; see: lernode present")
    path = f"/admin/exchanges/{segment(found.exchange_id)}"
    answered = await api.post(f"{path}/present", ExchangeDetail, Present(choose=chosen), to_peer=True)
    if api.is_own_node:
        return answered
    return await await_state(api, answered.id, _SETTLED, _WAIT_SECONDS, "Waiting for the verifier")


async def _decline(api: Api, name: str, reason: str) -> ExchangeDetail:
    path = f"/admin/exchanges/{segment(name)}/decline"
    return await api.post(path, ExchangeDetail, Decline(reason=reason), to_peer=True)


async def _show_matches(api: Api, found: MatchesView, chosen: dict[str, str]) -> None:
    line(f"{found.peer or 'A peer without a name'} asks: {found.name or 'for records'}", bold=True)
    fields([("purpose", found.purpose)])
    for descriptor in _asked_once(found.descriptors):
        _show_descriptor(descriptor, chosen)
    sent = {chosen.get(d.id) or d.chosen for d in found.descriptors} - {None}
    line()
    line("What would leave, with its proof:" if sent else "Nothing fits, so nothing can be sent.", bold=True)
    for record in sorted(str(record) for record in sent):
        held = await api.get(f"/admin/records/{segment(record)}", HeldDetail)
        line(f"  {held.name} ({short(held.id)})", bold=True)
        # A record that was chosen otherwise than proposed may leave in part; what is shown then is the most of it.
        for claim in _claims(json.loads(bytes(found.leaving.get(held.id, held.document)))):
            line(f"    {claim}")


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
        line(f"    {'*' if is_picked else ' '} {short(record.id)}  {record.name}, by {record.issuer}")
    if not descriptor.records:
        line("      no record of yours fits", style="yellow")


def _claims(value: Any, path: str = "") -> Iterator[str]:
    """Every single statement of a document; the context and the proof say nothing about the person."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if path or name not in {"@context", "proof"}:
                yield from _claims(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _claims(inner, path if len(value) == 1 else f"{path}[{number}]")
    else:
        yield f"{path}: {value}"


def _show_requests(setting: Setting) -> None:
    waiting = with_api(setting, lambda api: api.get("/admin/exchanges", Page[ExchangeView], waiting="true"))
    requests = [exchange for exchange in waiting.items if exchange.waiting_for == Decision.SHARE_RECORDS]
    if setting.json:
        emit_json(msgspec.json.encode(Page(items=requests)))
    else:
        show_waiting(requests)


def _show_answered(setting: Setting, answered: ExchangeDetail) -> None:
    if setting.json:
        emit_json(msgspec.json.encode(answered))
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
