"""What the admin API takes and gives about apps that the owner lets at records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta

from node.http.schemas import Time, _Given, _View
from protocols.oauth.scopes import SCOPES

__all__ = [
    "SHORT_SCOPES", "AppGrantView", "AppRequestView", "AppView", "ApprovalView", "ApproveApp", "ShortScope",
    "short_scopes",
]  # fmt: skip

ShortScope = Literal["credential.readonly", "credential.upsert", "profile.readonly", "profile.update", "offline_access"]

SHORT_SCOPES = {scope.rpartition("/")[2]: scope for scope in SCOPES}
"""The last part of each scope, as people say it -> the scope."""


def short_scopes(scopes: Iterable[str]) -> list[str]:
    """Scopes as people say them."""
    return [scope.rpartition("/")[2] for scope in scopes]


class ApproveApp(_Given, frozen=True, kw_only=True):
    """How far an app is let in."""

    scopes: Annotated[
        list[ShortScope] | None, Meta(description="What is granted of what it asks for; all where this is left out.")
    ] = None


class AppGrantView(_View, frozen=True, kw_only=True):
    """What was granted once."""

    id: str
    scopes: list[str]
    created: Time
    used: Annotated[Time | None, Meta(description="When it was made use of last, to the minute.")]


class AppView(_View, frozen=True, kw_only=True):
    """An app that was let in; what it says of itself is not proved, but for where it is answered."""

    id: str
    name: str
    url: str
    terms_url: str
    privacy_url: str
    answered_at: Annotated[list[str], Meta(description="Its redirect URIs.")]
    grants: list[AppGrantView]


class AppRequestView(_View, frozen=True, kw_only=True):
    """What an app asks for."""

    number: Annotated[str, Meta(description="As the page shows it.")]
    state: Annotated[str, Meta(description="`waiting`, `approved` or `declined`.")]
    app_id: str
    name: str
    url: str
    terms_url: str
    privacy_url: str
    answered_at: Annotated[str, Meta(description="The redirect URI: where what is granted goes.")]
    scopes: list[str]
    expires: Time


class ApprovalView(_View, frozen=True, kw_only=True):
    """A request that was approved, and what its owner types into the page."""

    request: AppRequestView
    code: Annotated[str, Meta(description="Good for this request, in the browser that shows it; shown this once.")]
