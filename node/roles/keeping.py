"""Taking in records that did not come over a connection: what a person already has, in files and behind links."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import unquote

from node.events.emit import emit
from node.events.types import RecordStored
from node.net.guarded_http import GuardedHttp
from node.records.intake import MAX_FILE_BYTES, link_in, records_in, records_within
from node.records.reached import awarded_by, reached_in
from node.records.summary import summary
from node.roles.checker import Checker
from node.roles.checking import reason_code
from node.runtime.metrics import Metrics
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.open_badges_2.document import OpenBadge2
from protocols.credentials.open_badges_2.parts import assembled, is_whole
from protocols.credentials.reading import read_secured, stated
from protocols.credentials.sealed.document import SEALED
from protocols.credentials.verification import Check, Outcome, VerificationResult
from protocols.errors import BadInput, NotNow
from protocols.jsonld.processor import DEFAULT
from storage import audit, credentials, erasure
from storage.credentials import HeldCredential, Skill
from storage.engine import Store, Transaction

__all__ = ["Accept", "Change", "Keeping", "Kept", "Upserted", "add_once", "add_record", "held_record", "is_genuine"]

_GENUINE = frozenset({Check.STRUCTURE, Check.CONTEXT, Check.PROOF, Check.PROOF_PURPOSE})
_ACCEPT = "application/vc, application/json, application/ld+json, application/vc+jwt, */*;q=0.5"
_HINTS: Mapping[str, str] = {
    "trust.undecided": "Say whom you believe with lernode trust add, or keep it marked with --unverified.",
    "trust.issuer_untrusted": "Say whom you believe with lernode trust add, or keep it marked with --unverified.",
}


class Accept(StrEnum):
    """What a record has to be, so that it is kept.

    Attributes:
        VERIFIED: all that a verifier asks for, its issuer believed included.
        GENUINE: what its issuer signed; trust and status are not asked for. For the holder's own export.
        ANY: what its issuer signed, as far as that can be said; what it does not pass is marked for good.
    """

    VERIFIED = "verified"
    GENUINE = "genuine"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that the node holds now.

    Attributes:
        is_new: whether it did not hold it before.
    """

    record: HeldCredential
    is_new: bool


class Change(StrEnum):
    """What an upsert did."""

    NONE = "none"
    CREATED = "created"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Upserted:
    """The record that is held now: the one that was given, or where nothing changed one that is as new."""

    record: HeldCredential
    change: Change


class Keeping:
    """Keeps records that are given from outside."""

    def __init__(
        self,
        *,
        store: Store,
        checker: Checker,
        http: GuardedHttp,
        metrics: Metrics,
        world: World,
    ) -> None:
        self._store = store
        self._checker = checker
        self._http = http
        self._metrics = metrics
        self._world = world

    async def fetch(self, url: str) -> bytes:
        """The file behind a link.

        Raises:
            BadInput: ``net.*``, ``intake.not_there``.
            NotNow: ``net.*``.
        """
        response = await self._http.get(url, max_bytes=MAX_FILE_BYTES, accept=_ACCEPT)
        if response.status >= 500:
            raise NotNow("net.server_error", f"The server answers {response.status}.", "Try again later.")
        if response.status != 200:
            message = f"Nothing can be had there: the server answers {response.status}."
            raise BadInput("intake.not_there", message, "Check the link, or download the file and import that.")
        return response.body

    async def take(
        self, data: bytes, accept: Accept = Accept.VERIFIED, *, recipient: str | None = None
    ) -> list[Kept | BadInput]:
        """Hold the records of a file, and those within learner records; of each, what became of it, in their order.

        Args:
            recipient: as for :meth:`keep`.

        Raises:
            BadInput: ``intake.*`` and others where the file cannot be read; as :meth:`keep` for a file with one record.
        """
        link = await asyncio.to_thread(link_in, data)
        records = await asyncio.to_thread(records_in, data if link is None else await self.fetch(link))
        outcomes = list[Kept | BadInput]()
        for record in records:
            try:
                outcomes.append(await self.keep(record, accept, recipient=recipient))
            except BadInput as error:
                if len(records) == 1:
                    raise
                outcomes.append(error)
            else:
                outcomes += await self._take_within(record, accept)
        return outcomes

    async def _take_within(self, record: bytes, accept: Accept) -> list[Kept | BadInput]:
        """Hold the records in a learner record by themselves too, for each attests its skills in its issuer's name."""
        outcomes = list[Kept | BadInput]()
        for inner in await asyncio.to_thread(records_within, record):
            try:
                outcomes.append(await self.keep(inner, accept))
            except BadInput as error:
                outcomes.append(error)
        return outcomes

    async def keep(self, document: bytes, accept: Accept = Accept.VERIFIED, *, recipient: str | None = None) -> Kept:
        """Hold a record, once however often it is given; one that is known is verified and marked anew.

        Args:
            document: JSON, or the text of a JWT or SD-JWT.
            recipient: an address that it has to be for, hashed or not; None where that is not asked.

        Raises:
            BadInput: ``record.not_genuine`` where it is not what was signed; ``record.not_verified`` where it does not
                pass what is asked for; ``structure.*`` and others where it cannot be read.
        """
        document = await self._with_parts(document)
        record = held_record(document, self._world)
        code, issuer = await self._checked(document, accept, recipient)
        record = replace(record, issuer=issuer or record.issuer)
        async with self._store.write() as tx:
            record = replace(record, unverified=code)
            known = await add_once(tx, record)
            if known is not None:
                if issuer is not None and known.issuer != issuer:
                    known = await _set_issuer(tx, known, issuer)
                if accept is not Accept.GENUINE and known.unverified != code:
                    known = await credentials.set_held_unverified(tx, known, code)
                return Kept(known, is_new=False)
            await self._note(tx, record, "operator")
        return Kept(record, is_new=True)

    async def upsert(self, document: bytes, actor: str) -> Upserted:
        """Hold a verified record, instead of an older one that it is the newer form of (OB 3.0 §6, upsertCredential).

        Two records are one where their issuers' ``id`` and their own ``id`` are equal; that with the later
        ``validFrom`` is the newer one (OB 3.0, Credential equality and comparison).

        Args:
            actor: who gives it, for the audit trail.

        Raises:
            BadInput: as :meth:`keep`.
        """
        record = held_record(document, self._world)
        _, issuer = await self._checked(document, Accept.VERIFIED)
        record = replace(record, issuer=issuer or record.issuer)
        async with self._store.write() as tx:
            await tx.lock(f"keeping {hashlib.sha256((record.credential_id or '').encode() or document).hexdigest()}")
            known = await self._forms_of(tx, record)
            if any(each.document == document or not _is_newer(record, each) for each in known):
                return Upserted(known[0], Change.NONE)
            await add_record(tx, record)
            await self._note(tx, record, actor)
            for older in known:
                await erasure.erase_held(tx, older)
                subjects = (older.id, record.id)
                await audit.append(tx, at=record.stored_at, event="record.replaced", actor=actor, subjects=subjects)
        return Upserted(record, Change.REPLACED if known else Change.CREATED)

    async def _forms_of(self, tx: Transaction, record: HeldCredential) -> list[HeldCredential]:
        if record.credential_id is None:
            same = await credentials.find_held_same(tx, record)
            return [] if same is None else [same]
        names = {record.credential_id, unquote(record.credential_id).strip()}
        found = [each for name in sorted(names) for each in await credentials.held_with_id(tx, name)]
        return [each for each in found if unquote(each.issuer).strip() == unquote(record.issuer).strip()]

    async def _with_parts(self, document: bytes) -> bytes:
        """The record, with its class and issuer inside where it is a badge that only refers to them.

        Raises:
            BadInput: ``badge.*``, ``net.*``, also where their servers are away, for it would say nothing to anybody.
        """
        read = read_secured(document, DEFAULT)
        if not isinstance(read, OpenBadge2):
            return document
        if is_whole(read.badge):
            return strict_json.dumps(read.badge)
        try:
            return strict_json.dumps(await assembled(read.badge, self._checker.policies.badges))
        except NotNow:
            message = "What the badge is for cannot be had: the server of its class or issuer does not answer."
            raise BadInput("badge.class_unreachable", message, "Import it again when that is back.") from None

    async def _checked(
        self, document: bytes, accept: Accept, recipient: str | None = None
    ) -> tuple[str | None, str | None]:
        """The code of the check that a record does not pass, though it may be kept, and whose it is.

        The first is None where it passes them all, the second where only the document says it.

        Raises:
            BadInput: ``record.not_genuine``, ``record.not_verified``.
        """
        policies = self._checker.policies
        policy = policies.holder() if accept is Accept.GENUINE else policies.keeper()
        policy = policy if recipient is None else policy.for_recipient(recipient)
        result = await self._checker.check(document, policy, expected="credential")
        if not is_genuine(result):
            raise BadInput(
                "record.not_genuine",
                f"The record is not what its issuer signed: {reason_code(result)}.",
                "See lernode verify, and ask the issuer for a new one.",
            )
        code = reason_code(result)
        if code is not None and accept is Accept.VERIFIED:
            raise _not_verified(result, code)
        return code, result.issuer if result.securing == SEALED else None

    async def _note(self, tx: Transaction, record: HeldCredential, actor: str) -> None:
        await audit.append(tx, at=record.stored_at, event="record.stored", actor=actor, subjects=(record.id,))
        await emit(tx, self._world, RecordStored(record_id=record.id))
        tx.after_commit(self._metrics.stored.inc)


async def add_once(tx: Transaction, record: HeldCredential) -> HeldCredential | None:
    """Hold a record unless it is held, however often it is given at a time; the one that was held before, or None."""
    await tx.lock(f"keeping {hashlib.sha256(record.document).hexdigest()}")
    known = await credentials.find_held_same(tx, record)
    if known is None:
        await add_record(tx, record)
    return known


async def add_record(tx: Transaction, record: HeldCredential) -> None:
    """Hold a record, and note which skills it attests.

    Raises:
        WrongState: ``record.exists``.
    """
    said = stated(record.document)
    award = replace(awarded_by(said), issuer=record.issuer)
    await credentials.add_held(tx, record, reached=reached_in(said), award=award)


async def _set_issuer(tx: Transaction, record: HeldCredential, issuer: str) -> HeldCredential:
    """Note whose a sealed record is, which was not known when it was kept."""
    record, said = replace(record, issuer=issuer), stated(record.document)
    award = replace(awarded_by(said), issuer=issuer)
    await credentials.set_held_issuer(tx, record, reached=reached_in(said), award=award)
    return record


def held_record(document: bytes, world: World, *, exchange_id: str | None = None, position: int = 0) -> HeldCredential:
    """A record to hold, with what its document says.

    Raises:
        BadInput: where it cannot be read.
    """
    secured = read_secured(document, DEFAULT)
    about = summary(secured.document)
    return HeldCredential(
        id=world.new_id(),
        exchange_id=exchange_id,
        document=document,
        credential_id=about.id,
        issuer=about.issuer or "",
        subject=next(iter(secured.subjects), None),
        types=about.types,
        name=about.name,
        valid_from=about.valid_from,
        valid_until=about.valid_until,
        stored_at=world.clock(),
        position=position,
        skills=tuple(Skill(code=s.code, name=s.name, framework=s.framework, url=s.url) for s in about.skills),
    )


def _is_newer(record: HeldCredential, than: HeldCredential) -> bool:
    if record.valid_from is None or than.valid_from is None:
        return record.valid_from is not None
    return record.valid_from > than.valid_from


def is_genuine(result: VerificationResult) -> bool:
    """Whether nothing says that it, or a credential in it, is not what was signed."""
    failed = any(check.outcome is Outcome.FAIL and check.check in _GENUINE for check in result.checks)
    return not failed and all(is_genuine(inner) for inner in result.relied_on)


def _not_verified(result: VerificationResult, code: str) -> BadInput:
    checks = [check for each in (result, *result.credentials) for check in each.checks]
    reason = next((check.reason for check in checks if check.code == code), "It is not verified.")
    hint = _HINTS.get(code, "Keep it all the same, marked, with --unverified.")
    return BadInput("record.not_verified", f"The record is not verified ({code}): {reason}", hint)
