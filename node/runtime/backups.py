"""Backups: the whole node in one file, encrypted with age (age-encryption.org/v1), read back after it was written.

Inside is gzip of JSON lines: first a header (``format``, ``version``, ``made``, ``schema``, ``label``, ``files``: the
node's configuration and catalogue), then one object for each part of a table (``table``, ``columns``, ``rows``; bytes
are ``{"b64": ...}``), at the end ``{"end": true, "rows": N}``. Any age tool opens it; what the store had sealed is
sealed in it too, and opens with what opens the node.

Encrypted to a recipient, a backup is written and read in parts, and takes the same memory however large the store is.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import logging
import os
import re
import zlib
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from node.config import CONFIG_FILE
from node.runtime.age_files import AgeLock, AgeSecret, Encryption, decrypt, decrypted
from protocols.errors import BadInput, LernodeError, NotNow, WrongState
from storage import audit, snapshot
from storage.engine import Parameter, Store, finished
from storage.snapshot import Rows

__all__ = ["STAMP", "Backup", "Contents", "inspect", "latest", "newest_first", "note", "restore", "rotate", "write"]

_log = logging.getLogger("lernode.backup")
_FORMAT, _VERSION = "lernode-backup", 1
_FILES = (CONFIG_FILE, "catalogue.json", "audit-heads.txt")
_NAME = re.compile(r"lernode-\d{8}T\d{6}Z\.age")
_PIECE = 1 << 20

STAMP = "lernode-%Y%m%dT%H%M%SZ.age"
"""How a scheduled backup is named, by the time (UTC) of what it holds."""


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
    part = target.with_name(f".{target.name}.part")
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "made": now.isoformat(),
        "schema": snapshot.schema(),
        "label": label,
        "files": {name: (home / name).read_text(encoding="utf-8") for name in _FILES if (home / name).is_file()},
    }
    try:
        with _new_file(part) as file:
            written = _Hashing(file)
            plain = await _seal(store, header, written, lock)
            await finished(asyncio.to_thread(_sync, file))
        await finished(asyncio.to_thread(_read_back, part, lock, written.digest, plain.digest))
        part.rename(target)
    except OSError:
        raise NotNow(
            "backup.not_written", "The backup cannot be written.", "Check the folder, and the space on its disk."
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return written.size


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


class Backup:
    """A backup, which can be read from its beginning again and again.

    Raises:
        BadInput: ``age.wrong_secret``.
        NotNow: ``age.too_much_work``.
        OSError: the file cannot be read.
    """

    def __init__(self, source: Path, secret: AgeSecret) -> None:
        self._source = source
        self._secret = secret
        self._whole = decrypt(source.read_bytes(), secret) if isinstance(secret, str) else None

    def lines(self) -> Generator[dict[str, Any], None, None]:
        """Its objects, the header first; the end has to be looked for.

        Raises:
            BadInput: ``backup.unreadable``, ``backup.other_version``, ``age.wrong_secret``.
        """
        try:
            with self._opened() as packed, gzip.GzipFile(fileobj=packed) as plain:
                header = json.loads(next(plain, b"{}"))
                if header.get("format") != _FORMAT:
                    raise _unreadable()
                if header.get("version") != _VERSION:
                    raise BadInput(
                        "backup.other_version", "The backup is of a newer lernode.", "Upgrade lernode, then try again."
                    )
                yield header
                for line in plain:
                    yield json.loads(line)
        except (OSError, EOFError, zlib.error, ValueError, AttributeError):
            raise _unreadable() from None

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        if self._whole is not None:
            yield BytesIO(self._whole)
        elif isinstance(self._secret, bytes):
            with decrypted(self._source, self._secret) as plain:
                yield plain


def inspect(backup: Backup) -> Contents:
    """What a backup holds, found by reading all of it.

    Raises:
        BadInput: ``backup.unreadable``, ``backup.other_version``, ``age.wrong_secret``.
    """
    rows: dict[str, int] = {}
    complete = False
    with closing(backup.lines()) as lines:
        try:
            header = next(lines)
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
        except (LookupError, TypeError, ValueError):
            raise _unreadable() from None


async def restore(backup: Backup, store: Store) -> int:
    """Put the rows of a backup into an empty store, in one unit of work; how many.

    Raises:
        WrongState: ``store.not_empty``, ``backup.other_schema``.
        BadInput: ``backup.unreadable``, ``backup.other_version``, ``age.wrong_secret``, ``store.foreign_rows``.
    """
    with closing(backup.lines()) as lines:
        if next(lines).get("schema") != snapshot.schema():
            raise WrongState(
                "backup.other_schema",
                "The backup was made by another version of lernode.",
                "Restore it with that version, then upgrade.",
            )
        async with store.write() as tx:
            return await snapshot.load(tx, _parts(lines))


async def _parts(lines: Iterator[dict[str, Any]]) -> AsyncIterator[Rows]:
    count = 0
    while (each := await finished(asyncio.to_thread(next, lines, None))) is not None:
        try:
            if each.get("end") and each["rows"] == count:
                return
            rows = [tuple(_value(value) for value in row) for row in each["rows"]]
            part = Rows(each["table"], tuple(each["columns"]), rows)
        except (LookupError, TypeError, ValueError):
            raise _unreadable() from None
        count += len(rows)
        yield part
    raise _unreadable()


def newest_first(folder: Path) -> list[Path]:
    """The scheduled backups in a folder."""
    return sorted((file for file in folder.glob("lernode-*.age") if _NAME.fullmatch(file.name)), reverse=True)


def latest(folder: Path, until: datetime) -> datetime | None:
    """When the last backup in a folder was made; a time after ``until`` is of a clock that was ahead."""
    return next((made for made in map(_made, newest_first(folder)) if made <= until), None)


def rotate(folder: Path, keep: int, until: datetime) -> int:
    """Delete all scheduled backups but the newest; how many that were. Other files are left alone.

    Those made after ``until`` are of a clock that was ahead, and count as the oldest: they would keep each new one out.
    """
    files = newest_first(folder)
    ahead = [file for file in files if _made(file) > until]
    old = [*files[len(ahead) :], *ahead][keep:]
    for file in old:
        file.unlink(missing_ok=True)
    return len(old)


def _made(file: Path) -> datetime:
    return datetime.strptime(file.name, STAMP).replace(tzinfo=UTC)


class _Hashing:
    """A file that is written, and the SHA-256 of what was written."""

    def __init__(self, file: BinaryIO | Encryption) -> None:
        self._file = file
        self._hashed = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> bytes:
        return self._hashed.digest()

    def write(self, data: bytes) -> int:
        self._hashed.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


async def _seal(store: Store, header: dict[str, Any], target: _Hashing, lock: AgeLock) -> _Hashing:
    """Write a backup into a file; what the encrypted stands for."""
    sealed = Encryption(target, lock)
    plain = _Hashing(sealed)
    try:
        with gzip.GzipFile(fileobj=plain, mode="wb", mtime=0) as packed:
            _line(packed, header)
            count = 0
            async with store.read() as tx:
                async for part in snapshot.dump(tx):
                    await finished(asyncio.to_thread(_pack, packed, part))
                    count += len(part.rows)
            _line(packed, {"end": True, "rows": count})
        await finished(asyncio.to_thread(sealed.finish))
    finally:
        sealed.abandon()
    return plain


def _pack(packed: gzip.GzipFile, part: Rows) -> None:
    rows = [[_plain(value) for value in row] for row in part.rows]
    _line(packed, {"table": part.table, "columns": part.columns, "rows": rows})


def _read_back(written: Path, lock: AgeLock, sealed: bytes, plain: bytes) -> None:
    """See that a file says what was written; under a passphrase, that it opens and gives what was encrypted, too."""
    hashed = hashlib.sha256()
    with written.open("rb") as file:
        while piece := file.read(_PIECE):
            hashed.update(piece)
    whole = hashed.digest() == sealed
    if whole and isinstance(lock, str):
        whole = hashlib.sha256(decrypt(written.read_bytes(), lock)).digest() == plain
    if not whole:
        raise NotNow("backup.not_written", "The backup was not read back as it was written.", "Check the disk.")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _new_file(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb")


def _line(packed: gzip.GzipFile, value: dict[str, Any]) -> None:
    packed.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")


def _plain(value: Any) -> Any:
    return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes | memoryview) else value


def _value(value: Any) -> Parameter:
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def _endpoint(config: str) -> str:
    found = re.search(r'^endpoint = "([^"]*)"', config, re.MULTILINE)
    return found[1] if found else ""


def _unreadable() -> BadInput:
    return BadInput("backup.unreadable", "That is not a whole backup of lernode.", "Use another file.")
