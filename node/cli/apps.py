"""``lernode apps``: which wallets and learning platforms the owner lets at records, and what they may do there."""

from __future__ import annotations

import click
import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import fields, line, short, table, when
from node.http.apps_schemas import AppRequestView, ApprovalView, ApproveApp, AppView
from node.http.schemas import Page
from protocols.errors import WrongState
from protocols.oauth.scopes import SCOPES

__all__ = ["apps"]

_TOLD = {scope.rpartition("/")[2]: about for scope, about in SCOPES.items()}


@click.group(short_help="Let wallets and platforms at your records, and end it.", invoke_without_command=True)
@common
@click.pass_context
def apps(ctx: click.Context, setting: Setting) -> None:
    """Let other wallets and learning platforms read and add records over the Open Badges 3.0 API, and end it.

    The node serves the API where open_badges_api.enabled is true; docs/open-badges-api.md says how an app connects.

    \b
    Examples:
      lernode apps                               who was let in, and who asks
      lernode apps approve K7QW-M2PD             say yes to what the page with this number shows
      lernode apps approve K7QW-M2PD --only credential.readonly
      lernode apps decline K7QW-M2PD
      lernode apps revoke 4f2a                   end all that an app was granted

    Next: connect in the app, with the URL that docs/open-badges-api.md names
    """
    if ctx.invoked_subcommand is None:
        _list(setting)


@apps.command("list")
@common
def list_them(setting: Setting) -> None:
    """Show who was let in, and who asks.

    \b
    Example:
      lernode apps list --json
    """
    _list(setting)


@apps.command()
@common
@click.argument("number")
@click.option(
    "--only", "only", multiple=True, type=click.Choice(list(_TOLD)), help="Grant only this; several times for several."
)
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")
def approve(setting: Setting, number: str, only: tuple[str, ...], *, yes: bool) -> None:
    """Say yes to the app whose page shows NUMBER, and show the code to type into that page.

    Give the code to nobody, and type it only into the page that the app sent you to, on the address of your own node.
    Who did not connect an app just now should say no: somebody else has opened that page.

    \b
    Example:
      lernode apps approve K7QW-M2PD
    """
    path = f"/admin/apps/requests/{segment(number)}"
    asked = with_api(setting, lambda api: api.get(path, AppRequestView))
    if not setting.json:
        _show_request(asked)
    if not yes and not setting.json and not click.confirm("Let it in?", err=True):
        raise WrongState("cli.not_approved", "It was not let in.", f"Tell it so: lernode apps decline {number}")
    body = ApproveApp(scopes=list(only) or None)  # type: ignore[arg-type]
    given = with_api(setting, lambda api: api.post(f"{path}/approve", ApprovalView, body))
    if setting.shown_as_json(given):
        return
    line(f"Type this into the page: {given.code}", style="green")
    line(f"It is good until {when(given.request.expires)}, once, and in that page only.")


@apps.command()
@common
@click.argument("number")
def decline(setting: Setting, number: str) -> None:
    """Say no to the app whose page shows NUMBER.

    \b
    Example:
      lernode apps decline K7QW-M2PD
    """
    path = f"/admin/apps/requests/{segment(number)}/decline"
    asked = with_api(setting, lambda api: api.post(path, AppRequestView))
    if not setting.shown_as_json(asked):
        line(f"{asked.name} is not let in.")


@apps.command()
@common
@click.argument("app")
def revoke(setting: Setting, app: str) -> None:
    """End at once all that APP was granted, and forget it; it can only ask anew.

    \b
    Example:
      lernode apps revoke 4f2a
    """
    gone = with_api(setting, lambda api: api.delete(f"/admin/apps/{segment(app)}", AppView))
    if not setting.shown_as_json(gone):
        line(f"{gone.name} can do nothing here any more.")


class _Listing(msgspec.Struct, frozen=True, rename="camel"):
    """Both lists at once, for ``--json``."""

    apps: list[AppView]
    requests: list[AppRequestView]


def _list(setting: Setting) -> None:
    found = with_api(setting, _both)
    if setting.shown_as_json(found):
        return
    if found.apps:
        rows = (
            (
                short(each.id),
                each.name,
                ", ".join(dict.fromkeys(scope for grant in each.grants for scope in grant.scopes)) or "nothing now",
                when(max((grant.created for grant in each.grants), default=None)),
                when(max((grant.used for grant in each.grants if grant.used), default=None)),
            )
            for each in found.apps
        )
        table(("ID", "APP", "MAY", "SINCE", "USED"), rows)
    else:
        line("No app was let in.")
    for asked in found.requests:
        line(f"Asks to be let in ({asked.state}):")
        _show_request(asked)
    if found.requests:
        suggest(f"lernode apps approve {found.requests[0].number}")


async def _both(api: Api) -> _Listing:
    waiting = await api.get("/admin/apps/requests", Page[AppRequestView])
    found, after = list[AppView](), ""
    while True:
        page = await api.get(f"/admin/apps?limit=1000{after}", Page[AppView])
        found += page.items
        if page.next is None:
            return _Listing(found, waiting.items)
        after = f"&after={segment(page.next)}"


def _show_request(asked: AppRequestView) -> None:
    fields(
        [
            ("number", asked.number),
            ("app", f"{asked.name} (as it calls itself)"),
            ("answered at", asked.answered_at),
            ("wants to", "; ".join(_TOLD.get(scope, scope) for scope in asked.scopes)),
            ("page", asked.url),
            ("terms", asked.terms_url),
            ("privacy", asked.privacy_url),
            ("until", when(asked.expires)),
        ]
    )
