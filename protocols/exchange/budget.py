"""How much work one query may cost, counted in steps, so that a hostile one ends early and always at the same point.

A step is about a microsecond: one node visited, one filter expression tried, one value given to a JSON Schema.
"""

from __future__ import annotations

from protocols.errors import BadInput

__all__ = ["Budget"]


class Budget:
    """Steps that are left."""

    __slots__ = ("_left",)

    def __init__(self, steps: int) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Take ``steps`` away.

        Raises:
            BadInput: ``pex.too_much_work`` where there are not as many left.
        """
        self._left -= steps
        if self._left < 0:
            raise BadInput(
                "pex.too_much_work",
                "The query takes more work than is allowed.",
                "Ask with fewer fields, plainer paths and smaller filters.",
            )
