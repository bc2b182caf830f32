"""What a service says of itself to its clients (OB 3.0 §6.3, §7.1.1.1: Service Description Document; RFC 8414).

Promises: every URL that is taken from such a document is absolute, and what the metadata of an authorization server
adds is taken only where it is the server of the description. Whether a URL may be reached is for who asks it to judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from protocols.errors import BadInput
from protocols.oauth.scopes import OFFLINE_ACCESS, SCOPES

__all__ = ["DISCOVERY_PATH", "Service", "api_of", "metadata_urls", "read_description", "with_metadata"]

_API_PATH: Final = "/ims/ob/v3p0"
DISCOVERY_PATH: Final = "/discovery"
_SCHEME: Final = "OAuth2ACG"
_MAX_NAME = 200
_MAX_URL = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A wallet or platform of others, as it describes itself.

    Attributes:
        api: the URL that ``/credentials`` and ``/profile`` are added to.
        scopes: those of :data:`~protocols.oauth.scopes.SCOPES` that it has; ``offline_access`` is asked of every
            service, for descriptions leave it out (OB 3.0 §7.1.1.1).
        terms, privacy: pages of it; empty where it names none.
        issuer: its identifier as an authorization server, where it answers with it (RFC 9207); else empty.
        revocation: where tokens are given back (RFC 7009); empty where it does not say.
    """

    name: str
    api: str
    authorization: str
    token: str
    refresh: str
    registration: str
    scopes: tuple[str, ...]
    terms: str = ""
    privacy: str = ""
    issuer: str = ""
    revocation: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {name: getattr(self, name) for name in self.__slots__} | {"scopes": list(self.scopes)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Service:
        """What :meth:`to_json` gave."""
        return cls(**{**kept, "scopes": tuple(kept["scopes"])})


def api_of(url: str) -> str:
    """The URL of the API that a person means: by its base URL, by the API's own, or by that of the description."""
    url = url.strip().rstrip("/").removesuffix(DISCOVERY_PATH)
    return url if url.endswith(_API_PATH) else f"{url}{_API_PATH}"


def read_description(document: Mapping[str, Any], api: str) -> Service:
    """A Service Description Document.

    Args:
        api: where its ``/discovery`` is.

    Raises:
        BadInput: ``wallet.description`` where it lacks what a client needs.
    """
    info = _object(document, "info")
    scheme = _object(_object(_object(document, "components"), "securitySchemes"), _SCHEME)
    flow = _object(_object(scheme, "flows"), "authorizationCode")
    token = _url(flow, "tokenUrl")
    known = _object(flow, "scopes")
    scopes = tuple(scope for scope in SCOPES if scope in {*known, OFFLINE_ACCESS})
    if scopes == (OFFLINE_ACCESS,):
        raise _unusable("it has no scope of the Open Badges API")
    return Service(
        name=_name(info.get("title")) or _name(scheme.get("x-imssf-name")) or urlsplit(api).netloc,
        api=api,
        authorization=_url(flow, "authorizationUrl"),
        token=token,
        refresh=_url(flow, "refreshUrl") if flow.get("refreshUrl") else token,
        registration=_url(scheme, "x-imssf-registrationUrl"),
        scopes=scopes,
        terms=_page(info.get("termsOfService") or scheme.get("x-imssf-termsOfServiceUrl")),
        privacy=_page(info.get("x-imssf-privacyPolicyUrl") or scheme.get("x-imssf-privacyPolicyUrl")),
    )


def metadata_urls(service: Service) -> Sequence[tuple[str, str]]:
    """Where the metadata of its authorization server may be: each identifier, and the URL that belongs to it.

    An authorization server is known by its identifier, which the description does not have: tried are the base URL of
    the API, and the host of the token endpoint.
    """
    base = service.api.removesuffix(_API_PATH)
    token = urlsplit(service.token)
    found = []
    for issuer in dict.fromkeys((base, f"{token.scheme}://{token.netloc}")):
        parts = urlsplit(issuer)
        path = parts.path.rstrip("/")
        found.append((issuer, f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{path}"))
    return found


def with_metadata(service: Service, metadata: Mapping[str, Any], issuer: str) -> Service | None:
    """The service with what the metadata of its authorization server adds (RFC 8414 §2); None where it is of another.

    Args:
        issuer: the identifier that the metadata was found by (§3.3).
    """
    if metadata.get("issuer") != issuer or metadata.get("token_endpoint") != service.token:
        return None
    answers = metadata.get("authorization_response_iss_parameter_supported") is True
    return replace(service, issuer=issuer if answers else "", revocation=_page(metadata.get("revocation_endpoint")))


def _object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    if not isinstance(value, dict):
        raise _unusable(f"it has no {name}")
    return value


def _name(value: Any) -> str:
    return value.strip()[:_MAX_NAME] if isinstance(value, str) and value.isprintable() else ""


def _url(document: Mapping[str, Any], name: str) -> str:
    url = _page(document.get(name))
    if not url or urlsplit(url).fragment:
        raise _unusable(f"{name} is no absolute URL")
    return url


def _page(value: Any) -> str:
    """An absolute URL; empty for anything else."""
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_URL or not value.isascii() or not value.isprintable():
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    return value if parts.scheme in {"https", "http"} and parts.netloc and " " not in value else ""


def _unusable(why: str) -> BadInput:
    return BadInput(
        "wallet.description",
        f"The description of the service cannot be used: {why}.",
        "Check the address; its operator has to mend what it serves at /ims/ob/v3p0/discovery.",
    )
