"""CTDL-ASN, the Credential Registry's competency frameworks: JSON-LD with ``@graph``.

One ``ceasn:CompetencyFramework`` and its ``ceasn:Competency`` nodes. The tree is that of ``ceasn:isChildOf`` and
``ceasn:hasChild``; the alignments (``ceasn:exactAlignment`` and its kin) are kept as crosswalks.
"""

from __future__ import annotations

from typing import Any

from node.skills.parts import CHILD, About, Fault, Parts, Relation, item
from node.skills.readers.json_stream import labels, objects, refs, text, types
from node.skills.source import Source

__all__ = ["read", "recognises"]

_ALIGNMENTS = {
    "ceasn:exactAlignment": "exactMatch",
    "ceasn:majorAlignment": "closeMatch",
    "ceasn:minorAlignment": "relatedMatch",
    "ceasn:broadAlignment": "broadMatch",
    "ceasn:narrowAlignment": "narrowMatch",
    "ceasn:alignTo": "relatedMatch",
    "ceasn:alignFrom": "relatedMatch",
}


def recognises(source: Source) -> bool:
    """Whether it looks like such a file."""
    start = source.head.lstrip("\ufeff \t\r\n")
    return start.startswith("{") and '"@graph"' in start and "ceasn:" in start


def read(source: Source) -> Parts:
    """Read the file.

    Raises:
        BadInput: ``framework.malformed``.
    """
    for number, node in objects(source, "@graph.item"):
        place = f"@graph[{number}]"
        if not isinstance(node, dict):
            yield Fault(place, "It is not an object.")
        elif "CompetencyFramework" in types(node):
            yield About(
                title=text(node, "ceasn:name"),
                version=text(node, "ceasn:dateModified", "ceasn:dateCreated"),
                source=next(refs(node, "ceasn:source", "@id"), ""),
                licence=next(refs(node, "ceasn:license"), ""),
            )
        elif "Competency" in types(node):
            yield from _competency(place, node)


def _competency(place: str, node: dict[str, Any]) -> Parts:
    uri = next(refs(node, "@id"), "")
    statement = text(node, "ceasn:competencyText")
    label = text(node, "ceasn:competencyLabel", "ceasn:name")
    yield item(
        place,
        url=uri,
        code=text(node, "ceasn:codedNotation") or text(node, "ceterms:ctid"),
        name=label or statement,
        description=statement if label else text(node, "ceasn:comment"),
        kind=text(node, "ceasn:competencyCategory"),
        labels=labels(node, "ceasn:conceptKeyword"),
    )
    yield from (Relation(source=uri, kind=CHILD, target=above) for above in refs(node, "ceasn:isChildOf"))
    yield from (Relation(source=below, kind=CHILD, target=uri) for below in refs(node, "ceasn:hasChild"))
    for name, kind in _ALIGNMENTS.items():
        yield from (Relation(source=uri, kind=kind, target=target) for target in refs(node, name))
