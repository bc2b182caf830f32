"""What of a record a verifier asks to see, so that its holder can show that and nothing more.

Presentation Exchange 2.1.1 §Input Descriptor, ``limit_disclosure``: only what the fields of the constraints name,
and what the format cannot withhold.
"""

from __future__ import annotations

from collections.abc import Iterable

from protocols.exchange.claims import Claim
from protocols.exchange.definition import Definition, Field
from protocols.exchange.evaluation import Candidate, query
from protocols.exchange.matching import Selection, budget_for
from protocols.exchange.type_names import expanded_types
from protocols.json_pointer import to_pointer

__all__ = ["WHOLE", "pointers_asked_for"]

WHOLE = ("",)
"""The pointers to all of a document."""


def pointers_asked_for(definition: Definition, selection: Selection, record_id: str, claim: Claim) -> tuple[str, ...]:
    """JSON Pointers (RFC 6901) to what the descriptors that ``record_id`` answers ask for; an alignment is one thing.

    :data:`WHOLE` where one of them does not ask to limit disclosure.

    Raises:
        BadInput: ``pex.too_much_work``.
    """
    answered = {name for name, chosen in selection.pairs if chosen == record_id}
    candidate = Candidate(claim, None, expanded_types, budget_for(1))
    found: dict[str, None] = {}
    for descriptor in definition.descriptors:
        if descriptor.id not in answered:
            continue
        constraints = descriptor.constraints
        entries = [*constraints.fields, *(entry for rule in constraints.is_holder for entry in rule.fields)]
        if constraints.limit_disclosure is None:
            return WHOLE
        found |= dict.fromkeys(_pointers(entries, candidate))
    return tuple(found)


def _pointers(entries: Iterable[Field], candidate: Candidate) -> Iterable[str]:
    for entry in entries:
        match, _found_any = query(entry, candidate)
        if match is not None:
            yield to_pointer(map(str, _statement(match.location)))


def _statement(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The place that is shown for one that is asked for: an alignment is shown whole.

    Open Badges 3.0 §Alignment requires its URL and name, so that a code alone says of no framework what it is in.
    """
    if "alignment" not in location:
        return location
    end = location.index("alignment") + 1
    return location[: end + 1] if len(location) > end and isinstance(location[end], int) else location[:end]
