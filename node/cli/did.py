"""``lernode did``: the DIDs of the node."""

from __future__ import annotations

import click
import msgspec

from node.cli.client import Api, with_api
from node.cli.options import Setting, common
from node.cli.output import emit_json, line, when
from node.http.schemas import DidView, NewDid, Page

__all__ = ["did"]


@click.command(short_help="Show the node's DIDs, or make one.")
@common
@click.option("--new", type=click.Choice(["key", "web"]), help="Make a DID of this method.")
@click.option("--issuer", is_flag=True, help="The new DID is for issuing, not for holding.")
def did(setting: Setting, new: str | None, issuer: bool) -> None:
    """Show the DIDs under which the node issues and holds records, or make another.

    \b
    Examples:
      lernode did
      lernode did --new web --issuer      an institution's own, served at its web address
      lernode did --new key               a learner's, which needs no server

    Next: tell verifiers the issuer's DID; they believe its records after lernode init --trust DID.
    """
    if new is not None:
        wanted = NewDid(method="web" if new == "web" else "key", purpose="issuer" if issuer else "holder")
        made = with_api(setting, lambda api: api.post("/admin/dids", DidView, wanted))
        if setting.json:
            emit_json(msgspec.json.encode(made))
        else:
            line(made.did)
        return
    found = with_api(setting, _list)
    if setting.json:
        emit_json(msgspec.json.encode(found))
        return
    for own in found.items:
        # A DID is copied whole, so it stands on a line of its own.
        line(own.did, bold=True)
        line(f"  {own.purpose}, did:{own.method}, {own.state}, since {when(own.created)}")


async def _list(api: Api) -> Page[DidView]:
    return await api.get("/admin/dids", Page[DidView])
