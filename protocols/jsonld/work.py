"""What the making of canonical forms may cost: for one document, and for all that one verification has to look at.

Labelling blank nodes is exponential for crafted graphs (RDFC-1.0 §7.1), and a small document can ask for the same
large thing many times, by proofs that each build on others. So the steps are counted, and whoever asks for too many
is refused. The limits keep the time for a document under a tenth of a second, and for a verification under a few.
"""

from __future__ import annotations

from protocols.errors import BadInput

__all__ = ["MAX_CHARS", "MAX_EFFORT", "MAX_QUADS", "Work", "too_complex"]

MAX_QUADS = 10_000
"""How many quads one document may have."""
MAX_CHARS = 1 << 23
"""How long these may be in all: an IRI that stands once in a document may stand in each of its quads."""
MAX_EFFORT = 40_000
"""How much N-degree hashing may take before a graph counts as poisoned, in about microseconds. The hardest graphs of
the W3C suite that are to be computed need two fifths of it."""

_QUADS_OF_A_VERIFICATION = 60_000


class Work:
    """What may still be done.

    Raises:
        BadInput: ``jsonld.too_complex`` from each method, where it is too much.
    """

    __slots__ = ("_effort", "_quads")

    def __init__(self, quads: int = MAX_QUADS) -> None:
        self._quads = quads
        self._effort = MAX_EFFORT

    @classmethod
    def of_a_verification(cls) -> Work:
        """For everything that is made canonical in one verification."""
        return cls(_QUADS_OF_A_VERIFICATION)

    def quads(self, count: int) -> None:
        """So many quads are to be made or labelled."""
        self._quads -= count
        if self._quads < 0:
            raise too_complex("too much that has to be looked at many times")

    def effort(self, count: int) -> None:
        """Blank nodes are to be hashed with their surroundings, or put in order."""
        self._effort -= count
        if self._effort < 0:
            raise too_complex("blank nodes that are too hard to tell apart")


def too_complex(why: str) -> BadInput:
    """The error for a document that asks for too much."""
    return BadInput("jsonld.too_complex", f"The document has {why}.", "Send a simpler document.")
