"""``lernode events``: what the node tells systems of your own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import click

from node.cli.client import Api, with_api
from node.cli.options import Setting, common
from node.cli.output import line, table
from node.http.schemas import EventView, Page

__all__ = ["events"]


@click.command(short_help="Show what webhooks and the event stream tell.")
@common
@click.option("--after", type=click.IntRange(0), default=0, metavar="NUMBER", help="Begin after this event.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many events.")
@click.option("--topic", "topics", multiple=True, help="Only this topic; several times for several.")
@click.option("--follow", is_flag=True, help="Print new events as they come, one JSON document a line.")
def events(setting: Setting, after: int, limit: int, topics: tuple[str, ...], follow: bool) -> None:
    """Show the events that are kept, in order: what webhooks get, and what GET /admin/events streams.

    \b
    Examples:
      lernode events --topic verifications
      lernode events --after 1200 --json
      lernode events --follow | jq .data

    Next: lernode webhooks add URL tells a system of yours.
    """
    chosen = ",".join(topics) or None
    if follow:
        with suppress(KeyboardInterrupt):
            with_api(setting, lambda api: _follow(api, chosen, after or None))
        return

    async def ask(api: Api) -> Page[EventView]:
        return await api.get("/admin/events", Page[EventView], after=after, limit=limit, topics=chosen)

    found = with_api(setting, ask)
    if setting.shown_as_json(found):
        return
    rows = (
        (str(e.sequence), e.event["time"][:19].replace("T", " "), e.event["type"], _said(e.event["data"]))
        for e in found.items
    )
    table(("NO", "WHEN (UTC)", "TYPE", "SAYS"), rows)
    if found.next is not None:
        line(f"There are more: add --after {found.next}")


async def _follow(api: Api, topics: str | None, after: int | None) -> None:
    async for data in api.stream("/admin/events", topics=topics, after=after):
        click.echo(data)


def _said(data: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in data.items() if isinstance(value, str | bool))
