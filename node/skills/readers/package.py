"""The package in which a framework comes from another node, once its signature and digest were checked."""

from __future__ import annotations

from node.skills.package import MANIFEST_LINE, part_of, read_manifest
from node.skills.parts import About, Fault, Item, Parts, item
from node.skills.source import Source
from protocols import strict_json

__all__ = ["read", "recognises"]

_LONGEST_LINE = 1 << 20


def recognises(source: Source) -> bool:
    """Whether it begins as such a file does."""
    return source.head.startswith("{") and '"FrameworkPackageCredential"' in source.head


def read(source: Source) -> Parts:
    """Read the file.

    Raises:
        BadInput: ``framework.manifest_malformed``, ``framework.malformed``.
    """
    with source.binary() as file:
        manifest = read_manifest(strict_json.loads_object(file.readline(MANIFEST_LINE)))
        yield About(title=manifest.name, version=manifest.edition, source=manifest.source, licence=manifest.licence)
        number = 1
        while line := file.readline(_LONGEST_LINE):
            number += 1
            part = part_of(line)
            if isinstance(part, Item):
                checked = item(
                    f"line {number}",
                    name=part.name,
                    code=part.code,
                    url=part.url,
                    description=part.description,
                    kind=part.kind,
                    labels=part.labels,
                )
                same = isinstance(checked, Fault) or checked.key == part.key
                yield checked if same else Fault(f"line {number}", "Its key is neither its URL nor its code.")
            else:
                yield part
