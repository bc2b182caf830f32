"""Writes records into files that only their user can read: they are about a person."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from protocols.errors import BadInput, NotNow

__all__ = ["check_new", "make_folder", "new_file", "write_record"]


def check_new(path: Path) -> None:
    """Refuse a name that is taken, before anything is done whose outcome could then not be written.

    Raises:
        BadInput: ``cli.file_exists``.
    """
    if path.exists():
        raise _taken(path)


def write_record(path: Path, document: bytes) -> None:
    """Write a document to a new file, whole or not at all.

    Raises:
        BadInput: ``cli.file_exists``: nothing is overwritten.
        NotNow: ``cli.not_written``.
    """
    with new_file(path) as file:
        file.write(document)


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file to write to, which is there once the block has ended well, and else not at all.

    Raises:
        BadInput: ``cli.file_exists``: nothing is overwritten.
        NotNow: ``cli.not_written``.
    """
    partial = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
        # A link, unlike a rename, does not replace what is there.
        os.link(partial, path)
    except FileExistsError:
        raise _taken(path) from None
    except OSError:
        raise NotNow("cli.not_written", f"{path} cannot be written.", "Check the folder and the disk.") from None
    finally:
        partial.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder, unless it is there.

    Raises:
        BadInput: ``cli.no_folder``.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        raise BadInput("cli.no_folder", f"{path} is not a folder and cannot be one.", "Choose another.") from None


def _taken(path: Path) -> BadInput:
    return BadInput("cli.file_exists", f"{path} is there already.", "Choose another name.")
