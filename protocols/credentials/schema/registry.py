"""The types of ``credentialSchema`` that lernode checks, and the schemas that it knows. A new one is one line here."""

from __future__ import annotations

from collections.abc import Mapping

from protocols.credentials.policy import SchemaChecker
from protocols.credentials.schema.credential import check_schema_credential, schema_credential_problems
from protocols.credentials.schema.interface import SchemaType
from protocols.credentials.schema.plain import check_json_schema

__all__ = ["KNOWN_SCHEMAS", "SCHEMA_TYPES"]

SCHEMA_TYPES: dict[str, SchemaType] = {
    "JsonSchema": check_json_schema,
    "JsonSchemaCredential": check_schema_credential,
    "1EdTechJsonSchemaValidator2019": check_json_schema,
}
"""The ``type`` of an entry -> what checks it. 1EdTech's is JSON Schema too (Open Badges 3.0 §B.5)."""

KNOWN_SCHEMAS: Mapping[str, SchemaChecker] = {
    "https://www.w3.org/ns/credentials/json-schema/v2.json": schema_credential_problems,
}
"""The id of a schema -> what checks it here, so that it is not fetched."""
