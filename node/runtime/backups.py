"""Backups: the whole node in one file, encrypted with age (age-encryption.org/v1), read back after it was written.

Inside is gzip of JSON lines: first a header (``format``, ``version``, ``made``, ``schema``, ``label``, ``files``: the
node's configuration and catalogue), then one object for each part of a table (``table``, ``columns``, ``rows``; bytes
are ``{"b64": ...}``), at the end ``{"end": true, "rows": N}``. Any age tool opens it; what the store had sealed is
sealed in it too, and opens with what opens the node.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import json
import logging
import os
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from node.config import CONFIG_FILE
from node.runtime.age_files import AgeLock, AgeSecret, Recipient, decrypt, encrypt
from protocols.errors import BadInput, LernodeError, NotNow, WrongState
from storage import audit, snapshot
from storage.engine import Parameter, Store
from storage.snapshot import Rows

__all__ = ["Contents", "inspect", "newest_first", "note", "read", "restore", "rotate", "write"]

_log = logging.getLogger("lernode.backup")
_FORMAT, _VERSION = "lernode-backup", 1
_FILES = (CONFIG_FILE, "catalogue.json", "audit-heads.txt")
_NAME = re.compile(r"lernode-\d{8}T\d{6}Z\.age")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds.

    Attributes:
        rows: how many, by table.
    """

    made: datetime
    label: str
    endpoint: str
    schema: str
    files: dict[str, str]
    rows: dict[str, int]


async def write(store: Store, home: Path, target: Path, lock: AgeLock, now: datetime, *, label: str) -> int:
    """Write a backup of the store as it is at this moment, while the node goes on; its size in bytes.

    The file appears under its name only once it was read back and found whole.

    Args:
        lock: a passphrase, or the recipient to encrypt to. With a recipient, reading back compares what was written
            byte for byte, for only the recipient can open it.

    Raises:
        NotNow: ``backup.not_written``.
        WrongState: ``backup.exists``.
    """
    if target.exists():
        raise WrongState("backup.exists", f"There is a file {target} already.", "Name another one.")
    plain = io.BytesIO()
    with gzip.GzipFile(fileobj=plain, mode="wb", mtime=0) as packed:
        header = {
            "format": _FORMAT,
            "version": _VERSION,
            "made": now.isoformat(),
            "schema": snapshot.schema(),
            "label": label,
            "files": {name: (home / name).read_text(encoding="utf-8") for name in _FILES if (home / name).is_file()},
        }
        _line(packed, header)
        count = 0
        async with store.read() as tx:
            async for part in snapshot.dump(tx):
                rows = [[_plain(value) for value in row] for row in part.rows]
                _line(packed, {"table": part.table, "columns": part.columns, "rows": rows})
                count += len(rows)
        _line(packed, {"end": True, "rows": count})
    return await asyncio.to_thread(_seal, plain.getvalue(), target, lock)


async def note(store: Store, now: datetime, *, actor: str) -> None:
    """Say in the audit trail that a backup was written.

    Where the store takes no writes just now, as on a full disk, that is only logged: there above all a backup is worth
    more than its entry.
    """
    try:
        async with store.write() as tx:
            await audit.append(tx, at=now, event="backup.written", actor=actor)
    except LernodeError as error:
        _log.warning("a backup was written, and the audit trail could not take it: %s", error.code)


def read(source: Path, secret: AgeSecret) -> bytes:
    """The decrypted and unpacked backup.

    Raises:
        BadInput: ``backup.unreadable``, ``age.wrong_secret``.
        NotNow: ``age.too_much_work``.
    """
    try:
        return gzip.decompress(decrypt(source.read_bytes(), secret))
    except (OSError, EOFError, gzip.BadGzipFile):
        raise _unreadable() from None


def inspect(plain: bytes) -> Contents:
    """What a backup holds, found by reading all of it.

    Raises:
        BadInput: ``backup.unreadable``, ``backup.other_version``.
    """
    lines = _lines(plain)
    header = next(lines, {})
    if header.get("format") != _FORMAT:
        raise _unreadable()
    if header.get("version") != _VERSION:
        raise BadInput("backup.other_version", "The backup is of a newer lernode.", "Upgrade lernode, then try again.")
    rows: dict[str, int] = {}
    complete = False
    for each in lines:
        if each.get("end"):
            complete = each["rows"] == sum(rows.values())
        else:
            rows[each["table"]] = rows.get(each["table"], 0) + len(each["rows"])
    if not complete:
        raise _unreadable()
    return Contents(
        made=datetime.fromisoformat(header["made"]),
        label=header["label"],
        endpoint=_endpoint(header["files"].get(CONFIG_FILE, "")),
        schema=header["schema"],
        files=header["files"],
        rows=rows,
    )


async def restore(plain: bytes, store: Store) -> int:
    """Put the rows of a backup into an empty store, in one unit of work; how many.

    Raises:
        WrongState: ``store.not_empty``, ``backup.other_schema``.
        BadInput: ``backup.unreadable``, ``store.foreign_rows``.
    """
    if inspect(plain).schema != snapshot.schema():
        raise WrongState(
            "backup.other_schema",
            "The backup was made by another version of lernode.",
            "Restore it with that version, then upgrade.",
        )

    async def parts() -> AsyncIterator[Rows]:
        for each in _lines(plain):
            if "table" in each:
                rows = [tuple(_value(value) for value in row) for row in each["rows"]]
                yield Rows(each["table"], tuple(each["columns"]), rows)

    async with store.write() as tx:
        return await snapshot.load(tx, parts())


def newest_first(folder: Path) -> list[Path]:
    """The scheduled backups in a folder."""
    return sorted((file for file in folder.glob("lernode-*.age") if _NAME.fullmatch(file.name)), reverse=True)


def rotate(folder: Path, keep: int) -> int:
    """Delete all scheduled backups but the newest; how many that were. Other files are left alone."""
    old = newest_first(folder)[keep:]
    for file in old:
        file.unlink(missing_ok=True)
    return len(old)


def _seal(plain: bytes, target: Path, lock: AgeLock) -> int:
    sealed = encrypt(plain, lock)
    part = target.with_name(f".{target.name}.part")
    try:
        descriptor = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        written = part.read_bytes()
        whole = written == sealed if isinstance(lock, Recipient) else decrypt(written, lock) == plain
        inspect(gzip.decompress(plain))
        if not whole:
            raise NotNow("backup.not_written", "The backup was not read back as it was written.", "Check the disk.")
        part.rename(target)
    except OSError:
        raise NotNow(
            "backup.not_written", "The backup cannot be written.", "Check the folder, and the space on its disk."
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return len(sealed)


def _line(packed: gzip.GzipFile, value: dict[str, Any]) -> None:
    packed.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")


def _lines(plain: bytes) -> Iterator[dict[str, Any]]:
    try:
        for line in io.BytesIO(plain):
            yield json.loads(line)
    except (ValueError, KeyError, TypeError):
        raise _unreadable() from None


def _plain(value: Any) -> Any:
    return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes | memoryview) else value


def _value(value: Any) -> Parameter:
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def _endpoint(config: str) -> str:
    found = re.search(r'^endpoint = "([^"]*)"', config, re.MULTILINE)
    return found[1] if found else ""


def _unreadable() -> BadInput:
    return BadInput("backup.unreadable", "That is not a whole backup of lernode.", "Use another file.")
