"""``JsonSchema``: the schema is a JSON document at its ``id`` (VC JSON Schema 1.0 §3.1)."""

from __future__ import annotations

from typing import Any

from protocols.credentials.schema.interface import SchemaWorld, fetched, result_of
from protocols.credentials.verification import CheckResult

__all__ = ["check_json_schema"]


async def check_json_schema(entry: dict[str, Any], record: dict[str, Any], world: SchemaWorld) -> CheckResult:
    """How the record stands to the schema that the entry names."""
    body = await fetched(entry, record, world)
    return body if isinstance(body, CheckResult) else result_of(body, record, world)
