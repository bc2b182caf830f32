"""What a type of ``credentialSchema`` is: something that says whether a record keeps a schema of that type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from protocols.credentials.checks.results import failed, not_checked
from protocols.credentials.digests import digest_of_bytes, digests_match, has_digest
from protocols.credentials.model import as_list
from protocols.credentials.resources import ResourceSource
from protocols.credentials.schema.json_schema import Evaluation, evaluate
from protocols.credentials.verification import Check, CheckResult
from protocols.errors import LernodeError
from protocols.jsonld.work import Work

__all__ = ["SPEC", "CheckedCredential", "SchemaType", "SchemaWorld", "fetched", "result_of", "unclear"]

_STEPS_A_QUAD = 40
"""So many steps of a validator, and of counting them, take as long as a quad."""

SPEC = "VCDM 2.0 §4.11, VC JSON Schema 1.0 §5"


@dataclass(frozen=True, slots=True)
class CheckedCredential:
    """A credential that holds a schema, and what is known of it.

    Attributes:
        credential: what its proof covers.
        issuer: who issued it, ``None`` where that is not proved.
        doubt: the first check that it does not pass.
    """

    credential: dict[str, Any]
    issuer: str | None
    doubt: CheckResult | None


@dataclass(frozen=True, slots=True)
class SchemaWorld:
    """What the types are given to work with.

    Attributes:
        resources: where schemas come from.
        check_credential: makes the checks of a credential on the bytes of one; raises LernodeError where it cannot be
            read.
        believes: whether an issuer is one whose schemas count for records of others.
        work: what is left to be done in this verification.
    """

    resources: ResourceSource
    check_credential: Callable[[bytes], Awaitable[CheckedCredential]]
    believes: Callable[[str], Awaitable[bool]]
    work: Work


SchemaType = Callable[[dict[str, Any], dict[str, Any], SchemaWorld], Awaitable[CheckResult]]
"""Given an entry of ``credentialSchema``, the record and the world: how the record stands to that schema."""


async def fetched(entry: dict[str, Any], record: dict[str, Any], world: SchemaWorld) -> bytes | CheckResult:
    """The bytes of a schema, or why they cannot be used: not to be had, or not those that the issuer meant.

    The digests are those of the entry itself and of a ``relatedResource`` of the same id.
    """
    url = str(entry.get("id"))
    try:
        body = await world.resources.get(url)
    except LernodeError as error:
        return unclear("schema.unavailable", f"The schema cannot be had. {error.message}")
    related = [item for item in as_list(record.get("relatedResource")) if isinstance(item, dict)]
    stated = [item for item in (entry, *related) if item.get("id") == url and has_digest(item)]
    matches = [digests_match(item, digest_of_bytes(body)) for item in stated]
    if False in matches:
        reason = "The schema has been changed: it does not have the digest that the record states."
        return failed(Check.SCHEMA, "schema.digest_mismatch", reason, SPEC)
    if None in matches:
        return unclear("schema.digest_unknown", "The record states a digest of its schema that cannot be computed.")
    return body


def result_of(schema: bytes, record: dict[str, Any], world: SchemaWorld) -> CheckResult:
    """How a record stands to a JSON Schema, as a check.

    Raises:
        BadInput: ``jsonld.too_complex``, where this verification has done enough.
    """
    found: Evaluation = evaluate(schema, record)
    world.work.quads(found.steps // _STEPS_A_QUAD)
    details = {"problems": list(found.problems)} if found.problems else None
    return CheckResult(Check.SCHEMA, found.outcome, found.code, found.reason, SPEC, details)


def unclear(code: str, reason: str, details: dict[str, Any] | None = None) -> CheckResult:
    """That nothing can be said about the schema."""
    return not_checked(Check.SCHEMA, code, reason, SPEC, details=details)
