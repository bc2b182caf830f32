"""Requests to the token and revocation endpoints (RFC 6749 §2.3.1, §4.1.3, §6; RFC 7009 §2.1)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from protocols.errors import BadInput
from protocols.oauth.registration import CODE, REFRESH

__all__ = ["CodeExchange", "Refresh", "basic_credentials", "bearer_token", "read_token_request"]

_MAX_TOKEN = 400
_FORM_SECRETS = frozenset({"client_secret", "password", "username"})


@dataclass(frozen=True, slots=True)
class CodeExchange:
    """A code is given for tokens."""

    code: str
    redirect_uri: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token is given for new tokens; ``scope`` is empty where all are wanted that were granted."""

    token: str
    scope: str


def basic_credentials(header: str) -> tuple[str, str]:
    """The id and secret of a client, as it says them (RFC 6749 §2.3.1).

    Raises:
        BadInput: ``oauth.invalid_client``.
    """
    scheme, _, given = header.partition(" ")
    try:
        text = base64.b64decode(given.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError, ValueError):
        text = ""
    name, colon, secret = text.partition(":")
    if not colon or not name or not secret or len(text) > _MAX_TOKEN:
        raise BadInput("oauth.invalid_client", "The client does not say who it is.", "Send client_secret_basic.")
    return unquote_plus(name), unquote_plus(secret)


def bearer_token(header: str) -> str:
    """The access token of a request (RFC 6750 §2.1).

    Raises:
        BadInput: ``oauth.no_token`` where there is none.
    """
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token.strip()) <= _MAX_TOKEN:
        raise BadInput("oauth.no_token", "An access token is needed.", "Send Authorization: Bearer TOKEN.")
    return token.strip()


def read_token_request(form: Mapping[str, str]) -> CodeExchange | Refresh:
    """What a client asks the token endpoint for.

    Raises:
        BadInput: ``oauth.invalid_request``, ``oauth.unsupported_grant_type``.
    """
    if _FORM_SECRETS & form.keys():
        raise BadInput("oauth.invalid_request", "Secrets are not taken in the body.", "Use client_secret_basic.")
    kind = form.get("grant_type", "")
    if kind == CODE:
        return CodeExchange(_field(form, "code"), _field(form, "redirect_uri"), _field(form, "code_verifier"))
    if kind == REFRESH:
        return Refresh(_field(form, "refresh_token"), form.get("scope", ""))
    raise BadInput(
        "oauth.unsupported_grant_type",
        "The grant types are authorization_code and refresh_token.",
        "Use one of them.",
    )


def _field(form: Mapping[str, str], name: str) -> str:
    value = form.get(name, "")
    if not 0 < len(value) <= 1000:
        raise BadInput("oauth.invalid_request", f"The field {name} is missing or too long.", "Send it once.")
    return value
