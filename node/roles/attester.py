"""Signing what this node says by itself, and not as an award of its catalogue: endorsements, accreditations, records of
records."""

from __future__ import annotations

from typing import Any

from node.records.open_badges import IssuerProfile
from node.roles.identity import Identity
from node.roles.issuer import Issuer
from node.roles.lifetime import Terms
from node.roles.vc_api_issuer import IssueWish, VcApiIssuer
from storage.credentials import IssuedCredential
from storage.dids import DidPurpose
from storage.engine import Store
from storage.exchanges import ExchangeRow

__all__ = ["Attester"]


class Attester:
    """Gives credentials of any kind in the node's own name; each can be revoked."""

    def __init__(self, *, store: Store, identity: Identity, issuer: VcApiIssuer, offers: Issuer, label: str) -> None:
        self._store = store
        self._identity = identity
        self._issuer = issuer
        self._offers = offers
        self._label = label

    async def profile(self) -> IssuerProfile:
        """Who signs.

        Raises:
            WrongState: ``did.none``.
        """
        async with self._store.read() as tx:
            own = await self._identity.default(tx, DidPurpose.ISSUER)
        return IssuerProfile(did=own.did, name=self._label)

    async def give(self, credential: dict[str, Any]) -> IssuedCredential:
        """Sign one at once, to be handed over."""
        return await self._issuer.issue(credential, IssueWish(status_purposes=("revocation",)))

    async def offer(self, connection_id: str, credential: dict[str, Any], terms: Terms) -> ExchangeRow:
        """Offer one to a peer; it is signed when the peer takes it.

        Raises:
            WrongState: ``connection.unknown``.
        """
        return await self._offers.offer_credential(connection_id, credential, terms)
