"""``lernode correct``: a record that replaces another, which is revoked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from node.cli.client import segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import fields, line, short
from node.cli.write import check_new, write_record
from node.http.documents import document_bytes
from node.http.schemas import CorrectedView, RecordCorrection
from protocols.errors import BadInput

__all__ = ["correct"]

_TEXTS = {"name": "name", "email": "email", "result": "result", "achievement": "achievement"}
_DAYS = {"valid-from": "valid_from", "valid-until": "valid_until"}


@click.command(short_help="Replace an issued record by a correct one.")
@common
@click.argument("record")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE",
              help="name, email, result, achievement, valid-from or valid-until.")  # fmt: skip
@click.option("--reason", help="For your own log; nobody else sees it.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file for what is signed at once.")
def correct(setting: Setting, record: str, changes: tuple[str, ...], reason: str | None, out: Path | None) -> None:
    """Replace a record that you issued by one that says something else; the former one is revoked for good.

    What you do not set stays as it was. The new record names the former one, and your log the new one with the
    former. A holder who got the former over a connection is offered the new one there; else it is signed at once.

    \b
    Examples:
      lernode correct 7c01 --set result=A --reason "the second examiner's mark"
      lernode correct 7c01 --set name="Ada King" --out ada.json

    Next: lernode records --issued RECORD shows both ways
    """
    if out is not None:
        check_new(out)
    body = _wanted(changes, reason)
    path = f"/admin/issued/{segment(record)}/correct"
    done = with_api(setting, lambda api: api.post(path, CorrectedView, body, to_peer=True))
    if out is not None and done.record is not None:
        write_record(out, document_bytes(done.record.document))
    if setting.shown_as_json(done):
        return
    line("The record is replaced, and revoked.", style="green")
    fields([("record", short(done.former.id)), ("replaced by", done.credential)])
    if done.exchange is not None:
        suggest(f"the holder accepts the new one; lernode exchanges {short(done.exchange)}")
    elif done.record is not None and out is None:
        suggest(f"lernode records --issued {short(done.record.id)} --export FILE, and hand it over")


def _wanted(changes: tuple[str, ...], reason: str | None) -> RecordCorrection:
    found: dict[str, Any] = {}
    for each in changes:
        name, sign, value = each.partition("=")
        if name in _DAYS:
            found[_DAYS[name]] = _day(value)
        elif sign and value and name in _TEXTS:
            found[_TEXTS[name]] = value
        else:
            hint = f"NAME is one of {', '.join((*_TEXTS, *_DAYS))}: --set result=A"
            raise BadInput("cli.usage", "A change is NAME=VALUE.", hint)
    return RecordCorrection(**found, reason=reason)


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise BadInput("cli.usage", "A day is written YYYY-MM-DD.", "--set valid-until=2027-01-31") from None
