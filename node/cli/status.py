"""``lernode status``: how the node is and what waits."""

from __future__ import annotations

import click
import msgspec

from node.cli.client import Api, with_api
from node.cli.exchanges import show_waiting
from node.cli.options import Setting, common
from node.cli.output import fields, line, short, table
from node.cli.peer import show_peer
from node.http.schemas import ConnectionView, ExchangeView, Page, StatusView

__all__ = ["status"]

_MAX_DID = 40


class _Overview(msgspec.Struct, rename="camel"):
    node: StatusView
    running: bool
    connections: list[ConnectionView]
    waiting: list[ExchangeView]
    recent: list[ExchangeView]


@click.command(short_help="Show how the node is and what waits.")
@common
@click.argument("peer", required=False)
def status(setting: Setting, peer: str | None) -> None:
    """Show who the node is, its peers, what waits for your decision, and what happened last.

    With the name of a PEER: whether it answers now, and what it speaks.

    \b
    Examples:
      lernode status
      lernode status Ada
      lernode status --json

    Next: lernode accept answers what waits; lernode present answers a request for records.
    """
    if peer is not None:
        show_peer(setting, peer)
        return
    overview = with_api(setting, _overview)
    if setting.shown_as_json(overview):
        return
    node = overview.node
    line(f"{node.label} " + ("runs." if overview.running else "does not run; start it with: lernode run"), bold=True)
    outbox = f"{node.outbox.waiting} waiting, {node.outbox.given_up} given up"
    fields(
        [
            ("home", str(setting.home)),
            ("peers reach it at", node.endpoint),
            ("issues as", node.issuer_did),
            ("holds as", node.holder_did),
            ("records held", node.records),
            ("records issued", node.issued),
            ("outgoing messages", outbox),
        ]
    )
    if overview.connections:
        line()
        rows = ((short(c.id), c.label, c.state, _brief(c.their_did)) for c in overview.connections)
        table(("CONNECTION", "PEER", "STATE", "DID"), rows)
    if overview.recent:
        line()
        rows2 = ((short(e.id), _name(e), e.peer, e.role, e.state, e.error) for e in overview.recent)
        table(("EXCHANGE", "PROTOCOL", "PEER", "ROLE", "STATE", "ERROR"), rows2)
    line()
    show_waiting(overview.waiting)


async def _overview(api: Api) -> _Overview:
    return _Overview(
        node=await api.get("/admin/status", StatusView),
        running=not api.is_own_node,
        connections=(await api.get("/admin/connections", Page[ConnectionView], limit=20)).items,
        waiting=(await api.get("/admin/exchanges", Page[ExchangeView], waiting="true")).items,
        recent=(await api.get("/admin/exchanges", Page[ExchangeView], limit=10)).items,
    )


def _brief(did: str | None) -> str | None:
    """The beginning of a DID: the long form of a did:peer holds a whole document."""
    return did if did is None or len(did) <= _MAX_DID else f"{did[:_MAX_DID]}…"


def _name(exchange: ExchangeView) -> str:
    return exchange.protocol.removeprefix("https://didcomm.org/")
