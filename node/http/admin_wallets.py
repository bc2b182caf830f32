"""Admin operations about wallets of others that the owner connects: the part of the table, and what it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from node.http import wallet_schemas as w
from node.http.admin_lookup import find_held, find_wallet
from node.http.admin_operation import Call, Nothing, Operation
from node.http.admin_views import view_held
from node.http.apps_schemas import SHORT_SCOPES, short_scopes
from node.http.schemas import Page, PageQuery
from node.roles.wallets import Pulled, service_of
from protocols import strict_json
from storage.wallets import Wallet

if TYPE_CHECKING:
    from node.app import Node

__all__ = ["WALLET_OPERATIONS"]


async def list_wallets(node: Node, call: Call[PageQuery, Nothing]) -> Page[w.WalletView]:
    """The wallets, the newest first."""
    found = await node.wallets.page(after=call.query.after, limit=call.query.limit)
    more = found[-1].id if len(found) == call.query.limit else None
    return Page(items=[_view(each) for each in found], next=more)


async def connect(node: Node, call: Call[Nothing, w.ConnectWallet]) -> w.AskingView:
    """Begin to connect a wallet.

    Raises:
        BadInput: ``wallet.*``, ``net.*``.
        WrongState: ``wallet.refused``.
    """
    body = call.body
    scopes = None if body.scopes is None else [SHORT_SCOPES[each] for each in body.scopes]
    asking = await node.wallets.connect(body.url, body.redirect_uri, scopes)
    return w.AskingView(wallet=_view(asking.wallet), authorization_url=asking.url)


async def answer(node: Node, call: Call[Nothing, w.WalletAnswer]) -> w.WalletView:
    """Take what the browser was led to.

    Raises:
        BadInput: ``wallet.answer_elsewhere``, ``wallet.denied``.
        WrongState: ``wallet.*``.
    """
    return _view(await node.wallets.answer(await _id(node, call), call.body.address))


async def push(node: Node, call: Call[Nothing, w.PushToWallet]) -> w.PushedView:
    """Give a badge.

    Raises:
        BadInput: ``wallet.not_a_badge``.
        WrongState: ``wallet.*``, ``record.unknown``.
    """
    async with node.store.read() as tx:
        wallet, record = await find_wallet(tx, call.id), await find_held(tx, call.body.record)
    pushed = await node.wallets.push(wallet.id, record.id)
    return w.PushedView(record=view_held(record), outcome=pushed.outcome)


async def pull(node: Node, call: Call[Nothing, w.PullFromWallet]) -> w.PulledPageView:
    """Take a page of badges.

    Raises:
        WrongState: ``wallet.*``.
    """
    body = call.body
    page = await node.wallets.pull(
        await _id(node, call), since=body.since, query=body.following, unverified=body.unverified
    )
    return w.PulledPageView(badges=[_pulled(each) for each in page.badges], following=page.following, total=page.total)


async def profile(node: Node, call: Call[Nothing, Nothing]) -> dict[str, Any]:
    """The profile there.

    Raises:
        WrongState: ``wallet.*``.
    """
    return dict(msgspec.json.decode(await node.wallets.profile(await _id(node, call))))


async def put_profile(node: Node, call: Call[Nothing, w.WalletProfile]) -> dict[str, Any]:
    """Replace the profile there.

    Raises:
        WrongState: ``wallet.*``.
    """
    given = strict_json.dumps(call.body.profile)
    return dict(msgspec.json.decode(await node.wallets.put_profile(await _id(node, call), given)))


async def disconnect(node: Node, call: Call[w.DisconnectQuery, Nothing]) -> w.DisconnectedView:
    """Give the tokens back, and forget the wallet.

    Raises:
        WrongState: ``wallet.*``.
        NotNow: ``net.*``, ``wallet.busy``.
    """
    wallet, told = await node.wallets.disconnect(await _id(node, call), force=call.query.force)
    return w.DisconnectedView(wallet=_view(wallet), told=told)


async def _id(node: Node, call: Call[Any, Any]) -> str:
    async with node.store.read() as tx:
        return (await find_wallet(tx, call.id)).id


def _view(wallet: Wallet) -> w.WalletView:
    service, tokens = service_of(wallet), wallet.details.get("tokens")
    scopes = wallet.details["scopes"] if tokens is None else tokens["scope"].split(" ")
    return w.WalletView(
        id=wallet.id,
        name=service.name,
        url=service.api,
        state=wallet.state.value,
        scopes=short_scopes(scopes),
        terms_url=service.terms,
        privacy_url=service.privacy,
        created=wallet.created,
        used=wallet.used,
    )


def _pulled(pulled: Pulled) -> w.PulledView:
    refusal = pulled.refusal
    return w.PulledView(
        record=None if pulled.record is None else view_held(pulled.record),
        outcome=pulled.change.value if refusal is None else "refused",
        code=None if refusal is None else refusal.code,
        reason=None if refusal is None else refusal.message,
        hint=None if refusal is None else refusal.hint,
    )


WALLET_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="listWallets",
        method="GET",
        path="/admin/wallets",
        summary="The wallets and platforms of others that are connected over their Open Badges API, the newest first.",
        handler=list_wallets,
        query=PageQuery,
        response=Page[w.WalletView],
    ),
    Operation(
        name="connectWallet",
        method="POST",
        path="/admin/wallets",
        summary="Begin to connect a wallet: register there, and say where the owner's browser goes.",
        about="The browser is led to `redirectUri` with the answer, which goes to answerWallet within 15 minutes.",
        handler=connect,
        body=w.ConnectWallet,
        response=w.AskingView,
        status=201,
    ),
    Operation(
        name="answerWallet",
        method="POST",
        path="/admin/wallets/{id}/answer",
        summary="Take the address that the browser was led to; the wallet is connected then.",
        handler=answer,
        body=w.WalletAnswer,
        response=w.WalletView,
    ),
    Operation(
        name="pushToWallet",
        method="POST",
        path="/admin/wallets/{id}/push",
        summary="Give a held badge to a wallet, as it was received.",
        handler=push,
        body=w.PushToWallet,
        response=w.PushedView,
    ),
    Operation(
        name="pullFromWallet",
        method="POST",
        path="/admin/wallets/{id}/pull",
        summary="Take a page of the badges of a wallet, each if it verifies here.",
        about="Ask again with `following` until it is null. A badge that is the newer form of a held one replaces it.",
        handler=pull,
        body=w.PullFromWallet,
        response=w.PulledPageView,
    ),
    Operation(
        name="getWalletProfile",
        method="GET",
        path="/admin/wallets/{id}/profile",
        summary="The profile in a wallet.",
        handler=profile,
        response=dict[str, Any],
    ),
    Operation(
        name="putWalletProfile",
        method="POST",
        path="/admin/wallets/{id}/profile",
        summary="Replace the profile in a wallet; the answer is as it is there then.",
        handler=put_profile,
        body=w.WalletProfile,
        response=dict[str, Any],
    ),
    Operation(
        name="disconnectWallet",
        method="DELETE",
        path="/admin/wallets/{id}",
        summary="Give the tokens back to a wallet, and forget it.",
        handler=disconnect,
        query=w.DisconnectQuery,
        response=w.DisconnectedView,
    ),
)
