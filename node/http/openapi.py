"""The OpenAPI 3.1 document of the admin API, generated from its table of operations.

Spec: OpenAPI 3.1.1; schemas are JSON Schema 2020-12. Leaves to ``admin.py`` what the operations are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from node.http.admin_operation import EVENT_STREAM, Nothing, Operation
from node.http.problem import MEDIA_TYPE as PROBLEM
from node.http.schemas import Problem

__all__ = ["openapi_document"]

_REF = "#/components/schemas/{name}"
_ABOUT = (
    "What an operator, or the lernode command, does with a node. Errors are problem details (RFC 9457) with a stable "
    "`code`. An id may be shortened to an unambiguous beginning; a connection may also be named by its peer's label."
)


def openapi_document(operations: Sequence[Operation], *, version: str) -> dict[str, Any]:
    """The document for these operations."""
    types = _types(operations)
    shapes, components = msgspec.json.schema_components(types, ref_template=_REF)
    shape_of = dict(zip(map(id, types), shapes, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        item = paths.setdefault(operation.path, {})
        item[operation.method.lower()] = _operation(operation, shape_of, components)
    # Query parameters are listed one by one; their Struct as a whole is not part of the API.
    for operation in operations:
        components.pop(operation.query.__name__, None)
    return {
        "openapi": "3.1.1",
        "info": {"title": "lernode HTTP API", "version": version, "description": _ABOUT},
        "security": [{"bearer": []}, {}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {
                "Problem": {
                    "description": "It was refused, or it failed; `code` says why, `detail` what to do.",
                    "content": {PROBLEM: {"schema": shape_of[id(Problem)]}},
                }
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "On the admin port. On the node's Unix socket its file mode is the key.",
                }
            },
        },
    }


def _types(operations: Iterable[Operation]) -> list[Any]:
    found: list[Any] = [Problem]
    for operation in operations:
        found += [kind for kind in (operation.query, operation.body, operation.response) if kind is not None]
    return list({id(kind): kind for kind in found}.values())


def _operation(operation: Operation, shape_of: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": {
            **{
                str(status): {
                    "description": "Done." if status == operation.status else "Refused.",
                    "content": {
                        "application/json": {"schema": shape_of[id(operation.response)]},
                        **({EVENT_STREAM: {"schema": {"type": "string"}}} if operation.stream else {}),
                    },
                }
                for status in (operation.status, *operation.also)
            },
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if operation.about:
        described["description"] = operation.about
    parameters = _parameters(operation, components)
    if parameters:
        described["parameters"] = parameters
    if operation.upload:
        described["requestBody"] = {"content": {"application/octet-stream": {}}}
    if operation.body is not None:
        described["requestBody"] = {
            "required": bool(components[operation.body.__name__].get("required")),
            "content": {"application/json": {"schema": shape_of[id(operation.body)]}},
        }
    return described


def _parameters(operation: Operation, components: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if "{id}" in operation.path:
        found.append({"name": "id", "in": "path", "required": True, "schema": {"type": "string"}})
    if operation.query is Nothing:
        return found
    shape = components[operation.query.__name__]
    for name, schema in shape["properties"].items():
        about = schema.get("description")
        parameter = {"name": name, "in": "query", "required": name in shape.get("required", ()), "schema": schema}
        found.append({**parameter, "description": about} if about else parameter)
    return found
