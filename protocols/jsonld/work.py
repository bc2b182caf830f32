"""What the making of canonical forms may cost: for one document, and for all that one verification has to look at.

Labelling blank nodes is exponential for crafted graphs (RDFC-1.0 §7.1), and a small document can ask for the same
large thing many times, by proofs that each build on others. So the steps are counted, and whoever asks for too many
is refused. The limits keep the time for a document under a tenth of a second, and for a verification under a few.
"""

from __future__ import annotations

from protocols.errors import BadInput

__all__ = ["MAX_HASHES", "MAX_QUADS", "MAX_STEPS", "Work", "too_complex"]

MAX_QUADS = 10_000
"""How many quads one document may have."""
MAX_HASHES = 2_500
MAX_STEPS = 20_000
"""How often N-degree hashing may hash a blank node, and how many related ones it may put in order, before a
graph counts as poisoned. The hardest graphs of the W3C suite that are to be computed need a fifth of it."""

_QUADS_OF_A_VERIFICATION = 60_000
_TROUBLE = "blank nodes that are too hard to tell apart"


class Work:
    """What may still be done.

    Raises:
        BadInput: ``jsonld.too_complex`` from each method, where it is too much.
    """

    __slots__ = ("_hashes", "_quads", "_steps")

    def __init__(self, quads: int = MAX_QUADS) -> None:
        self._quads = quads
        self._hashes = MAX_HASHES
        self._steps = MAX_STEPS

    @classmethod
    def of_a_verification(cls) -> Work:
        """For everything that is made canonical in one verification."""
        return cls(_QUADS_OF_A_VERIFICATION)

    def quads(self, count: int) -> None:
        """So many quads are to be made or labelled."""
        self._quads -= count
        if self._quads < 0:
            raise too_complex("too much that has to be looked at many times")

    def hash(self) -> None:
        """A blank node is to be hashed with its surroundings."""
        self._hashes -= 1
        if self._hashes < 0:
            raise too_complex(_TROUBLE)

    def steps(self, count: int) -> None:
        """So many related blank nodes are to be put in order."""
        self._steps -= count
        if self._steps < 0:
            raise too_complex(_TROUBLE)


def too_complex(why: str) -> BadInput:
    """The error for a document that asks for too much."""
    return BadInput("jsonld.too_complex", f"The document has {why}.", "Send a simpler document.")
