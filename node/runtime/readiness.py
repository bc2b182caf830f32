"""Whether this process should be sent new work: what a load balancer asks for before it sends a request here.

Readiness is not liveness. A process that drains, or whose store takes nothing for now, is alive; to start it anew would
help nobody, and what it can still do (finish, read) it does.
"""

from __future__ import annotations

from enum import Enum

from protocols.errors import LernodeError, NotNow

__all__ = ["Readiness", "Stage", "stopping"]


class Stage(Enum):
    """Where in its life a process is."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"
    """It still does everything, and asks not to be sent more."""
    STOPPING = "stopping"
    """It finishes what is in hand, and refuses what is new."""


class Readiness:
    """The stage of this process.

    Attributes:
        stage: set by who starts and stops it.
    """

    def __init__(self) -> None:
        self.stage = Stage.STARTING

    def problem(self) -> LernodeError | None:
        """Why new work should go elsewhere; None where it may come."""
        return _NOT_READY[self.stage]() if self.stage in _NOT_READY else None


def stopping() -> NotNow:
    """The refusal of a process that stops."""
    return NotNow("node.stopping", "The node stops and takes nothing new.", "Send it again, in a moment.")


def _starting() -> NotNow:
    return NotNow("node.starting", "The node starts.", "Ask again in a moment.")


_NOT_READY = {Stage.STARTING: _starting, Stage.DRAINING: stopping, Stage.STOPPING: stopping}
