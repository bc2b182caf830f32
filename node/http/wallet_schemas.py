"""What the admin API takes and gives about wallets of others that the owner connects."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from node.http.apps_schemas import ShortScope
from node.http.schemas import HeldView, Time, _Given, _View

__all__ = [
    "AskingView", "ConnectWallet", "DisconnectQuery", "DisconnectedView", "PullFromWallet", "PulledPageView",
    "PulledView", "PushToWallet", "PushedView", "WalletAnswer", "WalletProfile", "WalletView",
]  # fmt: skip

_Url = Annotated[str, Meta(min_length=1, max_length=1000)]


class ConnectWallet(_Given, frozen=True, kw_only=True):
    """Which wallet is connected, and where its answer goes."""

    url: Annotated[_Url, Meta(description="The base URL of its Open Badges 3.0 API.")]
    redirect_uri: Annotated[_Url, Meta(description="`http://127.0.0.1:PORT/...`, where the browser brings the answer.")]
    scopes: Annotated[
        list[ShortScope] | None, Meta(description="What is asked for; all that it has where this is left out.")
    ] = None


class WalletAnswer(_Given, frozen=True, kw_only=True):
    """What the browser was led to."""

    address: Annotated[str, Meta(max_length=16000, description="The whole address, with its query.")]


class PushToWallet(_Given, frozen=True, kw_only=True):
    """Which record is given."""

    record: Annotated[str, Meta(max_length=200, description="Its id, or the beginning of it.")]


class PullFromWallet(_Given, frozen=True, kw_only=True):
    """Which badges are taken."""

    since: Annotated[Time | None, Meta(description="Only those that were issued later.")] = None
    following: Annotated[
        Annotated[str, Meta(max_length=4000)] | None, Meta(description="What the page before said.")
    ] = None
    unverified: Annotated[bool, Meta(description="Take genuine ones that do not verify, too, and mark them.")] = False


class WalletProfile(_Given, frozen=True, kw_only=True):
    """A profile to put."""

    profile: Annotated[dict[str, Any], Meta(description="A Profile of Open Badges 3.0, whole.")]


class DisconnectQuery(_Given, frozen=True, kw_only=True):
    """How it ends."""

    force: Annotated[bool, Meta(description="Forget it also where the other side cannot be told.")] = False


class WalletView(_View, frozen=True, kw_only=True):
    """A wallet of others."""

    id: str
    name: Annotated[str, Meta(description="As it calls itself.")]
    url: Annotated[str, Meta(description="Where its API is.")]
    state: Annotated[str, Meta(description="`asking`, `connected` or `ended`.")]
    scopes: Annotated[list[str], Meta(description="What was granted; until then, what is asked for.")]
    terms_url: str
    privacy_url: str
    created: Time
    used: Time | None


class AskingView(_View, frozen=True, kw_only=True):
    """A wallet whose owner is to be asked."""

    wallet: WalletView
    authorization_url: Annotated[str, Meta(description="Where the owner's browser goes.")]


class PushedView(_View, frozen=True, kw_only=True):
    """What became of a badge there."""

    record: HeldView
    outcome: Annotated[str, Meta(description="`created`, `replaced` or `unchanged`.")]


class PulledView(_View, frozen=True, kw_only=True):
    """What became of one badge here."""

    record: HeldView | None
    outcome: Annotated[str, Meta(description="`created`, `replaced`, `none` for one that is held, or `refused`.")]
    code: str | None
    reason: str | None
    hint: str | None


class PulledPageView(_View, frozen=True, kw_only=True):
    """A page of badges."""

    badges: list[PulledView]
    following: Annotated[str | None, Meta(description="Asks for the next page; null on the last one.")]
    total: Annotated[int | None, Meta(description="How many there are, where the service says so.")]


class DisconnectedView(_View, frozen=True, kw_only=True):
    """A wallet that is forgotten."""

    wallet: WalletView
    told: Annotated[bool, Meta(description="Whether the other side was told, and has ended its tokens.")]
