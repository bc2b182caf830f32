"""What is said of records in several aggregates: the skills that they attest, and whether they were taken back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["IssuedState", "Skill"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """A skill that a record attests, in the words of its framework."""

    code: str | None = None
    name: str
    framework: str | None = None
    url: str | None = None

    @property
    def told_apart(self) -> str:
        """What tells the skill from others: the URL, else the code in its framework, else the name in it."""
        return self.url or "\n".join(["", self.framework or "", self.code or f"\n{self.name}"])


class IssuedState(StrEnum):
    """What the issuer says of a record now; the status lists say it to others."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
