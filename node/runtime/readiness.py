"""Whether this process should be sent new work: what a load balancer asks for before it sends a request here.

Readiness is not liveness. A process that drains, or whose store takes nothing for now, is alive; to start it anew would
help nobody, and what it can still do (finish, read) it does.
"""

from __future__ import annotations

import asyncio
from enum import Enum

from protocols.errors import LernodeError, NotNow
from storage.engine import Store

__all__ = ["Readiness", "Stage", "stopping"]

_PATIENCE_SECONDS = 3.0


class Stage(Enum):
    """Where in its life a process is."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"
    """It still does everything, and asks not to be sent more."""
    STOPPING = "stopping"
    """It finishes what is in hand, and refuses what is new."""


class Readiness:
    """The stage of this process, and the state of its store.

    Attributes:
        stage: set by who starts and stops it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.stage = Stage.STARTING

    async def problem(self) -> LernodeError | None:
        """Why new work should go elsewhere; None where it may come."""
        if self.stage in _NOT_READY:
            return _NOT_READY[self.stage]()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), self._store.read() as tx:
                await tx.one("SELECT 1")
        except LernodeError as error:
            return error
        except TimeoutError:
            return self._store.trouble or NotNow(
                "store.busy", "The store does not answer in time.", "Ask again in a moment."
            )
        return self._store.trouble or self._store.shortage()


def stopping() -> NotNow:
    """The refusal of a process that stops."""
    return NotNow("node.stopping", "The node stops and takes nothing new.", "Send it again, in a moment.")


def _starting() -> NotNow:
    return NotNow("node.starting", "The node starts.", "Ask again in a moment.")


_NOT_READY = {Stage.STARTING: _starting, Stage.DRAINING: stopping, Stage.STOPPING: stopping}
