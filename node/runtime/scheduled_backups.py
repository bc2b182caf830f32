"""Backups that a running node makes by itself, and how many it keeps."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from node.config import Config
from node.runtime import backups
from node.runtime.backups import Recipient
from node.runtime.wakeup import Worker
from node.runtime.world import World
from protocols.errors import NotNow
from storage.engine import Store

__all__ = ["ScheduledBackups"]

_log = logging.getLogger("lernode.backup")
_STAMP = "lernode-%Y%m%dT%H%M%SZ.age"


class ScheduledBackups:
    """Writes a backup whenever the newest one in the folder is old enough; the folder is the memory of it."""

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
        folder, every = self._home / self._config.folder, timedelta(hours=self._config.every_hours)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            raise NotNow("backup.not_written", "The folder for backups cannot be made.", "Set backup.folder.") from None
        now = self._world.clock()
        newest = next((_made(file) for file in backups.newest_first(folder)), None)
        if newest is not None and now - newest < every:
            return newest + every
        target = folder / now.strftime(_STAMP)
        size = await backups.write(
            self._store, self._home, target, Recipient(self._config.recipient), now, label=self._label
        )
        deleted = backups.rotate(folder, self._config.keep)
        _log.info("backup written", extra={"facts": {"bytes": size, "deleted": deleted}})
        return now + every


def _made(file: Path) -> datetime:
    return datetime.strptime(file.name, _STAMP).replace(tzinfo=UTC)
