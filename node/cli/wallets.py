"""``lernode wallets``: wallets and learning platforms of others that the owner connects, and what goes to and fro."""

from __future__ import annotations

import asyncio
import json
import webbrowser
from datetime import UTC, datetime
from typing import Any, get_args

import click

from node.cli.client import Api, segment, with_api
from node.cli.files import read_file
from node.cli.loopback import listening
from node.cli.options import Setting, common, suggest
from node.cli.output import emit_json, fields, line, note, short, table, when
from node.http.apps_schemas import ShortScope
from node.http.schemas import Page
from node.http.wallet_schemas import (
    AskingView,
    ConnectWallet,
    DisconnectedView,
    PulledPageView,
    PulledView,
    PullFromWallet,
    PushedView,
    PushToWallet,
    WalletAnswer,
    WalletProfile,
    WalletView,
)
from protocols import strict_json

__all__ = ["wallets"]

_WAIT_SECONDS = 600.0
_MAX_PAGES = 400
_PASTED = "http://127.0.0.1:9/answer"
"""Nobody listens there: the browser shows the address, and the person brings it."""


@click.group(short_help="Connect wallets of others: give them badges, and take theirs.", invoke_without_command=True)
@common
@click.pass_context
def wallets(ctx: click.Context, setting: Setting) -> None:
    """Connect wallets and learning platforms of others over the Open Badges 3.0 API: give them badges, and take theirs.

    \b
    Examples:
      lernode wallets connect https://wallet.example     your browser asks you over there
      lernode wallets                                    what is connected
      lernode wallets push 4f2a 9b1e                     give a record
      lernode wallets pull 4f2a                          take what is there
      lernode wallets profile 4f2a
      lernode wallets disconnect 4f2a

    Next: docs/open-badges-api.md walks through it
    """
    if ctx.invoked_subcommand is None:
        _list(setting)


@wallets.command("list")
@common
def list_them(setting: Setting) -> None:
    """Show what is connected.

    \b
    Example:
      lernode wallets list --json
    """
    _list(setting)


@wallets.command()
@common
@click.argument("url")
@click.option(
    "--only",
    "only",
    multiple=True,
    type=click.Choice(get_args(ShortScope)),
    help="Ask only for this; several times for several. Without it, for all that the wallet has.",
)
@click.option("--no-browser", is_flag=True, help="Only show the address that your browser here has to open.")
@click.option("--paste", is_flag=True, help="Your browser is on another machine: paste the address that it ends at.")
def connect(setting: Setting, url: str, only: tuple[str, ...], *, no_browser: bool, paste: bool) -> None:
    """Connect the wallet or platform whose Open Badges API is at URL.

    The node makes itself known there, and your browser opens a page of theirs on which you agree. The answer comes back
    to this command. What you agreed to is kept sealed in this node; it ends with lernode wallets disconnect.

    \b
    Examples:
      lernode wallets connect https://wallet.example
      lernode wallets connect https://wallet.example --only credential.upsert
      lernode wallets connect https://wallet.example --paste

    Next: lernode wallets push, lernode wallets pull
    """

    async def go(api: Api) -> WalletView:
        if paste:
            asking = await _ask(api, url, _PASTED, only, browser=False)
            typed = await asyncio.to_thread(click.prompt, "Paste the address that your browser ends at", err=True)
            return await _answer(api, asking, str(typed).strip())
        async with listening() as loopback:
            asking = await _ask(api, url, loopback.uri, only, browser=not no_browser)
            answered: list[WalletView] = []

            async def take(address: str) -> str:
                answered.append(await _answer(api, asking, address))
                return f"{answered[0].name} is connected."

            note("Waiting for the answer from your browser ...")
            await loopback.answer(take, _WAIT_SECONDS)
            return answered[0]

    wallet = with_api(setting, go)
    if setting.shown_as_json(wallet):
        return
    line(f"Connected: {wallet.name}", style="green")
    _show(wallet)
    suggest(f"lernode wallets push {short(wallet.id)} RECORD")


@wallets.command()
@common
@click.argument("wallet")
@click.argument("records", metavar="RECORD...", nargs=-1, required=True)
def push(setting: Setting, wallet: str, records: tuple[str, ...]) -> None:
    """Give records to a wallet, each exactly as you received it.

    Only Open Badges have a place there, and none that is secured as SD-JWT.

    \b
    Example:
      lernode wallets push 4f2a 9b1e 77c0
    """
    path = f"/admin/wallets/{segment(wallet)}/push"

    async def go(api: Api) -> list[PushedView]:
        return [await api.post(path, PushedView, PushToWallet(record=each)) for each in records]

    pushed = with_api(setting, go)
    if setting.shown_as_json(pushed):
        return
    told = {"created": "is there now", "replaced": "replaced an older form there", "unchanged": "was there already"}
    for each in pushed:
        line(f"{short(each.record.id)} ({each.record.name}) {told[each.outcome]}.", style="green")


@wallets.command()
@common
@click.argument("wallet")
@click.option(
    "--since", type=click.DateTime(), help="Only badges that were issued later, in UTC; a wallet knows nothing finer."
)
@click.option("--unverified", is_flag=True, help="Keep genuine badges that do not verify here, too, and mark them.")
def pull(setting: Setting, wallet: str, since: datetime | None, *, unverified: bool) -> None:
    """Take the badges of a wallet, each if it verifies here, as lernode import takes a file.

    A badge that is the newer form of one that you hold replaces it.

    \b
    Examples:
      lernode wallets pull 4f2a
      lernode wallets pull 4f2a --since 2026-09-01
    """
    moment = None if since is None else since.replace(tzinfo=UTC)

    async def go(api: Api) -> list[PulledView]:
        badges, following = list[PulledView](), None
        for _ in range(_MAX_PAGES):
            wanted = PullFromWallet(since=moment, following=following, unverified=unverified)
            page = await api.post(f"/admin/wallets/{segment(wallet)}/pull", PulledPageView, wanted)
            badges += page.badges
            following = page.following
            if following is None:
                break
            note(f"{len(badges)} badges" + (f" of {page.total}" if page.total else ""))
        return badges

    badges = with_api(setting, go)
    if not setting.shown_as_json(badges):
        _tell(badges)
    if any(each.outcome == "refused" for each in badges):
        raise click.exceptions.Exit(1)


@wallets.command()
@common
@click.argument("wallet")
@click.option("--put", "file", metavar="FILE", help="Replace the profile there by the one in this JSON file.")
def profile(setting: Setting, wallet: str, file: str | None) -> None:
    """Show the profile in a wallet as JSON, or replace it.

    \b
    Examples:
      lernode wallets profile 4f2a > profile.json
      lernode wallets profile 4f2a --put profile.json
    """
    path = f"/admin/wallets/{segment(wallet)}/profile"
    if file is None:
        found = with_api(setting, lambda api: api.get(path, dict[str, Any]))
    else:
        body = WalletProfile(profile=strict_json.loads_object(read_file(file)))
        found = with_api(setting, lambda api: api.post(path, dict[str, Any], body))
    emit_json(json.dumps(found).encode())


@wallets.command()
@common
@click.argument("wallet")
@click.option("--force", is_flag=True, help="Forget it also where the other side cannot be told.")
def disconnect(setting: Setting, wallet: str, *, force: bool) -> None:
    """End what a wallet granted this node, over there too, and forget it.

    Badges that were given stay there, and those that were taken stay here.

    \b
    Example:
      lernode wallets disconnect 4f2a
    """
    path = f"/admin/wallets/{segment(wallet)}" + ("?force=true" if force else "")
    gone = with_api(setting, lambda api: api.delete(path, DisconnectedView))
    if setting.shown_as_json(gone):
        return
    line(f"{gone.wallet.name} is disconnected.", style="green")
    if not gone.told:
        line("The other side was not told; end it there as well, if it lists this node.", style="yellow")


async def _ask(api: Api, url: str, redirect_uri: str, only: tuple[str, ...], *, browser: bool) -> AskingView:
    wanted = ConnectWallet(url=url, redirect_uri=redirect_uri, scopes=list(only) or None)  # type: ignore[arg-type]
    asking = await api.post("/admin/wallets", AskingView, wanted)
    is_open = browser and await asyncio.to_thread(webbrowser.open, asking.authorization_url)
    note(f"Agree on the page of {asking.wallet.name}{', which your browser opens' if is_open else ''}:")
    note(f"  {asking.authorization_url}")
    return asking


async def _answer(api: Api, asking: AskingView, address: str) -> WalletView:
    path = f"/admin/wallets/{segment(asking.wallet.id)}/answer"
    return await api.post(path, WalletView, WalletAnswer(address=address))


def _list(setting: Setting) -> None:
    found = with_api(setting, _all)
    if setting.shown_as_json(found):
        return
    if not found:
        line("No wallet is connected.")
        suggest("lernode wallets connect URL")
        return
    rows = (
        (short(each.id), each.name, each.state, ", ".join(each.scopes), when(each.created), when(each.used))
        for each in found
    )
    table(("ID", "WALLET", "STATE", "MAY", "SINCE", "USED"), rows)


async def _all(api: Api) -> list[WalletView]:
    found, after = list[WalletView](), None
    while True:
        page = await api.get("/admin/wallets", Page[WalletView], limit=1000, after=after)
        found += page.items
        after = page.next
        if after is None:
            return found


def _show(wallet: WalletView) -> None:
    fields(
        [
            ("wallet", short(wallet.id)),
            ("at", wallet.url),
            ("may", ", ".join(wallet.scopes)),
            ("terms", wallet.terms_url or None),
            ("privacy", wallet.privacy_url or None),
        ]
    )


def _tell(badges: list[PulledView]) -> None:
    for position, each in enumerate(badges, start=1):
        if each.outcome == "refused":
            line(f"badge {position} is not taken: {each.reason}", style="red")
            if each.hint:
                line(f"  {each.hint}")
    counts = {outcome: sum(each.outcome == outcome for each in badges) for outcome in ("created", "replaced", "none")}
    line(
        f"{counts['created']} badges are new, {counts['replaced']} replaced an older form, "
        f"{counts['none']} were here already.",
        style="green",
    )
    suggest("lernode records")
