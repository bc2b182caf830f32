"""Keeps what is in the memory of a node from others of its user: no core dump, no tracing, no secret for children."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Mapping

__all__ = ["close_up"]

_PR_SET_DUMPABLE = 4
_READ_BY_NOW = (
    "LERNODE_ADMIN_TOKEN",
    "LERNODE_BACKUP_PASSPHRASE",
    "LERNODE_EXPORT_PASSPHRASE",
    "LERNODE_KEY",
    "LERNODE_NEW_KEY",
    "LERNODE_NEW_PASSPHRASE",
    "LERNODE_PASSPHRASE",
)
_READ_LATER = ("LERNODE_DATABASE_PASSWORD", "LERNODE_MAIL_PASSWORD", "LERNODE_PKCS11_PIN")


def close_up() -> Mapping[str, str]:
    """Do so for this process, once its own secrets are read; the environment with those that the node reads later.

    A limit of 0 stops core files. Where the system hands cores to a program instead, a process that is not dumpable
    (Linux, prctl(2)) has none; and then only root can read its memory, or the environment that it began with.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    for name in _READ_BY_NOW:
        os.environ.pop(name, None)
    kept = dict(os.environ)
    for name in _READ_LATER:
        os.environ.pop(name, None)
    return kept
