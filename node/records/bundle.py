"""A learner's own records in one file, readable without lernode: a ZIP archive, for age to encrypt.

In it: ``index.json`` (``format``, ``version``, ``made``, ``label``, and of each record its file and what it is),
``records/NNNNN.json`` exactly as received (``.jwt`` for a JWT or SD-JWT), ``receipts/ID.json`` (Kantara Consent
Receipts), ``connections.json`` (names and DIDs of peers), ``resumes/NNNNN.json`` (how records are put together, with
the learner's words), ``job-profiles/NNNNN.json`` (as ``lernode profile export`` writes them), and ``README.html``,
which says all that to a person and lists the records.
"""

from __future__ import annotations

import html
import io
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.records.summary import summary
from protocols import strict_json
from protocols.credentials.reading import stated
from protocols.errors import BadInput

__all__ = ["Arranged", "Bundle", "read", "read_arranged", "write"]

_FORMAT, _VERSION = "lernode-export", 1
_INDEX, _RECORDS = "index.json", "records/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What is in a file.

    Attributes:
        records: the id of each, the record as received, and the code of the check that it is marked with, if any; read
            once.
        resumes: each ``title``, ``text`` and ``entries``, of which each has the id of its ``record``, what it shows of
            it (``reveal``) and the learner's ``text``.
        profiles: each as its own file.
    """

    label: str
    records: AsyncIterator[tuple[str, bytes, str | None]]
    receipts: AsyncIterator[tuple[str, bytes]]
    connections: list[dict[str, Any]]
    resumes: Sequence[dict[str, Any]] = ()
    profiles: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Arranged:
    """What an archive has besides records.

    Attributes:
        made: the day of the archive.
        resumes: as in a :class:`Bundle`, with the file of each record in the place of its id.
    """

    made: str
    resumes: tuple[dict[str, Any], ...]
    profiles: tuple[bytes, ...]


async def write(bundle: Bundle, now: datetime) -> tuple[bytes, int]:
    """The archive, and how many records are in it."""
    packed, index, rows = io.BytesIO(), list[dict[str, Any]](), list[str]()
    files = dict[str, str]()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        async for record_id, document, unverified in bundle.records:
            name = f"{_RECORDS}{len(index) + 1:05}.{'json' if document.startswith(b'{') else 'jwt'}"
            archive.writestr(name, document)
            files[record_id] = name
            index.append({"file": name, **_about(document), "unverified": unverified})
            rows.append(_row(index[-1]))
        async for receipt_id, document in bundle.receipts:
            archive.writestr(f"receipts/{receipt_id}.json", document)
        archive.writestr("connections.json", strict_json.dumps({"connections": bundle.connections}))
        resumes = [strict_json.dumps(_with_files(each, files)) for each in bundle.resumes]
        more = {
            "resumes": _write_all(archive, "resumes", resumes),
            "jobProfiles": _write_all(archive, "job-profiles", bundle.profiles),
        }
        head = {"format": _FORMAT, "version": _VERSION, "made": now.isoformat(timespec="seconds")}
        archive.writestr(_INDEX, strict_json.dumps({**head, "label": bundle.label, "records": index, **more}))
        archive.writestr("README.html", _page(bundle.label, now, rows))
    return packed.getvalue(), len(index)


def read(packed: bytes) -> Iterator[tuple[str, bytes, bool]]:
    """The records of an archive: the file of each, the record, and whether it was marked as not verified.

    Raises:
        BadInput: ``export.unreadable``, ``export.other_version``.
    """
    with _opened(packed) as (archive, index):
        for record in index["records"]:
            file = str(record["file"])
            yield file, _content(archive, file), record.get("unverified") is not None


def read_arranged(packed: bytes) -> Arranged:
    """What an archive has besides records.

    Raises:
        BadInput: ``export.unreadable``, ``export.other_version``, ``json.*``.
    """
    with _opened(packed) as (archive, index):
        resumes, profiles = (
            tuple(_content(archive, str(file)) for file in index.get(name, [])) for name in ("resumes", "jobProfiles")
        )
        return Arranged(str(index["made"])[:10], tuple(map(strict_json.loads_object, resumes)), profiles)


@contextmanager
def _opened(packed: bytes) -> Iterator[tuple[zipfile.ZipFile, dict[str, Any]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            index = strict_json.loads_object(_content(archive, _INDEX))
            if index.get("format") != _FORMAT or not isinstance(index.get("records"), list):
                raise _unreadable()
            if index.get("version") != _VERSION:
                raise BadInput("export.other_version", "The file is of a newer lernode.", "Upgrade lernode.")
            yield archive, index
    except (zipfile.BadZipFile, KeyError, TypeError, NotImplementedError, EOFError, OSError):
        raise _unreadable() from None


def _write_all(archive: zipfile.ZipFile, folder: str, documents: Sequence[bytes]) -> list[str]:
    names = [f"{folder}/{number:05}.json" for number in range(1, len(documents) + 1)]
    for name, document in zip(names, documents, strict=True):
        archive.writestr(name, document)
    return names


def _with_files(resume: dict[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    """A résumé that names its records by their files; what is not held any more is left out."""
    entries = [{**each, "record": files[each["record"]]} for each in resume["entries"] if each["record"] in files]
    return {**resume, "entries": entries}


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
<code>resumes</code> says how records are put together in résumés, <code>job-profiles</code> what jobs ask for,
<code>receipts</code> says what was shown to whom (Kantara Consent Receipts), <code>connections.json</code> with whom
the node was connected, and <code>index.json</code> is this table for programs.</p>
<p>To take the records into a node again: <code>lernode import FILE</code>, with the file before it was decrypted.</p>
<table border="1"><tr><th>Record</th><th>Issuer</th><th>Valid from</th><th>File</th></tr>
{chr(10).join(rows)}
</table></body></html>
"""


def _unreadable() -> BadInput:
    return BadInput("export.unreadable", "This is no export of records, or it is damaged.", "Name another file.")
