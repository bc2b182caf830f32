"""``lernode export``: a learner's own records in one encrypted file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from node.cli.client import Api, segment, with_api
from node.cli.options import Setting, common, read_file_passphrase, suggest
from node.cli.output import line
from node.cli.write import check_new, write_record
from node.http.documents import document_bytes
from node.http.portfolio_schemas import ResumeView
from node.http.schemas import (
    ConnectionView,
    HeldDetail,
    HeldView,
    Page,
    ReceiptView,
    StatusView,
)
from node.records import bundle
from node.records.bundle import Bundle
from node.runtime import age_files
from node.runtime.age_files import AgeLock, Recipient
from node.skills.profile import JobProfile, encode

__all__ = ["FILE_PASSPHRASE", "export", "file_passphrase_of"]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_VARIABLE = "LERNODE_EXPORT_PASSPHRASE"
_OPTION = "--export-passphrase-file"
_PAGE = 500
FILE_PASSPHRASE = click.option(
    _OPTION, "file_passphrase", type=_FILE, help=f"Passphrase of the file; or set {_VARIABLE}."
)
"""The option with the passphrase of an export."""

T = TypeVar("T")


@click.command(short_help="Write your records into one encrypted file.")
@common
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--recipient", metavar="AGE1...", help="Encrypt to this public key of age, not to a passphrase.")
@FILE_PASSPHRASE
def export(setting: Setting, file: Path, recipient: str | None, file_passphrase: Path | None) -> None:
    """Write every record that this node holds, your résumés, receipts and peers into one encrypted file.

    \b
    Examples:
      lernode export ada.zip.age
      lernode export ada.zip.age --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p

    The file opens without lernode: age -d -o ada.zip ada.zip.age && unzip ada.zip. No keys are in it: to move the whole
    node, use lernode backup.

    Next: lernode import FILE, in another node.
    """
    check_new(file)
    lock: AgeLock = Recipient(recipient) if recipient else file_passphrase_of(file_passphrase, new=True)
    packed, count = with_api(setting, _packed)
    sealed = age_files.encrypt(packed, lock)
    write_record(file, sealed)
    if setting.shown_as_json({"file": str(file), "records": count, "bytes": len(sealed)}):
        return
    line(f"{count} records written to {file}.", style="green")
    suggest(f"lernode import {file}, in another node")


async def _packed(api: Api) -> tuple[bytes, int]:
    label = (await api.get("/admin/status", StatusView)).label
    peers = [
        {"id": each.id, "label": each.label, "did": each.their_did, "since": each.created.isoformat()}
        async for each in _all(api, "/admin/connections", Page[ConnectionView])
    ]
    content = Bundle(
        label=label,
        records=_records(api),
        receipts=_receipts(api),
        connections=peers,
        resumes=[_resume(each) async for each in _all(api, "/admin/resumes", Page[ResumeView])],
        profiles=[encode(each) for each in (await api.get("/admin/job-profiles", Page[JobProfile])).items],
    )
    return await bundle.write(content, datetime.now(UTC))


def _resume(view: ResumeView) -> dict[str, Any]:
    entries = [{"record": each.record_id, "reveal": each.reveal, "text": each.text} for each in view.entries]
    return {"title": view.title, "text": view.text, "entries": entries}


async def _records(api: Api) -> AsyncIterator[tuple[str, bytes, str | None]]:
    async for held in _all(api, "/admin/records", Page[HeldView]):
        detail = await api.get(f"/admin/records/{segment(held.id)}", HeldDetail)
        yield held.id, document_bytes(detail.document), detail.unverified


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


def file_passphrase_of(file: Path | None, *, new: bool) -> str:
    """The passphrase of an export.

    Raises:
        BadInput: ``cli.no_passphrase``, ``cli.passphrase_file``.
    """
    return read_file_passphrase(file, "export", _VARIABLE, _OPTION, new=new)
