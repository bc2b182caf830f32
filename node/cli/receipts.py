"""``lernode receipts``: what was shown to whom, when and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, suggest
from node.cli.output import fields, line, short, table, when
from node.cli.write import check_new, write_record
from node.http.schemas import Page, ReceiptView

__all__ = ["receipts"]


@click.command(short_help="Show what you have shown to whom.")
@common
@click.argument("receipt", required=False)
@click.option(
    "--export", type=click.Path(path_type=Path, dir_okay=False), help="Write the receipts to a new JSON file."
)
def receipts(setting: Setting, receipt: str | None, export: Path | None) -> None:
    """List the receipts of consent, or show one: who asked for what and why, and every statement that was shown.

    A receipt is kept for each presentation that leaves, also where policy.share_records answered without asking.

    \b
    Examples:
      lernode receipts
      lernode receipts 5b0f
      lernode receipts --export receipts.json

    Next: lernode present answers the next request.
    """
    if export is not None:
        check_new(export)
    found = with_api(setting, lambda api: _found(api, receipt))
    if export is not None:
        documents = [json.loads(bytes(each.document)) for each in found]
        write_record(export, json.dumps(documents, indent=2, ensure_ascii=False).encode() + b"\n")
    if setting.shown_as_json(Page(items=found)):
        return
    if export is not None:
        line(f"{len(found)} written to {export}.", style="green")
    elif receipt is not None:
        _show(found[0])
    else:
        rows = (_row(each, json.loads(bytes(each.document))) for each in found)
        table(("RECEIPT", "WHEN", "TO", "PURPOSE", "RECORDS"), rows)
        suggest("lernode receipts RECEIPT shows every statement that was shown." if found else "lernode present")


async def _found(api: Api, receipt: str | None) -> list[ReceiptView]:
    if receipt is not None:
        return [await api.get(f"/admin/receipts/{segment(receipt)}", ReceiptView)]
    found: list[ReceiptView] = []
    page = await api.get("/admin/receipts", Page[ReceiptView])
    found += page.items
    while page.next is not None:
        page = await api.get("/admin/receipts", Page[ReceiptView], after=page.next)
        found += page.items
    return found


def _row(each: ReceiptView, document: dict[str, Any]) -> tuple[str | None, ...]:
    (party,) = document["party_identification"]
    purposes = dict.fromkeys(str(one["purpose"]) for one in document["purposes"])
    names = [str(record["name"]) for record in document["presentation"]["records"]]
    return short(each.id), when(each.at), party.get("party_name"), "; ".join(purposes), ", ".join(names)


def _show(each: ReceiptView) -> None:
    document = json.loads(bytes(each.document))
    (party,) = document["party_identification"]
    fields(
        [
            ("receipt", each.id),
            ("shown to", party.get("party_name") or party["party_id"]),
            ("whose DID is", party["party_id"]),
            ("when", when(each.at)),
            ("decided by", document["event"][0]["decided_by"]),
            ("digest", document["presentation"]["digest"]),
        ]
    )
    for purpose in dict.fromkeys(str(one["purpose"]) for one in document["purposes"]):
        fields([("purpose", purpose)])
    for record in document["presentation"]["records"]:
        line()
        line(f"{record['name']} ({short(record['record_id'])})", bold=True)
        for statement in record["shown"]:
            line(f"  {statement['path']}: {statement['value']}")
        if record["withheld"]:
            line(f"  not shown: {', '.join(record['withheld'])}")
