"""What a framework of skills is, once read: its name, where it is from, and its entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from protocols.errors import BadInput
from storage.credentials import Skill

__all__ = ["MAX_ENTRIES", "Framework", "Skill"]

MAX_ENTRIES = 200_000


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework of skills or occupations.

    Attributes:
        version: as its publisher gives it; empty where the file does not say.
        source: who publishes it, or the URL of the whole.
        licence: SPDX identifier or the publisher's words; empty where the file does not say.
        entries: in the order of the file.
    """

    name: str
    version: str
    source: str
    licence: str
    entries: tuple[Skill, ...]
    _by_key: dict[str, Skill] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the entries.

        Raises:
            BadInput: ``framework.too_large``, or ``framework.empty``.
        """
        if not self.entries:
            raise BadInput("framework.empty", "The framework has no entries.", "Check that the file is whole.")
        if len(self.entries) > MAX_ENTRIES:
            raise BadInput("framework.too_large", f"The framework has more than {MAX_ENTRIES} entries.", "Split it.")
        object.__setattr__(self, "_by_key", dict(_keys(self.entries)))

    def get(self, uri_or_code: str) -> Skill | None:
        """The entry with that URL, or else that code; the first where a code is given twice."""
        return self._by_key.get(uri_or_code)

    def search(self, text: str, *, limit: int = 20) -> tuple[Skill, ...]:
        """The entries in whose code or name every word of ``text`` stands, letter case aside.

        Those whose code or name is or begins with the text come first, then in the order of the framework.
        """
        wanted = text.casefold().strip()
        words = wanted.split()
        hits = [entry for entry in self.entries if words and all(word in _searched(entry) for word in words)]
        return tuple(sorted(hits, key=lambda entry: _distance(entry, wanted))[:limit])


def _keys(entries: Iterable[Skill]) -> Iterable[tuple[str, Skill]]:
    # In reverse, so that the first of several wins; URLs last, so that no code hides one.
    ordered = list(entries)[::-1]
    yield from ((entry.code, entry) for entry in ordered if entry.code)
    yield from ((entry.url, entry) for entry in ordered if entry.url)


def _searched(entry: Skill) -> str:
    return f"{entry.code or ''} {entry.name}".casefold()


def _distance(entry: Skill, wanted: str) -> int:
    names = ((entry.code or "").casefold(), entry.name.casefold())
    if wanted in names:
        return 0
    return 1 if any(name.startswith(wanted) for name in names) else 2
