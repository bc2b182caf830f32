"""``lernode rotate``: another DID on a connection."""

from __future__ import annotations

import click

from node.cli.client import segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import line
from node.http.schemas import ConnectionView

__all__ = ["rotate"]


@click.command(short_help="Go on with a peer under a fresh DID and key.")
@common
@click.argument("peer")
def rotate(setting: Setting, peer: str) -> None:
    """Take a fresh DID and key for the connection with a PEER (its name, or the beginning of the connection's id).

    Do it where the old key may have been seen, or as often as your rules ask for it. The peer is told; what is under
    way to the old DID is still taken.

    \b
    Example:
      lernode rotate Ada

    Next: lernode status PEER shows whether it answers.
    """
    path = f"/admin/connections/{segment(peer)}/rotate"
    changed = with_api(setting, lambda api: api.post(path, ConnectionView, to_peer=True))
    if setting.shown_as_json(changed):
        return
    line(f"{changed.label or 'The peer'} is told of your new DID.", style="green")
    suggest("lernode status PEER shows whether it answers.")
