"""What the admin API takes and gives about Comprehensive Learner Records that the node issues."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from node.http.schemas import ExpiresIn, IssuedDetail, IssuedView, Name, OfferView, _Given, _View
from node.records.learner_record import AssociationType

__all__ = [
    "AssociationGiven",
    "LearnerRecordOffer",
    "LearnerRecordOfferView",
    "LearnerRecordToMake",
    "LearnerRecordView",
    "LeftOutView",
]


class AssociationGiven(_Given, frozen=True, kw_only=True):
    """How an achievement stands to another; each by its id, or its short name in the catalogue."""

    source: Name
    kind: AssociationType
    target: Name


class LearnerRecordToMake(_Given, frozen=True, kw_only=True):
    """Which records of one learner are to be in one."""

    learner: Annotated[
        Name | None, Meta(description="Whom it is about, by DID or e-mail address; without it, as the records say.")
    ] = None
    records: Annotated[
        Annotated[tuple[Name, ...], Meta(max_length=200)],
        Meta(description="Issued records that go in; without any, all of the learner that hold now."),
    ] = ()
    name: Annotated[Name | None, Meta(description="What it is called, such as Transcript.")] = None
    associations: Annotated[tuple[AssociationGiven, ...], Meta(max_length=1000)] = ()


class LearnerRecordOffer(LearnerRecordToMake, frozen=True, kw_only=True):
    """Such a record for a peer; without `learner` and `records`, of what was issued over the connection."""

    connection: Name
    expires_in_seconds: ExpiresIn = None


class LeftOutView(_View, frozen=True, kw_only=True):
    """A record of the learner that was asked for, or would have gone in, and is not in it."""

    record: IssuedView
    code: Annotated[
        str,
        Meta(
            description="Of the check that it does not pass, such as `status.revoked`; "
            "`clr.data_model` where it is of version 1.1 of the data model."
        ),
    ]


class _Gathered(_View, frozen=True, kw_only=True):
    partial: Annotated[bool, Meta(description="Whether the node issued more to the learner that is not revoked.")]
    included: list[IssuedView]
    left_out: list[LeftOutView]


class LearnerRecordView(_Gathered, frozen=True, kw_only=True):
    """A learner record that is signed."""

    record: IssuedDetail


class LearnerRecordOfferView(_Gathered, frozen=True, kw_only=True):
    """A learner record that is offered."""

    offer: OfferView
