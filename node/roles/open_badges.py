"""What an app that the owner let in does with records and profile (OB 3.0 §6, Open Badges API).

Promises: given are Open Badges that are held, exactly as they were received; taken are verified ones only, by the
node's own policy. A record that is secured as SD-JWT is not given: the specification has no place for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from node.records.open_badges import OB_CONTEXT
from node.roles.identity import Identity
from node.roles.keeping import Keeping, Upserted, held_record
from node.roles.kept_forms import is_compact
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.model import CONTEXT_V2, has_type
from protocols.errors import BadInput
from storage import audit, credentials, own_profile
from storage.credentials import HeldCredential
from storage.dids import DidPurpose
from storage.engine import Store, Transaction
from storage.query import MAX_PAGE

__all__ = ["BadgePage", "OpenBadges", "is_given"]

_BADGES: Final = frozenset({"OpenBadgeCredential", "AchievementCredential"})
_MAX_PROFILE_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class BadgePage:
    """Some of the badges, the longest held first, and how many there are in all."""

    records: Sequence[HeldCredential]
    total: int


class OpenBadges:
    """What apps read and write.

    Args:
        label: the name in the profile until one is put.
    """

    def __init__(self, store: Store, identity: Identity, keeping: Keeping, world: World, label: str) -> None:
        self._store = store
        self._identity = identity
        self._keeping = keeping
        self._world = world
        self._label = label

    async def page(self, *, limit: int, offset: int, since: datetime | None) -> BadgePage:
        """Badges that are held.

        Args:
            since: only those that are valid from a later time.
        """
        found = list[HeldCredential]()
        async with self._store.read() as tx:
            after: str | None = None
            while records := await credentials.list_held(tx, after=after, limit=MAX_PAGE):
                found += [each for each in records if is_given(each) and _is_later(each, since)]
                after = records[-1].id
        found.reverse()  # oldest first, so that what comes in meanwhile moves nothing from one page to another
        return BadgePage(found[offset : offset + limit], len(found))

    async def upsert(self, document: bytes, app_id: str) -> Upserted:
        """Hold a badge that an app gives, or the newer form of one.

        Raises:
            BadInput: ``open_badges.not_a_badge``, ``record.*``, ``structure.*`` and others.
        """
        if not _BADGES & set(held_record(document, self._world).types):
            raise BadInput(
                "open_badges.not_a_badge", "The record is no OpenBadgeCredential.", "Send an Open Badge 3.0."
            )
        return await self._keeping.upsert(document, app_id)

    async def profile(self) -> bytes:
        """The owner's profile, as JSON."""
        async with self._store.read() as tx:
            return await own_profile.find(tx) or await self._first_profile(tx)

    async def put_profile(self, given: bytes, app_id: str) -> bytes:
        """Keep a profile instead of the one that is there, whose ``id`` stays.

        Raises:
            BadInput: ``json.*``, ``open_badges.profile``.
        """
        profile = strict_json.loads_object(given, max_bytes=_MAX_PROFILE_BYTES)
        if not has_type(profile, "Profile"):
            raise BadInput("open_badges.profile", "The body is no Profile.", "Send the whole profile with its type.")
        now = self._world.clock()
        async with self._store.write() as tx:
            await tx.lock("own profile")
            current: dict[str, Any] = strict_json.loads_object(
                await own_profile.find(tx) or await self._first_profile(tx)
            )
            if profile.get("id") != current["id"]:
                raise BadInput("open_badges.profile", "The id of the profile is another one.", "Leave it as it is.")
            document = strict_json.dumps(profile)
            await own_profile.put(tx, document, now)
            await audit.append(tx, at=now, event="profile.changed", actor=app_id, subjects=(app_id,))
        return document

    async def _first_profile(self, tx: Transaction) -> bytes:
        own = await self._identity.default(tx, DidPurpose.HOLDER)
        return strict_json.dumps(
            {"@context": [CONTEXT_V2, OB_CONTEXT], "id": own.did, "type": ["Profile"], "name": self._label}
        )


def is_given(record: HeldCredential) -> bool:
    """Whether a record has a place in the Open Badges API: an Open Badge, and not secured as SD-JWT."""
    return bool(_BADGES & set(record.types)) and not (is_compact(record.document) and b"~" in record.document)


def _is_later(record: HeldCredential, since: datetime | None) -> bool:
    return since is None or (record.valid_from is not None and record.valid_from > since)
