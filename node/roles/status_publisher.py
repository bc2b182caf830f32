"""The issuer's status lists: a place for each record, and the signed lists that verifiers fetch.

A list is signed again in the transaction that changes it, so no revocation is ever waiting to be published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from node.roles.identity import Identity
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.data_integrity import add_proof
from protocols.errors import WrongState
from protocols.status.bitstring import Bitstring
from protocols.status.entry import status_entry
from protocols.status.list_credential import status_list_credential
from storage import status_lists
from storage.credentials import StatusRef
from storage.dids import DidPurpose
from storage.engine import Store, Transaction
from storage.status_lists import PublishedList, StatusList

__all__ = ["StatusPublisher"]


class StatusPublisher:
    """Allocates indices, sets bits, signs and serves the lists."""

    def __init__(
        self,
        *,
        store: Store,
        identity: Identity,
        world: World,
        endpoint: str,
        suite: str,
        ttl_seconds: int,
        purposes: Sequence[str],
        size_bits: int,
    ) -> None:
        self._store = store
        self._identity = identity
        self._world = world
        self._endpoint = endpoint
        self._suite = suite
        self._purposes = tuple(purposes)
        self._size_bits = size_bits
        self.ttl_seconds = ttl_seconds

    async def allocate(self, tx: Transaction, exchange_ids: Sequence[str]) -> list[tuple[StatusRef, ...]]:
        """An index for each purpose, for each exchange in order; the same again for the same exchange."""
        columns = []
        for purpose in self._purposes:
            places = await status_lists.allocate_all(
                tx,
                purpose=purpose,
                exchange_ids=exchange_ids,
                entropy=self._world.entropy,
                now=self._world.clock(),
                size_bits=self._size_bits,
            )
            columns.append([StatusRef(purpose=purpose, list_id=at.list_id, index=at.index) for at in places])
        await self._publish_changed(tx)
        return [tuple(column[place] for column in columns) for place in range(len(exchange_ids))]

    def entries(self, refs: tuple[StatusRef, ...]) -> list[dict[str, Any]]:
        """The ``credentialStatus`` of a record with these indices."""
        return [status_entry(self._url(ref.list_id), ref.purpose, ref.index) for ref in refs]

    async def set(self, tx: Transaction, ref: StatusRef, value: bool, reason: str | None) -> bool:
        """Set or clear a bit and publish the list in the same unit of work; whether that changed anything."""
        now = self._world.clock()
        changed = await status_lists.set_state(tx, ref.list_id, ref.index, value, reason=reason, now=now)
        if changed:
            await self._publish_changed(tx)
        return changed

    async def published(self, list_id: str) -> PublishedList:
        """The signed list.

        Raises:
            WrongState: ``status_list.unknown``.
        """
        async with self._store.read() as tx:
            found = await status_lists.get_published(tx, list_id)
        if found is None:
            raise WrongState("status_list.unknown", "There is no such status list.", "Check the address.")
        return found

    async def _publish_changed(self, tx: Transaction) -> None:
        for changed in await status_lists.dirty(tx):
            document = strict_json.dumps(await self._signed(tx, changed))
            etag = hashlib.sha256(document).hexdigest()[:32]
            await status_lists.publish(tx, changed.id, document, etag, self._world.clock(), version=changed.version)

    async def _signed(self, tx: Transaction, changed: StatusList) -> dict[str, Any]:
        bits = Bitstring(changed.size_bits)
        for index in await status_lists.bits(tx, changed.id):
            bits.set(index, True)
        did = await self._identity.default(tx, DidPurpose.ISSUER)
        now = self._world.clock()
        credential = status_list_credential(
            url=self._url(changed.id),
            issuer=did.did,
            purposes=(changed.purpose,),
            bits=bits,
            valid_from=now,
            ttl_ms=self.ttl_seconds * 1000,
        )
        return add_proof(credential, suite=self._suite, signer=self._identity.signer(did), created=now)

    def _url(self, list_id: str) -> str:
        return f"{self._endpoint}/status/{list_id}"
