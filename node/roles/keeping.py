"""Taking a record that did not come over a connection, such as one from the holder's own export."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from node.events.emit import emit
from node.events.types import RecordStored
from node.records.reached import reached_in
from node.records.summary import summary
from node.roles.checker import Checker
from node.roles.checking import reason_code
from node.runtime.metrics import Metrics
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.model import id_of, issuer_id, subject_ids
from protocols.credentials.verification import Check, Outcome
from protocols.errors import BadInput
from storage import audit, credentials
from storage.credentials import HeldCredential, Skill
from storage.engine import Store, Transaction

__all__ = ["Keeping", "Kept", "held_record"]

_GENUINE = frozenset({Check.STRUCTURE, Check.CONTEXT, Check.PROOF, Check.PROOF_PURPOSE})


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that the node holds now.

    Attributes:
        is_new: whether it did not hold it before.
        unverified: the code of the check that it does not pass just now, where there is one.
    """

    record: HeldCredential
    is_new: bool
    unverified: str | None = None


class Keeping:
    """Keeps records that are given from outside."""

    def __init__(
        self,
        *,
        store: Store,
        checker: Checker,
        metrics: Metrics,
        world: World,
    ) -> None:
        self._store = store
        self._checker = checker
        self._metrics = metrics
        self._world = world

    async def keep(self, document: dict[str, Any]) -> Kept:
        """Hold a record, once however often it is given.

        One that is genuine but does not verify, as it expired or its issuer is away, is kept and told as unverified.

        Raises:
            BadInput: ``record.not_genuine`` where it is not what was signed.
        """
        body = strict_json.dumps(document)
        credential_id = id_of(document)
        async with self._store.read() as tx:
            known = await self._known(tx, credential_id, body)
        if known is not None:
            return Kept(known, is_new=False)
        result = await self._checker.check(document, self._checker.policies.holder(), expected="credential")
        if any(check.outcome is Outcome.FAIL and check.check in _GENUINE for check in result.checks):
            raise BadInput(
                "record.not_genuine",
                f"The record is not what its issuer signed: {reason_code(result)}.",
                "See lernode verify, and ask the issuer for a new one.",
            )
        record = held_record(document, self._world)
        async with self._store.write() as tx:
            # The same may have been given twice at a time.
            await tx.lock(f"keeping {hashlib.sha256(body).hexdigest()}")
            known = await self._known(tx, credential_id, body)
            if known is not None:
                return Kept(known, is_new=False)
            await credentials.add_held(tx, record, reached=reached_in(document))
            await audit.append(tx, at=record.stored_at, event="record.stored", actor="operator", subjects=(record.id,))
            await emit(tx, self._world, RecordStored(record_id=record.id))
            tx.after_commit(self._metrics.stored.inc)
        return Kept(record, is_new=True, unverified=None if result.verified else reason_code(result))

    @staticmethod
    async def _known(tx: Transaction, credential_id: str | None, body: bytes) -> HeldCredential | None:
        found = None if credential_id is None else await credentials.find_held(tx, credential_id)
        return found if found is not None and found.document == body else None


def held_record(
    document: dict[str, Any], world: World, *, exchange_id: str | None = None, position: int = 0
) -> HeldCredential:
    """A record to hold, with what its document says."""
    about = summary(document)
    return HeldCredential(
        id=world.new_id(),
        exchange_id=exchange_id,
        document=strict_json.dumps(document),
        credential_id=about.id,
        issuer=issuer_id(document) or "",
        subject=next(iter(subject_ids(document)), None),
        types=about.types,
        name=about.name,
        valid_from=about.valid_from,
        valid_until=about.valid_until,
        stored_at=world.clock(),
        position=position,
        skills=tuple(Skill(code=s.code, name=s.name, framework=s.framework, url=s.url) for s in about.skills),
    )
