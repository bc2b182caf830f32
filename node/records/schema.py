"""Records of Open Badges 3.0 and Comprehensive Learner Record 2.0 held against a JSON Schema.

``schemas/open_badges_3.0.json`` is lernode's own: written from the data model of the standard (§B), because it has to
hold for VCDM 2.0 and 1.1 and travel with the program. Where it is wider or narrower than the schema files that
1EdTech publishes stands in its ``$comment``; the tests compare the two.

A document is valid before and after it is signed: ``proof`` may be there, and what it must look like is for the
proof's own verification. No reference leaves the file, so nothing is ever fetched.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, Literal

import jsonschema_rs

from node.records.problems import Problem, json_path
from protocols.credentials.policy import SchemaChecker
from protocols.credentials.reading import read_document
from protocols.errors import BadInput

__all__ = ["MAX_PROBLEMS", "SCHEMA_CHECKERS", "catalogue_problems", "clr_problems", "endorsement_problems", "validate"]

MAX_PROBLEMS = 50
"""How many problems are told of one document."""

_Root = Literal["AchievementCredential", "EndorsementCredential", "Achievement", "ClrCredential"]
_MASK = "The value"
_DEFINITION = re.compile(r"\$defs/(\w+)/pattern$")


def validate(document: dict[str, Any]) -> list[Problem]:
    """The problems of an AchievementCredential or OpenBadgeCredential (OB 3.0 §B), signed or not."""
    return _problems(_validator("AchievementCredential"), document)


def clr_problems(document: dict[str, Any]) -> list[Problem]:
    """The problems of a ClrCredential (CLR 2.0 §B), signed or not; those of the credentials in it are their own."""
    return _problems(_validator("ClrCredential"), document)


def endorsement_problems(document: dict[str, Any]) -> list[Problem]:
    """The problems of an EndorsementCredential (OB 3.0 §B), signed or not."""
    return _problems(_validator("EndorsementCredential"), document)


def catalogue_problems(achievement: Any) -> list[Problem]:
    """The problems of an Achievement (OB 3.0 §B) that an issuer means to sign.

    Stricter than for a record from elsewhere: a property that the standard does not define is most often a
    misspelt one, and an empty list is covered by no signature.
    """
    return _problems(_closed_validator(), achievement, name_properties=True)


def _problems(validator: jsonschema_rs.Validator, document: Any, *, name_properties: bool = False) -> list[Problem]:
    try:
        bounded = read_document(document)  # the validator's stack overflows on what nests too deeply
    except BadInput as error:
        return [Problem("$", error.message)]
    return _problems_of_bounded(validator, bounded, name_properties=name_properties)


def _problems_of_bounded(
    validator: jsonschema_rs.Validator, bounded: dict[str, Any], *, name_properties: bool = False
) -> list[Problem]:
    if validator.is_valid(bounded):
        return []
    errors = islice(validator.iter_errors(bounded), MAX_PROBLEMS)
    return [Problem(json_path(error.instance_path), _sentence(error, name_properties)) for error in errors]


def _sentence(error: jsonschema_rs.ValidationError, name_properties: bool) -> str:
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        return f'"{kind.property}" is missing.'
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Pattern):
        defined = _DEFINITION.search(error.absolute_keyword_location or "/".join(map(str, error.schema_path)))
        return f"The value is not a {defined[1]}." if defined else "The value does not have the form that it must have."
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Contains):
        return "A value that must be in the list is missing."
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AnyOf):
        return "The value is none of those that the standard lists, nor an extension of them (ext:…)."
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        names = ", ".join(kind.unexpected) if name_properties else "something"
        return f"The standard does not define here: {names}."
    return f"{error.message}."


@cache
def _schema() -> dict[str, Any]:
    folder = files("node.records").joinpath("schemas")
    schema, more = (json.loads(folder.joinpath(name).read_bytes()) for name in ("open_badges_3.0.json", "clr_2.0.json"))
    return {**schema, "$defs": {**schema["$defs"], **more["$defs"]}}


@cache
def _validator(root: _Root) -> jsonschema_rs.Validator:
    return _compile({**_schema(), "$ref": f"#/$defs/{root}"})


@cache
def _closed_validator() -> jsonschema_rs.Validator:
    definitions = copy.deepcopy(_schema()["$defs"])
    for definition in definitions.values():
        if definition.get("type") == "object" and "prefixItems" not in definition:
            _close(definition)
    return _compile({**_schema(), "$defs": definitions, "$ref": "#/$defs/Achievement"})


def _close(definition: dict[str, Any]) -> None:
    definition["additionalProperties"] = False
    for rule in definition.get("properties", {}).values():
        if rule.get("type") == "array":
            rule["minItems"] = max(1, rule.get("minItems", 0))


def _compile(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(schema, validate_formats=True, offline=True, mask=_MASK)


def _checker(root: _Root) -> SchemaChecker:
    """For verification, whose documents have been read within limits already."""
    return lambda document: [str(problem) for problem in _problems_of_bounded(_validator(root), document)]


_check_achievement_credential = _checker("AchievementCredential")
_check_endorsement_credential = _checker("EndorsementCredential")
_check_clr_credential = _checker("ClrCredential")


_PUBLISHED = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/"
_PUBLISHED_CLR = "https://purl.imsglobal.org/spec/clr/v2p0/schema/json/clr_v2p0_clrcredential_schema.json"

SCHEMA_CHECKERS: Mapping[str, SchemaChecker] = {
    "OpenBadgeCredential": _check_achievement_credential,
    "AchievementCredential": _check_achievement_credential,
    "EndorsementCredential": _check_endorsement_credential,
    "ClrCredential": _check_clr_credential,
    _PUBLISHED_CLR: _check_clr_credential,
    _PUBLISHED + "ob_v3p0_achievementcredential_schema.json": _check_achievement_credential,
    _PUBLISHED + "ob_v3p0_endorsementcredential_schema.json": _check_endorsement_credential,
}
"""For a verification policy: a credential type, or the id of a published schema, -> what checks it here."""
