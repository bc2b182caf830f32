"""What several commands say about exchanges: what waits, and how one went on."""

from __future__ import annotations

from collections.abc import Sequence

from node.cli.client import Api, segment
from node.cli.output import line, short, table
from node.cli.progress import waiting
from node.http.schemas import ExchangeDetail, ExchangeView
from protocols.machine import Decision

__all__ = ["await_state", "next_step", "show_waiting"]

_MEANING: dict[str, tuple[str, str]] = {
    Decision.ACCEPT_CONNECTION: ("wants to connect", "lernode accept"),
    Decision.ACCEPT_OFFER: ("offers a record", "lernode accept"),
    Decision.ISSUE: ("accepted your offer; issue the record", "lernode accept"),
    Decision.ANSWER_CREDENTIAL_PROPOSAL: ("asks for a record", "lernode accept"),
    Decision.ANSWER_PRESENTATION_PROPOSAL: ("proposes to present records", "lernode accept"),
    Decision.GRANT_MEDIATION: ("asks you to hold its messages", "lernode accept"),
    Decision.ANSWER_QUESTION: ("asks for counts of skills: lernode cohort waiting", "lernode accept"),
    Decision.SHARE_RECORDS: ("asks to see records", "lernode present"),
}


def next_step(exchange: ExchangeView) -> str | None:
    """The command that answers what the exchange waits for, or None."""
    if exchange.waiting_for is None:
        return None
    _what, command = _MEANING[exchange.waiting_for]
    return f"{command} {short(exchange.id)}"


def show_waiting(found: Sequence[ExchangeView]) -> None:
    """What waits for a person, and the command that answers it."""
    if not found:
        line("Nothing waits for you.")
        return
    line("Waits for you:", bold=True)
    rows = ((e.peer or short(e.connection_id), _MEANING[e.waiting_for or ""][0], next_step(e)) for e in found)
    table(("PEER", "WHAT", "ANSWER WITH"), rows)


async def await_state(api: Api, exchange_id: str, states: Sequence[str], seconds: float, what: str) -> ExchangeDetail:
    """Wait until the exchange is in one of ``states``; as it is then, or after ``seconds``."""
    path = f"/admin/exchanges/{segment(exchange_id)}"
    async with waiting(what):
        return await api.get(path, ExchangeDetail, wait=min(seconds, 60.0), state=",".join(states))
