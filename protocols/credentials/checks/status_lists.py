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
from protocols.status.inflate import MAX_LIST_BYTES
from protocols.status.source import PublishedDocument, StatusSource

__all__ = ["CheckList", "CheckedList", "StatusInquiry"]


_KEPT_BYTES = 1 << 18
"""Of an unpacked list; a list of the common size has 16 KiB. Longer ones are unpacked anew, so that many cannot fill
the memory."""


@dataclass(slots=True)
class CheckedList:
    """A credential on a status list, and what is known of it.

    Attributes:
        credential: what its proof covers; the status is read from this and nothing else.
        unpacking: how many bytes a further reading may have to unpack; 0 where they are few.
    """

    credential: dict[str, Any]
    core: CoreChecks
    unpacking: int = 0
    _kept: tuple[int, Bitstring | LernodeError] | None = field(default=None, repr=False, compare=False)

    def decode(self, encoded: str, size: int) -> Bitstring:
        """The ``encodedList`` of this list unpacked, for short lists once for all records that point into it.

        Raises:
            BadInput: as :meth:`Bitstring.decode`.
        """
        if self._kept is not None and self._kept[0] == size:
            found = self._kept[1]
        else:
            found = _decoded(encoded, size)
            length = len(found) * size // 8 if isinstance(found, Bitstring) else MAX_LIST_BYTES
            self.unpacking = length if length > _KEPT_BYTES else 0
            self._kept = None if isinstance(found, Bitstring) and self.unpacking else (size, found)
        if isinstance(found, LernodeError):
            raise found
        return found


def _decoded(encoded: str, size: int) -> Bitstring | LernodeError:
    try:
        return Bitstring.decode(encoded, size=size)
    except LernodeError as error:
        return error


CheckList = Callable[[PublishedDocument], Awaitable[CheckedList]]
"""Makes the checks of a published list, however it is secured; raises LernodeError where it cannot be read."""


@dataclass(frozen=True, slots=True)
class StatusInquiry:
    """One record whose statuses are to be checked.

    Attributes:
        record: its id.
        issuer: who issued it.
        check_list: makes the checks of a list that ``statuses`` gave.
        now: timezone-aware.
    """

    record: str | None
    issuer: str | None
    statuses: StatusSource
    check_list: CheckList
    policy: Policy
    now: datetime
