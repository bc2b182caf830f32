"""The authorization request and its answer (RFC 6749 §4.1, PKCE by RFC 7636 with S256, ``iss`` by RFC 9207).

Promises: nobody is redirected anywhere before the client and its redirect URI are known to belong together, character
by character, but for the port of an address of this machine, which a program gets anew each time (RFC 8252 §7.3);
``state`` and a challenge are demanded; there is no response type but ``code``.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from protocols.errors import BadInput
from protocols.multiformats import b64url_encode
from protocols.oauth.registration import ClientMetadata, without_loopback_port
from protocols.oauth.scopes import read_scopes

__all__ = [
    "AuthorizationRequest", "answer_url", "challenge_of", "read_authorization", "refusal_url", "registered_redirect",
    "verifies",
]  # fmt: skip

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_STATE = 1000


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a client asks an owner for.

    Attributes:
        challenge: base64url of the SHA-256 of the verifier that the client keeps (RFC 7636 §4.2).
    """

    redirect_uri: str
    state: str
    challenge: str
    scopes: tuple[str, ...]


def registered_redirect(client: ClientMetadata, given: Mapping[str, str]) -> str:
    """Where the answer goes.

    Raises:
        BadInput: ``oauth.redirect_mismatch``; the owner is to be told, and not redirected (RFC 6749 §4.1.2.1).
    """
    redirect = given.get("redirect_uri", "")
    known = {without_loopback_port(each) for each in client.redirect_uris}
    if redirect not in client.redirect_uris and without_loopback_port(redirect) not in known:
        raise BadInput(
            "oauth.redirect_mismatch",
            "The app asks to be answered at an address that it did not register.",
            "Go back to the app and begin there again; do not go on if you did not come from it.",
        )
    return redirect


def read_authorization(client: ClientMetadata, given: Mapping[str, str]) -> AuthorizationRequest:
    """An authorization request, whose client and redirect URI are known to belong together.

    Raises:
        BadInput: ``oauth.unsupported_response_type``, ``oauth.invalid_request``, ``oauth.invalid_scope``.
    """
    if given.get("response_type") != "code":
        raise BadInput("oauth.unsupported_response_type", "The only response type is code.", "Ask for that.")
    state, challenge = given.get("state", ""), given.get("code_challenge", "")
    if not 0 < len(state) <= _MAX_STATE or not state.isascii() or not state.isprintable():
        raise BadInput("oauth.invalid_request", "The state is missing or too long.", "Send an unpredictable state.")
    if given.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise BadInput("oauth.invalid_request", "A code_challenge with the method S256 is needed.", "See RFC 7636.")
    scopes = read_scopes(given.get("scope", ""))
    if not set(scopes) <= set(client.scopes):
        raise BadInput("oauth.invalid_scope", "A scope was not registered by this client.", "Register with it.")
    return AuthorizationRequest(given["redirect_uri"], state, challenge, scopes)


def verifies(verifier: str, challenge: str) -> bool:
    """Whether a code verifier is the one of the challenge (RFC 7636 §4.6)."""
    return bool(_VERIFIER.fullmatch(verifier)) and hmac.compare_digest(challenge_of(verifier), challenge)


def challenge_of(verifier: str) -> str:
    """The challenge of a code verifier, by S256 (RFC 7636 §4.2)."""
    return b64url_encode(hashlib.sha256(verifier.encode()).digest())


def answer_url(redirect_uri: str, /, **values: str) -> str:
    """The redirect URI with an answer in its query, which keeps what it has."""
    separator = "&" if urlsplit(redirect_uri).query else "?"
    return f"{redirect_uri.removesuffix('?')}{separator}{urlencode(values)}"


def refusal_url(redirect_uri: str, error: BadInput, *, state: str, issuer: str) -> str:
    """The redirect URI with why there is no code (RFC 6749 §4.1.2.1)."""
    values = {"error": error.code.removeprefix("oauth."), "error_description": error.message, "iss": issuer}
    return answer_url(redirect_uri, **values, **({"state": state} if state else {}))
