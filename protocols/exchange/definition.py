"""DIF Presentation Exchange 2.1 (and 2.0): a presentation definition, parsed once into frozen values.

Also understood: ``schema`` in input descriptors, of version 1, as ACA-Py writes it. Promises that what is parsed
is bounded (descriptors, fields, paths, filters, nesting) and that every property that narrows the answer is either
honoured or marked :attr:`Constraints.unmet`, which no record satisfies. Unknown properties are ignored where the
specification says so (the definition, a descriptor) and refused where they could narrow (constraints, fields).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from protocols.errors import BadInput
from protocols.exchange.budget import Budget
from protocols.exchange.filters import Filter, compile_filter
from protocols.exchange.formats import ClaimFormats, parse_formats
from protocols.exchange.jsonpath import Path, compile_path
from protocols.exchange.reading import Member, malformed
from protocols.exchange.reasons import Reason
from protocols.exchange.requirements import Requirement, parse_requirements, satisfied

__all__ = [
    "Constraints", "Definition", "Directive", "Field", "HolderRule", "InputDescriptor", "SchemaUri", "parse_definition",
]  # fmt: skip

_MAX_DESCRIPTORS = 64
_MAX_FIELDS = 64
_MAX_FIELDS_IN_ALL = 256
_MAX_PATHS = 16
_MAX_GROUPS = 16
_MAX_SCHEMAS = 32
_MAX_FILTER_NODES_IN_ALL = 2048
# Parsing a path costs some microseconds a character.
_MAX_PATH_CHARS_IN_ALL = 16_384

_CONSTRAINTS = frozenset({
    "fields", "limit_disclosure", "statuses", "subject_is_issuer", "is_holder", "same_subject",
})  # fmt: skip
_FIELD = frozenset({"id", "path", "purpose", "name", "filter", "optional", "predicate", "intent_to_retain"})
# What every verification of this node sees to anyway: nothing revoked or suspended passes.
_MET_STATUSES = {
    "active": frozenset({"allowed"}),
    "suspended": frozenset({"allowed", "disallowed"}),
    "revoked": frozenset({"allowed", "disallowed"}),
}


class Directive(StrEnum):
    """How much a constraint matters."""

    REQUIRED = "required"
    PREFERRED = "preferred"


class StatusDirective(StrEnum):
    """What a ``statuses`` constraint says about one status."""

    REQUIRED = "required"
    ALLOWED = "allowed"
    DISALLOWED = "disallowed"


@dataclass(frozen=True, slots=True)
class Field:
    """One ``fields`` entry: the paths to try in order, and what the value found must be.

    Attributes:
        every_match: whether any match of a path may be the value, and not its first match only.
    """

    paths: tuple[Path, ...]
    filter: Filter | None
    optional: bool
    predicate: Directive | None
    id: str | None
    name: str
    purpose: str
    intent_to_retain: bool
    every_match: bool


@dataclass(frozen=True, slots=True)
class HolderRule:
    """An ``is_holder`` entry: the subject of these fields is who presents."""

    fields: tuple[Field, ...]
    directive: Directive


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a record must be like.

    Attributes:
        unmet: required features that no record can meet here, each with its reason.
    """

    fields: tuple[Field, ...] = ()
    limit_disclosure: Directive | None = None
    subject_is_issuer: Directive | None = None
    is_holder: tuple[HolderRule, ...] = ()
    unmet: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class SchemaUri:
    """A version 1 ``schema`` entry."""

    uri: str
    required: bool


@dataclass(frozen=True, slots=True)
class InputDescriptor:
    """One thing that is asked for."""

    id: str
    name: str
    purpose: str
    groups: tuple[str, ...]
    formats: ClaimFormats
    schemas: tuple[SchemaUri, ...]
    constraints: Constraints


@dataclass(frozen=True, slots=True)
class Definition:
    """A presentation definition.

    Attributes:
        requirements: submission requirements; where there are none, every descriptor is required.
        raw: the definition as received.
    """

    id: str
    name: str
    purpose: str
    formats: ClaimFormats
    descriptors: tuple[InputDescriptor, ...]
    requirements: tuple[Requirement, ...]
    raw: dict[str, Any] = field(repr=False, compare=False)

    def descriptor(self, descriptor_id: str) -> InputDescriptor | None:
        """The descriptor with this id, or None."""
        return next((d for d in self.descriptors if d.id == descriptor_id), None)

    def is_answered_by(self, descriptor_ids: Collection[str]) -> bool:
        """Whether an answer to these descriptors, and no others, is an answer to the definition."""
        if self.requirements:
            return all(satisfied(requirement, descriptor_ids) for requirement in self.requirements)
        return all(descriptor.id in descriptor_ids for descriptor in self.descriptors)


def parse_definition(raw: object) -> Definition:
    """Parse a ``presentation_definition``.

    Raises:
        BadInput: ``pex.definition_malformed``, ``pex.feature_unsupported``, ``pex.path_malformed``,
            ``pex.path_unsupported``, ``pex.filter_malformed``, ``pex.filter_unsupported`` or ``pex.too_much_work``.
    """
    root = Member(raw, "presentation_definition").mapping()
    if root["frame"].given:
        raise BadInput(
            "pex.feature_unsupported",
            "The presentation definition asks for JSON-LD framing.",
            "Ask without frame: these records are disclosed whole.",
        )
    path_chars = Budget(_MAX_PATH_CHARS_IN_ALL)
    items = root["input_descriptors"].items(_MAX_DESCRIPTORS, at_least=1)
    descriptors = tuple(_parse_descriptor(item, path_chars) for item in items)
    _check_unique([descriptor.id for descriptor in descriptors], "input_descriptors", "id")
    _check_totals(descriptors)
    requirements = parse_requirements(root["submission_requirements"], _groups(descriptors))
    if requirements and not all(descriptor.groups for descriptor in descriptors):
        raise malformed("input_descriptors", "has a descriptor without group, beside submission_requirements")
    return Definition(
        id=root["id"].identifier(),
        name=root["name"].text(""),
        purpose=root["purpose"].text(""),
        formats=parse_formats(root["format"]),
        descriptors=descriptors,
        requirements=requirements,
        raw=root.value,
    )


def _parse_descriptor(member: Member, path_chars: Budget) -> InputDescriptor:
    member.mapping()
    return InputDescriptor(
        id=member["id"].identifier(),
        name=member["name"].text(""),
        purpose=member["purpose"].text(""),
        groups=tuple(dict.fromkeys(item.identifier() for item in member["group"].items(_MAX_GROUPS))),
        formats=parse_formats(member["format"]),
        schemas=tuple(_parse_schema(item) for item in member["schema"].items(_MAX_SCHEMAS)),
        constraints=_parse_constraints(member["constraints"], path_chars, every_match=member["schema"].given)
        if member["constraints"].given
        else Constraints(),
    )


def _parse_schema(member: Member) -> SchemaUri:
    member.mapping()
    return SchemaUri(member["uri"].identifier(), member["required"].flag())


def _parse_constraints(member: Member, path_chars: Budget, *, every_match: bool) -> Constraints:
    """
    Args:
        every_match: for a descriptor of version 1, as ACA-Py and Credo, which write these, look at every match.
    """
    member.mapping().only(_CONSTRAINTS)
    fields = tuple(_parse_field(item, path_chars, every_match) for item in member["fields"].items(_MAX_FIELDS))
    return Constraints(
        fields=fields,
        limit_disclosure=_directive(member["limit_disclosure"]),
        subject_is_issuer=_directive(member["subject_is_issuer"]),
        is_holder=tuple(_parse_holder_rule(item, fields) for item in member["is_holder"].items(_MAX_FIELDS)),
        unmet=(*_unmet_same_subject(member["same_subject"]), *_unmet_statuses(member["statuses"])),
    )


def _parse_field(member: Member, path_chars: Budget, every_match: bool) -> Field:
    member.mapping().only(_FIELD)
    predicate = _directive(member["predicate"])
    if predicate and not member["filter"].given:
        raise malformed(member.place, "has a predicate without filter")
    paths = member["path"].items(_MAX_PATHS, at_least=1)
    return Field(
        paths=tuple(compile_path(path.value, path.place, path_chars) for path in paths),
        filter=compile_filter(member["filter"].value, member.place) if member["filter"].given else None,
        optional=member["optional"].flag(),
        predicate=predicate,
        id=member["id"].identifier() if member["id"].given else None,
        name=member["name"].text(""),
        purpose=member["purpose"].text(""),
        intent_to_retain=member["intent_to_retain"].flag(),
        every_match=every_match,
    )


def _parse_holder_rule(member: Member, fields: tuple[Field, ...]) -> HolderRule:
    member.mapping()
    by_id = {entry.id: entry for entry in fields}
    ids = [item.identifier() for item in member["field_id"].items(_MAX_FIELDS, at_least=1)]
    if not by_id.keys() >= set(ids):
        raise malformed(member["field_id"].place, "names a field that the descriptor does not have")
    return HolderRule(tuple(by_id[name] for name in ids), member["directive"].choice(Directive))


def _directive(member: Member) -> Directive | None:
    return member.choice(Directive) if member.given else None


def _unmet_same_subject(member: Member) -> list[Reason]:
    directives = [item.mapping()["directive"].choice(Directive) for item in member.items(_MAX_FIELDS)]
    if Directive.REQUIRED not in directives:
        return []
    return [Reason("pex.same_subject_unsupported", "This node does not compare subjects across records.")]


def _unmet_statuses(member: Member) -> list[Reason]:
    if not member.given:
        return []
    member.mapping().only(_MET_STATUSES)
    asked = {name: member[name].mapping()["directive"].choice(StatusDirective) for name in member.value}
    if all(directive.value in _MET_STATUSES[name] for name, directive in asked.items()):
        return []
    return [Reason("pex.statuses_unsupported", "This node cannot promise the status that is asked for.")]


def _groups(descriptors: tuple[InputDescriptor, ...]) -> dict[str, tuple[str, ...]]:
    names = {group for descriptor in descriptors for group in descriptor.groups}
    return {name: tuple(d.id for d in descriptors if name in d.groups) for name in names}


def _check_totals(descriptors: tuple[InputDescriptor, ...]) -> None:
    fields = [entry for descriptor in descriptors for entry in descriptor.constraints.fields]
    if len(fields) > _MAX_FIELDS_IN_ALL:
        raise malformed("input_descriptors", f"holds more than {_MAX_FIELDS_IN_ALL} fields")
    if sum(entry.filter.nodes for entry in fields if entry.filter) > _MAX_FILTER_NODES_IN_ALL:
        raise malformed("input_descriptors", "holds filters that are too large together")
    _check_unique([entry.id for entry in fields if entry.id is not None], "input_descriptors", "field id")


def _check_unique(ids: list[str], place: str, what: str) -> None:
    if len(ids) != len(set(ids)):
        raise malformed(place, f"has the same {what} twice")
