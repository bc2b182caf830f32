"""Rich Skill Descriptors of the Open Skills Network as JSON: a collection, or a list of skills, as OSMT gives them."""

from __future__ import annotations

from typing import Any

from node.skills.parts import About, Fault, Label, Parts, Relation, item
from node.skills.readers.json_stream import labels, objects, one, refs, text
from node.skills.source import Source

__all__ = ["read", "recognises"]

_COLLECTION = "skills.item"
_LIST = "item"


def recognises(source: Source) -> bool:
    """Whether it looks like such a file."""
    start = source.head.lstrip("\ufeff \t\r\n")
    return start[:1] in "{[" and '"skillStatement"' in start and bool(start)


def read(source: Source) -> Parts:
    """Read the file.

    Raises:
        BadInput: ``framework.malformed``.
    """
    if source.head.lstrip("\ufeff \t\r\n").startswith("{"):
        yield About(
            title=_plain(one(source, "name")) or source.name,
            version=_plain(one(source, "updateDate")),
            source=_plain(one(source, "id")),
            licence=_plain(one(source, "license")),
        )
    else:
        yield About(title=source.name)
    for number, skill in objects(source, _COLLECTION, _LIST):
        yield from _skill(f"skills[{number}]", skill)


def _skill(place: str, skill: Any) -> Parts:
    if not isinstance(skill, dict):
        yield Fault(place, "It is not an object.")
        return
    url = text(skill, "id")
    keywords = [*labels(skill, "keywords"), *_keyword_names(skill.get("keywords"))]
    yield item(
        place,
        url=url,
        code=text(skill, "uuid"),
        name=text(skill, "skillName"),
        description=text(skill, "skillStatement"),
        kind="; ".join(label.text for label in labels(skill, "categories", "category")),
        labels=tuple(Label(label.text) for label in dict.fromkeys(keywords)),
    )
    for name in ("alignments", "standards"):
        value = skill.get(name)
        for each in value if isinstance(value, list) else []:
            for target in refs({"id": each.get("id")} if isinstance(each, dict) else {}, "id"):
                yield Relation(source=url or text(skill, "uuid"), kind="relatedMatch", target=target)


def _keyword_names(value: Any) -> list[Label]:
    named = value if isinstance(value, list) else []
    return [Label(text(each, "skillName", "name")) for each in named if text(each, "skillName", "name")]


def _plain(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
