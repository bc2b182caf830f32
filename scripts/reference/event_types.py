"""docs/events.md, from the registry of types of events."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec

from node.events.types import EVENT_TYPES, TOPICS, EventType
from scripts.reference.markdown import NOTICE, code, table

__all__ = ["page"]

_INTRODUCTION = f"""# Events

{NOTICE}

What [webhooks and the event stream](webhooks.md) tell. Each event is a CloudEvent 1.0 whose `type` is `lernode.` and
the name below, and whose `data` has these fields. A field may be added; none is renamed, removed or given another
meaning.
"""


def page() -> str:
    """The page."""
    lines = [_INTRODUCTION]
    for topic in TOPICS:
        lines += [f"## Topic {topic}", ""]
        for kind in EVENT_TYPES:
            if kind.topic == topic:
                lines += [f"### {kind.name}", "", inspect.cleandoc(kind.data.__doc__ or ""), "", *_fields(kind), ""]
    return "\n".join(lines).rstrip() + "\n"


def _fields(kind: EventType) -> list[str]:
    schema = msgspec.json.schema(kind.data)["$defs"][kind.data.__name__]
    rows = [
        (code(name), _type(said), re.sub(r"\s+", " ", said.get("description", "")))
        for name, said in schema["properties"].items()
    ]
    return table(("field", "type", "what it says"), rows)


def _type(said: dict[str, Any]) -> str:
    if "anyOf" in said:
        return " or ".join(_type(one) for one in said["anyOf"])
    if said["type"] == "array":
        return f"list of {_type(said['items'])}"
    return str(said["type"])
