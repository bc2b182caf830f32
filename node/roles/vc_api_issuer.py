"""The issuer of the VC API: signs credentials that a client has written, and keeps them as it keeps its own.

Spec: W3C VCALM (the VC API), "Issuing". What the client gave is what is signed: only the issuer is filled in where
it is missing, status entries are added where they are asked for, and the contexts that a proof needs. Nothing is
signed that this node would not verify. Which key signs is decided in ``vc_api_signing.py``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from node.events.emit import emit
from node.events.types import RecordIssued
from node.roles.checker import Checker
from node.roles.identity import Identity
from node.roles.issuer import Issuer
from node.roles.status_publisher import Places, StatusPublisher
from node.roles.vc_api_signing import AS_WE_LIKE, SignerChoice, Wanted
from node.runtime.hardware import perform
from node.runtime.metrics import Metrics
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.issue import issue
from protocols.credentials.model import as_list, id_of, issuer_id, status_entries, subject_ids
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.errors import BadInput, WrongState
from storage import audit, credentials
from storage.credentials import IssuedCredential
from storage.dids import DidPurpose, OwnDid
from storage.engine import Store, Transaction

__all__ = ["IssueWish", "StatusWish", "VcApiIssuer"]

_SAID_BY_THE_DOCUMENT = frozenset({Check.STRUCTURE, Check.CONTEXT, Check.SCHEMA, Check.RELATED_RESOURCES, Check.SKILLS})
"""What has to hold of a credential before it is signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueWish:
    """How a credential is to be issued.

    Attributes:
        credential_id: names the credential towards this node where the credential has no ``id``.
        status_purposes: for each of these the credential gets an entry in a status list of this node.
        mandatory_pointers: JSON Pointers (RFC 6901) to what every derived credential shows (ecdsa-sd-2023).
        selective_pointers: JSON Pointers to what the holder may withhold (vc+sd-jwt).
    """

    wanted: Wanted = AS_WE_LIKE
    credential_id: str | None = None
    status_purposes: tuple[str, ...] = ()
    mandatory_pointers: tuple[str, ...] | None = None
    selective_pointers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWish:
    """A new status of an issued credential.

    Attributes:
        value: whether it is set; for the purpose ``message``, the text of the message that holds.
        list_url, index: where the entry is, for a client that wants to be sure of it.
    """

    credential_id: str
    purpose: str
    value: bool | str
    list_url: str | None = None
    index: str | None = None


class VcApiIssuer:
    """What a client of the VC API does as an issuer."""

    def __init__(
        self,
        *,
        store: Store,
        identity: Identity,
        issuer: Issuer,
        publisher: StatusPublisher,
        signing: SignerChoice,
        checker: Checker,
        world: World,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._identity = identity
        self._issuer = issuer
        self._publisher = publisher
        self._signing = signing
        self._checker = checker
        self._world = world
        self._metrics = metrics

    async def issue(self, credential: dict[str, Any], wish: IssueWish) -> IssuedCredential:
        """Sign a credential and keep it; the same again gives the one that was made the first time.

        Raises:
            BadInput: ``vc_api.*`` where it is not for this node to sign; the code of the check that fails where the
                credential breaks a rule; ``securing.*``, ``proof.*``, ``jsonld.*`` where it cannot be signed.
            WrongState: ``issued_record.exists`` where another credential has its id; ``did.none``.
        """
        name = _name_of(credential, wish.credential_id)
        digest = _digest(credential, wish)
        async with self._store.read() as tx:
            chosen = await self._signing.choose(tx, DidPurpose.ISSUER, _named_issuer(credential), wish.wanted)
        complete = _with_issuer(credential, chosen.did.did)
        self._refuse_own_list(complete)
        await self._require_sound(complete)
        async with self._store.write() as tx:
            known = await credentials.find_issued(tx, name) if name else None
            if known is not None and known.request_digest == digest:
                return known
            record_id = self._world.new_id()
            places = await self._allocate(tx, chosen.did, record_id, wish.status_purposes)
            now = self._world.clock()
            sign = partial(
                issue,
                _with_status(complete, places.entries),
                chosen.securing,
                chosen.signer,
                created=now,
                mandatory_pointers=wish.mandatory_pointers or (),
                selective_pointers=wish.selective_pointers,
                entropy=self._world.entropy,
                processor=self._checker.policies.processor,
            )
            issued = await perform(chosen.signer, sign)
            record = IssuedCredential(
                id=record_id,
                exchange_id=None,
                connection_id=None,
                document=strict_json.dumps(issued.embeddable),
                credential_id=name or record_id,
                subject=next(iter(subject_ids(complete)), None),
                achievement_id=None,
                issued_at=now,
                statuses=places.refs,
                request_digest=digest,
            )
            await credentials.add_issued(tx, record)
            await audit.append(tx, at=now, event="record.issued", actor="operator", subjects=(record.id,))
            await emit(tx, self._world, RecordIssued(record_id=record.id))
            tx.after_commit(self._metrics.issued.inc)
            return record

    async def set_status(self, wish: StatusWish) -> None:
        """Set or clear a status of an issued credential; the signed list is published before this returns.

        Raises:
            WrongState: ``issued_record.*``, where there is none or its status is final.
            BadInput: ``status.no_entry``, ``status.message_unknown``.
        """
        async with self._store.read() as tx:
            record = await credentials.find_issued(tx, wish.credential_id)
        if record is None:
            raise WrongState("issued_record.unknown", "There is no such issued record.", "List what there is.")
        ref = next((ref for ref in record.statuses if ref.purpose == wish.purpose), None)
        if ref is not None:
            named, have = (wish.list_url, wish.index), (self._publisher.url(ref.list_id), str(ref.index))
            if any(given not in (None, found) for given, found in zip(named, have, strict=True)):
                raise BadInput("status.no_entry", "The record has no such status entry.", "Look at its document.")
        await self._issuer.set_status(record.id, wish.purpose, wish.value, None)

    async def _require_sound(self, credential: dict[str, Any]) -> None:
        """Refuse what breaks a rule of the data model, of its contexts or of its schemas."""
        result = await self._checker.check(
            credential, replace(self._checker.policies.holder(), required=frozenset()), expected="credential"
        )
        for check in result.checks:
            if check.check in _SAID_BY_THE_DOCUMENT and check.outcome is Outcome.FAIL:
                raise _refusal(check)

    async def _allocate(self, tx: Transaction, issuer: OwnDid, name: str, purposes: Sequence[str]) -> Places:
        if not purposes:
            return Places((), ())
        (places,) = await self._publisher.allocate(tx, [name], purposes, issuer)
        return places

    def _refuse_own_list(self, credential: dict[str, Any]) -> None:
        """An index in a list of this node is given by this node only, or two credentials could share one."""
        if any(self._publisher.is_own(entry.get("statusListCredential")) for entry in status_entries(credential)):
            raise BadInput(
                "record.foreign_status",
                "The credential claims a place in a status list of this node.",
                "Leave credentialStatus out, and ask for it in the options.",
            )


def _named_issuer(credential: dict[str, Any]) -> str | None:
    """The issuer that the credential names, where it names one at all; one that is no URL is refused."""
    named = credential.get("issuer")
    if "issuer" not in credential or (isinstance(named, dict) and "id" not in named):
        return None
    found = issuer_id(credential)
    if found is None:
        raise BadInput(
            "vc_api.issuer_malformed",
            "The issuer is neither a URL nor an object whose id is one.",
            "Leave it out, or name the issuer by its DID.",
        )
    return found


def _with_issuer(credential: dict[str, Any], did: str) -> dict[str, Any]:
    named = credential.get("issuer")
    if isinstance(named, dict):
        return {**credential, "issuer": {**named, "id": did}}
    return {**credential, "issuer": did}


def _with_status(credential: dict[str, Any], entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not entries:
        return credential
    every = [*as_list(credential.get("credentialStatus")), *entries]
    return {**credential, "credentialStatus": every[0] if len(every) == 1 else every}


def _name_of(credential: dict[str, Any], credential_id: str | None) -> str | None:
    own = id_of(credential)
    if own is not None and credential_id not in (None, own):
        raise BadInput(
            "vc_api.two_ids", "The credential has an id, and the options name another.", "Leave credentialId out."
        )
    return own or credential_id


def _digest(credential: dict[str, Any], wish: IssueWish) -> str:
    """By which a request is known again."""
    return hashlib.sha256(strict_json.dumps([credential, asdict(wish)])).hexdigest()


def _refusal(check: CheckResult) -> BadInput:
    return BadInput(check.code, check.reason, f"Correct the credential ({check.spec}).")
