"""A learner's own records in one file, readable without lernode: a ZIP archive, for age to encrypt.

In it: ``index.json`` (``format``, ``version``, ``made``, ``label``, and of each record its file and what it is),
``records/NNNNN.json`` exactly as received (``.jwt`` for a JWT or SD-JWT), ``receipts/ID.json`` (Kantara Consent
Receipts), ``connections.json`` (names and DIDs of peers), and ``README.html``, which says all that to a person and
lists the records.
"""

from __future__ import annotations

import html
import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.records.summary import summary
from protocols import strict_json
from protocols.credentials.reading import stated
from protocols.errors import BadInput

__all__ = ["Bundle", "read", "write"]

_FORMAT, _VERSION = "lernode-export", 1
_INDEX, _RECORDS = "index.json", "records/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What is in a file.

    Attributes:
        records: each as received, with the code of the check that it is marked with, if any; read once.
    """

    label: str
    records: AsyncIterator[tuple[bytes, str | None]]
    receipts: AsyncIterator[tuple[str, bytes]]
    connections: list[dict[str, Any]]


async def write(bundle: Bundle, now: datetime) -> tuple[bytes, int]:
    """The archive, and how many records are in it."""
    packed, index, rows = io.BytesIO(), list[dict[str, Any]](), list[str]()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        async for document, unverified in bundle.records:
            name = f"{_RECORDS}{len(index) + 1:05}.{'json' if document.startswith(b'{') else 'jwt'}"
            archive.writestr(name, document)
            index.append({"file": name, **_about(document), "unverified": unverified})
            rows.append(_row(index[-1]))
        async for receipt_id, document in bundle.receipts:
            archive.writestr(f"receipts/{receipt_id}.json", document)
        archive.writestr("connections.json", strict_json.dumps({"connections": bundle.connections}))
        head = {"format": _FORMAT, "version": _VERSION, "made": now.isoformat(timespec="seconds")}
        archive.writestr(_INDEX, strict_json.dumps({**head, "label": bundle.label, "records": index}))
        archive.writestr("README.html", _page(bundle.label, now, rows))
    return packed.getvalue(), len(index)


def read(packed: bytes) -> Iterator[tuple[bytes, bool]]:
    """The records of an archive, and of each whether it was marked as not verified.

    Raises:
        BadInput: ``export.unreadable``, ``export.other_version``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            index = strict_json.loads_object(_content(archive, _INDEX))
            if index.get("format") != _FORMAT or not isinstance(index.get("records"), list):
                raise _unreadable()
            if index.get("version") != _VERSION:
                raise BadInput("export.other_version", "The file is of a newer lernode.", "Upgrade lernode.")
            for record in index["records"]:
                yield _content(archive, str(record["file"])), record.get("unverified") is not None
    except (zipfile.BadZipFile, KeyError, TypeError, NotImplementedError, EOFError, OSError):
        raise _unreadable() from None


def _content(archive: zipfile.ZipFile, name: str) -> bytes:
    # The index of many records is larger than one; a small file that unpacks without end is neither.
    limit = strict_json.MAX_BYTES * (8 if name == _INDEX else 1)
    with archive.open(name) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise _unreadable()
    return content


def _about(document: bytes) -> dict[str, Any]:
    about = summary(stated(document))
    times = {"validFrom": about.valid_from, "validUntil": about.valid_until}
    return {
        "id": about.id,
        "name": about.name,
        "issuer": about.issuer,
        "issuerName": about.issuer_name,
        **{name: time.isoformat() if time else None for name, time in times.items()},
    }


def _row(entry: dict[str, Any]) -> str:
    cells = [entry["name"], entry["issuerName"] or entry["issuer"] or "", (entry["validFrom"] or "")[:10]]
    link = f'<td><a href="{entry["file"]}">{entry["file"]}</a></td>'
    return f"<tr>{''.join(f'<td>{html.escape(str(cell))}</td>' for cell in cells)}{link}</tr>"


def _page(label: str, now: datetime, rows: list[str]) -> str:
    name = html.escape(label)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Records of {name}</title></head><body>
<h1>Records of {name}</h1>
<p>Taken from a lernode node on {now:%Y-%m-%d}.</p>
<p>Each file in <code>records</code> is a verifiable credential exactly as its issuer signed it (JSON, or the text of a
JWT; W3C Verifiable Credentials, mostly Open Badges 3.0): any wallet or verifier of these formats can use it.
<code>receipts</code> says what was shown to whom (Kantara Consent Receipts), <code>connections.json</code> with whom
the node was connected, and <code>index.json</code> is this table for programs.</p>
<p>To take the records into a node again: <code>lernode import FILE</code>, with the file before it was decrypted.</p>
<table border="1"><tr><th>Record</th><th>Issuer</th><th>Valid from</th><th>File</th></tr>
{chr(10).join(rows)}
</table></body></html>
"""


def _unreadable() -> BadInput:
    return BadInput("export.unreadable", "This is no export of records, or it is damaged.", "Name another file.")
