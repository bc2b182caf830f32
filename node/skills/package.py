"""The form in which a framework travels between nodes: a signed manifest, and the items and relations, line by line.

The first line is the manifest, a verifiable credential of the type ``FrameworkPackageCredential`` with a Data Integrity
proof, about a ``FrameworkPackage``: name, edition, source, licence, how many items, and the size and SHA-256 digest of
all lines that follow. Each of these is canonical JSON (RFC 8785) of an item or of a relation; a node that has the same
version writes the same bytes. The terms are those of the context ``urn:lernode:skills:v1``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from protocols.canonical_json import canonical_json
from protocols.credentials.model import CONTEXT_V2, has_type, id_of, subjects
from protocols.credentials.times import format_time
from protocols.errors import BadInput
from storage.frameworks import Item, Label, Relation, Version

__all__ = [
    "FORMAT", "MANIFEST_LINE", "MAX_PACKAGE_BYTES", "SKILLS_CONTEXT", "Manifest", "lines_of", "manifest_credential",
    "part_of", "read_manifest",
]  # fmt: skip

SKILLS_CONTEXT: Final = "urn:lernode:skills:v1"
FORMAT: Final = "lernode-framework/1"
MANIFEST_LINE: Final = 64 << 10
MAX_PACKAGE_BYTES: Final = 512 << 20
_TYPE = "FrameworkPackageCredential"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a manifest says.

    Attributes:
        issuer: the DID that has signed it.
        slug: what its publisher's node calls the framework.
        edition: its version, as its own publisher says.
        digest: ``sha-256:`` and hexadecimal digits.
        size: of the lines after it, in bytes.
    """

    issuer: str
    name: str
    slug: str
    edition: str
    source: str
    licence: str
    digest: str
    size: int
    items: int


def manifest_credential(
    version: Version, *, issuer: str, digest: str, size: int, signed_at: datetime
) -> dict[str, Any]:
    """An unsigned manifest of a version."""
    return {
        "@context": [CONTEXT_V2, SKILLS_CONTEXT],
        "type": ["VerifiableCredential", _TYPE],
        "issuer": issuer,
        "validFrom": format_time(signed_at),
        "credentialSubject": {
            "type": "FrameworkPackage",
            "name": version.title,
            "slug": version.framework_id,
            "edition": version.version,
            "source": version.source,
            "licence": version.licence,
            "format": FORMAT,
            "digest": digest,
            "size": size,
            "items": version.items,
        },
    }


def read_manifest(document: dict[str, Any]) -> Manifest:
    """What a manifest says; that it is genuine is for others to see.

    Raises:
        BadInput: ``framework.manifest_malformed``.
    """
    issuer, described = id_of(document.get("issuer")), subjects(document)
    if issuer is None or len(described) != 1 or not has_type(document, _TYPE):
        raise _malformed("it is no manifest")
    said = described[0]
    texts = {name: said.get(name) for name in ("name", "slug", "edition", "source", "licence", "digest")}
    numbers = {name: said.get(name) for name in ("size", "items")}
    if said.get("format") != FORMAT:
        raise _malformed(f"it is not of the format {FORMAT}")
    if not all(isinstance(text, str) and len(text) <= 4_000 for text in texts.values()):
        raise _malformed("a text is missing or too long")
    if not all(type(number) is int and number >= 0 for number in numbers.values()):
        raise _malformed("a number is missing")
    if (said.get("size") or 0) > MAX_PACKAGE_BYTES:
        raise BadInput("framework.too_large", "The package is too large to be taken.", "Take a part of it from a file.")
    return Manifest(issuer=issuer, **texts, **numbers)  # type: ignore[arg-type]


def lines_of(parts: Iterable[Item | Relation]) -> Iterator[bytes]:
    """The lines of items and relations, each with its line end."""
    for part in parts:
        yield canonical_json(_item(part) if isinstance(part, Item) else _relation(part)) + b"\n"


def part_of(line: bytes) -> Item | Relation:
    """What a line says.

    Raises:
        BadInput: ``framework.malformed``.
    """
    try:
        said = _LINES.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BadInput(
            "framework.malformed", "A line of the package is neither item nor relation.", "Take it again."
        ) from None
    if isinstance(said, _Item):
        labels = tuple(Label(text, language) for text, language in said.labels)
        return Item(
            key=said.key,
            name=said.name,
            code=said.code,
            url=said.url,
            description=said.description,
            kind=said.kind,
            labels=labels,
        )
    return Relation(
        source=said.source, kind=said.kind, target=said.target, importance=said.importance, level=said.level
    )


_Short = Annotated[str, Meta(min_length=1, max_length=4_000)]
_Hundredths = Annotated[int, Meta(ge=0, le=100_000)]


class _Item(msgspec.Struct, frozen=True, kw_only=True, tag="item", forbid_unknown_fields=True, omit_defaults=True):
    key: _Short
    name: str
    code: str | None = None
    url: str | None = None
    description: str
    kind: str
    labels: list[tuple[str, str]]


class _Relation(
    msgspec.Struct, frozen=True, kw_only=True, tag="relation", forbid_unknown_fields=True, omit_defaults=True
):
    source: _Short
    kind: _Short
    target: _Short
    importance: _Hundredths | None = None
    level: _Hundredths | None = None


_LINES = msgspec.json.Decoder(_Item | _Relation)


def _item(item: Item) -> dict[str, Any]:
    said = _Item(
        key=item.key,
        name=item.name,
        code=item.code,
        url=item.url,
        description=item.description,
        kind=item.kind,
        labels=[(label.text, label.language) for label in item.labels],
    )
    return _built(said)


def _relation(relation: Relation) -> dict[str, Any]:
    said = _Relation(
        source=relation.source,
        kind=relation.kind,
        target=relation.target,
        importance=relation.importance,
        level=relation.level,
    )
    return _built(said)


def _built(said: _Item | _Relation) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(said)
    return found


def _malformed(why: str) -> BadInput:
    return BadInput("framework.manifest_malformed", f"The package cannot be taken: {why}.", "Ask who published it.")
