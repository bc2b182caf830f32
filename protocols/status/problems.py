"""The names that the specifications give to what can go wrong with a status, for whoever reports it by RFC 9457.

Specs: Bitstring Status List 1.0 §3.5; VC Data Model 2.0 §7.1 for MALFORMED_VALUE_ERROR and RANGE_ERROR.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["PROBLEM_TYPES"]

_STATUS = "https://www.w3.org/ns/credentials/status-list#"
_RETRIEVAL = f"{_STATUS}STATUS_RETRIEVAL_ERROR"
_VERIFICATION = f"{_STATUS}STATUS_VERIFICATION_ERROR"
_LENGTH = f"{_STATUS}STATUS_LIST_LENGTH_ERROR"
_MALFORMED = "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR"
_RANGE = "https://www.w3.org/TR/vc-data-model#RANGE_ERROR"

PROBLEM_TYPES: Final[Mapping[str, str]] = {
    "status.entry_malformed": _MALFORMED,
    "status.foreign_list": _VERIFICATION,
    "status.index_out_of_range": _RANGE,
    "status.list_encoding": _MALFORMED,
    "status.list_invalid": _VERIFICATION,
    "status.list_length": _LENGTH,
    "status.list_malformed": _MALFORMED,
    "status.list_too_large": _VERIFICATION,
    "status.list_unproved": _VERIFICATION,
    "status.malformed": _RETRIEVAL,
    "status.not_found": _RETRIEVAL,
    "status.purpose_mismatch": _VERIFICATION,
    "status.size_mismatch": _VERIFICATION,
    "status.stale": _RETRIEVAL,
    "status.unreachable": _RETRIEVAL,
}
"""Code of an error or reason -> the ``type`` of its problem details."""
