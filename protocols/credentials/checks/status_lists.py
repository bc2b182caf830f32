"""What checking one status entry needs: the lists, how they are checked, and what the verifier demands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from protocols.credentials.checks.core import CoreChecks
from protocols.credentials.policy import Policy
from protocols.errors import LernodeError
from protocols.status.bitstring import Bitstring
from protocols.status.source import PublishedDocument, StatusSource

__all__ = ["CheckList", "CheckedList", "StatusInquiry"]


@dataclass(frozen=True, slots=True)
class CheckedList:
    """A credential on a status list, and what is known of it.

    Attributes:
        credential: what its proof covers; the status is read from this and nothing else.
    """

    credential: dict[str, Any]
    core: CoreChecks
    _unpacked: dict[int, Bitstring | LernodeError] = field(default_factory=dict, repr=False, compare=False)

    def decode(self, encoded: str, size: int) -> Bitstring:
        """The ``encodedList`` of this list unpacked, once for all records that point into it.

        Raises:
            BadInput: as :meth:`Bitstring.decode`.
        """
        if size not in self._unpacked:
            try:
                self._unpacked[size] = Bitstring.decode(encoded, size=size)
            except LernodeError as error:
                self._unpacked[size] = error
        found = self._unpacked[size]
        if isinstance(found, LernodeError):
            raise found
        return found


CheckList = Callable[[PublishedDocument], Awaitable[CheckedList]]
"""Makes the checks of a published list, however it is secured; raises LernodeError where it cannot be read."""


@dataclass(frozen=True, slots=True)
class StatusInquiry:
    """One record whose statuses are to be checked.

    Attributes:
        issuer: who issued the record.
        check_list: makes the checks of a list that ``statuses`` gave.
        now: timezone-aware.
    """

    issuer: str | None
    statuses: StatusSource
    check_list: CheckList
    policy: Policy
    now: datetime
