"""Records that are too large for a message go by a link that only the peer is told.

The link is a capability: 32 random bytes under the node's own address, for one record. It leads to the record while
the peer has not confirmed it, at most for a week. The message that names it is encrypted, and states the SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from node.runtime.world import World
from protocols.didcomm.attachments import Attachment
from protocols.errors import WrongState
from protocols.issue_credential.machine import State
from protocols.issue_credential.messages import attach_id
from storage import credentials, exchanges, record_links
from storage.engine import Store, Transaction

__all__ = ["ATTACHMENT_PATH", "RecordLinks"]

ATTACHMENT_PATH = "/attachments"
_LIFETIME = timedelta(days=7)


class RecordLinks:
    """Makes links to issued records and serves what is behind them.

    Args:
        inline_bytes: what the records in a message may have together; those with which it would be more go by links.
    """

    def __init__(self, store: Store, world: World, endpoint: str, inline_bytes: int) -> None:
        self._store = store
        self._world = world
        self._endpoint = endpoint
        self._inline_bytes = inline_bytes

    async def for_records(self, tx: Transaction, exchange_id: str, documents: Sequence[bytes]) -> dict[int, Attachment]:
        """By position, the attachments that lead to those records of an exchange that do not fit into the message."""
        left, links = self._inline_bytes, {}
        for position, document in enumerate(documents):
            if len(document) <= left:
                left -= len(document)
            else:
                links[position] = await self._link(tx, exchange_id, position, document)
        return links

    async def _link(self, tx: Transaction, exchange_id: str, position: int, document: bytes) -> Attachment:
        token = self._world.secret()
        await record_links.add(tx, token, exchange_id, position, self._world.clock() + _LIFETIME)
        return Attachment(
            id=attach_id(position),
            media_type="application/ld+json",
            links=(f"{self._endpoint}{ATTACHMENT_PATH}/{token}",),
            sha256=hashlib.sha256(document).hexdigest(),
            byte_count=len(document),
        )

    async def content(self, token: str) -> bytes:
        """The record behind a link.

        Raises:
            WrongState: ``attachment.unknown`` where there is none, or none any more.
        """
        async with self._store.read() as tx:
            found = await record_links.behind(tx, token, self._world.clock())
            if found is None or (await exchanges.get(tx, found[0])).state != State.CREDENTIAL_ISSUED.value:
                raise _unknown()
            for issued in await credentials.issued_of_exchange(tx, found[0]):
                if issued.position == found[1]:
                    return issued.document
            raise _unknown()


def _unknown() -> WrongState:
    return WrongState("attachment.unknown", "Nothing is behind this link.", "Ask the issuer to send the record again.")
