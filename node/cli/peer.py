"""One peer, for ``lernode status PEER``: who it is, and what it says it speaks."""

from __future__ import annotations

import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.exchanges import await_state
from node.cli.options import Setting, suggest
from node.cli.output import fields, line, short, table, when
from node.http.schemas import ConnectionView, ExchangeDetail, ExchangeView, FeaturesQuery
from protocols.didcomm.message import Wire
from protocols.discover_features.machine import Exchange
from protocols.discover_features.messages import Feature

__all__ = ["show_peer"]

_WAIT_SECONDS = 5.0
_WIRES = {Wire.V1.value: "DIDComm v1 (Aries)", Wire.V2.value: "DIDComm v2"}


class _Peer(msgspec.Struct, rename="camel"):
    connection: ConnectionView
    answered: bool
    features: list[Feature]


def show_peer(setting: Setting, name: str) -> None:
    """Ask the peer what it speaks, and show the answer with what is known of it."""
    found = with_api(setting, lambda api: _ask(api, name))
    if setting.shown_as_json(found):
        return
    connection = found.connection
    line(connection.label or "A peer without a name", bold=True)
    fields(
        [
            ("connection", connection.id),
            ("state", connection.state),
            ("did", short(connection.their_did) if connection.their_did else None),
            ("speaks", _WIRES.get(connection.wire, connection.wire)),
            ("endpoint", connection.endpoint),
            ("connected since", when(connection.created)),
            ("answers now", "yes" if found.answered else "no"),
        ]
    )
    line()
    if found.features:
        rows = ((f.id.removeprefix("https://didcomm.org/"), ", ".join(f.roles)) for f in found.features)
        table(("IT SPEAKS", "AS"), rows)
    elif found.answered:
        line("It does not tell what it speaks.")
    else:
        suggest("lernode status shows whether a message to it still waits.")


async def _ask(api: Api, name: str) -> _Peer:
    """Version 2.0 first; a peer that leaves that unanswered may know 1.0."""
    path = f"/admin/connections/{segment(name)}"
    connection = await api.get(path, ConnectionView)
    for query in (FeaturesQuery(version="2.0"), FeaturesQuery(version="1.0")):
        asked = await api.post(f"{path}/features", ExchangeView, query, to_peer=True)
        if api.is_own_node:
            break
        answer: ExchangeDetail = await await_state(api, asked.id, ("done",), _WAIT_SECONDS, "Asking the peer")
        if answer.state == "done":
            value = msgspec.json.decode(answer.data, type=Exchange)
            return _Peer(connection, answered=True, features=list(value.features))
    return _Peer(connection, answered=False, features=[])
