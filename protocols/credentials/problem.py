"""What a rule of the data model says where a document breaks it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A broken rule.

    Attributes:
        rule: its name, e.g. ``"issuer.missing"``.
        message: one sentence for a person, without personal data.
        spec: the section that states it.
    """

    rule: str
    message: str
    spec: str
