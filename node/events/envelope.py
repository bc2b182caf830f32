"""How an event is written for others: CloudEvents 1.0 in JSON, the same for webhooks and the stream.

Specs: CloudEvents 1.0.2, JSON Event Format 1.0.2 (structured mode), and the extensions Sequence and Partitioning: a
reader that got events of one ``partitionkey`` out of order puts them right by ``sequence``.

Where the configuration asks for it (``events.include``), ``data`` also has what is personal: it is looked up when the
event is sent, is kept in no event, and so is gone from later deliveries once it was erased.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from node.events.types import EVENT_TYPES
from protocols import strict_json
from protocols.errors import WrongState
from storage import connections, credentials
from storage.engine import Transaction
from storage.events import Event

__all__ = ["MEDIA_TYPE", "PEER", "RECORD", "cloud_event", "personal_data"]

MEDIA_TYPE = "application/cloudevents+json"
PEER, RECORD = "peer", "record"
_PREFIX = "lernode."
_SCHEMAS = {kind.name: kind.schema_id for kind in EVENT_TYPES}


def cloud_event(event: Event, source: str, personal: dict[str, Any]) -> dict[str, Any]:
    """The CloudEvent.

    Args:
        source: the URL of the node.
        personal: what :func:`personal_data` gives.
    """
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": source,
        "type": _PREFIX + event.type,
        **({"subject": event.lane, "partitionkey": event.lane} if event.lane else {}),
        "time": event.at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "dataschema": _SCHEMAS[event.type],
        # As text of one length, so that its order as text is its order as a number.
        "sequence": f"{event.seq:020d}",
        "data": {**event.data, **personal},
    }


async def personal_data(tx: Transaction, event: Event, include: Collection[str]) -> dict[str, Any]:
    """What the configuration wants to be told besides ids, as far as it is still there."""
    found: dict[str, Any] = {}
    if PEER in include and (connection_id := event.data.get("connectionId")):
        peer = await connections.find(tx, connection_id)
        if peer is not None:
            found["peer"] = {"label": peer.their_label, "did": peer.their_did}
    if RECORD in include and (record_id := event.data.get("recordId")):
        document = await _document(tx, record_id)
        if document is not None:
            found["record"] = strict_json.loads(document)
    return found


async def _document(tx: Transaction, record_id: str) -> bytes | None:
    for get in (credentials.get_issued, credentials.get_held):
        try:
            return (await get(tx, record_id)).document
        except WrongState:
            continue
    return None
