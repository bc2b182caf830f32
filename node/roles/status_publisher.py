"""The issuer's status lists: a place for each record, and the signed lists that verifiers fetch.

Specs: Bitstring Status List 1.0, as credentials with a Data Integrity proof; for the purpose ``status_list`` Token
Status List (draft-ietf-oauth-status-list-20), as JWT. A list is signed again in the transaction that changes it, so no
revocation is ever waiting to be published. One that a clock signed which was ahead is not valid yet for verifiers whose
clocks are right: once the clock is, such a list is signed again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from node.config import StatusConfig
from node.roles.identity import Identity
from node.roles.proof_suite import proof_suite
from node.runtime.hardware import perform
from node.runtime.wakeup import Worker
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.data_integrity import CRYPTOSUITES, add_proof
from protocols.credentials.model import Version
from protocols.errors import BadInput, WrongState
from protocols.jose import sign_jwt
from protocols.status.bitstring import Bitstring
from protocols.status.entry import (
    DEFAULT_MESSAGES,
    MESSAGE,
    REVOCATION,
    SUSPENSION,
    UNDEFINED,
    status_entry,
    whole_messages,
)
from protocols.status.list_credential import status_list_credential
from protocols.status.status_array import StatusArray
from protocols.status.token import MEDIA_TYPE, StatusReference, StatusType, status_claim, status_list_claims
from storage import dids, status_lists
from storage.credentials import StatusRef
from storage.dids import DidPurpose, OwnDid
from storage.engine import Store, Transaction
from storage.status_lists import STATUS_LIST, PublishedList, StatusList, Terms

__all__ = ["Places", "StatusOfRecord", "StatusPublisher"]

_log = logging.getLogger("lernode.status")
_LOOK_AGAIN = timedelta(minutes=1)
_PAGE = 100
_TOKEN_BITS = 2
_TOKEN_VALUES = {REVOCATION: StatusType.INVALID, SUSPENSION: StatusType.SUSPENDED}


@dataclass(frozen=True, slots=True)
class Places:
    """Where the statuses of one record are.

    Attributes:
        entries: what a credential says of them, as entries of its ``credentialStatus``.
        claim: what a token says of them, as its ``status`` claim; None where none is in a Token Status List.
    """

    refs: tuple[StatusRef, ...]
    entries: tuple[dict[str, Any], ...]
    claim: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class StatusOfRecord:
    """What a list of this node says of a record."""

    purpose: str
    value: int
    message: str


class StatusPublisher:
    """Allocates indices, sets values, signs and serves the lists."""

    def __init__(
        self,
        *,
        store: Store,
        identity: Identity,
        world: World,
        endpoint: str,
        securing: str,
        config: StatusConfig,
        skew_seconds: int,
    ) -> None:
        self._store = store
        self._identity = identity
        self._world = world
        self._endpoint = endpoint
        self._securing = securing
        self._config = config
        self.ttl_seconds = config.ttl_seconds
        self._skew = timedelta(seconds=skew_seconds)
        self._worker = Worker("status lists", world.clock, self._correct)

    def start(self) -> None:
        """Begin to look, in the background, for lists of a clock that was ahead."""
        self._worker.start()

    async def stop(self) -> None:
        """Stop."""
        await self._worker.stop()

    def purposes_for(self, data_model: Version) -> Sequence[str]:
        """What can be said later of records of this version: 1.1 has one status entry (VCDM 1.1 §4.9), so the first."""
        return self._config.purposes[:1] if data_model is Version.V1_1 else self._config.purposes

    async def allocate(
        self,
        tx: Transaction,
        exchange_ids: Sequence[str],
        purposes: Sequence[str] | None = None,
        issuer: OwnDid | None = None,
    ) -> list[Places]:
        """An index for each purpose, for each exchange in order; the same again for the same exchange.

        Args:
            purposes: what can be said of the records later; what the configuration says where that is left out.
            issuer: who issues the records, and therefore signs the lists; the default where that is left out.
        """
        owner = (issuer or await self._identity.default(tx, DidPurpose.ISSUER)).did
        columns = []
        for purpose in self._config.purposes if purposes is None else purposes:
            found = await status_lists.allocate_all(
                tx,
                terms=self._terms(purpose, owner),
                exchange_ids=exchange_ids,
                entropy=self._world.entropy,
                now=self._world.clock(),
                size_bits=self._config.size_bits,
            )
            columns.append([StatusRef(purpose=purpose, list_id=at.list_id, index=at.index) for at in found])
        await self._publish_changed(tx)
        lists = {list_id: await status_lists.get(tx, list_id) for list_id in _lists_of(columns)}
        return [self._places(tuple(column[n] for column in columns), lists) for n in range(len(exchange_ids))]

    async def set(self, tx: Transaction, ref: StatusRef, value: int, reason: str | None) -> bool:
        """Let a status have a value and publish the list in the same unit of work; whether that changed anything.

        Raises:
            BadInput: ``status.value_out_of_range`` where the list has no such value.
        """
        now = self._world.clock()
        changed = await status_lists.set_value(tx, ref.list_id, ref.index, value, reason=reason, now=now)
        if changed:
            await self._publish_changed(tx)
        return changed

    async def sign_anew(self, tx: Transaction, issuer: str) -> None:
        """Sign every list of an issuer once more, as after a change of its keys."""
        await status_lists.touch(tx, issuer)
        await self._publish_changed(tx)

    async def _correct(self) -> datetime:
        """Sign again what was signed later than now by more than clocks may differ."""
        now = self._world.clock()
        latest = now + self._skew
        async with self._store.read() as tx:
            is_ahead = await status_lists.is_signed_after(tx, latest)
        if is_ahead:
            async with self._store.write() as tx:
                number = await status_lists.touch_signed_after(tx, latest)
                await self._publish_changed(tx)
        if is_ahead and number:  # no other process was quicker
            _log.warning("status lists of a clock that was ahead were signed again", extra={"facts": {"lists": number}})
        return now + _LOOK_AGAIN

    async def said(self, tx: Transaction, refs: Sequence[StatusRef]) -> list[StatusOfRecord]:
        """What the lists say now, in the order of ``refs``."""
        found = []
        for ref in refs:
            terms = (await status_lists.get(tx, ref.list_id)).terms
            value = (await status_lists.get_entry(tx, ref.list_id, ref.index)).value
            messages = terms.messages or DEFAULT_MESSAGES
            found.append(StatusOfRecord(ref.purpose, value, messages[value] if value < len(messages) else ""))
        return found

    async def number_for(self, tx: Transaction, ref: StatusRef, purpose: str, value: bool | str) -> int:
        """The number that says so at ``ref``.

        Args:
            value: whether ``purpose`` is set, or the text of a message.

        Raises:
            BadInput: ``status.message_unknown``.
        """
        if ref.purpose == STATUS_LIST:
            return _TOKEN_VALUES[purpose] if value else StatusType.VALID
        if isinstance(value, bool):
            return int(value)
        messages = (await status_lists.get(tx, ref.list_id)).terms.messages or DEFAULT_MESSAGES
        if value == UNDEFINED or value not in messages:
            known = ", ".join(text for text in messages if text != UNDEFINED)
            raise BadInput("status.message_unknown", "The record has no such status message.", f"Use one of: {known}.")
        return messages.index(value)

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

    def url(self, list_id: str) -> str:
        """Where a list is published."""
        return f"{self._endpoint}/status/{list_id}"

    def is_own(self, url: object) -> bool:
        """Whether ``url`` is where this node publishes lists."""
        return isinstance(url, str) and url.startswith(self.url(""))

    def _terms(self, purpose: str, issuer: str) -> Terms:
        if purpose == STATUS_LIST:
            return Terms(purpose, _TOKEN_BITS, issuer=issuer)
        if purpose != MESSAGE:
            return Terms(purpose, issuer=issuer)
        messages = whole_messages(self._config.messages) if self._config.messages else ()
        bits = max(1, (len(messages) - 1).bit_length())
        return Terms(purpose, bits, messages, self._config.references, issuer)

    def _places(self, refs: tuple[StatusRef, ...], lists: dict[str, StatusList]) -> Places:
        entries, claim = [], None
        for ref in refs:
            url, terms = self.url(ref.list_id), lists[ref.list_id].terms
            if ref.purpose == STATUS_LIST:
                claim = status_claim(StatusReference(ref.index, url))
            else:
                entries.append(
                    status_entry(url, ref.purpose, ref.index, messages=terms.messages, references=terms.references)
                )
        return Places(refs, tuple(entries), claim)

    async def _publish_changed(self, tx: Transaction) -> None:
        page = await status_lists.dirty(tx, limit=_PAGE)
        for changed in page:
            document = await self._signed(tx, changed)
            etag = hashlib.sha256(document).hexdigest()[:32]
            await status_lists.publish(tx, changed.id, document, etag, self._world.clock(), version=changed.version)
        if len(page) == _PAGE:
            await self._publish_changed(tx)

    async def _signed(self, tx: Transaction, changed: StatusList) -> bytes:
        did = await dids.get(tx, changed.terms.issuer)
        now, ttl = self._world.clock(), timedelta(seconds=self.ttl_seconds)
        values = await status_lists.values(tx, changed.id)
        bits, url = changed.terms.value_bits, self.url(changed.id)
        if changed.terms.purpose == STATUS_LIST:
            statuses = StatusArray.of_zeros(changed.size_bits, bits=bits)
            for index, value in values.items():
                statuses.set(index, value)
            claims = status_list_claims(uri=url, issuer=did.did, statuses=statuses, issued_at=now, ttl=ttl)
            signer = await self._identity.signer(tx, did)
            return (await perform(signer, partial(sign_jwt, claims, signer, typ=MEDIA_TYPE))).encode()
        bitstring = Bitstring(changed.size_bits, size=bits)
        for index, value in values.items():
            bitstring.set(index, value)
        credential = status_list_credential(
            url=url,
            issuer=did.did,
            purposes=(changed.terms.purpose,),
            bits=bitstring,
            valid_from=now,
            ttl_ms=self.ttl_seconds * 1000,
        )
        suite = proof_suite(did, self._securing)
        signer = await self._identity.signer(tx, did, CRYPTOSUITES[suite].key_types)
        sign = partial(add_proof, credential, suite=suite, signer=signer, created=now)
        return strict_json.dumps(await perform(signer, sign))


def _lists_of(columns: Sequence[Sequence[StatusRef]]) -> set[str]:
    return {ref.list_id for column in columns for ref in column}
