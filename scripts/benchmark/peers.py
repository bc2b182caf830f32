"""Other programs that sign and verify the same record, for comparison, each as a process of its own.

They are installed into ``.bench``, at the versions named here; lernode depends on none of them. What cannot be had, for
want of Node.js or of a network, is left out and said so. What a peer signs has to verify here and the other way
round, or nothing is measured.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.benchmark.timing import Batch, progress

__all__ = ["PEERS", "Peer", "Running", "running"]

_FOLDER = Path(__file__).resolve().parents[2] / ".bench"
_DRIVERS = Path(__file__).with_name("peer_drivers")
_INSTALL_SECONDS = 300

_OPENVC = "openvc-core[data-integrity]==1.37.0"
_NPM = (
    "@digitalbazaar/vc@7.3.0",
    "@digitalbazaar/data-integrity@2.5.0",
    "@digitalbazaar/eddsa-rdfc-2022-cryptosuite@1.3.0",
    "@digitalbazaar/ed25519-multikey@1.3.1",
)


@dataclass(frozen=True, slots=True)
class Peer:
    """A program to compare with.

    Attributes:
        name: short, for figures.
        about: with its version.
        needs: the programs that have to be there.
        install: the commands that install it, run in its folder.
        command: what starts its driver.
    """

    name: str
    about: str
    needs: tuple[str, ...]
    install: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it is installed."""
        return _FOLDER / self.name


PEERS = (
    Peer(
        "openvc",
        "openvc-core 1.37.0",
        (),
        ((sys.executable, "-m", "venv", "."), ("bin/python", "-m", "pip", "install", "--quiet", _OPENVC)),
        ("bin/python", str(_DRIVERS / "openvc_driver.py")),
    ),
    Peer(
        "digitalbazaar",
        "@digitalbazaar/vc 7.3.0",
        ("node", "npm"),
        (("npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", ".", *_NPM),),
        ("node", "digitalbazaar_driver.mjs"),
    ),
)


class Running:
    """A peer's process."""

    def __init__(self, peer: Peer, process: subprocess.Popen[str]) -> None:
        self.peer = peer
        self._process = process

    def ask(self, line: str) -> str:
        """Send a line; the line that comes back."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.peer.name} ended while it was measured")
        return answer

    def batch(self, operation: str) -> Batch:
        """``issue`` or ``verify``, for comparison; the process tells what CPU time it took."""

        def batch(times: int) -> float:
            return float(self.ask(f"{operation} {times}"))

        return batch


@contextmanager
def running(peer: Peer, given: Mapping[str, Any]) -> Iterator[tuple[Running, dict[str, Any]] | None]:
    """Start a peer with what it works on; gives a record that it signed, or None where it cannot be had."""
    if not _install(peer):
        yield None
        return
    for driver in _DRIVERS.glob("*.mjs"):  # Node.js looks for packages beside the script
        shutil.copy(driver, peer.folder)
    with subprocess.Popen(
        _at(peer, peer.command), cwd=peer.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            found = Running(peer, process)
            yield found, json.loads(found.ask(json.dumps(given)))
        finally:
            process.kill()


def _install(peer: Peer) -> bool:
    marker = peer.folder / "installed.json"
    wanted = json.dumps(peer.install)
    if marker.is_file() and marker.read_text(encoding="utf-8") == wanted:
        return True
    missing = [program for program in peer.needs if shutil.which(program) is None]
    if missing:
        progress(f"{peer.about} is left out: {' and '.join(missing)} not found.")
        return False
    progress(f"Installing {peer.about} into {_FOLDER.name}/{peer.name} ...")
    shutil.rmtree(peer.folder, ignore_errors=True)
    peer.folder.mkdir(parents=True)
    for step in peer.install:
        try:
            subprocess.run(_at(peer, step), cwd=peer.folder, check=True, timeout=_INSTALL_SECONDS, stdout=sys.stderr)
        except (subprocess.SubprocessError, OSError):
            progress(f"{peer.about} is left out: it cannot be installed.")
            return False
    marker.write_text(wanted, encoding="utf-8")
    return True


def _at(peer: Peer, command: tuple[str, ...]) -> list[str]:
    """The command with its program where it is: in the peer's folder, or on the path."""
    program = command[0]
    return [str(peer.folder / program) if program.startswith("bin/") else program, *command[1:]]
