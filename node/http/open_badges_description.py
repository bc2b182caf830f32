"""The Service Description Document of the Open Badges API (OB 3.0 §6.3, §7.1.1.1): an OpenAPI 3.0 document."""

from __future__ import annotations

from typing import Any, Final

from protocols.oauth.scopes import PROFILE_READONLY, PROFILE_UPDATE, READONLY, SCOPES, UPSERT

__all__ = ["AUTHORIZE_PATH", "REGISTER_PATH", "REVOKE_PATH", "TOKEN_PATH", "service_description"]

AUTHORIZE_PATH: Final = "/oauth/authorize"
REGISTER_PATH: Final = "/oauth/register"
REVOKE_PATH: Final = "/oauth/revoke"
TOKEN_PATH: Final = "/oauth/token"  # noqa: S105 - a path
_SPEC: Final = "https://www.imsglobal.org/spec/ob/v3p0"
_CREDENTIAL: Final = {"$ref": "#/components/schemas/AchievementCredential"}
_JWS: Final = {"$ref": "#/components/schemas/CompactJws"}
_PROFILE: Final = {"$ref": "#/components/schemas/Profile"}


def service_description(*, base: str, api_path: str, title: str, terms_url: str, privacy_url: str) -> dict[str, Any]:
    """The document.

    Args:
        base: the URL to which the paths are added.
    """
    return {
        "openapi": "3.0.1",
        "info": {
            "title": title,
            "version": "3.0",
            "termsOfService": terms_url,
            "x-imssf-privacyPolicyUrl": privacy_url,
            "description": f"Open Badges 3.0 API, see {_SPEC}",
        },
        "servers": [{"url": f"{base}{api_path}"}],
        "paths": {
            "/credentials": {"get": _get_credentials(), "post": _upsert_credential()},
            "/profile": {"get": _get_profile(), "put": _put_profile()},
            "/discovery": {
                "get": {
                    "operationId": "getServiceDescription",
                    "summary": "This document.",
                    "responses": {"200": _answer("OpenAPI 3.0.", {"type": "object"})},
                }
            },
        },
        "components": {
            "securitySchemes": {
                "OAuth2ACG": {
                    "type": "oauth2",
                    "description": "OAuth 2.0 Authorization Code Grant authorization",
                    "x-imssf-name": title,
                    "x-imssf-privacyPolicyUrl": privacy_url,
                    "x-imssf-registrationUrl": f"{base}{REGISTER_PATH}",
                    "x-imssf-termsOfServiceUrl": terms_url,
                    "flows": {
                        "authorizationCode": {
                            "authorizationUrl": f"{base}{AUTHORIZE_PATH}",
                            "tokenUrl": f"{base}{TOKEN_PATH}",
                            "refreshUrl": f"{base}{TOKEN_PATH}",
                            "scopes": dict(SCOPES),
                        }
                    },
                }
            },
            "schemas": _schemas(),
        },
    }


def _get_credentials() -> dict[str, Any]:
    return {
        "operationId": "getCredentials",
        "summary": "The badges that the owner holds.",
        "parameters": [
            {"name": "limit", "in": "query", "schema": {"type": "integer", "format": "int32", "minimum": 1}},
            {"name": "offset", "in": "query", "schema": {"type": "integer", "format": "int32", "minimum": 0}},
            {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}},
        ],
        "responses": {
            "200": _answer("A page.", {"$ref": "#/components/schemas/GetOpenBadgeCredentialsResponse"}),
            **_errors(),
        },
        "security": [{"OAuth2ACG": [READONLY]}],
    }


def _upsert_credential() -> dict[str, Any]:
    either = {"application/json": {"schema": _CREDENTIAL}, "text/plain": {"schema": _JWS}}
    return {
        "operationId": "upsertCredential",
        "summary": "Hold a badge, or the newer form of one.",
        "requestBody": {"required": True, "content": either},
        "responses": {
            "200": {"description": "An older form was replaced.", "content": either},
            "201": {"description": "It is held now.", "content": either},
            "304": {"description": "Held is the same, or a newer form."},
            **_errors(),
        },
        "security": [{"OAuth2ACG": [UPSERT]}],
    }


def _get_profile() -> dict[str, Any]:
    return {
        "operationId": "getProfile",
        "summary": "The owner's profile.",
        "responses": {"200": _answer("The profile.", _PROFILE), **_errors()},
        "security": [{"OAuth2ACG": [PROFILE_READONLY]}],
    }


def _put_profile() -> dict[str, Any]:
    return {
        "operationId": "putProfile",
        "summary": "Replace the owner's profile; its id stays.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": _PROFILE}}},
        "responses": {"200": _answer("The profile.", _PROFILE), **_errors()},
        "security": [{"OAuth2ACG": [PROFILE_UPDATE]}],
    }


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _errors() -> dict[str, Any]:
    failure = _answer("Why it was not done.", {"$ref": "#/components/schemas/Imsx_StatusInfo"})
    return {**dict.fromkeys(("400", "401", "403", "405"), failure), "default": failure}


def _schemas() -> dict[str, Any]:
    text = {"type": "string"}
    minor = {"imsx_codeMinorFieldName": text, "imsx_codeMinorFieldValue": text}
    return {
        "AchievementCredential": {"type": "object", "externalDocs": {"url": f"{_SPEC}/#achievementcredential"}},
        "Profile": {"type": "object", "externalDocs": {"url": f"{_SPEC}/#profile"}},
        "CompactJws": {"type": "string", "pattern": r"^[-A-Za-z0-9_]+\.[-A-Za-z0-9_]*\.[-A-Za-z0-9_]*$"},
        "GetOpenBadgeCredentialsResponse": {
            "type": "object",
            "properties": {
                "credential": {"type": "array", "items": _CREDENTIAL},
                "compactJwsString": {"type": "array", "items": _JWS},
            },
        },
        "Imsx_StatusInfo": {
            "type": "object",
            "required": ["imsx_codeMajor", "imsx_severity"],
            "properties": {
                "imsx_codeMajor": {"type": "string", "enum": ["failure", "processing", "success", "unsupported"]},
                "imsx_severity": {"type": "string", "enum": ["error", "status", "warning"]},
                "imsx_description": text,
                "imsx_codeMinor": {
                    "type": "object",
                    "properties": {
                        "imsx_codeMinorField": {
                            "type": "array",
                            "items": {"type": "object", "properties": minor},
                        }
                    },
                },
            },
        },
    }
