"""Verifies the log of a did:webvh (did:webvh 1.0 §Read (Resolve)), with the DIF's own library for what is hashed.

The library checks the hash chain, the self-certifying identifier, proofs and pre-rotation. It is more lenient than
the specification in some points, and some of its work grows with the square of a text's length; ``entry.py`` refuses
such entries before the library sees them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from protocols import strict_json
from protocols.did.webvh.entry import Entry, broken, check_entry
from protocols.errors import BadInput

__all__ = ["read_log", "verify_log"]

_MAX_ENTRIES = 500


def read_log(log: bytes) -> list[dict[str, Any]]:
    """The entries of a log, one a line, not verified.

    Raises:
        BadInput: ``did.log_broken``.
    """
    lines = log.removesuffix(b"\n").split(b"\n")
    if len(lines) > _MAX_ENTRIES:
        raise broken(f"it has more than {_MAX_ENTRIES} entries")
    try:
        return [strict_json.loads_object(line) for line in lines]
    except BadInput:
        raise broken("a line is not a JSON object") from None


def verify_log(log: Sequence[dict[str, Any]], scid: str, *, now: datetime) -> list[Entry]:
    """Verify every entry, the first one first; at least one.

    Raises:
        BadInput: ``did.log_broken``.
    """
    # Imported when a did:webvh is met: it brings a key store along that takes a while to load.
    from did_webvh.core.state import DocumentState, check_version_time, verify_state_proofs  # noqa: PLC0415

    entries: list[Entry] = []
    previous: Any = None
    for raw in log:
        check_entry(raw, scid, entries[-1] if entries else None)
        try:
            state = DocumentState.load_history_line(raw, previous)
            state.check_version_id()
            check_version_time(state, previous, enforce_future_skew=True, now=now)
            verify_state_proofs(state, previous)
        except Exception:  # the library's input is a stranger's: whatever it raises, the entry does not hold
            raise broken(f"entry {len(entries) + 1} does not verify") from None
        parameters = {**(entries[-1].parameters if entries else {}), **raw["parameters"]}
        entries.append(Entry(raw["versionId"], raw["versionTime"], state.timestamp, parameters, raw["state"]))
        previous = state
    if entries[0].parameters["scid"] != scid:
        raise broken("it is the log of another DID")
    return entries
