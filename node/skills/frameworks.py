"""Which formats of frameworks are read, the few entries that lernode carries, and all that a node knows as one.

Each format has one reader (``READERS``). A file's format is found by how it begins, or said by the user.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from node.skills.parts import Parts
from node.skills.readers import (
    case_csv,
    case_package,
    crosswalk_csv,
    ctdl_asn,
    esco_csv,
    esco_json_ld,
    onet_database,
    onet_elements,
    package,
    plain_csv,
    rsd_csv,
    rsd_json,
    skos,
)
from node.skills.source import Source
from protocols.errors import BadInput
from storage import frameworks
from storage.credentials import Skill
from storage.engine import Store

__all__ = ["READERS", "Carried", "Reader", "SkillIndex", "carried", "reader_for"]


@dataclass(frozen=True, slots=True)
class Reader:
    """How files of one format are read.

    Attributes:
        recognises: whether a file is of the format, judged by how it begins.
        read: what the file says, piece by piece.
    """

    recognises: Callable[[Source], bool]
    read: Callable[[Source], Parts]


# In the order in which they are asked: what is more special comes first.
READERS: Mapping[str, Reader] = {
    "onet": Reader(onet_database.recognises, onet_database.read),
    "package": Reader(package.recognises, package.read),
    "esco-csv": Reader(esco_csv.recognises, esco_csv.read),
    "esco-json-ld": Reader(esco_json_ld.recognises, esco_json_ld.read),
    "ctdl-asn": Reader(ctdl_asn.recognises, ctdl_asn.read),
    "case-package": Reader(case_package.recognises, case_package.read),
    "case-csv": Reader(case_csv.recognises, case_csv.read),
    "rsd-json": Reader(rsd_json.recognises, rsd_json.read),
    "rsd-csv": Reader(rsd_csv.recognises, rsd_csv.read),
    "skos": Reader(skos.recognises, skos.read),
    "onet-elements": Reader(onet_elements.recognises, onet_elements.read),
    "crosswalk-csv": Reader(crosswalk_csv.recognises, crosswalk_csv.read),
    "csv": Reader(plain_csv.recognises, plain_csv.read),
}


def reader_for(source: Source, format_name: str | None = None) -> str:
    """The key of the reader for a file.

    Raises:
        BadInput: ``framework.unknown_format``.
    """
    found = format_name or next((name for name, reader in READERS.items() if reader.recognises(source)), None)
    if found is None or found not in READERS:
        hint = f"lernode reads: {', '.join(READERS)}. Name one with --format, or map the columns of a CSV with --map."
        raise BadInput("framework.unknown_format", "The file is of no format that is known.", hint)
    return found


@dataclass(frozen=True, slots=True)
class Carried:
    """The entries of O*NET that lernode itself carries."""

    version: str
    source: str
    licence: str
    entries: Mapping[str, Skill]

    def get(self, uri_or_code: str) -> Skill | None:
        """The entry with that URL or code."""
        return self.entries.get(uri_or_code)


@cache
def carried() -> Carried:
    """Those entries (CC BY 4.0, see ``data/onet.json``), by URL and by code."""
    raw = json.loads(files("node.skills").joinpath("data", "onet.json").read_bytes())
    skills = [Skill(**entry) for entry in raw["entries"]]
    by_key = {skill.code: skill for skill in skills if skill.code} | {skill.url: skill for skill in skills if skill.url}
    return Carried(raw["version"], raw["source"], raw["licence"], by_key)


class SkillIndex:
    """All skills that a node knows: those that lernode carries, and those of the frameworks in its store.

    Args:
        store: None where there is no node, only a file to be verified.
    """

    def __init__(self, store: Store | None = None) -> None:
        self._store = store

    async def get(self, uri_or_code: str) -> Skill | None:
        """The skill with that URL or code; of the frameworks in the store first, for their user chose them."""
        if self._store is not None:
            async with self._store.read() as tx:
                found = await frameworks.items(tx, uri_or_code)
            if found:
                item = found[0].item
                return Skill(code=item.code, name=item.name, framework=found[0].framework, url=item.url)
        return carried().get(uri_or_code)

    async def known(self, names: Collection[str]) -> frozenset[str]:
        """Those of the URLs and codes that are known: what a verification policy asks (``Policy.known_skills``)."""
        here = frozenset(name for name in names if carried().get(name) is not None)
        others = frozenset(names) - here
        if self._store is None or not others:
            return here
        async with self._store.read() as tx:
            return here | await frameworks.known(tx, others)
