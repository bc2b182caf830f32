"""SKOS concept schemes (W3C SKOS Reference) as RDF: Turtle, RDF/XML, N-Triples or JSON-LD with its context inside.

The tree is that of ``skos:broader`` and ``skos:narrower``; mapping relations (``skos:exactMatch`` and its kin) are kept
as crosswalks. Labels of SKOS-XL are read too. RDF comes in any order, so concepts are gathered before they are told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyoxigraph as rdf

from node.skills.parts import CHILD, About, Fault, Item, Label, Parts, Relation, item
from node.skills.source import Source
from protocols.errors import BadInput

__all__ = ["read", "recognises"]

_SKOS = "http://www.w3.org/2004/02/skos/core#"
_XL = "http://www.w3.org/2008/05/skos-xl#"
_DCT = "http://purl.org/dc/terms/"
_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_TEXTS = {
    f"{_SKOS}prefLabel": "prefLabel",
    f"{_SKOS}altLabel": "altLabel",
    f"{_SKOS}hiddenLabel": "altLabel",
    f"{_SKOS}notation": "notation",
    f"{_SKOS}definition": "definition",
    f"{_SKOS}scopeNote": "scopeNote",
    f"{_DCT}description": "definition",
    f"{_DCT}title": "title",
    f"{_DCT}license": "license",
    "http://www.w3.org/2000/01/rdf-schema#label": "title",
    "http://www.w3.org/2002/07/owl#versionInfo": "version",
    f"{_XL}literalForm": "literalForm",
}
_LINKS = {f"{_XL}prefLabel": "prefLabel", f"{_XL}altLabel": "altLabel", f"{_XL}hiddenLabel": "altLabel"}
_RELATIONS = {f"{_SKOS}{name}": name for name in ("exactMatch", "closeMatch", "broadMatch", "narrowMatch",
                                                  "relatedMatch", "related")}  # fmt: skip
_LANGUAGES = ("en", "en-us", "en-gb", "")


@dataclass(slots=True)
class _Node:
    types: set[str] = field(default_factory=set)
    texts: dict[str, list[Label]] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)


def recognises(source: Source) -> bool:
    """Whether it speaks of SKOS."""
    return _SKOS in source.head


def read(source: Source) -> Parts:
    """Read the file.

    Raises:
        BadInput: ``framework.malformed``.
    """
    nodes: dict[str, _Node] = {}
    for subject, predicate, value in _triples(source):
        _take(nodes, subject, predicate, value)
    for uri, node in nodes.items():
        for kind, target in node.links:
            if target in nodes:
                node.texts.setdefault(kind, []).extend(nodes[target].texts.get("literalForm", ()))
        if f"{_SKOS}ConceptScheme" in node.types:
            yield About(
                title=_text(node, "title") or _text(node, "prefLabel"),
                version=_text(node, "version"),
                source=uri,
                licence=_text(node, "license"),
            )
    for uri, node in nodes.items():
        if f"{_SKOS}Concept" in node.types:
            yield _concept(uri, node)
    for node in nodes.values():
        yield from node.relations


def _concept(uri: str, node: _Node) -> Item | Fault:
    name = _text(node, "prefLabel") or _text(node, "title")
    others = [*node.texts.get("prefLabel", ()), *node.texts.get("altLabel", ())]
    kinds = sorted(kind.rpartition("#")[2].rpartition("/")[2] for kind in node.types if not kind.startswith(_SKOS))
    return item(
        f"<{uri}>",
        url=uri,
        code=_text(node, "notation"),
        name=name,
        description=_text(node, "definition") or _text(node, "scopeNote"),
        kind=kinds[0] if kinds else "",
        labels=tuple(dict.fromkeys(label for label in others if label.text != name)),
    )


def _take(nodes: dict[str, _Node], subject: str, predicate: str, value: rdf.Literal | rdf.NamedNode | object) -> None:
    node = nodes.setdefault(subject, _Node())
    if isinstance(value, rdf.Literal):
        kind = _TEXTS.get(predicate)
        if kind:
            node.texts.setdefault(kind, []).append(Label(" ".join(value.value.split()), (value.language or "").lower()))
        return
    target = value.value if isinstance(value, rdf.NamedNode | rdf.BlankNode) else ""
    if predicate == _RDF_TYPE:
        node.types.add(target)
    elif predicate in (f"{_SKOS}broader", f"{_SKOS}topConceptOf"):
        node.relations.append(Relation(source=subject, kind=CHILD, target=target))
    elif predicate in (f"{_SKOS}narrower", f"{_SKOS}hasTopConcept"):
        node.relations.append(Relation(source=target, kind=CHILD, target=subject))
    elif predicate in _RELATIONS:
        node.relations.append(Relation(source=subject, kind=_RELATIONS[predicate], target=target))
    elif predicate in _LINKS:
        node.links.append((_LINKS[predicate], target))
    elif predicate == f"{_DCT}license":
        node.texts.setdefault("license", []).append(Label(target))


def _triples(source: Source) -> Iterator[tuple[str, str, object]]:
    with source.utf8() as file:
        try:
            for quad in rdf.parse(file, _format(source)):
                yield quad.subject.value, quad.predicate.value, quad.object
        except UnicodeError:
            raise
        except (SyntaxError, ValueError, OSError) as error:
            line = f" It stops at line {error.lineno}." if isinstance(error, SyntaxError) and error.lineno else ""
            raise BadInput(
                "framework.malformed",
                f"The file is not sound RDF.{line}",
                "Check it; JSON-LD has to have its context inside, for nothing is fetched.",
            ) from None


def _format(source: Source) -> rdf.RdfFormat:
    start = source.head.lstrip("\ufeff \t\r\n")
    if start.startswith(("{", "[")):
        return rdf.RdfFormat.JSON_LD
    return rdf.RdfFormat.RDF_XML if start.startswith(("<?xml", "<rdf:", "<!")) else rdf.RdfFormat.TURTLE


def _text(node: _Node, name: str) -> str:
    found = node.texts.get(name, [])
    by_language = {label.language: label.text for label in reversed(found)}
    return next((by_language[each] for each in _LANGUAGES if each in by_language), found[0].text if found else "")
