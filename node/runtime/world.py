"""What a node takes from the world besides network and disk: time, randomness and names, as arguments."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["Clock", "World"]

Clock = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _random_uuid() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class World:
    """Time (aware, UTC), entropy (so many unpredictable bytes) and fresh identifiers."""

    clock: Clock = _utc_now
    entropy: Callable[[int], bytes] = os.urandom
    new_id: Callable[[], str] = _random_uuid
