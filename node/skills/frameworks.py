"""The frameworks that a node knows: the few entries that lernode carries, and files that its user names.

Each format has one reader (``READERS``). A file's format is found by its first characters, or said by the user.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from node.skills.framework import Framework, Skill
from node.skills.readers import case_csv, case_package, onet_elements, onet_occupations, plain_csv
from node.skills.readers.json_text import MAX_BYTES
from protocols.errors import BadInput

__all__ = ["READERS", "Framework", "Reader", "Skill", "SkillIndex", "carried", "read_framework"]


@dataclass(frozen=True, slots=True)
class Reader:
    """How files of one format are read.

    Attributes:
        recognises: whether a text is of the format, judged by how it begins.
        read: text and the framework's name, where the file itself gives none -> the framework.
    """

    recognises: Callable[[str], bool]
    read: Callable[[str, str], Framework]


READERS: Mapping[str, Reader] = {
    "onet-occupations": Reader(onet_occupations.recognises, onet_occupations.read),
    "onet-elements": Reader(onet_elements.recognises, onet_elements.read),
    "case-package": Reader(case_package.recognises, case_package.read),
    "case-csv": Reader(case_csv.recognises, case_csv.read),
    "csv": Reader(plain_csv.recognises, plain_csv.read),
}


def read_framework(data: bytes, *, name: str, format_name: str | None = None) -> Framework:
    """Read a framework file.

    Args:
        data: UTF-8, with or without byte order mark; at most 64 MiB.
        name: what the framework is called where the file does not say, e.g. the file's stem.
        format_name: a key of :data:`READERS`; without it the format is recognised.

    Raises:
        BadInput: ``framework.unknown_format``, ``framework.encoding``, ``framework.too_large``,
            ``framework.malformed``, ``framework.empty`` or ``json.*``.
    """
    if len(data) > MAX_BYTES:
        raise BadInput("framework.too_large", f"The file is larger than {MAX_BYTES} bytes.", "Split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("framework.encoding", "The framework file is not UTF-8.", "Save it as UTF-8.") from None
    reader = READERS.get(format_name) if format_name else _recognised(text)
    if reader is None:
        hint = f"lernode reads: {', '.join(READERS)}."
        raise BadInput("framework.unknown_format", "The framework file is of no known format.", hint)
    return reader.read(text, name)


@cache
def carried() -> Framework:
    """The entries of O*NET that lernode itself carries (CC BY 4.0, see ``data/onet.json``)."""
    raw = json.loads(files("node.skills").joinpath("data", "onet.json").read_bytes())
    entries = tuple(Skill(**entry) for entry in raw["entries"])
    return Framework(raw["name"], raw["version"], raw["source"], raw["licence"], entries)


class SkillIndex:
    """All frameworks of a node as one, in the order in which they are asked."""

    def __init__(self, frameworks: Iterable[Framework]) -> None:
        self.frameworks = tuple(frameworks)

    def get(self, uri_or_code: str) -> Skill | None:
        """The first entry with that URL or code."""
        return next((found for each in self.frameworks if (found := each.get(uri_or_code))), None)

    def known(self, uri_or_code: str) -> bool:
        """Whether a framework has that skill: what a verification policy asks (``Policy.known_skill``)."""
        return self.get(uri_or_code) is not None

    def search(self, text: str, *, limit: int = 20) -> tuple[Skill, ...]:
        """The entries that fit, framework by framework; see :meth:`Framework.search`."""
        hits = (entry for each in self.frameworks for entry in each.search(text, limit=limit))
        return tuple(dict.fromkeys(hits))[:limit]


def _recognised(text: str) -> Reader | None:
    return next((reader for reader in READERS.values() if reader.recognises(text)), None)
