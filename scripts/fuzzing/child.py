"""One process of fuzzing: libFuzzer, through atheris, on one target. Started by ``scripts/fuzz`` only."""

from __future__ import annotations

import sys
import time

import atheris

with atheris.instrument_imports(include=["protocols", "pyld", "rfc8785"], enable_loader_override=False):
    from scripts.fuzzing.targets import TARGETS

_MOST_CPU_SECONDS = 1.0


class TooSlow(Exception):
    """An input that took longer than any may take."""


def main(name: str, arguments: list[str]) -> None:
    """Fuzz a target with libFuzzer's own arguments; ends the process."""
    target = TARGETS[name]
    target.run(b"")  # what is made only once is not the first input's to pay for

    def run(data: bytes) -> None:
        began = time.process_time()
        target.run(data)
        taken = time.process_time() - began
        if taken > _MOST_CPU_SECONDS:
            raise TooSlow(f"{taken:.2f} s for {len(data)} bytes")

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        changed = target.mutate(data, max_size, seed) if target.mutate is not None and seed % 8 else None
        return bytes(atheris.Mutate(data, max_size)) if changed is None else changed

    options = {} if target.mutate is None else {"custom_mutator": mutate}
    atheris.Setup([name, *arguments], run, **options)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
