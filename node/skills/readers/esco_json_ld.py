"""ESCO as JSON-LD: concepts in ``@graph`` with ``preferredLabel`` and ``altLabel`` by language.

Property names are read with and without the prefixes of SKOS and ESCO; the context itself is not needed for that.
"""

from __future__ import annotations

from typing import Any

from node.skills.parts import CHILD, About, Fault, Label, Parts, Relation, item
from node.skills.readers.esco_csv import LICENCE, SOURCE
from node.skills.readers.json_stream import labels, objects, refs, text, types
from node.skills.source import Source
from protocols.credentials.model import is_url

__all__ = ["read", "recognises"]

_PREFERRED = ("preferredLabel", "prefLabel", "skos:prefLabel")
_OTHER = ("altLabel", "skos:altLabel", "alternativeLabel", "hiddenLabel", "skos:hiddenLabel")
_BROADER = ("broader", "skos:broader", "broaderConcept", "broaderSkill", "broaderOccupation")
_MATCHES = ("exactMatch", "closeMatch", "broadMatch", "narrowMatch", "relatedMatch")
_NEEDS = {"hasEssentialSkill": "essential", "relatedEssentialSkill": "essential",
          "hasOptionalSkill": "optional", "relatedOptionalSkill": "optional"}  # fmt: skip


def recognises(source: Source) -> bool:
    """Whether it looks like such a file."""
    start = source.head.lstrip("\ufeff \t\r\n")
    return start.startswith("{") and '"@graph"' in start and "data.europa.eu/esco" in start


def read(source: Source) -> Parts:
    """Read the file.

    Raises:
        BadInput: ``framework.malformed``.
    """
    yield About(title="ESCO", source=SOURCE, licence=LICENCE)
    for number, node in objects(source, "@graph.item"):
        if isinstance(node, dict) and labels(node, *_PREFERRED):
            yield from _concept(f"@graph[{number}]", node)
        elif not isinstance(node, dict):
            yield Fault(f"@graph[{number}]", "It is not an object.")


def _concept(place: str, node: dict[str, Any]) -> Parts:
    kinds = types(node)
    if "ConceptScheme" in kinds:
        version = text(node, "versionInfo", "owl:versionInfo", "hasVersion")
        yield About(title=text(node, *_PREFERRED), version=version)
        return
    uri = next(refs(node, "@id", "id", "uri"), "")
    name = text(node, *_PREFERRED)
    others = (*labels(node, *_PREFERRED), *labels(node, *_OTHER))
    kind = next((each for each in ("Skill", "Occupation") if each in kinds), next(iter(sorted(kinds)), ""))
    yield item(
        place,
        url=uri,
        code=text(node, "notation", "skos:notation", "code"),
        name=name,
        description=text(node, "description", "dct:description", "definition", "skos:definition"),
        kind=kind,
        labels=tuple(dict.fromkeys(Label(each.text, each.language) for each in others if each.text != name)),
    )
    if is_url(uri):
        yield from (Relation(source=uri, kind=CHILD, target=target) for target in dict.fromkeys(refs(node, *_BROADER)))
        for match in _MATCHES:
            for target in refs(node, match, f"skos:{match}"):
                yield Relation(source=uri, kind=match, target=target)
        for name_, kind_ in _NEEDS.items():
            for target in refs(node, name_, f"esco:{name_}"):
                yield Relation(source=uri, kind=kind_, target=target)
