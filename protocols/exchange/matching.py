"""At the holder: which kept records answer which descriptor, and which of them to present."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from protocols.errors import BadInput
from protocols.exchange.budget import Budget
from protocols.exchange.claims import Claim
from protocols.exchange.definition import Definition, InputDescriptor
from protocols.exchange.evaluation import Candidate, why_not
from protocols.exchange.reasons import Reason
from protocols.exchange.requirements import fullest_choice, smallest_choice
from protocols.exchange.type_names import TypeNames, expanded_types

__all__ = ["DescriptorMatch", "MatchReport", "Selection", "budget_for", "match", "select"]

_STEPS = 250_000
_STEPS_A_RECORD = 5_000
_MAX_SHOWN_IDS = 8


@dataclass(frozen=True, slots=True)
class DescriptorMatch:
    """What was found for one descriptor.

    Attributes:
        record_ids: records that answer it, in the order given.
        reasons: for every other record, by its id, the first reason why not.
    """

    descriptor: InputDescriptor
    record_ids: tuple[str, ...]
    reasons: Mapping[str, Reason]


@dataclass(frozen=True, slots=True)
class MatchReport:
    """What was found for every descriptor, in the definition's order."""

    descriptors: tuple[DescriptorMatch, ...]

    @property
    def available(self) -> frozenset[str]:
        """The ids of the descriptors that some record answers."""
        return frozenset(entry.descriptor.id for entry in self.descriptors if entry.record_ids)

    def among(self, record_ids: Collection[str]) -> MatchReport:
        """The report as it would be with only these records to choose from."""
        return MatchReport(
            tuple(
                replace(entry, record_ids=tuple(name for name in entry.record_ids if name in record_ids))
                for entry in self.descriptors
            )
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which record is presented for which descriptor, as (descriptor id, record id), in the definition's order."""

    pairs: tuple[tuple[str, str], ...]

    @property
    def record_ids(self) -> tuple[str, ...]:
        """The records to present, each once, in the order in which they are first needed."""
        return tuple(dict.fromkeys(record_id for _descriptor_id, record_id in self.pairs))


def match(
    definition: Definition,
    claims: Sequence[tuple[str, Claim]],
    *,
    holder: str | None = None,
    type_names: TypeNames = expanded_types,
) -> MatchReport:
    """Find the records that answer each descriptor.

    Args:
        claims: the store's ids of records, and what each says.
        holder: the DID that will sign the presentation; without it no record meets ``is_holder: required``.

    Raises:
        BadInput: ``pex.too_much_work``.
    """
    budget = budget_for(len(claims))
    candidates = [(name, Candidate(claim, holder, type_names, budget)) for name, claim in claims]
    found = []
    for descriptor in definition.descriptors:
        verdicts = {name: why_not(definition, descriptor, candidate) for name, candidate in candidates}
        matching = tuple(name for name, reason in verdicts.items() if reason is None)
        reasons = {name: reason for name, reason in verdicts.items() if reason is not None}
        found.append(DescriptorMatch(descriptor, matching, reasons))
    return MatchReport(tuple(found))


def select(
    definition: Definition, report: MatchReport, chosen: Mapping[str, str] | None = None, *, fully: bool = False
) -> Selection:
    """Choose records that answer the definition.

    Args:
        report: what :func:`match` found for the same definition.
        chosen: a person's choice, descriptor id to record id; None for the smallest answer, which takes the
            fewest descriptors that satisfy the submission requirements and then as few records as it can find,
            earlier ones first. The same input gives the same answer.
        fully: answer, without a choice, as much of what may be left out as there is, instead of as little as will do.

    Raises:
        BadInput: ``pex.not_satisfiable`` (says for which descriptors there is no record), ``pex.choice_invalid``
            (the choice names what does not match, or is not what the requirements ask for), ``pex.too_much_work``.
    """
    if chosen is not None:
        return _checked_choice(definition, report, chosen)
    wanted: Collection[str] | None = [descriptor.id for descriptor in definition.descriptors]
    if definition.requirements:
        choose = fullest_choice if fully else smallest_choice
        wanted = choose(definition.requirements, report.available)
    if wanted is None or not report.available.issuperset(wanted):
        raise _not_satisfiable(report)
    return _fewest_records([entry for entry in report.descriptors if entry.descriptor.id in wanted])


def budget_for(records: int) -> Budget:
    """The work that evaluating a definition on this many records may cost."""
    return Budget(_STEPS + _STEPS_A_RECORD * records)


def _checked_choice(definition: Definition, report: MatchReport, chosen: Mapping[str, str]) -> Selection:
    matching = {entry.descriptor.id: entry.record_ids for entry in report.descriptors}
    if not all(record_id in matching.get(name, ()) for name, record_id in chosen.items()):
        raise BadInput(
            "pex.choice_invalid",
            "The choice names a record that does not match, or something that was not asked for.",
            "Choose among the matching records.",
        )
    if not definition.is_answered_by(chosen.keys()):
        raise BadInput(
            "pex.choice_invalid",
            "The choice leaves out what is required, or has more than may be shown.",
            "Choose as the submission requirements say.",
        )
    return Selection(tuple((name, chosen[name]) for name in matching if name in chosen))


def _fewest_records(entries: Sequence[DescriptorMatch]) -> Selection:
    """Cover the descriptors greedily: again and again the record that answers most of what is left."""
    chosen: dict[str, str] = {}
    left = list(entries)
    while left:
        uses: dict[str, int] = {}
        for entry in left:
            for record_id in entry.record_ids:
                uses[record_id] = uses.get(record_id, 0) + 1
        best = max(uses, key=lambda record_id: uses[record_id])
        chosen.update((entry.descriptor.id, best) for entry in left if best in entry.record_ids)
        left = [entry for entry in left if best not in entry.record_ids]
    return Selection(tuple((entry.descriptor.id, chosen[entry.descriptor.id]) for entry in entries))


def _not_satisfiable(report: MatchReport) -> BadInput:
    missing = [ascii(entry.descriptor.id)[:80] for entry in report.descriptors if not entry.record_ids]
    shown = ", ".join(missing[:_MAX_SHOWN_IDS]) + (", ..." if len(missing) > _MAX_SHOWN_IDS else "")
    what = f"There is no record for {shown}." if missing else "No combination of records is what is asked for."
    return BadInput("pex.not_satisfiable", what, "Look at the reasons in the match report, or decline the request.")
