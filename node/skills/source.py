"""A framework file as readers see it: one file, or an archive of several, decoded piece by piece.

Text is UTF-8 (with or without byte order mark), or UTF-16 with one. Other encodings are taken only where the user
names them: whoever guesses wrong spoils names without anyone noticing.
"""

from __future__ import annotations

import codecs
import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from protocols.errors import BadInput

__all__ = ["MAX_BYTES", "Source"]

MAX_BYTES = 1 << 30
"""The most that a framework, or the files of an archive together, may have."""

_HEAD_BYTES = 64 << 10
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ZIP = b"PK\x03\x04"


class Source:
    """A file.

    Attributes:
        name: what the framework is called where the file does not say.
        mapping: for plain CSV, which column is what: ``name``, ``code``, ``url``, ``description`` … -> its header.
        members: the names of the files of an archive, without folders; empty where the file is none.
        head: how the text begins; empty for an archive.
    """

    def __init__(
        self, path: Path, *, name: str, encoding: str | None = None, mapping: Mapping[str, str] | None = None
    ) -> None:
        """Look at the file.

        Raises:
            BadInput: ``framework.unreadable``, ``framework.too_large``, ``framework.encoding``.
        """
        self._path = path
        self._encoding = _checked(encoding)
        self.name = name
        self.mapping = dict(mapping or {})
        try:
            with path.open("rb") as file:
                start = file.read(_HEAD_BYTES)
            self._archive = _members(path) if start.startswith(_ZIP) else {}
        except (OSError, zipfile.BadZipFile):
            raise BadInput("framework.unreadable", "The file cannot be read.", "Check that it is whole.") from None
        self.members = tuple(self._archive)
        if self.members:
            self.head = ""
            return
        text = codecs.getincrementaldecoder(self._encoding or _of(start))(errors="replace")
        self.head = text.decode(start)

    @contextmanager
    def binary(self, member: str | None = None) -> Iterator[IO[bytes]]:
        """The bytes, as they are."""
        if member is None:
            with self._path.open("rb") as file:
                yield file
            return
        with zipfile.ZipFile(self._path) as archive, archive.open(self._archive[member]) as file:
            try:
                yield file
            except (zipfile.BadZipFile, EOFError, OSError):
                raise BadInput("framework.unreadable", "The archive is damaged.", "Check that it is whole.") from None

    @contextmanager
    def utf8(self, member: str | None = None) -> Iterator[IO[bytes]]:
        """The bytes of the text in UTF-8 without byte order mark, for parsers that read nothing else."""
        with self.text(member) as text:
            yield io.BufferedReader(_Utf8(text))

    @contextmanager
    def text(self, member: str | None = None) -> Iterator[IO[str]]:
        """The text, with line ends as they are.

        Raises:
            BadInput: ``framework.encoding`` where the bytes are not of the encoding.
        """
        with self.binary(member) as file:
            start = file.read(4)
            file.seek(0)
            encoding = self._encoding or _of(start)
            try:
                yield io.TextIOWrapper(file, encoding=encoding, newline="")
            except UnicodeError:
                name = encoding.removesuffix("-sig").upper()
                raise BadInput(
                    "framework.encoding",
                    f"The file is not {name}.",
                    "Save it as UTF-8, or say what it is: --encoding windows-1252 is what Western spreadsheets write.",
                ) from None


class _Utf8(io.RawIOBase):
    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # narrower than typeshed's
        if not self._left:
            self._left = self._text.read(len(buffer) // 4 or 1).encode()
        part, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _members(path: Path) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if sum(entry.file_size for entry in entries) > MAX_BYTES or len(entries) > 10_000:
        raise BadInput("framework.too_large", "The archive has more than 1 GiB in it.", "Take out what is not needed.")
    return {entry.filename.rpartition("/")[2]: entry for entry in entries}


def _of(start: bytes) -> str:
    return next((name for bom, name in _BOMS if start.startswith(bom)), "utf-8")


def _checked(encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        found = codecs.lookup(encoding)
    except LookupError:
        raise BadInput("framework.encoding", "There is no such encoding.", "For example: windows-1252.") from None
    return "utf-8-sig" if found.name == "utf-8" else found.name
