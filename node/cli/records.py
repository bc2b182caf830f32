"""``lernode records``: the records that the node holds or issued."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import click
import msgspec

from node.cli.attached import attached_fields
from node.cli.client import segment, with_api
from node.cli.files import read_file
from node.cli.options import Setting, common
from node.cli.output import fields, line, short, table, when
from node.cli.write import write_record
from node.http.documents import document_bytes
from node.http.schemas import (
    Bake,
    BakedView,
    Derive,
    DerivedRecord,
    HeldDetail,
    HeldView,
    IssuedDetail,
    IssuedView,
    OutlineView,
    Page,
)
from protocols.errors import BadInput

__all__ = ["records"]

_OWN_IMAGE = "achievement"


@click.command(short_help="List, show and export records.")
@common
@click.argument("record", required=False)
@click.option("--issued", is_flag=True, help="Those that the node issued, not those that it holds.")
@click.option("--search", metavar="WORDS", help="Words in the name, issuer, types or skills.")
@click.option("--skill", help="Code or URL of a skill, or a part of its name.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many to list.")
@click.option("--after", metavar="ID", help="List what comes after this one.")
@click.option("--reveal", multiple=True, metavar="POINTER", help="Show only this of the record; repeatable.")
@click.option("--bake", metavar="IMAGE", help="Put the record into this PNG or SVG file, or into its own: achievement.")
@click.option("--export", type=click.Path(path_type=Path, dir_okay=False), help="Write the record to a file.")
def records(
    setting: Setting,
    record: str | None,
    issued: bool,
    search: str | None,
    skill: str | None,
    limit: int,
    after: str | None,
    reveal: tuple[str, ...],
    bake: str | None,
    export: Path | None,
) -> None:
    """List records, or show one, or write one to a file, whole or in part.

    A record that its issuer secured for that (ecdsa-sd-2023) can be shown in part: what the issuer made mandatory,
    and what you reveal by JSON Pointers. The part has a proof of its own, and verifies without the rest.

    \b
    Examples:
      lernode records
      lernode records --search welding
      lernode records 7c01 --export welding.json
      lernode records 7c01 --reveal /credentialSubject/result/0 --export one-result.json
      lernode records 7c01 --bake badge.png --export my-badge.png
      lernode records --issued

    Next: lernode verify FILE checks an exported record; lernode revoke takes back an issued one.
    """
    if issued and (search or skill):
        raise BadInput("cli.usage", "Issued records are not searched.", "Leave out --search and --skill.")
    if reveal and (record is None or issued):
        raise BadInput("cli.usage", "What is revealed is a part of one held record.", "Name it: lernode records ID")
    if bake is not None and (record is None or reveal or export is None):
        hint = "Name it, and the new file: lernode records ID --bake IMAGE --export FILE"
        raise BadInput("cli.usage", "A whole record is put into an image.", hint)
    if record is not None and bake is not None and export is not None:
        _bake(setting, record, issued, bake, export)
    elif record is not None and reveal:
        _show_part(setting, record, reveal, export)
    elif record is not None:
        _show_one(setting, record, issued, export)
    elif export is not None:
        raise BadInput("cli.usage", "One record is exported at a time.", "Name it: lernode records ID --export FILE")
    elif issued:
        _list_issued(setting, limit, after)
    else:
        _list_held(setting, search, skill, limit, after)


def _list_held(setting: Setting, search: str | None, skill: str | None, limit: int, after: str | None) -> None:
    found = with_api(
        setting,
        lambda api: api.get("/admin/records", Page[HeldView], q=search, skill=skill, limit=limit, after=after),
    )
    if setting.shown_as_json(found):
        return
    if not found.items:
        line("No records." if search or skill else "No records yet. Accept one with: lernode accept")
        return
    rows = (
        (
            short(r.id),
            "unverified" if r.unverified else r.state,
            r.name,
            "own statement" if r.own_statement else r.issuer,
            ", ".join(s.name for s in r.skills),
            when(r.stored_at),
        )
        for r in found.items
    )
    table(("RECORD", "STATE", "NAME", "ISSUER", "SKILLS", "KEPT SINCE"), rows)
    _show_more(found.next)


def _list_issued(setting: Setting, limit: int, after: str | None) -> None:
    found = with_api(setting, lambda api: api.get("/admin/issued", Page[IssuedView], limit=limit, after=after))
    if setting.shown_as_json(found):
        return
    if not found.items:
        line("Nothing issued yet. Award something with: lernode issue")
        return
    rows = ((short(r.id), r.state, r.achievement, r.subject, when(r.issued_at)) for r in found.items)
    table(("RECORD", "STATE", "ACHIEVEMENT", "SUBJECT", "ISSUED"), rows)
    _show_more(found.next)


def _show_more(following: str | None) -> None:
    if following is not None:
        line(f"There are more: add --after {following}")


def _show_one(setting: Setting, record: str, issued: bool, export: Path | None) -> None:
    kind: type[HeldDetail] | type[IssuedDetail] = IssuedDetail if issued else HeldDetail
    path = f"/admin/{'issued' if issued else 'records'}/{segment(record)}"
    found: HeldDetail | IssuedDetail = with_api(setting, lambda api: api.get(path, kind))
    document = document_bytes(found.document)
    if export is not None:
        write_record(export, document)
    if setting.shown_as_json(found):
        return
    if export is not None:
        line(f"Written to {export}.", style="green")
        line(f"Next: lernode verify {export}")
    else:
        facts = msgspec.structs.asdict(found)
        facts.pop("document")
        for status in facts.pop("statuses", []):
            facts[f"status: {status.purpose}"] = status.message
        for number, each in enumerate(facts.pop("endorsements", []), 1):
            doubt = each.unverified or (each.state if each.state != "active" else None)
            facts[f"endorsement {number}"] = f"{each.issuer}: {each.comment or ''}{f' ({doubt})' if doubt else ''}"
        facts["skills"] = ", ".join(skill.name for skill in facts["skills"]) if "skills" in facts else None
        facts["types"] = ", ".join(facts.get("types", []))
        del facts["attached"]
        achievements = facts.pop("outline", [])
        fields((name.replace("_", " "), value) for name, value in facts.items() if value not in (None, ""))
        fields(attached_fields(found.attached))
        _show_outline(achievements)
        line()
        _show_document(document)


def _show_outline(achievements: list[OutlineView]) -> None:
    for each in achievements:
        who = "listed only" if each.issuer is None else f"by {each.issuer}"
        others = "".join(f", {f'{kind} {name}'.strip()}" for kind, name in each.beside)
        line(f"  {'  ' * each.depth}- {each.name} ({who}{others})")


def _bake(setting: Setting, record: str, issued: bool, image: str, export: Path) -> None:
    path = f"/admin/{'issued' if issued else 'records'}/{segment(record)}/bake"
    given = None if image == _OWN_IMAGE else base64.b64encode(read_file(image)).decode()
    made = with_api(setting, lambda api: api.post(path, BakedView, Bake(image=given)))
    write_record(export, base64.b64decode(made.image))
    if not setting.shown_as_json({"file": str(export), "mediaType": made.media_type}):
        line(f"Written to {export}.", style="green")
        line(f"Next: lernode import {export}, in any node; or upload it where badges are taken.")


def _show_part(setting: Setting, record: str, reveal: tuple[str, ...], export: Path | None) -> None:
    path = f"/admin/records/{segment(record)}/derive"
    made = with_api(setting, lambda api: api.post(path, DerivedRecord, Derive(reveal=list(reveal))))
    document = document_bytes(made.document)
    if export is not None:
        write_record(export, document)
    if setting.shown_as_json(made):
        return
    if export is not None:
        line(f"Written to {export}.", style="green")
        line(f"Next: lernode verify {export}")
    else:
        _show_document(document)


def _show_document(document: bytes) -> None:
    """A JSON document with an indent; compact text as it is."""
    is_json = document.startswith(b"{")
    text = json.dumps(json.loads(document), indent=2, ensure_ascii=False) if is_json else document.decode()
    for part in text.splitlines():
        line(part)
