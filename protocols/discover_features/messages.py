"""Discover Features messages: ``query`` and ``disclose`` (Aries RFC 0031), ``queries`` and ``disclosures`` (RFC 0557).

Both versions read into the same two messages; ``major`` says which one is meant. DIDComm 2.1 §Discover Features
Protocol 2.0 calls the answer ``disclose`` where the RFC says ``disclosures``; either is read. What a peer discloses is
what it says of itself: bounded and typed here, believed by nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from protocols.didcomm.fields import Fields
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG, with_current_prefix
from protocols.errors import PeerFault

__all__ = ["FAMILY", "PROTOCOL_TYPE", "Disclosures", "DiscoverFeaturesMessage", "Feature", "Queries", "Query", "decode"]

FAMILY = DIDCOMM_ORG + "discover-features"
PROTOCOL_TYPE = "protocol"
"""The feature type of protocols, the only one of 1.0."""

_ANSWER = {Wire.V1: "disclosures", Wire.V2: "disclose"}
_MAX_QUERIES = 32
_MAX_FEATURES = 512
_MAX_ROLES = 16
_MAX_CHARS = 256


@dataclass(frozen=True, slots=True)
class Query:
    """Which features of a type the requester asks about; ``match`` may hold the wildcard ``*``."""

    feature_type: str
    match: str


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """One feature, e.g. the protocol ``https://didcomm.org/trust_ping/1.0``; no roles means that none are told."""

    feature_type: str = PROTOCOL_TYPE
    id: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Queries:
    """Which of these do you support? In 1.0 there is one query, and it is about protocols."""

    id: str
    thid: str
    queries: tuple[Query, ...]
    major: int = 2
    pthid: str | None = None

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        if self.major == 1:
            (query,) = self.queries
            return PlainMessage(f"{FAMILY}/1.0/query", self.id, self.thid, body={"query": query.match}, wire=wire)
        body = {"queries": [{"feature-type": q.feature_type, "match": q.match} for q in self.queries]}
        return PlainMessage(f"{FAMILY}/2.0/queries", self.id, self.thid, body=body, wire=wire)


@dataclass(frozen=True, slots=True)
class Disclosures:
    """These I support; what is left out may be supported all the same."""

    id: str
    thid: str
    features: tuple[Feature, ...]
    major: int = 2

    def encode(self, wire: Wire) -> PlainMessage:
        """The message as ``wire`` carries it."""
        if self.major == 1:
            protocols = [{"pid": feature.id, **_roles(feature)} for feature in self.features]
            return PlainMessage(f"{FAMILY}/1.0/disclose", self.id, self.thid, body={"protocols": protocols}, wire=wire)
        items = [{"feature-type": f.feature_type, "id": f.id, **_roles(f)} for f in self.features]
        return PlainMessage(f"{FAMILY}/2.0/{_ANSWER[wire]}", self.id, self.thid, body={"disclosures": items}, wire=wire)


DiscoverFeaturesMessage = Queries | Disclosures


def decode(message: PlainMessage) -> DiscoverFeaturesMessage:
    """Read a message of either version, of any minor one.

    Raises:
        PeerFault: ``message.type`` or ``message.malformed``.
    """
    fields = Fields(message.body)
    match message.protocol.removeprefix(FAMILY), message.name:
        case "/1", "query":
            query = Query(PROTOCOL_TYPE, with_current_prefix(fields.text("query", max_chars=_MAX_CHARS)))
            return Queries(message.id, message.thid, (query,), 1, message.pthid)
        case "/2", "queries":
            queries = fields.required_mappings("queries", max_items=_MAX_QUERIES)
            return Queries(message.id, message.thid, tuple(_query(raw) for raw in queries), 2, message.pthid)
        case "/1", "disclose":
            found = fields.required_mappings("protocols", max_items=_MAX_FEATURES)
            return Disclosures(message.id, message.thid, tuple(_feature(raw, "pid", PROTOCOL_TYPE) for raw in found), 1)
        case "/2", "disclosures" | "disclose":
            found = fields.required_mappings("disclosures", max_items=_MAX_FEATURES)
            return Disclosures(message.id, message.thid, tuple(_feature(raw, "id") for raw in found), 2)
    raise PeerFault("message.type", "Discover Features has no such message.", "See Aries RFC 0557.")


def _roles(feature: Feature) -> dict[str, Any]:
    return {"roles": list(feature.roles)} if feature.roles else {}


def _query(raw: dict[str, Any]) -> Query:
    fields = Fields(raw, where="query")
    wanted = fields.text("match", max_chars=_MAX_CHARS)
    return Query(fields.text("feature-type", max_chars=_MAX_CHARS), with_current_prefix(wanted))


def _feature(raw: dict[str, Any], name: str, feature_type: str | None = None) -> Feature:
    fields = Fields(raw, where="disclosure")
    return Feature(
        feature_type=feature_type or fields.text("feature-type", max_chars=_MAX_CHARS),
        id=with_current_prefix(fields.text(name, max_chars=_MAX_CHARS)),
        roles=fields.texts("roles", max_items=_MAX_ROLES, max_chars=_MAX_CHARS),
    )
