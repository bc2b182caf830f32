"""What this node speaks, told to peers that ask, and asked of peers (Aries RFC 0031, RFC 0557).

What is told is what the node really takes: the protocols that it has registered for messages from peers, less those
that its policy keeps to itself. A peer's question leaves nothing behind; an own question is kept with its answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from node.roles.peer_dids import wire_between
from node.runtime.delivery import Outbox
from node.runtime.exchanges import ExchangeKind, Exchanges
from node.runtime.inbound import Inbound, Incoming
from node.runtime.world import World
from protocols.cohort_counts import machine as cohort_counts
from protocols.cohort_counts.messages import PROTOCOL as COHORT_COUNTS
from protocols.coordinate_mediation import machine as coordinate_mediation
from protocols.coordinate_mediation.messages import FAMILY as COORDINATE_MEDIATION
from protocols.did.resolver import resolve_offline
from protocols.did_exchange import machine as did_exchange
from protocols.did_rotate import machine as did_rotate
from protocols.didcomm.message import Wire
from protocols.didcomm.versions import known_on_every_wire, on_wire
from protocols.discover_features import machine
from protocols.discover_features.messages import FAMILY, PROTOCOL_TYPE, Disclosures, Feature, Queries, Query, decode
from protocols.errors import WrongState
from protocols.issue_credential import machine as issue_credential
from protocols.issue_credential.messages import PROTOCOL as ISSUE_CREDENTIAL
from protocols.machine import Send
from protocols.out_of_band import machine as out_of_band
from protocols.pickup import machine as pickup
from protocols.pickup.messages import FAMILY as PICKUP
from protocols.present_proof import machine as present_proof
from protocols.present_proof.messages import PROTOCOL as PRESENT_PROOF
from protocols.revocation_notification import machine as revocation_notification
from protocols.revocation_notification.messages import FAMILY as REVOCATION_NOTIFICATION
from protocols.routing import machine as routing
from protocols.routing.messages import PROTOCOL as ROUTING
from protocols.trust_ping import machine as trust_ping
from protocols.trust_ping.messages import PROTOCOL as TRUST_PING
from storage import connections, dids, exchanges
from storage.connections import Connection
from storage.dids import DidPurpose
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow, Filter

__all__ = ["Discovery", "latest_features"]

_KINDS = {major: ExchangeKind(f"{FAMILY}/{major}", machine.Exchange) for major in (1, 2)}

_ROLES: Mapping[str, type[StrEnum]] = {
    "https://didcomm.org/out-of-band/1": out_of_band.Role,
    "https://didcomm.org/didexchange/1": did_exchange.Role,
    **dict.fromkeys(known_on_every_wire(TRUST_PING), trust_ping.Role),
    **dict.fromkeys(known_on_every_wire(ISSUE_CREDENTIAL), issue_credential.Role),
    **dict.fromkeys(known_on_every_wire(PRESENT_PROOF), present_proof.Role),
    f"{REVOCATION_NOTIFICATION}/1": revocation_notification.Role,
    f"{REVOCATION_NOTIFICATION}/2": revocation_notification.Role,
    "https://didcomm.org/did-rotate/1": did_rotate.Role,
    f"{FAMILY}/1": machine.Role,
    f"{FAMILY}/2": machine.Role,
    **{f"{COORDINATE_MEDIATION}/{major}": coordinate_mediation.Role for major in (1, 2, 3)},
    **{f"{PICKUP}/{major}": pickup.Role for major in (2, 3)},
    **dict.fromkeys(known_on_every_wire(ROUTING), routing.Role),
    **dict.fromkeys(known_on_every_wire(COHORT_COUNTS), cohort_counts.Role),
}
"""Protocol with its major version -> the roles it has; a protocol that is not here is told of without roles."""

_MINORS: Mapping[str, tuple[int, ...]] = {
    "https://didcomm.org/out-of-band/1": (0, 1),
    "https://didcomm.org/didexchange/1": (0, 1),
}
"""Protocol with its major version -> the minor ones that are spoken, where that is not 0 alone."""


_OF_RECORDS = (ISSUE_CREDENTIAL, PRESENT_PROOF)


class Discovery:
    """Asks peers what they speak, and answers them."""

    def __init__(
        self,
        *,
        store: Store,
        exchanges: Exchanges,
        outbox: Outbox,
        world: World,
        disclosed: Sequence[str],
        mediates: bool,
    ) -> None:
        self._store = store
        self._exchanges = exchanges
        self._outbox = outbox
        self._world = world
        self._disclosed = disclosed
        self._mediates = mediates
        self._inbound: Inbound | None = None

    def attach(self, inbound: Inbound) -> None:
        """Take part in what arrives; what is registered there is what the node speaks."""
        self._inbound = inbound
        inbound.register(
            {kind.protocol: self._receive for kind in _KINDS.values()},
            answer_again={kind.protocol: self._answer for kind in _KINDS.values()},
        )

    async def ask(self, connection_id: str, match: Sequence[str], major: int) -> ExchangeRow:
        """Ask a peer which protocols it speaks; the answer comes into the exchange.

        Args:
            match: protocol URIs, in which ``*`` stands for any characters; version 1.0 takes one.
            major: of the version to ask with, 1 or 2.

        Raises:
            WrongState: ``connection.unknown``, ``connection.not_ready``.
            BadInput: ``discover_features.queries``.
        """
        step = machine.ask([Query(PROTOCOL_TYPE, each) for each in match], new_id=self._world.new_id, major=major)
        async with self._store.write() as tx:
            connection = await connections.get(tx, connection_id)
            if connection.their_did is None:
                raise WrongState("connection.not_ready", "The connection is not complete.", "Wait for the peer.")
            return await self._exchanges.apply(tx, _KINDS[major], connection, None, step)

    async def _receive(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        message = decode(incoming.message)
        if isinstance(message, Queries):
            await self._answer(tx, connection, incoming)
        else:
            await self._take(tx, connection, message)

    async def _answer(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        message = decode(incoming.message)
        if isinstance(message, Queries):
            features = await self._features(tx)
            for effect in machine.receive_queries(message, features, new_id=self._world.new_id).effects:
                if isinstance(effect, Send):
                    await self._outbox.put(tx, connection, effect.message)

    async def _take(self, tx: Transaction, connection: Connection, message: Disclosures) -> None:
        kind = _KINDS[message.major]
        row = await exchanges.find(tx, connection.id, message.thid, kind.protocol)
        if row is not None:  # what nobody asked for is not kept
            step = machine.receive_disclosures(kind.value(row), message)
            await self._exchanges.apply(tx, kind, connection, row, step)
            wire = _wire_for(connection, step.exchange)
            if wire != connection.wire:
                await connections.save(tx, replace(connection, wire=wire.value))

    async def _features(self, tx: Transaction) -> list[Feature]:
        unfilled = set() if self._mediates else {"mediator"}
        if await dids.default(tx, DidPurpose.ISSUER) is None:
            unfilled.add("issuer")
        spoken = self._inbound.protocols if self._inbound else frozenset[str]()
        return [
            feature
            for protocol in sorted(spoken)
            for feature in _features_of(protocol, unfilled)
            if any(machine.matches(pattern, feature.id) for pattern in self._disclosed)
        ]


def _wire_for(connection: Connection, answered: machine.Exchange) -> Wire:
    """The wire that suits what the peer speaks.

    A DID document says which envelopes a peer opens, and not whether it knows the protocols that go with them. A peer
    that opens both, and of these protocols speaks only the versions of v1, is written to in v1.
    """
    chosen = Wire(connection.wire)
    spoken = {feature.id for feature in answered.features}
    speaks = {wire: not spoken.isdisjoint(on_wire(protocol, wire) for protocol in _OF_RECORDS) for wire in Wire}
    asked = all(answered.asks_for(on_wire(protocol, Wire.V2)) for protocol in _OF_RECORDS)
    opens_v1 = connection.their_verkey is not None and connection.their_endpoint is not None
    if chosen is Wire.V2 and asked and opens_v1 and speaks[Wire.V1] and not speaks[Wire.V2]:
        return Wire.V1
    if chosen is Wire.V1 and speaks[Wire.V2] and connection.their_did is not None:
        document = resolve_offline(connection.their_did)
        return chosen if document is None else wire_between(connection.my_did, document)
    return chosen


async def latest_features(tx: Transaction, connection_id: str) -> tuple[Feature, ...]:
    """What a peer disclosed when it answered last; empty where it was not asked or has not answered."""
    rows = [
        row
        for kind in _KINDS.values()
        for row in await exchanges.page(
            tx,
            Filter(protocol=kind.protocol, connection_id=connection_id, state=machine.State.DONE.value),
            limit=1,
        )
    ]
    if not rows:
        return ()
    value: machine.Exchange = _KINDS[2].value(max(rows, key=lambda row: row.updated))
    return value.features


def _features_of(protocol: str, unfilled: Collection[str]) -> list[Feature]:
    """The minor versions of a protocol, with the roles in it that this node can fill."""
    roles = tuple(role.value for role in _ROLES.get(protocol, ()) if role.value not in unfilled)
    return [Feature(id=f"{protocol}.{minor}", roles=roles) for minor in _MINORS.get(protocol, (0,))]
