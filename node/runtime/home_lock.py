"""One process a node: two that worked on one folder would deliver every message twice."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from protocols.errors import NotNow

__all__ = ["HomeLock"]

_FILE = "node.lock"


class HomeLock:
    """An advisory lock on a node's folder; the system gives it back when the process ends, however it ends."""

    def __init__(self, home: Path) -> None:
        """Take the lock.

        Raises:
            NotNow: ``node.in_use`` where another process has it.
        """
        self._descriptor = os.open(home / _FILE, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise NotNow(
                "node.in_use", "Another process uses this node.", "Wait for it to end, or stop it, and try again."
            ) from None

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)
