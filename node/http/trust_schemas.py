"""What the admin API takes and gives about trust."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from node.http.schemas import Limit, Name, Text, Time, _Given, _View

__all__ = [
    "AccreditationView", "ExplainTrust", "FollowList", "GivenAccreditationView", "KeepAccreditation",
    "NewAccreditation", "NewPublication", "NewTrustRule", "PublicationView", "TrustListView",
    "TrustRuleView", "TrustRulesQuery", "TrustRulesView", "WhyView",
]  # fmt: skip

_Names = Annotated[list[Text], Meta(max_length=200)]
_May = Annotated[
    Literal["issue", "recognize"], Meta(description="`issue` records, or `recognize` others who may issue them.")
]


class _Scope(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    achievement_type: Annotated[_Names, Meta(description="Only these, as Open Badges names them; none: any.")] = []
    achievement: Annotated[_Names, Meta(description="Only achievements with these ids; none: any.")] = []
    target_framework: Annotated[
        _Names,
        Meta(description="Only what is aligned to these and no others: names, or beginnings of the skills' URLs."),
    ] = []


class NewTrustRule(_Given, _Scope, frozen=True, kw_only=True):
    """Whom to believe from now on, for what, and for records issued when."""

    did: Annotated[str, Meta(min_length=1, max_length=10_000)]
    may: _May = "issue"
    valid_from: Annotated[Time | None, Meta(description="For records issued since then.")] = None
    valid_until: Annotated[Time | None, Meta(description="For records issued until then.")] = None
    note: Annotated[Text, Meta(description="Why; shown where the rule is the reason.")] = ""


class TrustRuleView(_Scope, frozen=True, kw_only=True):
    """A rule."""

    id: str
    did: str
    may: _May
    valid_from: Time | None = None
    valid_until: Time | None = None
    note: str
    created: Time


class TrustRulesQuery(_Given, frozen=True, kw_only=True):
    """Which rules."""

    did: Annotated[str | None, Meta(description="Those about this DID only.")] = None
    after: Annotated[str | None, Meta(description="`next` of the page before.")] = None
    limit: Limit = 100


class TrustRulesView(_View, frozen=True, kw_only=True):
    """Some of the rules, the newest first; the rest follows after `next`."""

    items: list[TrustRuleView]
    next: str | None = None
    configured: Annotated[list[str], Meta(description="Believed for everything: `trust.issuers`.")]


class FollowList(_Given, frozen=True, kw_only=True):
    """A list to follow: at a URL, as a document, or those that the DID document of `publisher` names."""

    url: Annotated[str, Meta(max_length=2000)] | None = None
    document: Annotated[dict[str, Any] | str | None, Meta(description="The list itself, from a file or a mirror.")] = (
        None
    )
    publisher: Annotated[str, Meta(max_length=10_000, description="The DID that has to have signed it.")] | None = None
    name: Annotated[Name | None, Meta(description="What to call it here; else as it calls itself.")] = None
    accreditors: Annotated[bool, Meta(description="Whether those count too whom the list lets recognise others.")] = (
        False
    )


class TrustListView(_View, frozen=True, kw_only=True):
    """A list that is followed."""

    id: str
    kind: Annotated[Literal["list", "registry"], Meta(description="A `registry` is signed by nobody.")]
    name: str
    list_id: Annotated[str, Meta(description="What its publisher calls it.")]
    publisher: str | None
    url: Annotated[str | None, Meta(description="Where it is asked for again; none for one from a file.")]
    accreditors: bool
    sequence: int | None
    signed: Time | None
    valid_until: Annotated[Time, Meta(description="After this it is no reason to believe anybody.")]
    fetched: Time
    refresh: Annotated[Time | None, Meta(description="When it is asked for again.")]
    error: Annotated[str | None, Meta(description="Why it could not be had the last time.")]


class NewPublication(_Given, frozen=True, kw_only=True):
    """A list of this node's rules, to be published; the same name again makes a new edition."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    title: Annotated[Text, Meta(description="What people call it.")] = ""
    days: Annotated[int, Meta(ge=1, le=366, description="How long an edition is valid; it is renewed at half.")] = 30


class PublicationView(_View, frozen=True, kw_only=True):
    """A list that this node publishes."""

    name: str
    title: str
    url: str
    sequence: int
    published: Time
    valid_until: Time
    days: int


class KeepAccreditation(_Given, frozen=True, kw_only=True):
    """An accreditation of somebody, to be kept: the document, or where it is."""

    url: Annotated[str, Meta(max_length=2000)] | None = None
    document: dict[str, Any] | str | None = None


class AccreditationView(_View, frozen=True, kw_only=True):
    """An accreditation that is kept."""

    id: str
    accreditor: str
    dids: Annotated[list[str], Meta(description="Whom it recognises.")]
    kept: Time


class NewAccreditation(_Given, _Scope, frozen=True, kw_only=True):
    """An accreditation to be given by this node: whom, for what, and for records issued when."""

    did: Annotated[str, Meta(min_length=1, max_length=10_000)]
    name: Annotated[Text, Meta(description="What the accredited is called.")] = ""
    may: _May = "issue"
    valid_from: Annotated[Time | None, Meta(description="For records issued since then; now.")] = None
    valid_until: Annotated[Time | None, Meta(description="For records issued until then.")] = None


class GivenAccreditationView(_View, frozen=True, kw_only=True):
    """An accreditation that this node has signed; it is revoked as any issued record is, by `recordId`."""

    record_id: str
    document: msgspec.Raw


class ExplainTrust(_Given, frozen=True, kw_only=True):
    """Whether an issuer would be believed for an award, and why."""

    did: Annotated[str, Meta(min_length=1, max_length=10_000)]
    achievement_type: Name | None = None
    achievement: Text | None = None
    target_framework: Text | None = None
    target_url: Text | None = None
    at: Annotated[Time | None, Meta(description="When it was issued; now, where that is left out.")] = None


class WhyView(_View, frozen=True, kw_only=True):
    """What the check `issuer-trusted` would say, with every link of the reason and what was refused."""

    did: str
    outcome: Literal["pass", "fail", "not-checked"]
    code: str
    reason: str
    details: dict[str, Any]
