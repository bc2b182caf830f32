"""What goes with an offer, a proposal or a request: words for the person there, and until when it can be answered."""

from __future__ import annotations

from dataclasses import dataclass

from node.runtime.world import Clock

__all__ = ["Lifetime", "Terms"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What goes with a message that wants an answer.

    Attributes:
        comment: for the person there.
        expires_in: seconds in which it can be answered, 0 for ever; None for the usual.
    """

    comment: str | None = None
    expires_in: int | None = None


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long offers, proposals and requests can be answered where nobody says otherwise.

    Attributes:
        seconds: 0 for ever.
    """

    seconds: int
    clock: Clock

    def until(self, seconds: int | None = None) -> int | None:
        """The second since 1970 until which a message that is sent now can be answered; None for ever.

        Args:
            seconds: how long this one can be; None for the usual.
        """
        lasts = self.seconds if seconds is None else seconds
        return int(self.clock().timestamp()) + lasts if lasts else None
