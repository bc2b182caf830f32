"""``lernode export`` and ``lernode import``: a learner's own records in one encrypted file, and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, read_file_passphrase, suggest
from node.cli.output import emit_json, line, short
from node.cli.write import check_new, write_record
from node.http.documents import document_bytes
from node.http.schemas import (
    ConnectionView,
    HeldDetail,
    HeldView,
    KeptView,
    Page,
    ReceiptView,
    RecordToKeep,
    StatusView,
)
from node.records import bundle
from node.records.bundle import Bundle
from node.runtime import age_files
from node.runtime.age_files import AgeLock, AgeSecret, Recipient
from protocols import strict_json
from protocols.errors import BadInput

__all__ = ["export", "import_"]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_VARIABLE = "LERNODE_EXPORT_PASSPHRASE"
_OPTION = "--export-passphrase-file"
_PAGE = 500

T = TypeVar("T")


@click.command(short_help="Write your records into one encrypted file.")
@common
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--recipient", metavar="AGE1...", help="Encrypt to this public key of age, not to a passphrase.")
@click.option(_OPTION, "file_passphrase", type=_FILE, help=f"Passphrase of the file; or set {_VARIABLE}.")
def export(setting: Setting, file: Path, recipient: str | None, file_passphrase: Path | None) -> None:
    """Write every record that this node holds, your receipts and the names of your peers into one encrypted file.

    \b
    Examples:
      lernode export ada.zip.age
      lernode export ada.zip.age --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p

    The file opens without lernode: age -d -o ada.zip ada.zip.age && unzip ada.zip. No keys are in it: to move the whole
    node, use lernode backup.

    Next: lernode import FILE, in another node.
    """
    check_new(file)
    lock: AgeLock = Recipient(recipient) if recipient else _passphrase(file_passphrase, new=True)
    packed, count = with_api(setting, _packed)
    sealed = age_files.encrypt(packed, lock)
    write_record(file, sealed)
    if setting.json:
        emit_json(strict_json.dumps({"file": str(file), "records": count, "bytes": len(sealed)}))
        return
    line(f"{count} records written to {file}.", style="green")
    suggest(f"lernode import {file}, in another node")


@click.command("import", short_help="Take the records of an export into this node.")
@common
@click.argument("file", type=_FILE)
@click.option("--identity-file", type=_FILE, help="Identity of age, for a file that was encrypted to its recipient.")
@click.option(_OPTION, "file_passphrase", type=_FILE, help=f"Passphrase of the file; or set {_VARIABLE}.")
def import_(setting: Setting, file: Path, identity_file: Path | None, file_passphrase: Path | None) -> None:
    """Hold the records of an export. One that the node holds already is told and not held twice.

    \b
    Example:
      lernode import ada.zip.age

    A record that is not what its issuer signed is refused, and the others are taken. Receipts and peers stay in the
    file: they belong to the node that made it.

    Next: lernode records
    """
    secret: AgeSecret = identity_file.read_bytes() if identity_file else _passphrase(file_passphrase, new=False)
    records = bundle.read(age_files.decrypt(file.read_bytes(), secret))
    outcome = with_api(setting, lambda api: _keep(api, records))
    if setting.json:
        emit_json(msgspec.json.encode(outcome))
    else:
        for refused in outcome["refused"]:
            line(f"Record {refused['position']}: {refused['reason']}", style="red")
        for kept in outcome["unverified"]:
            line(f"{short(kept['id'])} is held, and does not verify now: {kept['code']}", style="yellow")
        line(f"{outcome['new']} records are new, {outcome['known']} were here already.", style="green")
        suggest("lernode records")
    if outcome["refused"]:
        raise click.exceptions.Exit(1)


async def _packed(api: Api) -> tuple[bytes, int]:
    label = (await api.get("/admin/status", StatusView)).label
    peers = [
        {"id": each.id, "label": each.label, "did": each.their_did, "since": each.created.isoformat()}
        async for each in _all(api, "/admin/connections", Page[ConnectionView])
    ]
    content = Bundle(label=label, records=_records(api), receipts=_receipts(api), connections=peers)
    return await bundle.write(content, datetime.now(UTC))


async def _records(api: Api) -> AsyncIterator[bytes]:
    async for held in _all(api, "/admin/records", Page[HeldView]):
        detail = await api.get(f"/admin/records/{segment(held.id)}", HeldDetail)
        yield document_bytes(detail.document)


async def _receipts(api: Api) -> AsyncIterator[tuple[str, bytes]]:
    async for receipt in _all(api, "/admin/receipts", Page[ReceiptView]):
        yield receipt.id, bytes(receipt.document)


async def _all(api: Api, path: str, kind: type[Page[T]]) -> AsyncIterator[T]:
    after: str | None = None
    while True:
        page = await api.get(path, kind, limit=_PAGE, after=after)
        for item in page.items:
            yield item
        after = page.next
        if after is None:
            return


async def _keep(api: Api, records: Any) -> dict[str, Any]:
    new, known, unverified, refused = 0, 0, [], []
    for position, document in enumerate(records, start=1):
        try:
            wanted = RecordToKeep(document=strict_json.loads_object(document))
            kept = await api.post("/admin/records", KeptView, wanted)
        except BadInput as error:
            refused.append({"position": position, "code": error.code, "reason": error.message})
            continue
        new, known = new + kept.is_new, known + (not kept.is_new)
        if kept.unverified is not None:
            unverified.append({"id": kept.record.id, "code": kept.unverified})
        await asyncio.sleep(0)
    return {"new": new, "known": known, "unverified": unverified, "refused": refused}


def _passphrase(file: Path | None, *, new: bool) -> str:
    return read_file_passphrase(file, "export", _VARIABLE, _OPTION, new=new)
