"""Python's garbage collector, in a process that has much to do."""

from __future__ import annotations

import gc

__all__ = ["leave_to_the_collector_what_comes_and_goes"]

_ALLOCATIONS_BEFORE_COLLECTION = 5_000


def leave_to_the_collector_what_comes_and_goes() -> None:
    """Let the garbage collector no longer walk what stays as long as the process, and come less often.

    Reference counts free nearly all that a message or record leaves behind; walking the modules for the rest costs a
    process that is busy a twentieth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BEFORE_COLLECTION, 10, 10)
