"""Backups that a running node makes by itself, and how many it keeps."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path

from node.config import Config
from node.runtime import backups
from node.runtime.age_files import Recipient
from node.runtime.turns import turn
from node.runtime.wakeup import Worker
from node.runtime.world import World
from protocols.errors import NotNow
from storage import meta
from storage.engine import Store
from storage.values import from_micros, to_micros

__all__ = ["ScheduledBackups"]

_log = logging.getLogger("lernode.backup")
_AT_MOST = timedelta(hours=6)
_LOOK_AGAIN = timedelta(minutes=5)
_LAST = "backup.last"


class ScheduledBackups:
    """Writes a backup whenever the newest one is old enough: the folder is the memory of it.

    Of a node of several processes one writes it, and the store that they share is the memory.
    """

    def __init__(self, store: Store, home: Path, config: Config, world: World) -> None:
        self._store = store
        self._home = home
        self._config = config.backup
        self._label = config.node.label
        self._world = world
        self._worker = Worker("backup", world.clock, self._once)

    def start(self) -> None:
        """Begin, where a folder is configured."""
        if self._config.folder:
            self._worker.start()

    async def stop(self) -> None:
        """Stop; a backup that is not whole leaves no file."""
        await self._worker.stop()

    async def _once(self) -> datetime | None:
        folder = self._home / self._config.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            raise NotNow("backup.not_written", "The folder for backups cannot be made.", "Set backup.folder.") from None
        due = await self._following(folder)
        if due is not None:
            return due
        async with turn(self._store, "backup", _AT_MOST) as is_ours:
            return await self._write(folder) if is_ours else self._world.clock() + _LOOK_AGAIN

    async def _following(self, folder: Path) -> datetime | None:
        """When the next one is due; None for now."""
        now, every = self._world.clock(), timedelta(hours=self._config.every_hours)
        newest = backups.latest(folder, now + every)
        if self._store.shared:  # another process may have written it, to a folder of its own
            async with self._store.read() as tx:
                text = await meta.get(tx, _LAST)
            newest = from_micros(int(text)) if text else None
        # A time far to come is of a clock that was ahead; one that is near, of another process.
        return newest + every if newest is not None and abs(now - newest) < every else None

    async def _write(self, folder: Path) -> datetime:
        now, due = self._world.clock(), await self._following(folder)
        if due is not None:
            return due  # another process was quicker
        target = folder / now.strftime(backups.STAMP)
        size = await backups.write(
            self._store, self._home, target, Recipient(self._config.recipient), now, label=self._label
        )
        await backups.note(self._store, now, actor="policy")
        every = timedelta(hours=self._config.every_hours)
        deleted = backups.rotate(folder, self._config.keep, now + every)
        _log.info("backup written", extra={"facts": {"bytes": size, "deleted": deleted}})
        if self._store.shared:
            async with self._store.write() as tx:
                await meta.put(tx, _LAST, str(to_micros(now)))
        return now + every
