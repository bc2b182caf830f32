"""Says what is being waited for, once it takes longer than a person likes to look at nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import click

__all__ = ["waiting"]

_PATIENCE_SECONDS = 1.0


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
