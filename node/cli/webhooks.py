"""``lernode webhooks``: which of the institution's own systems the node tells of what happens."""

from __future__ import annotations

import click

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import fields, line, short, table, when
from node.http.schemas import (
    NewWebhook,
    Page,
    Replay,
    ReplayView,
    WebhookSecretView,
    WebhookTestView,
    WebhookView,
)

__all__ = ["webhooks"]


@click.group(short_help="Tell the institution's own systems of what happens.", invoke_without_command=True)
@common
@click.pass_context
def webhooks(ctx: click.Context, setting: Setting) -> None:
    """Tell systems of your own, by signed HTTP requests, of connections, exchanges, records and verifications.

    \b
    Examples:
      lernode webhooks add https://sis.college.example/lernode --topic exchanges --topic records
      lernode webhooks                            which there are, and how far behind each is
      lernode webhooks test 4f2a
      lernode webhooks replay 4f2a                deliver again what was given up
      lernode webhooks replay 4f2a --after 0      deliver again all that is kept
      lernode webhooks rotate 4f2a                give it a new secret
      lernode webhooks remove 4f2a

    docs/webhooks.md has the schema of each event, and a receiver in 20 lines. Next: lernode webhooks add URL
    """
    if ctx.invoked_subcommand is None:
        _list(setting)


@webhooks.command("list")
@common
def list_them(setting: Setting) -> None:
    """Show the webhooks, and how far behind each is.

    \b
    Example:
      lernode webhooks list --json
    """
    _list(setting)


@webhooks.command()
@common
@click.argument("url")
@click.option("--topic", "topics", multiple=True, help="Only this topic; several times for several.")
def add(setting: Setting, url: str, topics: tuple[str, ...]) -> None:
    """Tell URL of every event from now on, or of some topics, and show the secret that it checks signatures with.

    The node reaches private addresses only where network.allowed_networks lists them.

    \b
    Example:
      lernode webhooks add https://sis.college.example/lernode --topic exchanges --topic verifications
    """
    added = with_api(
        setting, lambda api: api.post("/admin/webhooks", WebhookSecretView, NewWebhook(url=url, topics=topics))
    )
    _show_secret(setting, added, "Added.")


@webhooks.command()
@common
@click.argument("webhook")
def test(setting: Setting, webhook: str) -> None:
    """Send WEBHOOK a signed event that tells of nothing, and say how it answered; ends with 1 if it did not take it.

    \b
    Example:
      lernode webhooks test 4f2a
    """
    tried = with_api(setting, lambda api: api.post(_path(webhook, "test"), WebhookTestView))
    said = f"It took the event: HTTP {tried.status}" if tried.delivered else f"It did not take the event: {tried.code},"
    if not setting.shown_as_json(tried):
        line(f"{said} after {tried.seconds * 1000:.0f} ms.", style="green" if tried.delivered else "red")
    if not tried.delivered:
        raise click.exceptions.Exit(1)


@webhooks.command()
@common
@click.argument("webhook")
def rotate(setting: Setting, webhook: str) -> None:
    """Give WEBHOOK a new secret; for 24 hours messages are signed with the old one too, so that none is refused.

    \b
    Example:
      lernode webhooks rotate 4f2a
    """
    rotated = with_api(setting, lambda api: api.post(_path(webhook, "rotate"), WebhookSecretView))
    _show_secret(setting, rotated, "It has a new secret.")


@webhooks.command()
@common
@click.argument("webhook")
@click.option("--after", metavar="EVENT", help="All that follows the event with this id or number; 0 for all.")
def replay(setting: Setting, webhook: str, after: str | None) -> None:
    """Deliver to WEBHOOK again what was given up, or all that is kept since an event, under the same ids.

    \b
    Examples:
      lernode webhooks replay 4f2a
      lernode webhooks replay 4f2a --after 1200
    """
    answer = with_api(setting, lambda api: api.post(_path(webhook, "replay"), ReplayView, Replay(after=after)))
    if not setting.shown_as_json(answer):
        line(f"{answer.events} events are delivered again.")


@webhooks.command()
@common
@click.argument("webhook")
def resume(setting: Setting, webhook: str) -> None:
    """Go on with a WEBHOOK that was stopped because its receiver was gone, or try again now instead of later.

    \b
    Example:
      lernode webhooks resume 4f2a
    """
    _show(setting, with_api(setting, lambda api: api.post(_path(webhook, "resume"), WebhookView)))


@webhooks.command()
@common
@click.argument("webhook")
def remove(setting: Setting, webhook: str) -> None:
    """Forget WEBHOOK, and what it was still to be told.

    \b
    Example:
      lernode webhooks remove 4f2a
    """
    removed = with_api(setting, lambda api: api.delete(_path(webhook), WebhookView))
    if not setting.shown_as_json(removed):
        line(f"{removed.url} is told nothing more.")


def _list(setting: Setting) -> None:
    found = with_api(setting, _page)
    if setting.shown_as_json(found):
        return
    if not found.items:
        line("No system is told of events.")
        suggest("lernode webhooks add URL")
    else:
        rows = (
            (short(w.id), w.url, ", ".join(w.topics) or "all", w.state, str(w.waiting), str(w.given_up), w.error)
            for w in found.items
        )
        table(("ID", "URL", "TOPICS", "STATE", "WAITING", "GIVEN UP", "WHY"), rows)


async def _page(api: Api) -> Page[WebhookView]:
    return await api.get("/admin/webhooks", Page[WebhookView])


def _path(webhook: str, action: str = "") -> str:
    return f"/admin/webhooks/{segment(webhook)}" + (f"/{action}" if action else "")


def _show_secret(setting: Setting, given: WebhookSecretView, done: str) -> None:
    if setting.shown_as_json(given):
        return
    line(done, style="green")
    _show_fields(given.webhook)
    line(f"  secret  {given.secret}")
    line("Keep the secret where the receiver reads it; it is not shown again.")
    suggest(f"lernode webhooks test {short(given.webhook.id)}")


def _show(setting: Setting, shown: WebhookView) -> None:
    if not setting.shown_as_json(shown):
        _show_fields(shown)


def _show_fields(shown: WebhookView) -> None:
    fields(
        [
            ("webhook", shown.id),
            ("url", shown.url),
            ("topics", ", ".join(shown.topics) or "all"),
            ("state", shown.state),
            ("waiting", shown.waiting),
            ("old secret until", when(shown.previous_secret_until)),
        ]
    )
