"""``lernode revoke``, ``suspend``, ``reinstate``, ``mark``: what the issuer says of a record from now on."""

from __future__ import annotations

from typing import Literal

import click

from node.cli.client import segment, with_api
from node.cli.options import Setting, common
from node.cli.output import fields, line, short
from node.http.schemas import IssuedView, StatusChange

__all__ = ["mark", "reinstate", "revoke", "suspend"]

_reason = click.option("--reason", help="For your own log; nobody else sees it.")


@click.command(short_help="Revoke an issued record for good.")
@common
@click.argument("record")
@_reason
def revoke(setting: Setting, record: str, reason: str | None) -> None:
    """Revoke a record that you issued. That is final; to take it back for a while, use lernode suspend.

    \b
    Examples:
      lernode revoke 7c01
      lernode revoke urn:uuid:5d0c... --reason "issued by mistake"

    Next: verifiers see it as soon as they ask for the status list again, at the latest after its ttl.
    """
    _change(setting, record, "revoke", reason)


@click.command(short_help="Suspend an issued record.")
@common
@click.argument("record")
@_reason
def suspend(setting: Setting, record: str, reason: str | None) -> None:
    """Suspend a record that you issued, until you reinstate it.

    \b
    Example:
      lernode suspend 7c01 --reason "under review"

    Next: lernode reinstate 7c01
    """
    _change(setting, record, "suspend", reason)


@click.command(short_help="Lift the suspension of a record.")
@common
@click.argument("record")
@_reason
def reinstate(setting: Setting, record: str, reason: str | None) -> None:
    """Lift the suspension of a record that you issued. A revoked record stays revoked.

    \b
    Example:
      lernode reinstate 7c01

    Next: lernode records --issued
    """
    _change(setting, record, "reinstate", reason)


@click.command(short_help="Set a message on an issued record.")
@common
@click.argument("record")
@click.argument("message", required=False)
@click.option("--refresh", is_flag=True, help="Say that there is a newer version of the record. That is final.")
@_reason
def mark(setting: Setting, record: str, message: str | None, refresh: bool, reason: str | None) -> None:
    """Set one of its status messages on a record that you issued, which takes nothing back from it.

    What messages there are is said by status.messages in lernode.toml when the record is issued.

    \b
    Examples:
      lernode mark 7c01 accepted
      lernode mark 7c01 --refresh

    Next: lernode records --issued 7c01 shows what is set.
    """
    if (message is None) != refresh:
        raise click.UsageError("Give a message, or --refresh.")
    _change(setting, record, "refresh" if refresh else "message", reason, message)


def _change(
    setting: Setting,
    record: str,
    action: Literal["revoke", "suspend", "reinstate", "refresh", "message"],
    reason: str | None,
    message: str | None = None,
) -> None:
    body = StatusChange(action=action, message=message, reason=reason)
    path = f"/admin/issued/{segment(record)}/status"
    changed = with_api(setting, lambda api: api.post(path, IssuedView, body))
    if setting.shown_as_json(changed):
        return
    said = {"refresh": "has a newer version", "message": f"has the message “{message}”"}.get(action)
    line(f"The record {said or f'is {changed.state} now'}; the status list is signed anew.", style="green")
    fields([("record", short(changed.id)), ("credential", changed.credential_id), ("achievement", changed.achievement)])
