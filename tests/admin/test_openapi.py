"""The OpenAPI document says what the API is, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from node.http.admin import ALL_OPERATIONS
from node.http.openapi import openapi_document

DOCUMENT = openapi_document(ALL_OPERATIONS, version="1")
_DESCRIBED = [
    (path, method, operation) for path, item in DOCUMENT["paths"].items() for method, operation in item.items()
]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def test_it_has_what_openapi_3_1_requires() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert DOCUMENT["info"].keys() >= {"title", "version"}
    assert DOCUMENT["paths"]


def test_every_operation_is_described_once_under_its_own_name() -> None:
    described = {(method.upper(), path) for path, method, _ in _DESCRIBED}
    assert described == {(operation.method, operation.path) for operation in ALL_OPERATIONS}
    names = [operation["operationId"] for *_, operation in _DESCRIBED]
    assert len(set(names)) == len(names) == len(ALL_OPERATIONS)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(_references(DOCUMENT)):
        target: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert isinstance(target, dict)


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_json_schema_2020_12_under_a_lawful_name(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
    schema = DOCUMENT["components"]["schemas"][name]
    assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


@pytest.mark.parametrize(("path", "method", "operation"), _DESCRIBED)
def test_parameters_of_the_path_are_declared_and_required(path: str, method: str, operation: dict[str, Any]) -> None:
    declared = {p["name"]: p for p in operation.get("parameters", ()) if p["in"] == "path"}
    assert set(declared) == set(re.findall(r"\{(\w+)\}", path))
    assert all(parameter["required"] for parameter in declared.values())
    assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
    assert method == "post" or "requestBody" not in operation


def test_query_parameters_are_listed_one_by_one() -> None:
    parameters = DOCUMENT["paths"]["/admin/records"]["get"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == {"after", "limit", "q", "skill"}
    assert "RecordsQuery" not in DOCUMENT["components"]["schemas"]
