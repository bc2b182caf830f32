"""JSON Schema over a credential, with its three results: valid, invalid, and not to be said.

Specs: Verifiable Credentials JSON Schema §4 (dialects, ``$schema`` required) and §5.2 (Success, Failure,
Indeterminate); JSON Schema 2020-12, 2019-09 and draft-07. Formats are asserted, as the examples of the former do.
A schema is somebody else's program: it is bounded in size and work, nothing that it refers to is fetched, its
patterns backtrack only so far, and what is said of a document quotes none of its values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import jsonschema_rs

from protocols import strict_json
from protocols.credentials.schema.work import MAX_STEPS, steps_of
from protocols.credentials.verification import Outcome
from protocols.errors import BadInput

__all__ = ["DIALECTS", "MAX_SCHEMA_BYTES", "Evaluation", "evaluate"]

DIALECTS = frozenset(
    {
        "https://json-schema.org/draft/2020-12/schema",
        "https://json-schema.org/draft/2019-09/schema",
        "http://json-schema.org/draft-07/schema",
    }
)
MAX_SCHEMA_BYTES = 256 * 1024

_MAX_PROBLEMS = 5
_MAX_CHARS = 200
_MASK = "the value"
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=20_000, size_limit=1 << 18, dfa_size_limit=1 << 20)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a document stands to a schema.

    Attributes:
        outcome: PASS for Success, FAIL for Failure, NOT_CHECKED for Indeterminate.
        problems: where the document breaks the schema and how, without its values.
        steps: how much work that was, see ``work.py``.
    """

    outcome: Outcome
    code: str
    reason: str
    problems: tuple[str, ...] = ()
    steps: int = 0


def evaluate(schema: bytes, document: dict[str, Any]) -> Evaluation:
    """How ``document`` stands to ``schema``; never raises.

    Args:
        document: bounded in depth, as ``strict_json`` sees to.
    """
    if len(schema) > MAX_SCHEMA_BYTES:
        return _unclear("schema.too_large", "The schema is too large.")
    try:
        parsed = strict_json.loads_object(schema)
        dialect = parsed.get("$schema")
        if not isinstance(dialect, str) or dialect.removesuffix("#") not in DIALECTS:
            return _unclear("schema.dialect_unknown", "The schema does not name a version of JSON Schema known here.")
        steps = steps_of(parsed, document)
        problems = list(islice(_validator(schema).iter_errors(document), _MAX_PROBLEMS))
    except BadInput as error:
        code = error.code if error.code.startswith("schema.") else "schema.malformed"
        return _unclear(code, error.message)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
        return _unclear("schema.malformed", "What the record names as its schema is not a JSON Schema.")
    if any(isinstance(one.kind, jsonschema_rs.ValidationErrorKind.BacktrackLimitExceeded) for one in problems):
        return _unclear("schema.too_complex", "A pattern of the schema takes too long.")
    if problems:
        told = tuple(_told(problem) for problem in problems)
        return Evaluation(Outcome.FAIL, "schema.violated", "The record does not keep its schema.", told, steps)
    return Evaluation(Outcome.PASS, "ok", "The record keeps its schema.", (), steps)


@lru_cache(maxsize=32)
def _validator(schema: bytes) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(
        strict_json.loads_object(schema), validate_formats=True, offline=True, mask=_MASK, pattern_options=_PATTERNS
    )


def _told(problem: jsonschema_rs.ValidationError) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem.instance_path)
    text = f"${path}: {problem.message}"
    return "".join(char if char.isprintable() else " " for char in text)[:_MAX_CHARS]


def _unclear(code: str, reason: str) -> Evaluation:
    return Evaluation(Outcome.NOT_CHECKED, code, reason, (), MAX_STEPS)
