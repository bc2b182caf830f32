"""The clock of a process, put wrong from outside with libfaketime (https://github.com/wolfcw/libfaketime)."""

from __future__ import annotations

from pathlib import Path

__all__ = ["Clock", "why_not"]

_PLACES = ("/usr/lib", "/usr/lib64", "/usr/local/lib")


def _library() -> Path | None:
    for place in _PLACES:
        for found in sorted(Path(place).glob("**/faketime/libfaketime.so.1")):
            return found
    return None


def why_not() -> str | None:
    """Why clocks cannot be put wrong here, or None."""
    return None if _library() else "clocks: libfaketime is not installed (Debian: apt install libfaketime)"


class Clock:
    """The wall clock of every process that is started with :attr:`environment`, also while it runs.

    Clocks that only measure how long something takes go on as they are, as on a machine whose time is set.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    @property
    def environment(self) -> dict[str, str]:
        """What the process is to be given."""
        return {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }

    def set(self, offset: int) -> None:
        """Be wrong by so many seconds."""
        beside = self._file.with_suffix(".new")
        beside.write_text(f"{offset:+d}s\n")
        beside.replace(self._file)
