"""The did:peer DIDs under which this node speaks with its peers: one a connection, so that no two can compare notes."""

from __future__ import annotations

from typing import Any

from node.roles.routes import Route, Routes
from node.runtime.keyring import Keyring
from node.runtime.sealing import v2_service
from node.runtime.world import World
from protocols.did import peer2, peer4
from protocols.did.document import DidDocument
from protocols.didcomm.message import Wire
from storage.dids import DidPurpose, OwnDid, OwnKey
from storage.engine import Transaction

__all__ = ["PeerDids", "wire_between"]


_METHODS: dict[str, Any] = {"peer:2": peer2, "peer:4": peer4}


class PeerDids:
    """Makes them. Their documents offer both wire versions, at this node's endpoint or by way of its mediator."""

    def __init__(self, keyring: Keyring, world: World, routes: Routes) -> None:
        self._keyring = keyring
        self._world = world
        self._routes = routes

    async def create(
        self, tx: Transaction, purpose: DidPurpose, *, direct: bool = False, method: str = "peer:4"
    ) -> OwnDid:
        """A DID with a fresh key; both are usable once this unit of work is committed.

        Args:
            direct: past any mediator, as for speaking with a mediator itself.
            method: ``peer:4``, which is short once the peer knows it, or ``peer:2``, which more agents know.
        """
        route = self._routes.own if direct else await self._routes.current(tx)
        pair = await self._keyring.create(tx, purpose.value)
        module = _METHODS[method]
        did = module.create(
            pair.public,
            endpoint=route.endpoint,
            routing_keys=route.routing_keys,
            v2_uri=route.endpoint if route.speaks_v2 else None,
            v2_routing_keys=route.v2_routing_keys,
            socket=route.socket,
        )
        own = OwnDid(
            did=did,
            short_form=peer4.short_form(did) if module is peer4 else None,
            method=method,
            purpose=purpose,
            keys=(OwnKey(module.FRAGMENT, pair.verkey),),
            created=self._world.clock(),
        )
        await self._keyring.add_speaker(tx, own)
        await self._routes.announce(tx, route, route.names(pair.verkey, own.short_form or own.did))
        return own

    def leads_by(self, own: OwnDid, route: Route) -> bool:
        """Whether the document of a DID made here names this route."""
        service = peer4.resolve(own.did).didcomm_service()
        return (service.endpoint, service.routing_keys) == (route.endpoint, route.routing_keys)

    def did_of(self, verkey: str) -> str:
        """The DID that speaks with this key.

        Raises:
            WrongState: ``key.unknown``.
        """
        return self._keyring.own_did(verkey).did

    def method_of(self, verkey: str) -> str:
        """The method of that DID.

        Raises:
            WrongState: ``key.unknown``.
        """
        return self._keyring.own_did(verkey).method


def wire_between(own_did: str, document: DidDocument) -> Wire:
    """The wire version for a DID made here and the subject of a document: v2 where both take that, else v1."""
    both = v2_service(document) is not None and v2_service(peer4.resolve(own_did)) is not None
    return Wire.V2 if both else Wire.V1
