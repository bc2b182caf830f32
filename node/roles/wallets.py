"""Wallets and platforms of others that the owner connects: consent over there, tokens, badges and profile to and fro.

The client side of the Open Badges 3.0 API (OB 3.0 §6, §7). How a connection begins: the node registers at the service,
for this one connection (RFC 7591); the owner's browser asks the owner over there, with PKCE (RFC 7636); the answer
comes to an address of this machine (RFC 8252 §7.3), and is good only where its ``state`` is the one of this request.

Promises: a refresh token is used by one at a time, and the one that follows it is kept before any other use; a refusal
that says that the grant is over ends the connection here; what a service gives is held only as :class:`Keeping` holds
it. Every step stands in the audit trail; no secret does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import metadata
from typing import Any, Final, TypeVar
from urllib.parse import urlencode, urlsplit
from weakref import WeakValueDictionary

from node.config import WalletsConfig
from node.net.badge_service import BadgeService, Pushed, ended
from node.roles.keeping import Accept, Change, Keeping
from node.roles.kept_forms import is_compact
from node.roles.open_badges import is_given
from node.runtime.turns import turn
from node.runtime.world import World
from protocols.credentials.times import format_time
from protocols.errors import BadInput, LernodeError, NotNow, WrongState
from protocols.oauth.client import Registered, Tokens, authorization_url, code_form, read_answer, refresh_form
from protocols.oauth.registration import CODE, REFRESH, ClientMetadata, without_loopback_port
from protocols.oauth.scopes import OFFLINE_ACCESS, join, read_scopes
from protocols.oauth.service import Service
from storage import audit, credentials, wallets
from storage.credentials import HeldCredential
from storage.engine import Store, Transaction
from storage.values import from_micros, to_micros
from storage.wallets import Wallet, WalletState

__all__ = ["PAGES_PATH", "Asking", "Pulled", "PulledPage", "Wallets", "service_of"]

PAGES_PATH: Final = "/client"
"""Where the node serves the pages that it names at its registration."""

_T = TypeVar("_T")
_SOFTWARE: Final = "b6f0b2a4-3f0c-4c38-9a55-51e1b6bbd1f3"
"""The same for every lernode (RFC 7591 §2, software_id)."""
_ANSWER_WITHIN: Final = timedelta(minutes=15)
_EARLY: Final = timedelta(seconds=20)
_AT_MOST: Final = timedelta(minutes=2)
_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Asking:
    """A connection whose owner is to be asked over there, at ``url``."""

    wallet: Wallet
    url: str


@dataclass(frozen=True, slots=True)
class Pulled:
    """What became of one badge that a wallet gave.

    Attributes:
        record: the record that is held now; None where it is not taken.
        change: what that changed here.
        refusal: why it is not taken.
    """

    record: HeldCredential | None
    change: Change
    refusal: LernodeError | None = None


@dataclass(frozen=True, slots=True)
class PulledPage:
    """What became of some badges of a wallet.

    Attributes:
        following: what the next page is asked for with; None on the last one.
        total: how many badges there are, where the service says so.
    """

    badges: Sequence[Pulled]
    following: str | None
    total: int | None


class Wallets:
    """What the owner does with wallets of others.

    Args:
        label: what the node calls itself there.
        endpoint: the node's own URL, whose pages are named there where the configuration names none.
    """

    def __init__(
        self,
        *,
        store: Store,
        service: BadgeService,
        keeping: Keeping,
        world: World,
        config: WalletsConfig,
        label: str,
        endpoint: str,
    ) -> None:
        self._store = store
        self._service = service
        self._keeping = keeping
        self._world = world
        self._config = config
        self._label = label
        self._endpoint = endpoint
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # Connecting and disconnecting -----------------------------------------------------------------------------------

    async def connect(self, url: str, redirect_uri: str, scopes: Sequence[str] | None = None) -> Asking:
        """Begin to connect a wallet; nothing is granted yet.

        Args:
            url: the base URL of its Open Badges API.
            redirect_uri: an address of this machine that the browser is led to with the answer.
            scopes: what is asked for; everything that the service has where this is None.

        Raises:
            BadInput: ``wallet.redirect``, ``wallet.scope_missing``, ``wallet.description``,
                ``wallet.no_service``, ``net.*``.
            WrongState: ``wallet.refused``.
            NotNow: ``net.*``, ``wallet.busy``.
        """
        if without_loopback_port(redirect_uri) == redirect_uri:
            raise BadInput(
                "wallet.redirect", "That is no address of this machine with a port.", "Give http://127.0.0.1:PORT/."
            )
        service = await self._service.discover(url)
        wanted = service.scopes if scopes is None else read_scopes(join((*scopes, OFFLINE_ACCESS)))
        if not set(wanted) <= set(service.scopes):
            raise BadInput("wallet.scope_missing", "The service does not have that.", "Ask for less.")
        registered = await self._service.register(service, self._metadata(redirect_uri, wanted))
        asked = {"redirect_uri": redirect_uri, "state": self._world.secret(), "verifier": self._world.secret()}
        wallet = Wallet(
            id=self._world.new_id(),
            details={
                "service": service.to_json(),
                "client": {"id": registered.client_id, "secret": registered.secret},
                "scopes": list(wanted),
                "asked": asked,
            },
            state=WalletState.ASKING,
            created=self._world.clock(),
        )
        async with self._store.write() as tx:
            await wallets.add(tx, wallet)
            await self._tell(tx, "wallet.asked", wallet.id, {"scope": join(wanted)})
        page = authorization_url(service, registered.client_id, scopes=wanted, **asked)
        return Asking(wallet, page)

    async def answer(self, wallet_id: str, address: str) -> Wallet:
        """Take the address that the browser was led to; the wallet is connected then.

        Raises:
            BadInput: ``wallet.answer_elsewhere``, ``wallet.denied``.
            WrongState: ``wallet.unknown``, ``wallet.not_asking``, ``wallet.ended``, ``wallet.refused``.
            PeerFault: ``wallet.answer``.
            NotNow: ``net.*``, ``wallet.busy``.
        """
        async with self._alone(wallet_id):
            wallet = await self._get(wallet_id)
            asked = wallet.details.get("asked")
            if asked is None or wallet.created + _ANSWER_WITHIN < self._world.clock():
                raise WrongState(
                    "wallet.not_asking", "No answer is waited for, or not any more.", "Begin again: wallets connect."
                )
            service, scopes = service_of(wallet), wallet.details["scopes"]
            place = {"redirect_uri": asked["redirect_uri"]}
            try:
                code = read_answer(address, **place, state=asked["state"], issuer=service.issuer)
            except BadInput as error:
                if error.code == "wallet.denied":
                    await self._forget(wallet_id, "wallet.denied")
                raise
            form = code_form(code, **place, scopes=scopes, verifier=asked["verifier"])
            tokens = await self._service.tokens(service, _registered(wallet), form)
            details = {name: value for name, value in wallet.details.items() if name != "asked"}
            connected = self._with_tokens(replace(wallet, details=details, state=WalletState.CONNECTED), tokens)
            async with self._store.write() as tx:
                await wallets.save(tx, connected)
                await self._tell(tx, "wallet.connected", wallet_id, {"scope": tokens.scope})
        return connected

    async def page(self, *, after: str | None = None, limit: int = 100) -> list[Wallet]:
        """The wallets, the newest first."""
        async with self._store.read() as tx:
            return await wallets.page(tx, after=after, limit=limit)

    async def disconnect(self, wallet_id: str, *, force: bool = False) -> tuple[Wallet, bool]:
        """Give the tokens back and forget the wallet; whether the other side was told.

        Args:
            force: forget it also where the other side cannot be told.

        Raises:
            WrongState: ``wallet.unknown``, ``wallet.refused``.
            NotNow: ``net.*``, ``wallet.busy``.
        """
        async with self._alone(wallet_id):
            wallet = await self._get(wallet_id)
            is_told = False
            try:
                is_told = await self._give_back(wallet)
            except (WrongState, NotNow, BadInput):
                if not force:
                    raise
            await self._forget(wallet_id, "wallet.disconnected", {"told": is_told})
        return wallet, is_told

    # Badges and profile ---------------------------------------------------------------------------------------------

    async def push(self, wallet_id: str, record_id: str) -> Pushed:
        """Give a held badge to a wallet (upsertCredential), exactly as it was received.

        Raises:
            BadInput: ``wallet.not_a_badge``.
            WrongState: ``wallet.*``, ``record.unknown``.
            NotNow: ``net.*``, ``wallet.busy``.
        """
        async with self._store.read() as tx:
            record = await credentials.get_held(tx, record_id)
        if not is_given(record):
            raise BadInput(
                "wallet.not_a_badge",
                "The record is no Open Badge, or is an SD-JWT, which the Open Badges API has no place for.",
                "Give the file itself: lernode records RECORD --out FILE.",
            )

        async def give(service: Service, token: str) -> Pushed:
            return await self._service.upsert(service, token, record.document, compact=is_compact(record.document))

        pushed = await self._use(wallet_id, give)
        await self._note(wallet_id, "wallet.pushed", (record_id,), {"outcome": pushed.outcome})
        return pushed

    async def pull(
        self, wallet_id: str, *, since: datetime | None = None, query: str | None = None, unverified: bool = False
    ) -> PulledPage:
        """Take a page of the badges of a wallet (getCredentials), each if it verifies here.

        Args:
            since: only those that were issued later.
            query: what the page before said of this one.
            unverified: take also what is genuine and does not verify, and mark it.

        Raises:
            WrongState: ``wallet.*``.
            PeerFault: ``wallet.answer``.
            NotNow: ``net.*``, ``wallet.busy``.
        """
        if query is None:
            given = {"limit": str(_PAGE), **({"since": format_time(since)} if since else {})}
            query = urlencode(given)
        wanted = query
        page = await self._use(wallet_id, lambda service, token: self._service.credentials(service, token, wanted))
        badges = [await self._take(document, wallet_id, unverified=unverified) for document in page.documents]
        taken = tuple(each.record.id for each in badges if each.record and each.change is not Change.NONE)
        await self._note(wallet_id, "wallet.pulled", taken, {"given": len(badges)})
        # A service that sends the same page for ever is not followed.
        following = page.following if badges and page.following != query else None
        return PulledPage(badges, following, page.total)

    async def profile(self, wallet_id: str) -> bytes:
        """The profile in a wallet, as JSON.

        Raises:
            WrongState: ``wallet.*``.
            NotNow: ``net.*``, ``wallet.busy``.
        """
        profile = await self._use(wallet_id, self._service.profile)
        await self._note(wallet_id)
        return profile

    async def put_profile(self, wallet_id: str, profile: bytes) -> bytes:
        """Replace the profile in a wallet; as it is there then.

        Raises:
            WrongState: ``wallet.*``.
            NotNow: ``net.*``, ``wallet.busy``.
        """
        put = await self._use(wallet_id, lambda service, token: self._service.put_profile(service, token, profile))
        await self._note(wallet_id, "wallet.profile_put")
        return put

    # Tokens ---------------------------------------------------------------------------------------------------------

    async def _use(self, wallet_id: str, work: Callable[[Service, str], Awaitable[_T]]) -> _T:
        """Do something with a good access token, and with a new one where the first is not taken."""
        wallet = await self._get(wallet_id)
        token = ""
        for _ in range(2):
            token = await self._access(wallet_id, wallet, not_this=token)
            try:
                return await work(service_of(wallet), token)
            except WrongState as error:
                if error.code != "wallet.token":
                    raise
        await self._end(wallet_id)
        raise ended()

    async def _access(self, wallet_id: str, wallet: Wallet, *, not_this: str) -> str:
        """An access token that is good as far as this node knows, and another one than ``not_this``."""
        if wallet.state is WalletState.ASKING:
            raise WrongState("wallet.not_connected", "Its owner has not agreed yet.", "Connect it first.")
        if (token := self._good(wallet, not_this)) is not None:
            return token
        async with self._alone(wallet_id):
            wallet = await self._get(wallet_id)  # somebody else may have got a new one meanwhile
            if (token := self._good(wallet, not_this)) is not None:
                return token
            refresh = wallet.details.get("tokens", {}).get("refresh")
            if wallet.state is WalletState.ENDED or refresh is None:
                await self._end(wallet_id)
                raise ended()
            form = refresh_form(refresh, wallet.details["tokens"]["scope"])
            try:
                tokens = await self._service.tokens(service_of(wallet), _registered(wallet), form)
            except WrongState as error:
                if error.code == "wallet.ended":
                    await self._end(wallet_id)
                raise
            # RFC 6749 §6: where no new one comes, the old one stays good.
            renewed = self._with_tokens(wallet, replace(tokens, refresh=tokens.refresh or refresh))
            async with self._store.write() as tx:
                await wallets.save(tx, renewed)
        return tokens.access

    def _good(self, wallet: Wallet, not_this: str) -> str | None:
        tokens = wallet.details.get("tokens")
        if wallet.state is not WalletState.CONNECTED or tokens is None or tokens["access"] == not_this:
            return None
        is_good = self._world.clock() + _EARLY < from_micros(tokens["until"])
        return str(tokens["access"]) if is_good else None

    def _with_tokens(self, wallet: Wallet, tokens: Tokens) -> Wallet:
        now = self._world.clock()
        kept = {
            "access": tokens.access,
            "refresh": tokens.refresh,
            "scope": tokens.scope,
            "until": to_micros(now + timedelta(seconds=tokens.lifetime)),
        }
        return replace(wallet, details={**wallet.details, "tokens": kept}, used=now)

    async def _end(self, wallet_id: str) -> None:
        """Note that the other side has ended it; its tokens are forgotten."""
        async with self._store.write() as tx:
            await tx.lock(f"wallet {wallet_id}")
            wallet = await wallets.get(tx, wallet_id)
            if wallet.state is WalletState.ENDED:
                return
            details = {name: value for name, value in wallet.details.items() if name not in ("tokens", "client")}
            await wallets.save(tx, replace(wallet, details=details, state=WalletState.ENDED))
            await self._tell(tx, "wallet.ended", wallet_id, actor="peer")

    async def _give_back(self, wallet: Wallet) -> bool:
        service, tokens = service_of(wallet), wallet.details.get("tokens")
        if not service.revocation or tokens is None:
            return False
        await self._service.revoke(service, _registered(wallet), tokens["refresh"] or tokens["access"])
        return True

    @asynccontextmanager
    async def _alone(self, wallet_id: str) -> AsyncIterator[None]:
        """Nobody else changes the tokens of this wallet meanwhile, in this process or another one of the node."""
        async with (
            self._locks.setdefault(wallet_id, asyncio.Lock()),
            turn(self._store, f"wallet {wallet_id}", _AT_MOST) as is_ours,
        ):
            if not is_ours:
                raise NotNow("wallet.in_use", "Another process uses this wallet just now.", "Try again.")
            yield

    # The rest -------------------------------------------------------------------------------------------------------

    async def _take(self, document: bytes, wallet_id: str, *, unverified: bool) -> Pulled:
        try:
            if unverified:
                kept = await self._keeping.keep(document, Accept.ANY)
                return Pulled(kept.record, Change.CREATED if kept.is_new else Change.NONE)
            upserted = await self._keeping.upsert(document, wallet_id)
        except (BadInput, NotNow) as error:
            return Pulled(None, Change.NONE, error)
        return Pulled(upserted.record, upserted.change)

    def _metadata(self, redirect_uri: str, scopes: Sequence[str]) -> ClientMetadata:
        """What the node says of itself (OB 3.0 §7.1.1.2 wants each of these, all pages on one host by https)."""
        here = urlsplit(self._endpoint)
        own = f"https://{here.netloc}{here.path.rstrip('/')}{PAGES_PATH}"
        page = self._config.page_url or own
        return ClientMetadata(
            client_name=self._label,
            client_uri=page,
            logo_uri=self._config.logo_url or f"{own}/logo.svg",
            tos_uri=page,
            policy_uri=page,
            software_id=_SOFTWARE,
            software_version=metadata.version("lernode"),
            redirect_uris=(redirect_uri,),
            scopes=tuple(scopes),
            grant_types=(CODE, REFRESH),
        )

    async def _get(self, wallet_id: str) -> Wallet:
        async with self._store.read() as tx:
            return await wallets.get(tx, wallet_id)

    async def _forget(self, wallet_id: str, event: str, details: Mapping[str, Any] | None = None) -> None:
        async with self._store.write() as tx:
            await wallets.remove(tx, wallet_id)
            await self._tell(tx, event, wallet_id, details)

    async def _note(
        self,
        wallet_id: str,
        event: str | None = None,
        also: tuple[str, ...] = (),
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Note that a wallet was made use of, and for what."""
        async with self._store.write() as tx:
            await wallets.set_used(tx, wallet_id, self._world.clock())
            if event is not None:
                await self._tell(tx, event, wallet_id, details, also=also)

    async def _tell(
        self,
        tx: Transaction,
        event: str,
        wallet_id: str,
        details: Mapping[str, Any] | None = None,
        *,
        actor: str = "operator",
        also: tuple[str, ...] = (),
    ) -> None:
        subjects = (wallet_id, *also)
        await audit.append(
            tx, at=self._world.clock(), event=event, actor=actor, subjects=subjects, details=details or {}
        )


def service_of(wallet: Wallet) -> Service:
    """What a wallet said of itself."""
    return Service.from_json(wallet.details["service"])


def _registered(wallet: Wallet) -> Registered:
    return Registered(wallet.details["client"]["id"], wallet.details["client"]["secret"])
