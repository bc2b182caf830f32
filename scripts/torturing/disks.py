"""A small disk of its own for a node: a tmpfs whose size is cut down to what it holds, so that it is full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["Disk", "why_not"]

_SIZE = 512 << 20


def why_not() -> str | None:
    """Why disks cannot be filled here, or None."""
    if not sys.platform.startswith("linux"):
        return "disks: a tmpfs is needed, which Linux has"
    if os.geteuid() != 0:
        return "disks: only root can mount a small tmpfs"
    try:
        subprocess.run(["unshare", "--mount", "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return "disks: nothing can be mounted here"
    return None


class Disk:
    """A mounted tmpfs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=755", "lernode-torture", str(folder)], check=True
        )

    def fill(self) -> None:
        """Let there be no room left. What is freed meanwhile is room again."""
        for spare in (0, 1 << 20, 1 << 24):  # it grows while we look
            used = os.statvfs(self.folder)
            size = (used.f_blocks - used.f_bfree) * used.f_frsize + spare
            if self._resize(size):
                return

    def empty(self) -> None:
        """Let there be room again."""
        self._resize(_SIZE)

    def unmount(self) -> None:
        """Take it away, and put what it held into the folder where it was."""
        beside = self.folder.with_name(f"{self.folder.name}-kept")
        subprocess.run(["cp", "-a", str(self.folder), str(beside)], check=False, capture_output=True)
        subprocess.run(["umount", "--lazy", str(self.folder)], check=False)
        self.folder.rmdir()
        beside.rename(self.folder)

    def _resize(self, size: int) -> bool:
        command = ["mount", "-o", f"remount,size={size}", str(self.folder)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
