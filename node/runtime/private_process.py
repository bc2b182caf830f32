"""Keeps what is in the memory of a node from others of its user: no core dump, no tracing, no secret for children."""

from __future__ import annotations

import ctypes
import os
import resource
import sys

__all__ = ["close_up"]

_PR_SET_DUMPABLE = 4
_SECRETS = ("LERNODE_PASSPHRASE", "LERNODE_KEY", "LERNODE_BACKUP_PASSPHRASE", "LERNODE_EXPORT_PASSPHRASE")


def close_up() -> None:
    """Do so for this process, once its secrets are read.

    A limit of 0 stops core files. Where the system hands cores to a program instead, a process that is not dumpable
    (Linux, prctl(2)) has none; and then only root can read its memory, or the environment that it began with.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    for name in _SECRETS:
        os.environ.pop(name, None)
