"""Starts a node again and again as ``lernode run`` would, without the second of importing: each is a fork.

What is forked has only imported; it has no thread, no loop and no file open. Each node is a process of its own, and is
gone with SIGKILL as any other. A line on standard input starts one; its pid, and later its exit code, are printed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Run as a program: the folder of the node, and the file for its log."""
    home, log = sys.argv[1:]
    _die_with_parent()
    import_module("node.cli.run")
    command = import_module("node.cli.main").main
    print("ready", flush=True)
    for _line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _die_with_parent()
            _redirect(log)
            sys.argv = ["lernode", "run", "--home", home]
            code: object = 1
            try:
                command()
                code = 0
            except SystemExit as end:
                code = end.code or 0
            except BaseException:
                sys.excepthook(*sys.exc_info())
            os._exit(code if isinstance(code, int) else 1)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _die_with_parent() -> None:
    """Leave nothing behind where whoever started this is killed (Linux)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _redirect(log: str) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), 2)


if __name__ == "__main__":
    main()
