"""Records that are too large for a message go by a link that only the peer is told.

The link is a capability: 32 random bytes under the node's own address, for one exchange. It leads to the record while
the peer has not confirmed it, at most for a week. The message that names it is encrypted, and states the SHA-256.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from node.runtime.world import World
from protocols.didcomm.attachments import Attachment
from protocols.errors import WrongState
from protocols.issue_credential.machine import State
from protocols.multiformats import b64url_encode
from storage import credentials, exchanges, record_links
from storage.engine import Store, Transaction

__all__ = ["ATTACHMENT_PATH", "RecordLinks"]

ATTACHMENT_PATH = "/attachments"
_LIFETIME = timedelta(days=7)
_ATTACH_ID = "ld_proof"


class RecordLinks:
    """Makes links to issued records and serves what is behind them.

    Args:
        inline_bytes: the largest record that is sent in the message itself.
    """

    def __init__(self, store: Store, world: World, endpoint: str, inline_bytes: int) -> None:
        self._store = store
        self._world = world
        self._endpoint = endpoint
        self._inline_bytes = inline_bytes

    async def for_record(self, tx: Transaction, exchange_id: str, document: bytes) -> Attachment | None:
        """The attachment that leads to the record of an exchange; None where it fits into the message."""
        if len(document) <= self._inline_bytes:
            return None
        token = b64url_encode(self._world.entropy(32))
        await record_links.add(tx, token, exchange_id, self._world.clock() + _LIFETIME)
        return Attachment(
            id=_ATTACH_ID,
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
            exchange_id = await record_links.exchange_behind(tx, token, self._world.clock())
            issued = None if exchange_id is None else await credentials.find_issued(tx, exchange_id=exchange_id)
            if issued is None or exchange_id is None:
                raise _unknown()
            if (await exchanges.get(tx, exchange_id)).state != State.CREDENTIAL_ISSUED.value:
                raise _unknown()
            return issued.document


def _unknown() -> WrongState:
    return WrongState("attachment.unknown", "Nothing is behind this link.", "Ask the issuer to send the record again.")
