"""The errors that lists of both kinds share."""

from __future__ import annotations

from protocols.errors import BadInput

__all__ = ["encoding_error", "list_error", "range_error", "value_error"]


def encoding_error() -> BadInput:
    """A list is not encoded as its specification says."""
    return BadInput(
        "status.list_encoding",
        "The status list is not base64url of compressed bytes as its specification asks.",
        "Ask the issuer to encode it by Bitstring Status List §2.2, or by Token Status List §4.1.",
    )


def range_error() -> BadInput:
    """A list has no such index."""
    return BadInput(
        "status.index_out_of_range",
        "The status index is beyond the end of the list.",
        "Ask the issuer which list holds this record.",
    )


def value_error(size: int, value: int) -> BadInput:
    """A status of ``size`` bits cannot be ``value``."""
    return BadInput(
        "status.value_out_of_range",
        f"A status of {size} bits cannot be {value}.",
        f"Use a number from 0 to {(1 << size) - 1}.",
    )


def list_error(what: str) -> BadInput:
    """A list is not what its specification says; ``what`` completes the sentence."""
    return BadInput("status.list_malformed", f"The status list {what}.", "Ask the issuer to correct it.")
