"""Dynamic registration of a client (RFC 7591, with the demands of OB 3.0 §7.1.1): what it says of itself.

Promises: a client that is registered has every property that an owner is to be shown, all of its pages are https and on
one host, and it is sent codes nowhere but to https URLs of that host, or to this machine (RFC 8252 §7.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from protocols.errors import BadInput
from protocols.oauth.scopes import join, read_scopes

__all__ = ["CODE", "REFRESH", "ClientMetadata", "read_registration", "without_loopback_port"]

CODE: Final = "authorization_code"
REFRESH: Final = "refresh_token"
_PAGES = ("client_uri", "logo_uri", "tos_uri", "policy_uri")
_TEXTS = ("client_name", "software_id", "software_version")
_METHOD = "client_secret_basic"
_MAX_TEXT = 200
_MAX_URL = 1000
_MAX_LISTED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMetadata:
    """What a client says of itself (RFC 7591 §2); nothing of it is proved but where it is sent codes.

    Attributes:
        scopes: those that it may ask for.
        grant_types: ``authorization_code``, and ``refresh_token`` where it wants to go on without the owner.
    """

    client_name: str
    client_uri: str
    logo_uri: str
    tos_uri: str
    policy_uri: str
    software_id: str
    software_version: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    grant_types: tuple[str, ...] = (CODE,)
    contacts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is registered and answered."""
        return {
            **{name: getattr(self, name) for name in (*_TEXTS, *_PAGES)},
            "redirect_uris": list(self.redirect_uris),
            "token_endpoint_auth_method": _METHOD,
            "grant_types": list(self.grant_types),
            "response_types": ["code"],
            "scope": join(self.scopes),
            **({"contacts": list(self.contacts)} if self.contacts else {}),
        }


def read_registration(given: Mapping[str, Any]) -> ClientMetadata:
    """What a registration request says; what is not known is passed over (RFC 7591 §2).

    Raises:
        BadInput: ``oauth.invalid_client_metadata``, ``oauth.invalid_redirect_uri``.
    """
    texts = {name: _text(given, name) for name in _TEXTS}
    pages = {name: _page(given, name) for name in _PAGES}
    redirects = _listed(given, "redirect_uris", ())
    hosts = {urlsplit(page).hostname for page in pages.values()} | {_redirect_host(uri) for uri in redirects}
    if len(hosts - {None}) != 1:
        raise _malformed("All URLs need to have the same host name.")
    if not redirects:
        raise BadInput("oauth.invalid_redirect_uri", "No redirect URI is given.", "Name at least one.")
    if given.get("token_endpoint_auth_method", _METHOD) != _METHOD:
        raise _malformed("The token endpoint takes client_secret_basic only.")
    if not set(_listed(given, "response_types", ("code",))) <= {"code"}:
        raise _malformed("The only response type is code.")
    grant_types = _listed(given, "grant_types", (CODE,))
    if CODE not in grant_types or not set(grant_types) <= {CODE, REFRESH}:
        raise _malformed("The grant types are authorization_code, and refresh_token with it.")
    scope = given.get("scope")
    try:
        scopes = read_scopes(scope if isinstance(scope, str) else "")
    except BadInput as error:
        raise _malformed(error.message) from None
    return ClientMetadata(
        **texts,
        **pages,
        redirect_uris=redirects,
        scopes=scopes,
        grant_types=tuple(dict.fromkeys(grant_types)),
        contacts=_listed(given, "contacts", ()),
    )


def without_loopback_port(uri: str) -> str:
    """A redirect URI as it is compared: without the port where it is of this machine (RFC 8252 §7.3)."""
    parts = _url(uri)
    if (
        parts is None
        or parts.scheme != "http"
        or parts.fragment
        or "#" in uri
        or not _is_loopback(parts.hostname or "")
    ):
        return uri
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return parts._replace(netloc=str(host)).geturl()


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_TEXT or not value.isprintable():
        raise _malformed(f"{name} is missing, or is no short text.")
    return value


def _page(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    parts = _url(value)
    if parts is None or parts.scheme != "https" or not isinstance(value, str):
        raise _malformed(f"{name} is missing, or is no https URL.")
    return value


def _redirect_host(uri: str) -> str | None:
    """The host that a redirect URI has to share with the pages of its client; None on this machine.

    Raises:
        BadInput: ``oauth.invalid_redirect_uri``.
    """
    parts = _url(uri)
    # RFC 6749 §3.1.2: no fragment.
    if parts is None or parts.fragment or "#" in uri:
        raise BadInput("oauth.invalid_redirect_uri", "A redirect URI is no URL, or has a fragment.", "Mend it.")
    if parts.scheme == "https":
        return parts.hostname
    if parts.scheme == "http" and _is_loopback(parts.hostname or ""):
        return None
    raise BadInput(
        "oauth.invalid_redirect_uri",
        "A redirect URI is neither https nor on this machine.",
        "Use https, or http with 127.0.0.1 or [::1].",
    )


def _is_loopback(host: str) -> bool:
    # RFC 8252 §8.3: an address and not localhost, which a resolver may take elsewhere.
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _url(value: Any) -> SplitResult | None:
    # No space, control or other character that a browser may read otherwise than urlsplit, such as a backslash.
    if not isinstance(value, str) or len(value) > _MAX_URL or not value.isascii():
        return None
    if any(char <= " " or char in '\\"<>^`{|}\x7f' for char in value):
        return None
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and parts.username is None and parts.password is None else None


def _listed(given: Mapping[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = given.get(name, list(default))
    if not isinstance(value, list) or len(value) > _MAX_LISTED:
        raise _malformed(f"{name} is no list of at most {_MAX_LISTED} texts.")
    if not all(isinstance(each, str) and 0 < len(each) <= _MAX_URL and each.isprintable() for each in value):
        raise _malformed(f"{name} is no list of at most {_MAX_LISTED} texts.")
    return tuple(value)


def _malformed(message: str) -> BadInput:
    return BadInput("oauth.invalid_client_metadata", message, "See docs/open-badges-api.md.")
