"""Reads the files that a person names, no more of them than can be used."""

from __future__ import annotations

from pathlib import Path

from node.records.intake import MAX_FILE_BYTES
from protocols.errors import BadInput

__all__ = ["begins_with", "read_file"]


def begins_with(place: str, prefix: bytes) -> bool:
    """Whether a file begins so.

    Raises:
        BadInput: ``cli.no_file``.
    """
    return _start(place, len(prefix)) == prefix


def read_file(place: str, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """What is in a file.

    Raises:
        BadInput: ``cli.no_file``; ``intake.too_large`` for one that has more bytes.
    """
    data = _start(place, max_bytes + 1)
    if len(data) > max_bytes:
        raise BadInput("intake.too_large", f"The file has over {max_bytes >> 20} MiB.", "Bring a smaller one.")
    return data


def _start(place: str, count: int) -> bytes:
    try:
        with Path(place).open("rb") as file:
            return file.read(count)
    except (OSError, ValueError):
        raise BadInput("cli.no_file", f"{place} cannot be read.", "Name a file or a link.") from None
