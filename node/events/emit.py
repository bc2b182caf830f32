"""Writes events in the unit of work of what they tell of."""

from __future__ import annotations

import msgspec

from node.events.types import EventData, event_type_of
from node.runtime.world import World
from storage import events
from storage.engine import Transaction
from storage.events import Event

__all__ = ["emit", "event_of"]


async def emit(tx: Transaction, world: World, *told: EventData) -> None:
    """Tell of what this unit of work does, once it is committed."""
    await events.add(tx, *(event_of(world, data) for data in told))


def event_of(world: World, data: EventData) -> Event:
    """The event that says ``data``, not stored yet."""
    kind = event_type_of(data)
    return Event(
        id=world.new_id(),
        at=world.clock(),
        type=kind.name,
        topic=kind.topic,
        lane=data.lane,
        data=msgspec.to_builtins(data),
    )
