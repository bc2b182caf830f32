"""What the admin API takes and gives, as typed values; the OpenAPI document is made from them.

Names on the wire are camelCase. A record or message stands in its answer exactly as it is stored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from node.events.types import check_topics
from protocols.keys import KeyKind

__all__ = [
    "AboutRecord",
    "AcceptInvitation",
    "AttachedView",
    "Award",
    "AwardOverConnection",
    "BadHeadView",
    "Bake",
    "BakedView",
    "BatchAward",
    "BatchProblemView",
    "BatchRowView",
    "BatchToIssue",
    "BatchView",
    "ChainView",
    "CheckView",
    "ClientView",
    "ConnectionView",
    "CorrectedView",
    "Decline",
    "DescriptorView",
    "DidQuery",
    "DidView",
    "DocumentToVerify",
    "EndorsementOffer",
    "EndorsementView",
    "Erase",
    "ErasedView",
    "ErasureReportView",
    "ErasureView",
    "EventView",
    "EventsQuery",
    "ExchangeDetail",
    "ExchangeQuery",
    "ExchangeView",
    "ExchangesQuery",
    "FeaturesQuery",
    "FormerKeyView",
    "HeadView",
    "HeadsToCheck",
    "HeldDetail",
    "HeldView",
    "IntakeView",
    "InvitationView",
    "IssuedDetail",
    "IssuedQuery",
    "IssuedView",
    "KeptStatusView",
    "KeptView",
    "KeyRotation",
    "LeaveMediator",
    "LogEntry",
    "LogQuery",
    "MatchesQuery",
    "MatchesView",
    "MediatorView",
    "NewDid",
    "NewInvitation",
    "NewKey",
    "NewMediator",
    "NewRequest",
    "NewWebhook",
    "OutboxView",
    "OutlineView",
    "OwnKeyView",
    "OwnMethod",
    "Page",
    "PageQuery",
    "Present",
    "Problem",
    "Prune",
    "PruneView",
    "RecordCorrection",
    "RecordProposal",
    "RecordToEndorse",
    "RecordsQuery",
    "RecordsToKeep",
    "RefusedView",
    "Replay",
    "ReplayView",
    "ResolutionView",
    "ResultView",
    "SkillView",
    "StatusChange",
    "StatusValue",
    "StatusView",
    "VerificationView",
    "VerifyExchange",
    "WebhookSecretView",
    "WebhookTestView",
    "WebhookView",
    "topics_of",
]  # fmt: skip

T = TypeVar("T")
Name = Annotated[str, Meta(min_length=1, max_length=400)]
Text = Annotated[str, Meta(max_length=1000)]
Most = Annotated[int, Meta(ge=1, le=32)]
Id = Annotated[str, Meta(min_length=1, max_length=150)]
States = Annotated[str, Meta(min_length=1, max_length=400)]
OwnMethod = Literal["key", "web", "jwk"]
Time = Annotated[datetime, Meta(tz=True)]
Limit = Annotated[int, Meta(ge=1, le=1000, description="Items on a page.")]
EventNumber = Annotated[int, Meta(ge=0, le=10**18)]
After = Annotated[str | None, Meta(description="`next` of the page before.")]


class _Given(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What a request may say; a field that is not known is an error, for it may be a misspelt one."""


class _View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What an answer says."""


class Page(_View, Generic[T], frozen=True, kw_only=True):
    """Some of the items; the rest follows after `next`."""

    items: list[T]
    next: str | None = None


class PageQuery(_Given, frozen=True, kw_only=True):
    """Which page."""

    after: After = None
    limit: Limit = 100


class Problem(_View, frozen=True, kw_only=True):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""


# The node -------------------------------------------------------------------------------------------------------


class OutboxView(_View, frozen=True, kw_only=True):
    """Messages on their way."""

    waiting: int
    given_up: int
    oldest_seconds: float | None = None


class StatusView(_View, frozen=True, kw_only=True):
    """How the node is."""

    label: str
    version: str
    endpoint: Annotated[str | None, Meta(description="Where new peers reach the node; a mediator's, where it has one.")]
    issuer_did: str | None
    holder_did: str | None
    connections: int
    waiting: Annotated[int, Meta(description="Exchanges that wait for a person's decision.")]
    records: int
    issued: int
    outbox: OutboxView


class OwnKeyView(_View, frozen=True, kw_only=True):
    """A key of the node."""

    verification_method: str
    kind: KeyKind


class FormerKeyView(_View, frozen=True, kw_only=True):
    """A key of the node that signs no more: ``retired``, what it signed verifies; ``withdrawn``, it does not."""

    verification_method: str
    kind: KeyKind
    state: Literal["retired", "withdrawn"]
    since: datetime


class DidView(_View, frozen=True, kw_only=True):
    """A DID that the node speaks as."""

    did: str
    short_form: str | None
    method: str
    purpose: str
    keys: Annotated[list[OwnKeyView], Meta(description="The first signs where no kind is asked for.")]
    former_keys: Annotated[list[FormerKeyView], Meta(description="They sign no more.")]
    is_default: Annotated[bool, Meta(description="Whether it is used for its purpose where none is named.")]
    state: str
    created: datetime


class NewDid(_Given, frozen=True, kw_only=True):
    """A DID to make: `web` is the institution's own, `key` and `jwk` need no server and have one key."""

    method: OwnMethod = "key"
    purpose: Literal["holder", "issuer"] = "holder"
    keys: Annotated[tuple[KeyKind, ...], Meta(min_length=1, max_length=16)] = ("ed25519",)
    token_key: Annotated[str | None, Meta(description="Label of a key of the node's token, to use instead.")] = None


class DidQuery(_Given, frozen=True, kw_only=True):
    """What to resolve, and how."""

    did: Annotated[str, Meta(min_length=1, max_length=20_000, description="A DID or DID URL.")]
    version_id: Name | None = None
    version_time: Annotated[str, Meta(max_length=40, description="As 2026-01-31T12:00:00Z.")] | None = None


class ResolutionView(_View, frozen=True, kw_only=True):
    """What a DID resolves to (DID Resolution 1.0); for a DID URL, what it names. Without content there is an error."""

    status: Annotated[int, Meta(description="The HTTP status that this result has in the HTTP binding.")]
    content: dict[str, Any] | None
    resolution_metadata: dict[str, Any]
    document_metadata: dict[str, Any]


class NewKey(_Given, frozen=True, kw_only=True):
    """A key to make, or to take from the node's token: one of the two."""

    kind: KeyKind | None = None
    token_key: Annotated[str | None, Meta(description="Its label in the token.")] = None


class KeyRotation(_Given, frozen=True, kw_only=True):
    """Which keys sign no more.

    Attributes:
        key: the one to rotate, as the fragment of its verification method; left out, every one that signs.
        compromised: whether somebody else may have it, so that nothing that it signed may verify any more.
        token_key: label of a key of the node's token to sign instead.
    """

    key: str | None = None
    token_key: str | None = None
    compromised: bool = False


# Peers ----------------------------------------------------------------------------------------------------------


class NewInvitation(_Given, frozen=True, kw_only=True):
    """An invitation to make."""

    multi_use: bool = False
    goal: Text | None = None
    expires_in_seconds: Annotated[int, Meta(ge=1, le=10 * 366 * 86400)] | None = None
    lasting: Annotated[
        bool, Meta(description="Under one lasting DID, so that peers that are connected keep their connection.")
    ] = False
    didcomm: Annotated[
        Literal["v1", "v2"],
        Meta(description="`v1` for Out-of-Band 1.1, which leads to v2 where both can; `v2` for Out-of-Band 2.0."),
    ] = "v1"


class InvitationView(_View, frozen=True, kw_only=True):
    """An invitation that the node gave out."""

    id: str
    state: str
    multi_use: bool
    created: datetime
    expires: datetime | None
    url: Annotated[str, Meta(description="The link that carries the whole invitation.")]
    short_url: Annotated[str, Meta(description="A short link to it, for a QR code; it leads there while it is open.")]
    message: msgspec.Raw


class AcceptInvitation(_Given, frozen=True, kw_only=True):
    """An invitation to answer: its URL, or its JSON as text."""

    invitation: Annotated[str, Meta(min_length=1, max_length=1 << 20)]
    reuse: Annotated[
        bool, Meta(description="Use the connection with that peer again, where there is one, and make no other.")
    ] = True
    direct: Annotated[
        bool, Meta(description="Not by way of a mediator; for a connection with a peer that is to be the mediator.")
    ] = False


class ConnectionView(_View, frozen=True, kw_only=True):
    """A relation with a peer."""

    id: str
    state: str
    role: str
    label: Annotated[str | None, Meta(description="What the peer calls itself; it proves nothing.")]
    my_did: str
    their_did: str | None
    wire: Annotated[str, Meta(description="The DIDComm profile that is spoken with it: `didcomm/v2`, or v1's.")]
    endpoint: str | None
    invitation_id: str | None
    created: datetime
    updated: datetime


class AcceptedView(ConnectionView, frozen=True, kw_only=True):
    """The connection on which an invitation was answered."""

    reused: Annotated[bool, Meta(description="Whether it was there before, and the peer was asked to keep it.")]


class NewMediator(_Given, frozen=True, kw_only=True):
    """A peer to ask for mediation."""

    connection: Annotated[str, Meta(min_length=1, max_length=256, description="Id, beginning of an id, or label.")]


class LeaveMediator(_Given, frozen=True, kw_only=True):
    """How to leave a mediator."""

    forget: Annotated[
        bool, Meta(description="Take back what it was told too: peers that send by it no longer reach this node.")
    ] = False


class MediatorView(_View, frozen=True, kw_only=True):
    """A mediator of this node; `state` is requested, granted, closing, denied or ended."""

    connection: str
    label: str | None
    state: str
    endpoint: Annotated[str | None, Meta(description="Where peers send what is for this node.")]
    live: Annotated[bool, Meta(description="Whether a WebSocket to it is open, by which messages come at once.")]
    names: Annotated[int, Meta(description="Keys and DIDs of this node that it knows.")]
    unconfirmed: Annotated[int, Meta(description="Those that it has not confirmed yet.")]
    since: datetime


class ClientView(_View, frozen=True, kw_only=True):
    """A peer that this node mediates for, and what is held for it."""

    connection: str
    label: str | None
    recipients: int
    messages: int
    total_bytes: int
    since: datetime


class FeaturesQuery(_Given, frozen=True, kw_only=True):
    """What to ask a peer about."""

    match: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=256)], ...],
        Meta(min_length=1, max_length=32, description="Protocol URIs; `*` is a wildcard. Version 1.0 takes one."),
    ] = ("*",)
    version: Annotated[Literal["1.0", "2.0"], Meta(description="Of Discover Features.")] = "2.0"


# Records --------------------------------------------------------------------------------------------------------


class Award(_Given, frozen=True, kw_only=True):
    """An achievement of one learner, who is named by DID or by e-mail address."""

    achievement: Annotated[str, Meta(min_length=1, max_length=2000, description="Its id in the catalogue.")]
    did: Name | None = None
    email: Name | None = None
    name: Name | None = None
    valid_from: Time | None = None
    valid_until: Time | None = None
    result: Text | None = None


Also = Annotated[
    Annotated[tuple[Award, ...], Meta(max_length=15)],
    Meta(description="More records of the same offer; who accepts it takes all, and who wants some proposes those."),
]
Comment = Annotated[Text | None, Meta(description="For the person there.")]
ExpiresIn = Annotated[
    Annotated[int, Meta(ge=0, le=10 * 366 * 86400)] | None,
    Meta(description="Seconds in which it can be answered; 0: for ever; without it as `policy.lifetime_seconds` says."),
]


class AwardOverConnection(Award, frozen=True, kw_only=True):
    """An achievement to offer to a peer: to a connection, or in answer to its proposal, one of the two."""

    connection: Name | None = None
    exchange: Annotated[Name | None, Meta(description="A proposal that waits here, and is answered by this.")] = None
    also: Also = ()
    comment: Comment = None
    expires_in_seconds: ExpiresIn = None
    data_model: Annotated[
        Literal["2.0", "1.1"],
        Meta(description="Version of the W3C data model; 1.1 for wallets that cannot show 2.0, as ACA-Py's."),
    ] = "2.0"


class OfferByLink(Award, frozen=True, kw_only=True):
    """An achievement to offer to whoever answers the invitation first."""

    goal: Annotated[Text | None, Meta(description="What the invitation is for, in a few words.")] = None
    also: Also = ()
    comment: Comment = None
    data_model: Literal["2.0", "1.1"] = "2.0"
    expires_in_seconds: ExpiresIn = None
    didcomm: Annotated[
        Literal["v1", "v2"],
        Meta(description="`v1` for Out-of-Band 1.1; `v2` for the goal `streamlined-vc` of WACI-DIDComm."),
    ] = "v1"


class BatchAward(_Given, frozen=True, kw_only=True):
    """One row of a list of learners."""

    key: Annotated[Name, Meta(description="By which the row is known again: its line, or the learner's number.")]
    did: Name | None = None
    email: Name | None = None
    name: Name | None = None
    valid_from: Time | None = None
    valid_until: Time | None = None
    result: Text | None = None


class BatchToIssue(_Given, frozen=True, kw_only=True):
    """Rows of a list of learners who are all awarded the same achievement."""

    batch: Annotated[Name, Meta(description="By which the list is known again, such as a digest of it.")]
    achievement: Annotated[str, Meta(min_length=1, max_length=2000, description="Its id in the catalogue.")]
    awards: Annotated[list[BatchAward], Meta(min_length=1, max_length=500)]
    documents: Annotated[bool, Meta(description="Whether the answer holds the signed documents.")] = False


class RecordProposal(_Given, frozen=True, kw_only=True):
    """Achievements that the node would like to be awarded by a peer, also instead of what that offered."""

    connection: Name | None = None
    exchange: Annotated[Name | None, Meta(description="An offer that waits here, and is answered by this.")] = None
    comment: Comment = None
    achievements: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=2000)], ...],
        Meta(min_length=1, max_length=16, description="Their ids in the peer's catalogue."),
    ]


class SkillView(_View, frozen=True, kw_only=True):
    """A skill that a record attests."""

    name: str
    code: str | None
    framework: str | None
    url: str | None


class AttachedView(_View, frozen=True, kw_only=True):
    """Terms of use, evidence or a refresh service of a record, as the record says it."""

    property: Annotated[str, Meta(description="termsOfUse, evidence or refreshService.")]
    types: list[str]
    id: str | None
    texts: Annotated[list[tuple[str, str]], Meta(description="What it says in words, each with its property.")]


class HeldView(_View, frozen=True, kw_only=True):
    """A record that the node holds."""

    id: str
    name: str
    issuer: str
    subject: str | None
    types: list[str]
    skills: list[SkillView]
    valid_from: datetime | None
    valid_until: datetime | None
    stored_at: datetime
    state: Annotated[str, Meta(description="What the issuer's status lists said when they were looked at last.")]
    state_at: Annotated[datetime | None, Meta(description="When that was, after the record was stored.")]
    own_statement: Annotated[bool, Meta(description="Whom it is about has issued it; nobody else vouches for it.")]
    exchange_id: str | None
    unverified: Annotated[
        str | None,
        Meta(description="The code of the check that it did not pass when taken in; it is sent to nobody by itself."),
    ]


class OutlineView(_View, frozen=True, kw_only=True):
    """An achievement of a Comprehensive Learner Record."""

    depth: Annotated[int, Meta(description="0 where it is a part of nothing; its parts follow, one deeper.")]
    id: str
    name: str
    issuer: Annotated[str | None, Meta(description="Who awards it; none where the record only lists it.")]
    beside: Annotated[list[tuple[str, str]], Meta(description="Other associations: kind, and name of the other one.")]


class EndorsementView(_View, frozen=True, kw_only=True):
    """What an endorsement that the node holds says of a record."""

    credential: str | None
    issuer: str
    comment: str | None
    state: Annotated[str, Meta(description="What its issuer's status list said when it was looked at last.")]
    unverified: Annotated[str | None, Meta(description="The code of the check that it did not pass when taken in.")]


class HeldDetail(HeldView, frozen=True, kw_only=True):
    """A record that the node holds, with the document as it was received."""

    securing: Annotated[
        str | None,
        Meta(
            description="How it is secured, such as `eddsa-rdfc-2022` or `vc+jwt`. `HostedBadge` is signed by nobody: "
            "the web server of its issuer vouches for it."
        ),
    ]
    replaces: Annotated[str | None, Meta(description="The `id` of the record that it says it replaces.")]
    replaced_by: Annotated[str | None, Meta(description="The held record, by `id`, that says it replaces this one.")]
    endorsements: Annotated[list[EndorsementView], Meta(description="Those that the node holds of it.")]
    attached: list[AttachedView]
    outline: Annotated[
        list[OutlineView],
        Meta(description="Of a Comprehensive Learner Record: its achievements, each before its parts."),
    ]
    document: msgspec.Raw


class RecordsToKeep(_Given, frozen=True, kw_only=True):
    """Records to hold that did not come over a connection: one of `document`, `file` and `url`."""

    document: Annotated[
        dict[str, Any] | str | None, Meta(description="As its issuer signed it: an object, or the text of a JWT.")
    ] = None
    file: Annotated[
        Annotated[str, Meta(max_length=2_800_000)] | None,
        Meta(description="A file with records, in base64; up to 2 MiB."),
    ] = None
    url: Annotated[
        Annotated[str, Meta(max_length=4000)] | None, Meta(description="Where the node gets such a file.")
    ] = None
    recipient: Annotated[
        Annotated[str, Meta(max_length=500)] | None,
        Meta(description="An address, such as for e-mail, that the records have to be for; hashed or not."),
    ] = None
    accept: Annotated[
        Literal["verified", "genuine", "any"],
        Meta(
            description="`verified`: what passes all that this node asks of records, trust in the issuer included. "
            "`any`: also what is genuine and does not pass, which stays marked. `genuine`: trust and status are not "
            "asked for, as for the records of the holder's own export."
        ),
    ] = "verified"


class KeptView(_View, frozen=True, kw_only=True):
    """A record that the node holds now."""

    record: HeldView
    is_new: Annotated[bool, Meta(description="Whether the node did not hold it before.")]


class Bake(_Given, frozen=True, kw_only=True):
    """Into which picture a record is put."""

    image: Annotated[
        Annotated[str, Meta(max_length=2_800_000)] | None,
        Meta(description="A PNG or SVG file in base64; the image of the record's achievement where there is none."),
    ] = None


class BakedView(_View, frozen=True, kw_only=True):
    """A picture with a record in it."""

    media_type: str
    image: Annotated[str, Meta(description="The file, in base64.")]


class RefusedView(_View, frozen=True, kw_only=True):
    """A record that is not kept."""

    position: Annotated[int, Meta(description="Among the records of the file, from 1.")]
    code: str
    reason: str
    hint: str


class IntakeView(_View, frozen=True, kw_only=True):
    """What became of the records that were given. Where there was one, and it was refused, the answer is the error."""

    kept: list[KeptView]
    refused: list[RefusedView]


class Derive(_Given, frozen=True, kw_only=True):
    """What of a record is shown, besides what its issuer made mandatory."""

    reveal: Annotated[
        list[Annotated[str, Meta(max_length=4000)]],
        Meta(max_length=1000, description="JSON Pointers (RFC 6901) into the record; none for the mandatory parts."),
    ] = []


class DerivedRecord(_View, frozen=True, kw_only=True):
    """A part of a record with a proof of its own."""

    document: msgspec.Raw


class RecordsQuery(PageQuery, frozen=True, kw_only=True):
    """Which records."""

    q: Annotated[Text | None, Meta(description="Words in its name, issuer, types or skills.")] = None
    skill: Annotated[Text | None, Meta(description="Code or URL of a skill, or a part of its name.")] = None


class IssuedView(_View, frozen=True, kw_only=True):
    """A record that the node issued."""

    id: str
    credential_id: str
    achievement: str | None
    subject: str | None
    state: str
    issued_at: datetime
    connection_id: str | None
    exchange_id: str | None


class StatusValue(_View, frozen=True, kw_only=True):
    """What a status list of the node says of a record."""

    purpose: str
    value: Annotated[int, Meta(description="0 where nothing is set.")]
    message: Annotated[str, Meta(description="What the value means by the record itself.")]


class IssuedDetail(IssuedView, frozen=True, kw_only=True):
    """A record that the node issued, with the document as it was signed and what is said of it now."""

    statuses: list[StatusValue]
    replaces: Annotated[str | None, Meta(description="The `id` of the record that it replaces.")]
    replaced_by: Annotated[str | None, Meta(description="The `id` of the record that replaces it.")]
    attached: list[AttachedView]
    document: msgspec.Raw


class BatchRowView(_View, frozen=True, kw_only=True):
    """A row of a list that has its record."""

    key: str
    id: str
    credential_id: str
    is_new: Annotated[bool, Meta(description="False where the record was there before.")]
    document: Annotated[msgspec.Raw, Meta(description="As signed; null unless it was asked for.")]


class BatchProblemView(_View, frozen=True, kw_only=True):
    """A row of a list that cannot be issued, and why."""

    key: str
    code: str
    message: str


class BatchView(_View, frozen=True, kw_only=True):
    """What became of the rows, in the order in which they were given."""

    issued: list[BatchRowView]
    problems: list[BatchProblemView]


class IssuedQuery(PageQuery, frozen=True, kw_only=True):
    """Which issued records."""

    connection: Name | None = None
    achievement: Name | None = None
    subject: Name | None = None
    state: Literal["active", "suspended", "revoked"] | None = None


class RecordCorrection(_Given, frozen=True, kw_only=True):
    """What a record says otherwise than the one that it replaces."""

    name: Name | None = None
    email: Name | None = None
    result: Text | None = None
    valid_from: Time | None = None
    valid_until: Time | None = None
    achievement: Annotated[Name | None, Meta(description="Another achievement, or another version of it.")] = None
    reason: Annotated[Text | None, Meta(description="For the issuer's own log; nobody else sees it.")] = None


class RecordToEndorse(_Given, frozen=True, kw_only=True):
    """A record of another issuer to stand by."""

    document: Annotated[
        dict[str, Any] | str, Meta(description="As its issuer signed it: an object, or the text of a JWT or SD-JWT.")
    ]
    comment: Annotated[str, Meta(min_length=1, max_length=4000, description="Why; it is in the endorsement.")]


class EndorsementOffer(RecordToEndorse, frozen=True, kw_only=True):
    """An endorsement for a peer."""

    connection: Annotated[str, Meta(description="The peer, as a rule the one who holds the record.")]
    expires_in_seconds: ExpiresIn = None


class CorrectedView(_View, frozen=True, kw_only=True):
    """A record that was replaced, and the one that replaces it."""

    former: IssuedView
    credential: Annotated[str, Meta(description="The `id` of the new record.")]
    record: Annotated[IssuedDetail | None, Meta(description="The new record, where it was signed at once.")]
    exchange: Annotated[str | None, Meta(description="In which it is offered to the holder.")]


class StatusChange(_Given, frozen=True, kw_only=True):
    """What to say of an issued record from now on."""

    action: Annotated[
        Literal["revoke", "suspend", "reinstate", "refresh", "message"],
        Meta(description="`refresh`: there is a newer version of the record. `message`: one of its messages holds."),
    ]
    message: Annotated[Text | None, Meta(description="With `message`: the one that holds from now on.")] = None
    reason: Annotated[Text | None, Meta(description="For the issuer's own log; nobody else sees it.")] = None


# Exchanges ------------------------------------------------------------------------------------------------------


class ExchangeView(_View, frozen=True, kw_only=True):
    """A conversation with a peer about one thing."""

    id: str
    protocol: Annotated[str, Meta(description="URI of the protocol with its major version.")]
    role: str
    connection_id: str
    peer: Annotated[str | None, Meta(description="What the peer calls itself; it proves nothing.")]
    thread_id: str
    state: str
    waiting_for: Annotated[str | None, Meta(description="The decision that a person owes.")]
    error: Annotated[str | None, Meta(description="Stable code of why it ended badly.")]
    expires: Annotated[datetime | None, Meta(description="When it ends by itself, where nobody answers.")]
    created: datetime
    updated: datetime


class OfferView(ExchangeView, frozen=True, kw_only=True):
    """An exchange that offers records."""

    credential_ids: Annotated[list[str], Meta(description="The `id` that each record will have, in their order.")]


class AboutRecord(_View, frozen=True, kw_only=True):
    """What a record says, in few words; whether it is true, verification says."""

    name: str
    issuer: str | None
    issuer_name: str | None
    subject: str | None
    achievement: str | None
    skills: list[SkillView]
    results: list[tuple[str, str]]
    valid_from: datetime | None
    valid_until: datetime | None
    attached: list[AttachedView]


class ExchangeDetail(ExchangeView, frozen=True, kw_only=True):
    """An exchange with all that is known of it, and the records that came of it."""

    about: Annotated[list[AboutRecord], Meta(description="The records that are offered, requested or issued.")]
    comment: Annotated[str | None, Meta(description="What the peer wrote last; it proves nothing.")] = None
    reason: Annotated[str | None, Meta(description="Why it ended badly, in the words of who ended it.")] = None
    asks_for_records: Annotated[
        bool, Meta(description="Whether the peer wants to see records before it issues; they are shown by `present`.")
    ] = False
    data: Annotated[msgspec.Raw, Meta(description="The protocol's own state.")]
    record_ids: Annotated[list[str], Meta(description="Of the records that it brought.")]
    issued_ids: Annotated[list[str], Meta(description="Of the records that it issued.")]


class ExchangesQuery(PageQuery, frozen=True, kw_only=True):
    """Which exchanges."""

    protocol: Name | None = None
    role: Name | None = None
    state: Name | None = None
    connection: Name | None = None
    waiting: Annotated[bool, Meta(description="Only those that wait for a person.")] = False


class ExchangeQuery(_Given, frozen=True, kw_only=True):
    """How long to wait for an exchange to go on."""

    wait: Annotated[float, Meta(ge=0, le=60, description="Seconds to wait at most.")] = 0.0
    state: Annotated[
        States | None, Meta(description="States to wait for, with commas; without it, any change is waited for.")
    ] = None


class Decline(_Given, frozen=True, kw_only=True):
    """Why not; the peer is told."""

    reason: Text = "declined"


class Present(_Given, frozen=True, kw_only=True):
    """Which record answers which input descriptor; what is not named is chosen by the node."""

    choose: dict[str, str] = {}
    fully: Annotated[bool, Meta(description="Where it is open how much is shown: all that fits, not the least.")] = (
        False
    )
    along: Annotated[
        list[str],
        Meta(max_length=32, description="Held endorsements and accreditations of issuers that are sent with these."),
    ] = []


class MatchesQuery(_Given, frozen=True, kw_only=True):
    """How much is to be shown."""

    fully: Annotated[bool, Meta(description="Where it is open how much is shown: all that fits, not the least.")] = (
        False
    )


class DescriptorView(_View, frozen=True, kw_only=True):
    """One thing that a verifier asks for, and the records that fit it."""

    id: str
    name: str | None
    purpose: str | None
    records: list[HeldView]
    chosen: Annotated[str | None, Meta(description="The record that is sent where nothing else is chosen.")]


class MatchesView(_View, frozen=True, kw_only=True):
    """What a verifier asks for, and what the node can answer."""

    exchange_id: str
    peer: str | None
    name: str | None
    purpose: str | None
    satisfiable: bool
    more: Annotated[bool, Meta(description="Whether `fully` would show more of what is asked for.")]
    descriptors: list[DescriptorView]


class StatementView(_View, frozen=True, kw_only=True):
    """One statement of a record."""

    path: str
    value: str


class LeavingView(_View, frozen=True, kw_only=True):
    """A record that would be sent."""

    record: HeldView
    shown: Annotated[list[StatementView], Meta(description="Every statement that leaves.")]
    withheld: Annotated[list[StatementView], Meta(description="Every statement of the record that does not.")]
    document: Annotated[msgspec.Raw, Meta(description="The record exactly as it leaves, before it is presented.")]


class PreviewView(_View, frozen=True, kw_only=True):
    """What would be sent for a choice of records."""

    exchange_id: str
    records: list[LeavingView]
    along: Annotated[list[HeldView], Meta(description="What else could go along, if it is named in `along`.")]


class ReceiptView(_View, frozen=True, kw_only=True):
    """A receipt of consent: what was shown to whom, and why."""

    id: str
    exchange_id: Annotated[str | None, Meta(description="None where it is shown by a link.")]
    at: datetime
    document: Annotated[msgspec.Raw, Meta(description="The receipt, with the names of ISO/IEC TS 27560:2023.")]


class ReceiptsQuery(PageQuery, frozen=True, kw_only=True):
    """Which receipts."""

    exchange: Annotated[Name | None, Meta(description="Of this exchange.")] = None


class Wanted(_Given, frozen=True, kw_only=True):
    """Records: by skills, by type, by a job profile, or by a DIF Presentation Exchange v2 definition."""

    skills: Annotated[list[Name], Meta(max_length=50)] = []
    type: Name | None = None
    definition: dict[str, Any] | None = None
    profile: Annotated[Name | None, Meta(description="A job profile of this node.")] = None
    most: Annotated[Most | None, Meta(description="Of a profile: the most important skills only.")] = None
    at_least: Annotated[
        Most | None, Meta(description="Of a profile: how many of these have to be answered for; else each of them.")
    ] = None
    name: Text | None = None
    purpose: Text | None = None


class PresentationProposal(Wanted, frozen=True, kw_only=True):
    """Records that could be shown, said to a connection or in answer to its request; exactly one of them is given."""

    connection: Name | None = None
    exchange: Annotated[Name | None, Meta(description="A request that waits here, and is answered by this.")] = None
    comment: Comment = None


class NewRequest(PresentationProposal, frozen=True, kw_only=True):
    """Records to ask a peer for: by skills, by type, or by a DIF Presentation Exchange v2 definition."""

    expires_in_seconds: ExpiresIn = None


class RequestByLink(Wanted, frozen=True, kw_only=True):
    """Records to ask whoever answers the invitation for: by skills, by type, or by a definition."""

    goal: Annotated[Text | None, Meta(description="What the invitation is for, in a few words.")] = None
    comment: Comment = None
    multi_use: Annotated[bool, Meta(description="For many, as on a poster; each gets a request of their own.")] = False
    expires_in_seconds: ExpiresIn = None
    didcomm: Annotated[
        Literal["v1", "v2"],
        Meta(description="`v1` for Out-of-Band 1.1; `v2` for the goal `streamlined-vp` of WACI-DIDComm."),
    ] = "v1"


# Verification ---------------------------------------------------------------------------------------------------


class VerifyExchange(_Given, frozen=True, kw_only=True):
    """Verify again what was presented, with fresh status lists."""

    trust: Annotated[list[Name], Meta(max_length=1000, description="More trusted issuers, this time.")] = []


class DocumentToVerify(VerifyExchange, frozen=True, kw_only=True):
    """A credential or presentation to verify."""

    document: Annotated[
        dict[str, Any] | str, Meta(description="A JSON object, or the text of a JWT or SD-JWT; any format is found.")
    ]
    any_issuer: Annotated[bool, Meta(description="Do not ask whether the issuer is trusted.")] = False
    show: Annotated[bool, Meta(description="Give back what the signature covers.")] = False
    challenge: Name | None = None
    domain: Name | None = None


class CheckView(_View, frozen=True, kw_only=True):
    """One check."""

    check: str
    outcome: Literal["pass", "fail", "not-checked"]
    required: bool
    code: str
    reason: str
    spec: str = ""
    details: dict[str, Any] = {}


class ResultView(_View, frozen=True, kw_only=True):
    """How the checks of a document ended; for a presentation also those of the credentials in it."""

    kind: str
    verified: bool
    checks: list[CheckView]
    issuer: str | None = None
    holder: str | None = None
    securing: Annotated[str | None, Meta(description="How it is secured, e.g. eddsa-rdfc-2022 or vc+jwt.")] = None
    endorses: Annotated[
        list[str], Meta(description="The ids of the records here that it endorses, where it goes along with them.")
    ] = []
    attached: Annotated[
        list[AttachedView], Meta(description="What a verified record says of its use, evidence and refreshing.")
    ] = []
    document: Annotated[
        dict[str, Any] | None, Meta(description="What the signature covers, where that was asked for.")
    ] = None
    credentials: list[ResultView] = []


class VerificationView(_View, frozen=True, kw_only=True):
    """A verification that is kept."""

    id: str
    exchange_id: str | None
    at: datetime
    verified: bool
    document_digest: str
    result: ResultView


# The log --------------------------------------------------------------------------------------------------------


class LogQuery(_Given, frozen=True, kw_only=True):
    """Which entries of the audit trail."""

    after: Annotated[int, Meta(ge=0, description="Number of the last entry of the page before.")] = 0
    limit: Limit = 100
    event: Name | None = None
    subject: Annotated[Id | None, Meta(description="An id that it is about.")] = None


class LogEntry(_View, frozen=True, kw_only=True):
    """Something that happened."""

    seq: int
    at: datetime
    event: str
    actor: str
    subjects: list[str]
    details: dict[str, Any]
    hash: Annotated[str, Meta(description="SHA-256 over this entry and the one before, hex.")]


class HeadsToCheck(_Given, frozen=True, kw_only=True):
    """Signed heads of the audit trail that were kept elsewhere."""

    heads: Annotated[
        tuple[Annotated[str, Meta(max_length=8192)], ...],
        Meta(max_length=10000, description="As they stand in `audit-heads.txt` of the node's folder, one a line."),
    ] = ()


class BadHeadView(_View, frozen=True, kw_only=True):
    """A signed head that the audit trail does not bear out."""

    seq: int | None
    reason: str


class ChainView(_View, frozen=True, kw_only=True):
    """Whether the audit trail is whole, and what was signed of it before still holds."""

    whole: bool
    entries: int
    broken_at: int | None
    head: Annotated[str, Meta(description="Hash of the last entry, hex.")]
    heads: Annotated[int, Meta(description="How many signed heads were checked.")]
    bad_heads: tuple[BadHeadView, ...]


class HeadView(_View, frozen=True, kw_only=True):
    """A signed head of the audit trail."""

    seq: int
    at: datetime
    statement: Annotated[str, Meta(description="A JWT of the type lernode-audit-head+jwt.")]


# Events ---------------------------------------------------------------------------------------------------------


class EventsQuery(_Given, frozen=True, kw_only=True):
    """Which events."""

    after: Annotated[
        EventNumber | None, Meta(description="Begin after the event with this number; 0: with the oldest.")
    ] = None
    topics: Annotated[Name | None, Meta(description="Only these topics, with commas between.")] = None
    limit: Limit = 100


class EventView(_View, frozen=True, kw_only=True):
    """One event: its number in this node, and the CloudEvent that webhooks get."""

    sequence: int
    event: dict[str, Any]


class NewWebhook(_Given, frozen=True, kw_only=True):
    """Where events go."""

    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    topics: Annotated[tuple[Name, ...], Meta(max_length=50, description="Which topics; none: all of them.")] = ()


class Replay(_Given, frozen=True, kw_only=True):
    """What to deliver again; by default what was given up."""

    after: Annotated[Id | None, Meta(description="All that follows the event with this id or number; 0: all.")] = None


class WebhookView(_View, frozen=True, kw_only=True):
    """A webhook, and how far behind it is."""

    id: str
    url: str
    topics: Annotated[list[str], Meta(description="Empty: all topics.")]
    state: Annotated[str, Meta(description="`active`, or `stopped` because the receiver answered 410.")]
    error: Annotated[str | None, Meta(description="Why it is stopped, or why the last attempt failed.")]
    waiting: Annotated[int, Meta(description="Events that it still has to be told.")]
    given_up: Annotated[int, Meta(description="Events that were tried too often; replay sends them again.")]
    oldest: Annotated[Time | None, Meta(description="When the oldest event that waits happened.")]
    previous_secret_until: Annotated[Time | None, Meta(description="Until when the secret before this signs too.")]
    created: Time


class WebhookSecretView(_View, frozen=True, kw_only=True):
    """A webhook with its secret, which is shown this once."""

    webhook: WebhookView
    secret: str


class WebhookTestView(_View, frozen=True, kw_only=True):
    """How one request to a webhook ended."""

    delivered: bool
    status: Annotated[int | None, Meta(description="The HTTP status; null where there was no answer.")]
    code: Annotated[str | None, Meta(description="Why it was not taken.")]
    seconds: float


class ReplayView(_View, frozen=True, kw_only=True):
    """How many events are delivered again."""

    events: int


# Forgetting -----------------------------------------------------------------------------------------------------


class Prune(_Given, frozen=True, kw_only=True):
    """How to forget."""

    dry_run: Annotated[bool, Meta(description="Only count.")] = False
    vacuum: Annotated[bool, Meta(description="Also give back the space; messages wait meanwhile.")] = False


class PruneView(_View, frozen=True, kw_only=True):
    """How many things of each kind were forgotten, or would be."""

    forgotten: dict[str, int]


class Erase(_Given, frozen=True, kw_only=True):
    """Whom to erase: one of the two."""

    connection: Annotated[Id | None, Meta(description="A peer, by its connection or label.")] = None
    subject: Annotated[Name | None, Meta(description="A subject of records: a DID, an e-mail address.")] = None
    dry_run: Annotated[bool, Meta(description="Only say what would be erased.")] = False


class ErasedView(_View, frozen=True, kw_only=True):
    """One thing that was erased."""

    what: str
    id: str


class KeptStatusView(_View, frozen=True, kw_only=True):
    """A place in a status list, which stays as it is."""

    list: str
    index: int
    purpose: str
    value: int


class ErasureView(_View, frozen=True, kw_only=True):
    """What was erased, or would be."""

    erased: list[ErasedView]
    kept: list[KeptStatusView]
    related: Annotated[list[str], Meta(description="Connections over which the data went, and which stay.")]
    report_id: str | None
    report: Annotated[str | None, Meta(description="The signed report (JWT); null where it was only tried.")]


class ErasureReportView(_View, frozen=True, kw_only=True):
    """A report of what was erased."""

    id: str
    at: Time
    report: str


def topics_of(text: str | None) -> tuple[str, ...]:
    """The topics of a query, each of which there is; none means all.

    Raises:
        BadInput: ``event.topic_unknown``.
    """
    topics = tuple(part for part in (text or "").split(",") if part)
    check_topics(topics)
    return topics
