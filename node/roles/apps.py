"""Apps that the owner lets at records: registration, consent, tokens (OB 3.0 §7, RFC 6749, 7009, 7591, 7636, 9207).

How an owner consents. The page that an app sends a browser to cannot know who sits before it, so the page alone decides
nothing. It shows the number of the request; the owner looks that up with ``lernode apps approve NUMBER``, is told there
who asks for what and where the answer goes, and gets a code that is good for this request only. Typed into the page, it
lets this browser go on, and no other: a page that was opened by somebody else, or forged, or framed, never has it.

Promises: a code, a refresh token and a confirmation are good once; one that is used a second time ends the whole grant,
for either user may be a thief (RFC 9700 §4.14.2). Only keyed hashes are kept. Every decision stands in the audit trail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from node.config import OpenBadgesApiConfig
from node.runtime.world import World
from protocols.errors import BadInput, WrongState
from protocols.oauth.authorization import (
    AuthorizationRequest,
    answer_url,
    read_authorization,
    refusal_url,
    registered_redirect,
    verifies,
)
from protocols.oauth.registration import REFRESH, read_registration
from protocols.oauth.scopes import OFFLINE_ACCESS, join, read_scopes
from protocols.oauth.tokens import CodeExchange, Refresh
from storage import apps, audit
from storage.apps import Client, Grant, Request, RequestState, Token, TokenKind
from storage.engine import Store, Transaction

__all__ = ["App", "Apps", "Asked", "Decision", "Issued", "Registered"]

_REQUEST_LIFETIME = timedelta(minutes=10)
_CODE_LIFETIME = timedelta(minutes=2)
_MAX_WAITING = 50
_MAX_NEVER_GRANTED = 1000
_MAX_TRIES = 5
_NOTE_USE_EVERY = timedelta(minutes=1)
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Those that nobody takes for another one."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A client, and the secret that is shown this once."""

    client: Client
    secret: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that waits for the owner, with who asks.

    Attributes:
        browser: what the browser that shows it is known by; empty for the owner's own list.
    """

    request: Request
    client: Client
    browser: str = ""

    @property
    def scopes(self) -> tuple[str, ...]:
        """What is asked for, or approved."""
        return tuple(self.request.details["scopes"])


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of what was typed into the page: where to go, or what to show again."""

    url: str | None
    again: Asked | None = None


@dataclass(frozen=True, slots=True)
class App:
    """An app that was let in once, with what it is granted now."""

    client: Client
    grants: Sequence[Grant]


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens (RFC 6749 §5.1).

    Attributes:
        refresh: None where the app has to ask the owner again.
        lifetime: seconds that the access token is good for.
    """

    access: str
    refresh: str | None
    scope: str
    lifetime: int


class Apps:
    """What apps and the owner do about each other.

    Args:
        issuer: the identifier of this authorization server (RFC 8414 §2).
    """

    def __init__(self, store: Store, world: World, config: OpenBadgesApiConfig, issuer: str) -> None:
        self._store = store
        self._world = world
        self._config = config
        self.issuer = issuer

    # The app's side -------------------------------------------------------------------------------------------------

    async def register(self, given: Mapping[str, Any]) -> Registered:
        """Register a client (RFC 7591); that gives it no access to anything.

        Raises:
            BadInput: ``oauth.invalid_client_metadata``, ``oauth.invalid_redirect_uri``.
        """
        metadata = read_registration(given)
        client = Client(id=self._world.new_id(), details=metadata.to_json(), created=self._world.clock())
        secret = self._world.secret()
        async with self._store.write() as tx:
            await apps.evict(tx, _MAX_NEVER_GRANTED - 1)
            await apps.add_client(tx, client, secret)
        return Registered(client, secret)

    async def ask(self, given: Mapping[str, str]) -> Asked | str:
        """Take an authorization request; what is shown to the owner, or where the app is told that it is wrong.

        Raises:
            BadInput: ``oauth.unknown_client``, ``oauth.redirect_mismatch``: nobody may be redirected.
        """
        async with self._store.write() as tx:
            client = await apps.find_client(tx, given.get("client_id", ""))
            if client is None:
                raise BadInput(
                    "oauth.unknown_client",
                    "No such app is registered here.",
                    "Go back to the app, and connect it anew.",
                )
            metadata = read_registration(client.details)
            redirect, now = registered_redirect(metadata, given), self._world.clock()
            try:
                asked = read_authorization(metadata, given)
                if len(await apps.requests_waiting(tx, now)) >= _MAX_WAITING:
                    raise BadInput("oauth.temporarily_unavailable", "Too many apps ask at a time.", "Try again later.")
            except BadInput as error:
                return refusal_url(redirect, error, state=given.get("state", "")[:1000], issuer=self.issuer)
            browser = self._world.secret()
            request = await apps.add_request(
                tx,
                self._word(8),
                client.id,
                _details(asked),
                browser,
                now=now,
                expires=now + _REQUEST_LIFETIME,
            )
        return Asked(request, client, browser)

    async def decide(self, request_id: str, browser: str, code: str | None) -> Decision:
        """Take what was typed into the page.

        Args:
            code: what the owner was told; None where the page's visitor refuses.

        Raises:
            BadInput: ``oauth.not_waiting``, also where another browser shows the request.
        """
        now = self._world.clock()
        async with self._store.write() as tx:
            await tx.lock(f"app request {request_id}")
            request = await apps.find_request(tx, request_id, now)
            client = None if request is None else await apps.find_client(tx, request.client_id)
            if request is None or client is None or not request.is_shown_by(tx, browser):
                raise BadInput(
                    "oauth.not_waiting",
                    "This page is over, or belongs to another browser.",
                    "Go back to the app and begin there again.",
                )
            if code is None or request.state is RequestState.DECLINED:
                return await self._refuse(tx, request)
            if not request.is_confirmed_by(tx, _plain(code)):
                request = replace(request, tries=request.tries + 1)
                if request.tries >= _MAX_TRIES:
                    return await self._refuse(tx, request)
                await apps.save_request(tx, request)
                return Decision(None, Asked(request, client))
            return Decision(await self._grant(tx, request, now))

    async def exchange(self, client_id: str, secret: str, wanted: CodeExchange | Refresh) -> Issued:
        """Give tokens for a code or a refresh token.

        Raises:
            BadInput: ``oauth.invalid_client``, ``oauth.invalid_grant``, ``oauth.invalid_scope``.
        """
        async with self._store.write() as tx:
            client = await self._client(tx, client_id, secret)
            if isinstance(wanted, CodeExchange):
                issued = await self._for_code(tx, client, wanted)
            else:
                issued = await self._for_refresh(tx, client, wanted)
        if issued is None:  # after the unit of work, in which a stolen grant has ended
            raise BadInput(
                "oauth.invalid_grant",
                "The code or token is not good: unknown, over, used before, or of another client or redirect URI.",
                "Ask the owner again.",
            )
        return issued

    async def revoke_token(self, client_id: str, secret: str, token: str) -> None:
        """Let a client give back a token (RFC 7009); with a refresh token all of its grant. What is unknown is fine.

        Raises:
            BadInput: ``oauth.invalid_client``.
        """
        async with self._store.write() as tx:
            client = await self._client(tx, client_id, secret)
            found = await apps.find_token(tx, token)
            if found is None or (await apps.get_grant(tx, found.grant_id)).client_id != client.id:
                return
            if found.kind is TokenKind.ACCESS:
                await apps.remove_token(tx, found)
            else:
                await self._end(tx, found.grant_id, "app.token_revoked", client.id)

    async def authorised(self, token: str, scope: str) -> Grant:
        """The grant of an access token that is good for a scope.

        Raises:
            BadInput: ``oauth.invalid_token``, ``oauth.insufficient_scope``.
        """
        now = self._world.clock()
        async with self._store.read() as tx:
            found = await apps.find_token(tx, token)
            if found is None or found.kind is not TokenKind.ACCESS or found.expires <= now:
                raise BadInput("oauth.invalid_token", "The access token is unknown or over.", "Get a new one.")
            if scope not in found.scope.split(" "):
                raise BadInput("oauth.insufficient_scope", "The access token is not for this.", "Ask for its scope.")
            grant = await apps.get_grant(tx, found.grant_id)
        if grant.used is None or grant.used + _NOTE_USE_EVERY <= now:
            async with self._store.write() as tx:
                await apps.set_used(tx, grant.id, now)
        return grant

    # The owner's side -----------------------------------------------------------------------------------------------

    async def waiting(self) -> list[Asked]:
        """What apps ask for now."""
        async with self._store.read() as tx:
            found = await apps.requests_waiting(tx, self._world.clock())
            clients = {each.client_id: await apps.find_client(tx, each.client_id) for each in found}
        return [Asked(each, client) for each in found if (client := clients[each.client_id]) is not None]

    async def asked(self, request_id: str) -> Asked:
        """What one app asks for.

        Raises:
            WrongState: ``app_request.unknown``.
        """
        async with self._store.read() as tx:
            return await self._find(tx, request_id)

    async def approve(self, request_id: str, scopes: Sequence[str] | None = None) -> tuple[Asked, str]:
        """Say yes; the code that the owner types into the page, which is told this once.

        Args:
            scopes: what is granted of what is asked for; None for all.

        Raises:
            BadInput: ``oauth.invalid_scope``.
            WrongState: ``app_request.unknown``.
        """
        code = self._word(8)
        async with self._store.write() as tx:
            asked = await self._find(tx, request_id)
            granted = asked.scopes if scopes is None else read_scopes(join(scopes))
            if not set(granted) <= set(asked.scopes):
                raise BadInput("oauth.invalid_scope", "The app does not ask for that.", "Grant what it asks for.")
            request = replace(
                asked.request, state=RequestState.APPROVED, details={**asked.request.details, "scopes": list(granted)}
            )
            await apps.save_request(tx, request, code=code)
            await self._tell(tx, "app.approved", "operator", (asked.client.id,), {"scope": join(granted)})
        return Asked(request, asked.client), code

    async def decline(self, request_id: str) -> Asked:
        """Say no; the app is told when the page is used.

        Raises:
            WrongState: ``app_request.unknown``.
        """
        async with self._store.write() as tx:
            asked = await self._find(tx, request_id)
            request = replace(asked.request, state=RequestState.DECLINED)
            await apps.save_request(tx, request)
            await self._tell(tx, "app.declined", "operator", (asked.client.id,))
        return Asked(request, asked.client)

    async def list(self, *, after: str | None = None, limit: int = 100) -> list[App]:
        """The apps that were let in once, with what they are granted now."""
        async with self._store.read() as tx:
            return [
                App(each, await apps.grants_of(tx, each.id))
                for each in await apps.used_clients(tx, after=after, limit=limit)
            ]

    async def revoke(self, client_id: str) -> App:
        """End all that an app was granted at once, and forget it.

        Raises:
            WrongState: ``app.unknown``.
        """
        async with self._store.write() as tx:
            client = await apps.get_client(tx, client_id)
            app = App(client, await apps.grants_of(tx, client_id))
            await apps.remove_client(tx, client_id)
            await self._tell(tx, "app.revoked", "operator", (client_id, *(each.id for each in app.grants)))
        return app

    # Within a unit of work ------------------------------------------------------------------------------------------

    async def _grant(self, tx: Transaction, request: Request, now: datetime) -> str:
        details, code = request.details, self._world.secret()
        grant = Grant(
            id=self._world.new_id(),
            client_id=request.client_id,
            details={name: details[name] for name in ("scopes", "redirect_uri", "challenge")},
            created=now,
        )
        scope = join(details["scopes"])
        await apps.add_grant(tx, grant)
        await apps.add_token(tx, code, grant.id, TokenKind.CODE, scope, now + _CODE_LIFETIME)
        await apps.set_granted(tx, request.client_id, now)
        await apps.remove_request(tx, request.id)
        await self._tell(tx, "app.connected", "operator", (request.client_id, grant.id), {"scope": scope})
        return answer_url(details["redirect_uri"], code=code, scope=scope, state=details["state"], iss=self.issuer)

    async def _refuse(self, tx: Transaction, request: Request) -> Decision:
        await apps.remove_request(tx, request.id)
        error = BadInput("oauth.access_denied", "The owner did not agree.", "Do not ask again without being asked to.")
        details = request.details
        return Decision(refusal_url(details["redirect_uri"], error, state=details["state"], issuer=self.issuer))

    async def _client(self, tx: Transaction, client_id: str, secret: str) -> Client:
        client = await apps.find_client(tx, client_id)
        if client is None or not await apps.is_secret(tx, client_id, secret):
            raise BadInput("oauth.invalid_client", "The client or its secret is unknown.", "Register it again.")
        return client

    async def _for_code(self, tx: Transaction, client: Client, wanted: CodeExchange) -> Issued | None:
        found = await self._usable(tx, client, wanted.code, TokenKind.CODE, "app.code_used_twice")
        if found is None:
            return None
        token, grant = found
        if wanted.redirect_uri != grant.details["redirect_uri"]:
            return None
        if not verifies(wanted.verifier, grant.details["challenge"]):
            return None
        return await self._issue(tx, client, token, token.scope)

    async def _for_refresh(self, tx: Transaction, client: Client, wanted: Refresh) -> Issued | None:
        found = await self._usable(tx, client, wanted.token, TokenKind.REFRESH, "app.refresh_used_twice")
        if found is None:
            return None
        token, _grant = found
        scopes = token.scope.split(" ")
        narrowed = read_scopes(wanted.scope) if wanted.scope else tuple(scopes)
        if not set(narrowed) <= set(scopes):
            raise BadInput("oauth.invalid_scope", "That was not granted.", "Ask for less, or ask the owner again.")
        return await self._issue(tx, client, token, join(narrowed))

    async def _usable(
        self, tx: Transaction, client: Client, text: str, kind: TokenKind, twice: str
    ) -> tuple[Token, Grant] | None:
        """A code or refresh token of this client that was not used, with its grant; one that was ends the grant."""
        token = await apps.find_token(tx, text)
        if token is None or token.kind is not kind:
            return None
        grant = await apps.get_grant(tx, token.grant_id)
        if grant.client_id != client.id:
            return None
        if token.spent is not None:
            await self._end(tx, grant.id, twice, client.id)
            return None
        return (token, grant) if token.expires > self._world.clock() else None

    async def _issue(self, tx: Transaction, client: Client, spent: Token, scope: str) -> Issued:
        """New tokens for one that is used up now; a refresh token keeps all that was granted (RFC 6749 §6)."""
        now, access, refresh = self._world.clock(), self._world.secret(), None
        await apps.spend(tx, spent, now)
        lifetime = self._config.access_token_seconds
        await apps.add_token(tx, access, spent.grant_id, TokenKind.ACCESS, scope, now + timedelta(seconds=lifetime))
        if OFFLINE_ACCESS in spent.scope.split(" ") and REFRESH in client.details["grant_types"]:
            refresh = self._world.secret()
            expires = now + timedelta(days=self._config.refresh_token_days)
            await apps.add_token(tx, refresh, spent.grant_id, TokenKind.REFRESH, spent.scope, expires)
        await apps.set_used(tx, spent.grant_id, now)
        return Issued(access, refresh, scope, lifetime)

    async def _end(self, tx: Transaction, grant_id: str, event: str, actor: str) -> None:
        await apps.end_grant(tx, grant_id)
        await self._tell(tx, event, actor, (actor, grant_id))

    async def _find(self, tx: Transaction, request_id: str) -> Asked:
        request = await apps.find_request(tx, _plain(request_id), self._world.clock())
        client = None if request is None else await apps.find_client(tx, request.client_id)
        if request is None or client is None:
            raise WrongState(
                "app_request.unknown",
                "No app asks under this number, or the page is over.",
                "See lernode apps, and compare the number with the one on the page.",
            )
        return Asked(request, client)

    async def _tell(
        self,
        tx: Transaction,
        event: str,
        actor: str,
        subjects: tuple[str, ...],
        details: Mapping[str, Any] | None = None,
    ) -> None:
        await audit.append(
            tx, at=self._world.clock(), event=event, actor=actor, subjects=subjects, details=details or {}
        )

    def _word(self, length: int) -> str:
        """So many letters that nobody can guess; 30 of 32 values are letters, others are drawn again."""
        word = ""
        while len(word) < length:
            word += "".join(_LETTERS[byte % 32] for byte in self._world.entropy(length) if byte % 32 < len(_LETTERS))
        return word[:length]


def _details(asked: AuthorizationRequest) -> dict[str, Any]:
    return {
        "redirect_uri": asked.redirect_uri,
        "state": asked.state,
        "challenge": asked.challenge,
        "scopes": list(asked.scopes),
    }


def _plain(typed: str) -> str:
    """A number or code as people type it: with a hyphen, in small letters."""
    return "".join(char for char in typed.upper() if char.isalnum())[:40]
