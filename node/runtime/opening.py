"""Opens the store that a node's configuration names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from node.config import STORE_FILE, Config
from protocols.errors import BadInput
from storage.engine import Store
from storage.engines import open_store
from storage.limits import Limits

__all__ = ["is_in_home", "open_node_store"]

_FROM_ENVIRONMENT = "LERNODE_DATABASE_PASSWORD"


def is_in_home(config: Config) -> bool:
    """Whether the store is a file that one process may use at a time, rather than a server that many share."""
    return not config.database.url


async def open_node_store(
    home: Path, config: Config, *, create: bool = False, upgrade: bool = True, environ: Mapping[str, str] = os.environ
) -> Store:
    """The open store of the node in ``home``.

    Args:
        create: make it where it is not there.
        upgrade: bring its tables to the shape that this release expects.

    Raises:
        BadInput: ``config.database_password``, ``store.url_unusable``.
        LernodeError: see :func:`storage.engines.open_store`.
    """
    if is_in_home(config):
        return await open_store(home / STORE_FILE, create=create, upgrade=upgrade)
    settings = config.database
    limits = Limits(
        lock=settings.lock_seconds,
        statement=settings.statement_seconds,
        idle=settings.idle_seconds,
        silence=settings.silence_seconds,
    )
    password = _password(home, config, environ)
    return await open_store(settings.url, password=password, create=create, upgrade=upgrade, limits=limits)


def _password(home: Path, config: Config, environ: Mapping[str, str]) -> str | None:
    name = config.database.password_file
    if not name:
        return environ.get(_FROM_ENVIRONMENT)
    try:
        return (home / name).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise BadInput(
            "config.database_password", "The password of the store cannot be read.", "Check database.password_file."
        ) from None
