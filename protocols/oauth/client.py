"""OAuth 2.0 as a client says it: registration, the authorization request and its answer, tokens.

Specs: RFC 6749 §4.1 and §6, RFC 7591, RFC 7636 (S256 only), RFC 8252 §7.3 (the answer comes to loopback), RFC 9207,
with what OB 3.0 §7.1 adds. Pure: no network, no clock, no randomness.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote_plus, urlsplit

from protocols.errors import BadInput, PeerFault
from protocols.oauth.authorization import answer_url, challenge_of
from protocols.oauth.registration import CODE, REFRESH
from protocols.oauth.scopes import join
from protocols.oauth.service import Service

__all__ = [
    "Registered", "Tokens", "authorization_url", "basic_header", "code_form", "read_answer", "read_registered",
    "read_tokens", "refresh_form",
]  # fmt: skip

_MAX_SECRET: Final = 8192
_MAX_ANSWER: Final = 16384
_MAX_LIFETIME: Final = 366 * 86400
_DEFAULT_LIFETIME: Final = 300
"""Seconds that an access token is used for where its server does not say for how long it is good."""


@dataclass(frozen=True, slots=True, repr=False)
class Registered:
    """What a client is known by at a server."""

    client_id: str
    secret: str


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """Tokens of a server (RFC 6749 §5.1).

    Attributes:
        refresh: None where the server gives none, or none anew.
        scope: what was granted, which may be less than was asked for.
        lifetime: seconds.
    """

    access: str
    refresh: str | None
    scope: str
    lifetime: int


def read_registered(answer: Mapping[str, Any]) -> Registered:
    """The answer to a registration (RFC 7591 §3.2.1).

    Raises:
        PeerFault: ``wallet.answer`` without an id and a secret, for OB 3.0 asks for ``client_secret_basic``.
    """
    client_id, secret = answer.get("client_id"), answer.get("client_secret")
    if not _is_secret(client_id) or not _is_secret(secret):
        raise _strange("it registers the node without an id and a secret")
    return Registered(str(client_id), str(secret))


def authorization_url(
    service: Service, client_id: str, *, redirect_uri: str, scopes: Sequence[str], state: str, verifier: str
) -> str:
    """Where the browser of the person goes (RFC 6749 §4.1.1)."""
    return answer_url(
        service.authorization,
        response_type="code",
        client_id=client_id,
        redirect_uri=redirect_uri,
        scope=join(scopes),
        state=state,
        code_challenge=challenge_of(verifier),
        code_challenge_method="S256",
    )


def read_answer(address: str, *, redirect_uri: str, state: str, issuer: str) -> str:
    """The code in the address that the browser was led to (RFC 6749 §4.1.2).

    Args:
        issuer: the server's identifier, which the answer has to have where this is not empty (RFC 9207 §2.4).

    Raises:
        BadInput: ``wallet.answer_elsewhere`` where it does not answer this request; ``wallet.denied`` where the other
            side says no.
    """
    given, expected = urlsplit(address[:_MAX_ANSWER]), urlsplit(redirect_uri)
    if (given.scheme, given.netloc, given.path) != (expected.scheme, expected.netloc, expected.path):
        raise _elsewhere()
    pairs = parse_qsl(given.query, keep_blank_values=True)
    answer = dict(pairs)
    if len(answer) != len(pairs) or answer.get("state") != state or (issuer and answer.get("iss") != issuer):
        raise _elsewhere()
    if "error" in answer:
        told = "".join(char for char in answer["error"][:60] if char.isalnum() or char in "_-")
        raise BadInput("wallet.denied", f"The other side did not agree ({told}).", "Begin again if that was a mistake.")
    code = answer.get("code", "")
    if not _is_secret(code):
        raise _elsewhere()
    return code


def code_form(code: str, *, redirect_uri: str, scopes: Sequence[str], verifier: str) -> dict[str, str]:
    """The form that gives a code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5; OB 3.0 §7.1.2.3 has the scope, too)."""
    return {
        "grant_type": CODE,
        "code": code,
        "redirect_uri": redirect_uri,
        "scope": join(scopes),
        "code_verifier": verifier,
    }


def refresh_form(token: str, scope: str) -> dict[str, str]:
    """The form that gives a refresh token for new tokens (RFC 6749 §6)."""
    return {"grant_type": REFRESH, "refresh_token": token, "scope": scope}


def read_tokens(answer: Mapping[str, Any], asked: str) -> Tokens:
    """The answer of the token endpoint.

    Args:
        asked: the scope that was asked for, which is the granted one where the server does not say (RFC 6749 §5.1).

    Raises:
        PeerFault: ``wallet.answer``.
    """
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not _is_secret(access) or str(answer.get("token_type", "")).lower() != "bearer":
        raise _strange("it gives no bearer token")
    scope, lifetime = answer.get("scope", asked), answer.get("expires_in", _DEFAULT_LIFETIME)
    if not isinstance(scope, str) or len(scope) > _MAX_SECRET or not scope.isprintable():
        raise _strange("its scope is no text")
    if isinstance(lifetime, bool) or not isinstance(lifetime, int) or lifetime < 0:
        raise _strange("its tokens have no lifetime")
    return Tokens(str(access), refresh if _is_secret(refresh) else None, scope, min(lifetime, _MAX_LIFETIME))


def basic_header(registered: Registered) -> dict[str, str]:
    """How a client says who it is (RFC 6749 §2.3.1)."""
    text = f"{quote_plus(registered.client_id)}:{quote_plus(registered.secret)}"
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def _is_secret(value: Any) -> bool:
    # VSCHAR (RFC 6749 §A): printable ASCII.
    return isinstance(value, str) and 0 < len(value) <= _MAX_SECRET and value.isascii() and value.isprintable()


def _elsewhere() -> BadInput:
    return BadInput(
        "wallet.answer_elsewhere",
        "That address does not answer what this node asked for.",
        "Begin again, and use the page that opens then.",
    )


def _strange(why: str) -> PeerFault:
    return PeerFault("wallet.answer", f"The service answers what cannot be used: {why}.", "Tell its operator.")
