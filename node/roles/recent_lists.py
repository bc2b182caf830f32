"""The checks of status lists of a moment ago, so that records that come one after the other have them made once."""

from __future__ import annotations

from datetime import datetime, timedelta

from protocols.credentials.asking import SeenLists
from protocols.credentials.checks.status_lists import CheckedList
from protocols.credentials.verification import Outcome
from protocols.errors import LernodeError
from protocols.status.source import PublishedDocument

__all__ = ["RecentLists"]

_MOMENT = timedelta(seconds=1)
"""As long as a copy of a DID document will do for who asks for a new one; well within what clocks may differ by."""

_MOST = 32


class RecentLists:
    """Remembers lists whose every check passed, as long as the very copies are at hand."""

    def __init__(self) -> None:
        self._passed: dict[int, tuple[PublishedDocument, CheckedList, datetime]] = {}

    def seen(self, now: datetime) -> SeenLists:
        """What a verification as of ``now`` may take for checked."""
        self._passed = {
            name: found for name, found in self._passed.items() if timedelta(0) <= now - found[2] <= _MOMENT
        }
        seen = SeenLists()
        for name, (document, checked, _at) in self._passed.items():
            seen.known.append(document)
            seen.checked[name] = checked
        return seen

    def keep(self, seen: SeenLists, now: datetime) -> None:
        """Remember what a verification as of ``now`` has checked."""
        for copy in seen.copies.values():
            if isinstance(copy, LernodeError) or len(self._passed) >= _MOST:
                continue
            checked = seen.checked.get(id(copy.document))
            if isinstance(checked, CheckedList) and _passed(checked):
                # The document is kept too, so that no other comes to have its id.
                self._passed.setdefault(id(copy.document), (copy.document, checked, now))


def _passed(checked: CheckedList) -> bool:
    return checked.core.is_well_formed and all(
        result.outcome is Outcome.PASS for result in checked.core.results.values()
    )
