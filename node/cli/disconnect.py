"""``lernode disconnect``: end a connection."""

from __future__ import annotations

import click

from node.cli.client import segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import line
from node.http.schemas import ConnectionView

__all__ = ["disconnect"]


@click.command(short_help="End a connection with a peer for good.")
@common
@click.argument("peer")
def disconnect(setting: Setting, peer: str) -> None:
    """End the connection with a PEER (its name, or the beginning of the connection's id) for good, and tell the peer.

    Records and presentations stay with who has them. To connect again, use a new invitation.

    \b
    Example:
      lernode disconnect Ada

    Next: lernode invite makes an invitation.
    """
    path = f"/admin/connections/{segment(peer)}/end"
    ended = with_api(setting, lambda api: api.post(path, ConnectionView, to_peer=True))
    if setting.shown_as_json(ended):
        return
    line(f"The connection with {ended.label or 'the peer'} has ended.", style="green")
    suggest("lernode invite makes an invitation, to connect again.")
