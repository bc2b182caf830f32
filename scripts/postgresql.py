"""PostgreSQL's own programs: where they are, and a cluster of one's own that listens on a socket in its folder only.

PostgreSQL refuses to run as root, so root runs it as the user ``postgres``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

__all__ = ["binaries", "initialise", "postgres_command", "run_as_owner"]


def binaries() -> Path | None:
    """The folder of PostgreSQL's programs, the newest there is."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


def run_as_owner() -> dict[str, Any]:
    """What to give to :mod:`subprocess` so that root does not run the server itself."""
    return {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}


def initialise(programs: Path, folder: Path) -> Path:
    """Make a cluster in a new folder; where its data is."""
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    make = [programs / "initdb", "-D", data, "-U", "lernode", "-A", "trust", "-E", "UTF8", "--no-locale", "-N", "-k"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd=folder, **run_as_owner())
    return data


def postgres_command(programs: Path, folder: Path, *, durable: bool) -> list[str]:
    """Starts the server of the cluster in ``folder``; it listens there and nowhere else."""
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "max_connections": "300",
        "shared_buffers": "64MB",
        "fsync": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [str(programs / "postgres"), "-D", str(folder / "data"), *options]
