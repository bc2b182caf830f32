"""Whether one record answers one input descriptor: Presentation Exchange 2.1.1 §Input Evaluation.

The same code runs at the holder, on kept records, and at the verifier, on presented ones.

Where the specification is of two minds, the stricter reading is taken: an ``optional`` field that is there must
pass its filter. What cannot be done with the whole-document proofs of this node is never said to be done:
``limit_disclosure: required`` is met by records that can be, or are, shown in part; ``predicate: required`` by none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from protocols.exchange.budget import Budget
from protocols.exchange.claims import Claim
from protocols.exchange.definition import Constraints, Definition, Directive, Field, InputDescriptor, SchemaUri
from protocols.exchange.jsonpath import Match
from protocols.exchange.reasons import Reason
from protocols.exchange.subjects import is_self_attested, subject_at
from protocols.exchange.type_names import TypeNames

__all__ = ["Candidate", "query", "why_not"]

_TYPE_NAMES_STEPS = 500


@dataclass(frozen=True)
class Candidate:
    """A record, who would present it, and what evaluating it may cost.

    Attributes:
        holder: the DID that presents, or None where that is not known.
        type_names: how ``type`` is expanded, for version 1 ``schema`` URIs.
    """

    claim: Claim
    holder: str | None
    type_names: TypeNames
    budget: Budget

    @property
    def document(self) -> dict[str, Any]:
        """What the record says."""
        return self.claim.document

    @cached_property
    def schema_uris(self) -> frozenset[str]:
        """The URIs that a version 1 ``schema`` may name the record by: contexts, credential schemas, types."""
        self.budget.spend(_TYPE_NAMES_STEPS)
        return _context_and_schema_uris(self.document) | self.type_names(self.document)


def why_not(definition: Definition, descriptor: InputDescriptor, candidate: Candidate) -> Reason | None:
    """The first reason why the record does not answer the descriptor, or None where it does.

    Raises:
        BadInput: ``pex.too_much_work``.
    """
    constraints = descriptor.constraints
    # Its contents first: they tell most records apart, and people why, for less work than its types do.
    return (
        _first(_wrong_field(entry, candidate) for entry in constraints.fields)
        or _wrong_schema(descriptor.schemas, candidate)
        or _wrong_format(definition, descriptor, candidate)
        or _wrong_subject(constraints, candidate)
        or _undoable(constraints, candidate.claim)
    )


def _wrong_format(definition: Definition, descriptor: InputDescriptor, candidate: Candidate) -> Reason | None:
    formats = (definition.formats, descriptor.formats)
    if all(entry.allow_credential(candidate.claim) for entry in formats):
        return None
    return Reason("pex.format", "The record does not have a proof of a type that is asked for.", descriptor.id)


def _wrong_schema(schemas: tuple[SchemaUri, ...], candidate: Candidate) -> Reason | None:
    if not schemas:
        return None
    known = candidate.schema_uris
    required = [schema for schema in schemas if schema.required]
    if any(schema.uri in known for schema in schemas) and all(schema.uri in known for schema in required):
        return None
    return Reason("pex.schema", "The record is not of the type (schema) that is asked for.")


def _context_and_schema_uris(document: dict[str, Any]) -> frozenset[str]:
    found: list[object] = []
    for name in ("@context", "credentialSchema"):
        value = document.get(name)
        found.extend(value if isinstance(value, list) else [value])
    ids = (entry.get("id") if isinstance(entry, dict) else entry for entry in found)
    return frozenset(uri for uri in ids if isinstance(uri, str))


def _wrong_field(entry: Field, candidate: Candidate) -> Reason | None:
    match, found_any = query(entry, candidate)
    if match is not None or (entry.optional and not found_any):
        return None
    place = entry.paths[0].text
    if found_any:
        return Reason("pex.field_filtered", f"What the record has at {place} is not what is asked for.", place)
    return Reason("pex.field_missing", f"The record has nothing at {place}.", place)


def query(entry: Field, candidate: Candidate) -> tuple[Match | None, bool]:
    """The Field Query Result, and whether any path led anywhere."""
    found_any = False
    for path in entry.paths:
        matches = path.matches(candidate.document, candidate.budget)
        for match in matches if entry.every_match else islice(matches, 1):
            found_any = True
            if entry.filter is None or entry.filter.accepts(match.value, candidate.budget):
                return match, True
    return None, found_any


def _wrong_subject(constraints: Constraints, candidate: Candidate) -> Reason | None:
    for rule in constraints.is_holder:
        for entry in rule.fields if rule.directive is Directive.REQUIRED else ():
            match, _found = query(entry, candidate)
            # Without the attribute nothing binds the record to its presenter, also where the field is optional.
            subject = subject_at(candidate.document, match.location) if match else None
            if subject is None or subject != candidate.holder:
                return Reason("pex.not_holder", "The record is not about the one who presents it.", entry.paths[0].text)
    if constraints.subject_is_issuer is Directive.REQUIRED and not is_self_attested(candidate.document):
        return Reason("pex.not_self_attested", "The record was not issued by the one whom it is about.")
    return None


def _undoable(constraints: Constraints, claim: Claim) -> Reason | None:
    if constraints.limit_disclosure is Directive.REQUIRED and not claim.is_selective:
        return Reason(
            "pex.disclosure_cannot_be_limited", "The record is signed as a whole and cannot be shown in part."
        )
    proven = next((entry for entry in constraints.fields if entry.predicate is Directive.REQUIRED), None)
    if proven:
        place = proven.paths[0].text
        return Reason("pex.predicate_unsupported", f"The value at {place} cannot be proven without showing it.", place)
    return constraints.unmet[0] if constraints.unmet else None


def _first(reasons: Iterable[Reason | None]) -> Reason | None:
    return next((reason for reason in reasons if reason is not None), None)
