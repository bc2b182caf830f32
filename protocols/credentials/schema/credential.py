"""``JsonSchemaCredential``: the schema stands in a credential, which is verified first (VC JSON Schema 1.0 §3.2, §5.1).

Its schema counts where it passes the checks of a credential and its issuer is the record's own, or one that this
verifier trusts: whoever else signs a schema has no say in what a record has to look like.
"""

from __future__ import annotations

from typing import Any

from protocols import strict_json
from protocols.credentials.model import has_type, issuer_id, subjects
from protocols.credentials.schema.interface import SchemaWorld, fetched, result_of, unclear
from protocols.credentials.verification import CheckResult
from protocols.errors import LernodeError

__all__ = ["check_schema_credential", "schema_credential_problems"]


async def check_schema_credential(entry: dict[str, Any], record: dict[str, Any], world: SchemaWorld) -> CheckResult:
    """How the record stands to the schema in the credential that the entry names."""
    body = await fetched(entry, record, world)
    if isinstance(body, CheckResult):
        return body
    try:
        checked = await world.check_credential(body)
    except LernodeError as error:
        return unclear("schema.malformed", error.message)
    if checked.doubt is not None:
        reason = f"The credential that holds the schema is not to be believed: {checked.doubt.reason}"
        return unclear("schema.credential_unproved", reason, {"credential": checked.doubt.code})
    if checked.issuer is None or not (checked.issuer == issuer_id(record) or await world.believes(checked.issuer)):
        return unclear("schema.issuer_untrusted", "The schema is from somebody else, who is not trusted.")
    problems = schema_credential_problems(checked.credential)
    if checked.credential.get("id") != entry.get("id"):
        problems.append("The credential with the schema is another than the record names.")
    if problems:
        return unclear("schema.malformed", problems[0])
    return result_of(strict_json.dumps(subjects(checked.credential)[0]["jsonSchema"]), record, world)


def schema_credential_problems(document: dict[str, Any]) -> list[str]:
    """What a credential lacks to be one of a schema (VC JSON Schema 1.0 §3.2), as sentences."""
    problems = []
    if not has_type(document, "JsonSchemaCredential"):
        problems.append("The type of the credential does not include JsonSchemaCredential.")
    held = subjects(document)
    if len(held) != 1 or not has_type(held[0], "JsonSchema"):
        problems.append("The credential is not about one JsonSchema.")
    elif not isinstance(held[0].get("jsonSchema"), dict):
        problems.append("The credential holds no jsonSchema that is an object.")
    return problems
