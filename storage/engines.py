"""The engines by the scheme of their URL; a further one is a further line here.

One is loaded when a store of its kind is opened: most nodes never need the driver of a database server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from protocols.errors import BadInput
from storage.engine import Store
from storage.limits import Limits
from storage.migrate import Migration, bundled

__all__ = ["ENGINES", "open_store"]

_DEFAULT = Limits()
Open = Callable[..., Awaitable[Store]]

ENGINES = {
    "sqlite": "storage.sqlite",
    "postgresql": "storage.postgresql",
}
"""Scheme -> the module whose ``open_url`` opens such a store."""


async def open_store(
    where: str | Path,
    *,
    password: str | None = None,
    create: bool = False,
    upgrade: bool = True,
    limits: Limits = _DEFAULT,
    migrations: Sequence[Migration] | None = None,
) -> Store:
    """Open the store at a file's path or an engine's URL and bring its schema up to date.

    Args:
        where: the path of an SQLite file, or ``sqlite:///path`` or ``postgresql://user@host:port/database``.
        password: for the database server; it never stands in the URL.
        create: make the file (mode 0600) and its folder (0700), or the tables, where they are not there.
        upgrade: whether to apply the migrations that are pending.
        limits: how long to wait for others, and for a server.
        migrations: the schema's steps; the bundled ones unless given.

    Raises:
        BadInput: ``store.url_unusable``.
        WrongState: ``store.missing``, ``store.newer``, ``store.foreign``, ``store.refused``,
            ``store.no_checksums``.
        NotNow: ``store.busy``, ``store.full``, ``store.unreadable``, ``store.unreachable``.
        LernodeError: ``store.corrupt``, ``store.migration_*``, ``store.driver_incomplete``.
    """
    url = f"sqlite://{where.absolute()}" if isinstance(where, Path) else where
    engine = ENGINES.get(urlsplit(url).scheme)
    if engine is None:
        known = ", ".join(f"{scheme}://" for scheme in ENGINES)
        raise BadInput("store.url_unusable", "There is no engine for that URL of a store.", f"Use one of: {known}.")
    steps = bundled() if migrations is None else migrations
    opener: Open = import_module(engine).open_url
    return await opener(url, password=password, create=create, upgrade=upgrade, limits=limits, migrations=steps)
