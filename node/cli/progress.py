"""Says on standard error what is being waited for, and how far it is."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import click

__all__ = ["counted", "waiting"]

_PATIENCE_SECONDS = 1.0
_WORTH_TELLING = 100


@asynccontextmanager
async def waiting(what: str) -> AsyncIterator[None]:
    """Run the block; after a second say on standard error what it does, and on a terminal for how long."""
    task = asyncio.create_task(_tell(what))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@contextmanager
def counted(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many more are done: a bar on a terminal, elsewhere a line for each tenth."""
    if sys.stderr.isatty():
        with click.progressbar(length=total, label=what, file=sys.stderr, show_pos=True) as bar:
            yield bar.update
        return
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        before, done = done, done + more
        if total >= _WORTH_TELLING and before * 10 // total != done * 10 // total:
            click.echo(f"{what}: {done:,} of {total:,}", err=True)

    yield tell


async def _tell(what: str) -> None:
    await asyncio.sleep(_PATIENCE_SECONDS)
    if not sys.stderr.isatty():
        click.echo(f"{what} ...", err=True)
        return
    seconds = 1
    try:
        while True:
            click.echo(f"\r{what} ... {seconds} s", nl=False, err=True)
            await asyncio.sleep(1)
            seconds += 1
    finally:
        click.echo("\r\033[K", nl=False, err=True)
