"""The client of an Open Badges 3.0 API of others (OB 3.0 §6, §7.1), over the guarded HTTP client.

Promises: a token goes to the API that it was granted for and nowhere else, also not where a page links to; a secret is
in a header or a body, never in an address; every refusal has a code that says what to do. It keeps nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from node.net.guarded_http import GuardedHttp, Response
from protocols import strict_json
from protocols.errors import BadInput, LernodeError, NotNow, PeerFault, WrongState
from protocols.oauth.client import Registered, Tokens, basic_header, read_registered, read_tokens
from protocols.oauth.registration import ClientMetadata
from protocols.oauth.service import DISCOVERY_PATH, Service, api_of, metadata_urls, read_description, with_metadata

__all__ = ["BadgeService", "Page", "Pushed"]

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_TEXT: Final = "text/plain"
_MAX_PAGE_BYTES: Final = 8 << 20
_MAX_ON_PAGE: Final = 1000
_NEXT: Final = re.compile(r"<([^<>]{1,4000})>\s*;[^,<]*\brel=\"?next\b\"?", re.IGNORECASE)
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_ENDED: Final = frozenset({"invalid_client", "invalid_grant", "unauthorized_client"})
_PUSHED: Final = {201: "created", 200: "replaced", 304: "unchanged"}


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the badges of a wallet.

    Attributes:
        documents: each as it was given: JSON, or the text of a JWT.
        following: the query of the next page; None on the last one.
        total: how many there are, where the service says so.
    """

    documents: Sequence[bytes]
    following: str | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a badge there: ``created``, ``replaced`` or ``unchanged``."""

    outcome: str


class _Answer(msgspec.Struct):
    """GetOpenBadgeCredentialsResponse (OB 3.0 §C.1)."""

    credential: list[msgspec.Raw] = []
    compact: list[str] = msgspec.field(default=[], name="compactJwsString")


class BadgeService:
    """Speaks with services of others."""

    def __init__(self, http: GuardedHttp) -> None:
        self._http = http

    async def discover(self, url: str) -> Service:
        """What the service at a URL says of itself; everything that it names may be reached by this node's policy.

        Raises:
            BadInput: ``wallet.description``, ``wallet.no_service``, ``net.*``.
            NotNow: ``net.*``.
        """
        api = api_of(url)
        response = await self._http.get(f"{api}{DISCOVERY_PATH}", accept=_JSON)
        if response.status in _AGAIN:
            raise _busy(response)
        if response.status != 200:
            raise BadInput(
                "wallet.no_service",
                f"There is no Open Badges API at that address: it answers {response.status}.",
                "Give the base URL that the wallet or platform names for its Open Badges 3.0 API.",
            )
        service = read_description(strict_json.loads_object(response.body), api)
        for each in (service.authorization, service.token, service.refresh, service.registration):
            self._http.check(each)
        return await self._with_metadata(service)

    async def register(self, service: Service, metadata: ClientMetadata) -> Registered:
        """Make this node known to the service (RFC 7591 §3).

        Raises:
            WrongState: ``wallet.refused``.
            PeerFault: ``wallet.answer``.
            NotNow: ``net.*``, ``wallet.busy``.
        """
        response = await self._http.post(service.registration, strict_json.dumps(metadata.to_json()), _JSON)
        if response.status not in (200, 201):
            raise _refused(response, "It does not register this node")
        return read_registered(_object(response))

    async def tokens(self, service: Service, registered: Registered, form: Mapping[str, str]) -> Tokens:
        """Tokens for what a form has.

        Raises:
            WrongState: ``wallet.ended`` where the grant or the registration is no longer good; ``wallet.refused``.
            PeerFault: ``wallet.answer``.
            NotNow: ``net.*``, ``wallet.busy``.
        """
        url = service.token if "code" in form else service.refresh
        response = await self._post_form(url, registered, form)
        if response.status == 200:
            return read_tokens(_object(response), form["scope"])
        if response.status in (400, 401) and _said(response).get("error") in _ENDED:
            raise ended()
        raise _refused(response, "It gives no tokens")

    async def revoke(self, service: Service, registered: Registered, token: str) -> None:
        """Give a token back (RFC 7009); one that is not good any more is fine.

        Raises:
            WrongState: ``wallet.refused``.
            NotNow: ``net.*``, ``wallet.busy``.
        """
        form = {"token": token, "token_type_hint": "refresh_token"}
        response = await self._post_form(service.revocation, registered, form)
        if response.status not in (200, 204, 401):
            raise _refused(response, "It does not take the token back")

    async def credentials(self, service: Service, token: str, query: str) -> Page:
        """A page of the badges there (OB 3.0 §6.2.2).

        Args:
            query: what :attr:`Page.following` said, or the parameters of the first page.

        Raises:
            LernodeError: as :meth:`upsert`; ``json.*`` where the answer cannot be read.
        """
        url = f"{service.api}/credentials"
        response = await self._http.get(
            f"{url}?{query}" if query else url, headers=_bearer(token), accept=_JSON, max_bytes=_MAX_PAGE_BYTES
        )
        if response.status != 200:
            raise _api_refusal(response)
        strict_json.loads_object(response.body, max_bytes=_MAX_PAGE_BYTES)  # one meaning only, and bounded
        try:
            answer = msgspec.json.decode(response.body, type=_Answer)
        except (msgspec.DecodeError, RecursionError):
            raise PeerFault("wallet.answer", "The service answers no page of badges.", "Tell its operator.") from None
        documents = [*(bytes(each) for each in answer.credential), *(each.encode() for each in answer.compact)]
        if len(documents) > _MAX_ON_PAGE:
            raise PeerFault("wallet.answer", "The service answers too many badges at once.", "Tell its operator.")
        return Page(documents, _following(response, url), _total(response))

    async def upsert(self, service: Service, token: str, document: bytes, *, compact: bool) -> Pushed:
        """Give a badge (OB 3.0 §6.2.3, upsertCredential).

        Raises:
            WrongState: ``wallet.token`` for a token that is over, ``wallet.scope``, ``wallet.refused``.
            NotNow: ``net.*``, ``wallet.busy``.
        """
        media_type = _TEXT if compact else _JSON
        url = f"{service.api}/credentials"
        response = await self._http.post(url, document, media_type, headers=_bearer(token))
        if response.status not in _PUSHED:
            raise _api_refusal(response)
        return Pushed(_PUSHED[response.status])

    async def profile(self, service: Service, token: str) -> bytes:
        """The profile there (OB 3.0 §6.2.4).

        Raises:
            LernodeError: as :meth:`upsert`.
        """
        response = await self._http.get(f"{service.api}/profile", headers=_bearer(token), accept=_JSON)
        return _profile(response)

    async def put_profile(self, service: Service, token: str, profile: bytes) -> bytes:
        """Replace the profile there (OB 3.0 §6.2.5); as it is then.

        Raises:
            LernodeError: as :meth:`upsert`.
        """
        response = await self._http.put(f"{service.api}/profile", profile, _JSON, headers=_bearer(token))
        return _profile(response)

    async def _with_metadata(self, service: Service) -> Service:
        """The service with what RFC 8414 metadata adds, where there is some; that is asked of nobody."""
        for issuer, url in metadata_urls(service):
            try:
                response = await self._http.get(url, accept=_JSON)
                if response.status != 200:
                    continue
                found = with_metadata(service, strict_json.loads_object(response.body), issuer)
                if found is not None:
                    if found.revocation:
                        self._http.check(found.revocation)
                    return found
            except LernodeError:
                continue
        return service

    async def _post_form(self, url: str, registered: Registered, form: Mapping[str, str]) -> Response:
        return await self._http.post(
            url, urlencode(form).encode(), _FORM, headers={**basic_header(registered), "Accept": _JSON}
        )


def ended() -> WrongState:
    """What was granted is no longer good."""
    return WrongState(
        "wallet.ended",
        "The other side has ended what it granted, or it ran out.",
        "Connect it anew with lernode wallets connect.",
    )


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _following(response: Response, url: str) -> str | None:
    """The query of the next page; a link that leads elsewhere, where the token must not go, is none."""
    found = _NEXT.search(response.headers.get("link", ""))
    if found is None:
        return None
    here, link = urlsplit(url), urlsplit(found[1])
    # Some services write the path only; the place is the API's own all the same.
    if (link.netloc and (link.scheme, link.netloc) != (here.scheme, here.netloc)) or link.path != here.path:
        raise PeerFault("wallet.answer", "The next page of badges is said to be elsewhere.", "Tell its operator.")
    return urlencode(parse_qsl(link.query)) or None


def _total(response: Response) -> int | None:
    text = response.headers.get("x-total-count", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None


def _profile(response: Response) -> bytes:
    if response.status != 200:
        raise _api_refusal(response)
    return strict_json.dumps(strict_json.loads_object(response.body))


def _object(response: Response) -> dict[str, Any]:
    try:
        return strict_json.loads_object(response.body)
    except BadInput:
        raise PeerFault("wallet.answer", "The service answers no JSON object.", "Tell its operator.") from None


def _said(response: Response) -> Mapping[str, Any]:
    try:
        return strict_json.loads_object(response.body)
    except BadInput:
        return {}


def _api_refusal(response: Response) -> LernodeError:
    if response.status == 401:
        return WrongState("wallet.token", "The other side does not take the token.", "Connect it anew.")
    if response.status == 403:
        return WrongState(
            "wallet.scope", "The other side did not grant this.", "Connect it anew, and grant this there, too."
        )
    return _refused(response, "It does not do this")


def _refused(response: Response, what: str) -> LernodeError:
    if response.status in _AGAIN:
        return _busy(response)
    said = _said(response)
    why = said.get("error_description") or said.get("imsx_description") or said.get("error") or ""
    told = why[:300] if isinstance(why, str) and why.isprintable() else ""
    message = f"{what} ({response.status}){': ' + told if told else '.'}"
    return WrongState("wallet.refused", message, "Mend what it says, or ask its operator.")


def _busy(response: Response) -> NotNow:
    seconds = response.headers.get("retry-after", "")
    # OB 3.0 §6.5: half an hour where nothing is said.
    later = f"Try again in {seconds} s." if seconds.isascii() and seconds.isdecimal() else "Try again in half an hour."
    return NotNow("wallet.busy", f"The service answers {response.status}.", later)
