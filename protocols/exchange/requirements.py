"""Submission requirements: which combinations of descriptors answer a definition (Presentation Exchange 2.1, Feature).

A requirement is a value; :func:`satisfied` judges what was submitted, :func:`smallest_choice` looks for the
fewest descriptors that satisfy all, :func:`fullest_choice` for those that answer as much as there is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

from protocols.errors import BadInput
from protocols.exchange.budget import Budget
from protocols.exchange.reading import Member, malformed

__all__ = ["Requirement", "Rule", "fullest_choice", "parse_requirements", "satisfied", "smallest_choice"]

_MAX_REQUIREMENTS = 64
_MAX_DEPTH = 4
_SEARCH_STEPS = 50_000


class Rule(StrEnum):
    """How many of its members a requirement asks for."""

    ALL = "all"
    PICK = "pick"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One submission requirement; it has ``members`` (``from``) or ``nested`` requirements (``from_nested``).

    Attributes:
        members: ids of the descriptors in its group, in the definition's order.
    """

    rule: Rule
    count: int | None
    minimum: int | None
    maximum: int | None
    members: tuple[str, ...] = ()
    nested: tuple[Requirement, ...] = ()
    name: str = ""
    purpose: str = ""

    @property
    def least(self) -> int:
        """The fewest members or nested requirements that will do."""
        if self.rule is Rule.ALL:
            return len(self.members) + len(self.nested)
        return self.count if self.count is not None else self.minimum or 0

    def accepts(self, number: int) -> bool:
        """Whether ``number`` members submitted, or nested requirements satisfied, is right."""
        if self.rule is Rule.ALL:
            return number == self.least
        return (
            (self.count is None or number == self.count)
            and (self.minimum is None or number >= self.minimum)
            and (self.maximum is None or number <= self.maximum)
        )


def parse_requirements(member: Member, groups: Mapping[str, tuple[str, ...]]) -> tuple[Requirement, ...]:
    """Read ``submission_requirements``.

    Args:
        groups: the ids of the descriptors in each group.

    Raises:
        BadInput: ``pex.definition_malformed``.
    """
    if not member.given:
        return ()
    requirements = tuple(_parse(item, groups, 1) for item in member.items(_MAX_REQUIREMENTS, at_least=1))
    if sum(_size(requirement) for requirement in requirements) > _MAX_REQUIREMENTS:
        raise malformed(member.place, f"holds more than {_MAX_REQUIREMENTS} requirements")
    return requirements


def satisfied(requirement: Requirement, submitted: Collection[str]) -> bool:
    """Whether the descriptors with the ids ``submitted`` satisfy the requirement."""
    if requirement.nested:
        return requirement.accepts(sum(satisfied(nested, submitted) for nested in requirement.nested))
    return requirement.accepts(sum(member in submitted for member in requirement.members))


def smallest_choice(requirements: Sequence[Requirement], available: Collection[str]) -> frozenset[str] | None:
    """The smallest set of ``available`` descriptors that satisfies all requirements; the first found of equals.

    Where groups overlap so much that the search would take long, the best found within a fixed number of steps.

    Returns:
        None where there is no such set.

    Raises:
        BadInput: ``pex.too_much_work`` where none was found within the steps.
    """
    budget = Budget(_SEARCH_STEPS)
    fewest = _lower_bound(requirements)
    best: frozenset[str] | None = None
    try:
        for choice in _joint(requirements, available, budget):
            budget.spend(len(requirements))
            if best is not None and len(choice) >= len(best):
                continue
            if all(satisfied(requirement, choice) for requirement in requirements):
                best = choice
                if len(best) <= fewest:
                    break
    except BadInput:
        if best is None:
            raise
    return best


def fullest_choice(requirements: Sequence[Requirement], available: Collection[str]) -> frozenset[str] | None:
    """As :func:`smallest_choice`, but of nested requirements that one may pick among, all that can be satisfied.

    Descriptors of one group stay alternatives, of which no more are chosen than is asked for.
    """
    raised = [_raised(requirement, available) for requirement in requirements]
    choice = smallest_choice(raised, available)
    return smallest_choice(requirements, available) if choice is None else choice


def _raised(requirement: Requirement, available: Collection[str]) -> Requirement:
    nested = tuple(_raised(one, available) for one in requirement.nested)
    if not nested or requirement.rule is Rule.ALL or requirement.count is not None:
        return replace(requirement, nested=nested)
    possible = sum(smallest_choice((one,), available) is not None for one in nested)
    most = possible if requirement.maximum is None else min(possible, requirement.maximum)
    return replace(requirement, nested=nested, minimum=max(most, requirement.minimum or 0))


def _parse(member: Member, groups: Mapping[str, tuple[str, ...]], depth: int) -> Requirement:
    member.mapping()
    if depth > _MAX_DEPTH:
        raise malformed(member.place, f"nests deeper than {_MAX_DEPTH}")
    if member["from"].given is member["from_nested"].given:
        raise malformed(member.place, "has not exactly one of from and from_nested")
    nested: tuple[Requirement, ...] = ()
    members: tuple[str, ...] = ()
    if member["from"].given:
        members = groups.get(member["from"].identifier(), ())
        if not members:
            raise malformed(member["from"].place, "names a group that no input descriptor is in")
    else:
        inner = member["from_nested"].items(_MAX_REQUIREMENTS, at_least=1)
        nested = tuple(_parse(item, groups, depth + 1) for item in inner)
    return _check_numbers(
        Requirement(
            rule=member["rule"].choice(Rule),
            count=member["count"].count(1),
            minimum=member["min"].count(0),
            maximum=member["max"].count(0),
            members=members,
            nested=nested,
            name=member["name"].text(""),
            purpose=member["purpose"].text(""),
        ),
        member.place,
    )


def _check_numbers(requirement: Requirement, place: str) -> Requirement:
    numbers = (requirement.count, requirement.minimum, requirement.maximum)
    if requirement.rule is Rule.PICK and numbers == (None, None, None):
        raise malformed(place, "picks without saying how many: it has no count, min or max")
    if requirement.maximum is not None and requirement.maximum < (requirement.minimum or 0):
        raise malformed(place, "has a max below its min")
    return requirement


def _size(requirement: Requirement) -> int:
    return 1 + sum(_size(nested) for nested in requirement.nested)


def _lower_bound(requirements: Sequence[Requirement]) -> int:
    """A number of descriptors that no choice which satisfies all ``requirements`` can go below."""
    fewest = [_fewest(requirement) for requirement in requirements]
    members = [member for requirement in requirements for member in _all_members(requirement)]
    disjoint = len(members) == len(set(members))
    return sum(fewest) if disjoint else max(fewest, default=0)


def _fewest(requirement: Requirement) -> int:
    if not requirement.nested:
        return requirement.least
    return _lower_bound(sorted(requirement.nested, key=_fewest)[: requirement.least])


def _all_members(requirement: Requirement) -> frozenset[str]:
    return frozenset(requirement.members).union(*(_all_members(nested) for nested in requirement.nested))


def _joint(requirements: Sequence[Requirement], available: Collection[str], budget: Budget) -> Iterator[frozenset[str]]:
    """Every union of one choice for each requirement."""
    if not requirements:
        yield frozenset()
        return
    for choice in _choices(requirements[0], available, budget):
        for rest in _joint(requirements[1:], available, budget):
            budget.spend()
            yield choice | rest


def _choices(requirement: Requirement, available: Collection[str], budget: Budget) -> Iterator[frozenset[str]]:
    """The choices of the fewest descriptors that satisfy the requirement on its own."""
    if requirement.nested:
        possible = [one for one in requirement.nested if any(True for _ in _choices(one, available, budget))]
        for chosen in combinations(possible, requirement.least):
            budget.spend()
            yield from _joint(chosen, available, budget)
        return
    members = [member for member in requirement.members if member in available]
    if requirement.rule is Rule.ALL and len(members) < len(requirement.members):
        return
    for choice in combinations(members, requirement.least):
        budget.spend()
        yield frozenset(choice)
