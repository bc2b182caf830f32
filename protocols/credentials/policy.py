"""What a verifier demands, as one value. It decides what counts; how each thing is checked stands elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from protocols.credentials.open_badges_2.source import BadgeSource, NoBadges
from protocols.credentials.resources import NoResources, ResourceSource
from protocols.credentials.sealed.authorities import SealAuthorities
from protocols.credentials.trust.grants import TrustedIssuers, TrustSource
from protocols.credentials.verification import Check

__all__ = ["REQUIRED_BY_DEFAULT", "Policy", "SchemaChecker"]

SchemaChecker = Callable[[dict[str, Any]], list[str]]
"""Gives the problems of a credential under a schema, as sentences without personal data; empty where it has none."""

REQUIRED_BY_DEFAULT = frozenset(
    {
        Check.STRUCTURE,
        Check.CONTEXT,
        Check.PROOF,
        Check.PROOF_PURPOSE,
        Check.CONTROLLER,
        Check.ISSUER_TRUSTED,
        Check.VALID_TIME,
        Check.STATUS,
        Check.HOLDER_BINDING,
    }
)
"""A schema or skill that this node does not know is not held against a record unless a policy says so."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What has to pass, and with what.

    Whatever is required, a check that fails makes the whole not verified.

    Attributes:
        required: the checks that have to pass; those that do not apply to a kind of document are left out for it.
        trust: what is known of whom to trust, and for what.
        status_max_age: how old a kept status list may be while its issuer does not answer.
        refresh_status: ask the issuer for the list even where the kept one is within its ttl.
        blocking_statuses: statuses that fail a record though by themselves they would not: a purpose that must not be
            set (``message``, ``refresh``), or the text of a message that must not hold.
        accept_base_proofs: take a credential by itself with a base proof of selective disclosure, as issuer and
            holder do; a verifier gets derived ones, as a base proof lets it pass on more than it was shown.
        clock_skew: how far clocks may differ.
        schemas: a credentialSchema id, or a credential type, -> what checks it.
        resources: where schemas come from that it does not have itself.
        badges: where the parts of badges of Open Badges 2.0 come from.
        recipient: an address or other identity that the record has to be for, hashed or not; ``None`` where that is
            not asked.
        known_skills: which of these URLs are those of skills in a framework that this node has.
        holder_is_subject: whether who presents has to be the subject of every record.
        issuer_signs: whether a credential has to be signed with a key of its issuer; where not, the proof by itself
            says nothing of who issued it.
        seals: the authorities whose certificates say whose an electronic seal is.
        contexts_signed: whether a credential has to have contexts that its issuer signed, or stated in what it signed.
    """

    required: frozenset[Check] = REQUIRED_BY_DEFAULT
    trust: TrustSource = field(default_factory=TrustedIssuers)
    status_max_age: timedelta = timedelta(hours=24)
    refresh_status: bool = False
    blocking_statuses: frozenset[str] = frozenset()
    accept_base_proofs: bool = False
    clock_skew: timedelta = timedelta(minutes=2)
    schemas: Mapping[str, SchemaChecker] = field(default_factory=dict)
    resources: ResourceSource = field(default_factory=NoResources)
    badges: BadgeSource = field(default_factory=NoBadges)
    recipient: str | None = None
    known_skills: Callable[[frozenset[str]], Awaitable[frozenset[str]]] | None = None
    holder_is_subject: bool = True
    issuer_signs: bool = True
    contexts_signed: bool = False
    seals: SealAuthorities = field(default_factory=SealAuthorities)

    def for_recipient(self, identity: str) -> Policy:
        """The same, where the record has to be for whoever has this address."""
        return replace(self, recipient=identity, required=self.required | {Check.RECIPIENT})
