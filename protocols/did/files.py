"""What a DID method says while it reads its files: that it needs one more."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AlsoNeeded"]


@dataclass(frozen=True, slots=True)
class AlsoNeeded:
    """One more file is needed: ``name`` takes the place of the last segment of the first file's URL."""

    name: str
