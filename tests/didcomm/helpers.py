"""Keys, entropy and identifiers that repeat, so that a failing test fails again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import count

from protocols.keys import KeyPair


def key(name: str) -> KeyPair:
    return KeyPair.from_seed(hashlib.sha256(name.encode()).digest())


class Keys:
    """A key store of the given pairs."""

    def __init__(self, *pairs: KeyPair) -> None:
        self._pairs = {pair.verkey: pair for pair in pairs}

    def find(self, verkey: str) -> KeyPair | None:
        return self._pairs.get(verkey)


def entropy_from(seed: str) -> Callable[[int], bytes]:
    numbers = count()

    def entropy(size: int) -> bytes:
        return hashlib.shake_256(f"{seed}/{next(numbers)}".encode()).digest(size)

    return entropy


def ids(prefix: str = "id") -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{prefix}-{next(numbers)}"
