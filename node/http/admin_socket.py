"""Where the admin API of a node listens for its own user: a Unix socket in the node's folder, mode 0600.

An address of a Unix socket has room for about a hundred bytes. Where the folder's path is longer, the socket stands in
a private folder of its own, and ``admin.sock.path`` in the node's folder says where. Both sides find it with
:func:`admin_socket_path`.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from protocols.errors import NotNow, WrongState

__all__ = ["AdminSocket", "admin_socket_path", "is_answered", "open_admin_socket"]

_NAME = "admin.sock"
_POINTER = "admin.sock.path"
_MAX_PATH_BYTES = 100  # sun_path has 104 bytes on macOS and 108 on Linux, the last one a zero
_BACKLOG = 64


def admin_socket_path(home: Path) -> Path:
    """Where the node in ``home`` listens, if it runs."""
    with suppress(OSError, UnicodeDecodeError):
        text = (home / _POINTER).read_text(encoding="utf-8").strip()
        if text:
            return Path(text)
    return home / _NAME


def is_answered(path: Path) -> bool:
    """Whether a process listens at this socket; a file that a killed node left behind does not answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(os.fspath(path))
        except OSError:
            return False
        return True


class AdminSocket:
    """An open admin socket; :meth:`close` stops listening and leaves nothing behind."""

    def __init__(self, path: Path, site: web.SockSite, litter: tuple[Path, ...]) -> None:
        self.path = path
        self._site = site
        self._litter = litter

    async def close(self) -> None:
        """Stop listening."""
        with suppress(RuntimeError):  # the runner was cleaned up first, and took its sites with it
            await self._site.stop()
        for path in self._litter:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


async def open_admin_socket(runner: web.AppRunner, home: Path) -> AdminSocket:
    """Serve ``runner``, which is set up, at the admin socket of the node in ``home``.

    Raises:
        WrongState: ``node.running`` where another process answers there already.
        NotNow: ``node.no_socket`` where the socket cannot be made.
    """
    if is_answered(admin_socket_path(home)):
        raise WrongState("node.running", "This node runs already.", "Use it, or stop the other process first.")
    try:
        path, litter = _choose(home)
        bound = _bind(path)
    except OSError:
        raise NotNow(
            "node.no_socket", "The admin socket cannot be made.", "Check who owns the node's folder."
        ) from None
    site = web.SockSite(runner, bound, backlog=_BACKLOG)
    try:
        await site.start()
    except OSError as error:
        bound.close()
        raise NotNow("node.no_socket", "The admin socket does not listen.", "Check the system's limits.") from error
    return AdminSocket(path, site, litter)


def _choose(home: Path) -> tuple[Path, tuple[Path, ...]]:
    """The path to bind, free of what a killed node left, and what is to be removed at the end."""
    pointer = home / _POINTER
    pointer.unlink(missing_ok=True)
    near = home.absolute() / _NAME
    if len(os.fsencode(near)) <= _MAX_PATH_BYTES:
        near.unlink(missing_ok=True)
        return near, (near,)
    folder = Path(tempfile.mkdtemp(prefix="lernode-"))
    far = folder / _NAME
    pointer.write_text(f"{far}\n", encoding="utf-8")
    return far, (folder, pointer)


def _bind(path: Path) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(os.fspath(path))
        # Nobody can connect before the socket listens, so there is no moment at which others could.
        path.chmod(0o600)
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound
