"""Trust lists: published by this node as signed credentials, and followed from others.

Promises: a list counts only as its publisher signed it, never an older edition than one that was seen, and only until
its end; what is kept is enough to verify with while nobody answers. A list that cannot be had again, or is refused,
leaves the kept edition as it is. A list names whom its publisher believes, and lists that it may itself refer to do not
count: whoever follows one follows that one.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from node.net.guarded_http import GuardedHttp
from node.roles.checker import Checker
from node.roles.identity import Identity
from node.roles.proof_suite import proof_suite
from node.roles.publications import examine
from node.runtime.wakeup import Worker
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.data_integrity import CRYPTOSUITES, add_proof
from protocols.credentials.model import as_list, has_type
from protocols.credentials.trust.accreditation import ENDED
from protocols.credentials.trust.grants import By
from protocols.credentials.trust.recognition import (
    RECOGNITION,
    Entry,
    Recognition,
    read_recognition,
    recognition_credential,
)
from protocols.credentials.trust.registry import is_registry_file, read_known_registries, read_registry
from protocols.credentials.verification import VerificationResult
from protocols.did.web import owns
from protocols.errors import BadInput, LernodeError, NotNow
from storage import audit, trust, trust_lists
from storage.dids import DidPurpose
from storage.engine import Store, Transaction
from storage.trust_lists import Followed, Publication

__all__ = ["LIST_PATH", "Genuine", "ToFollow", "TrustLists", "fetch_document", "genuine"]

LIST_PATH = "/trust"
_log = logging.getLogger("lernode.trust")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_ACCEPT = "application/vc, application/vc+jwt;q=0.9, application/json;q=0.8"
_MAX_BYTES = 1 << 20
_MAX_LISTS_OF_A_DID = 10
_LONGEST_UNASKED = timedelta(days=1)
_AFTER_FAILURE = timedelta(hours=1)
_REGISTRY_IS_VALID = timedelta(days=7)
"""Nobody signs until when a registry holds; so long after it was fetched it is no longer relied on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToFollow:
    """What is to be followed.

    Attributes:
        url: where it is; or
        document: the list itself, from a file or a mirror; or neither, for those that the DID document of
        publisher: the DID that has to have signed it, names as its services.
        name: what to call it here; else as it calls itself.
        accreditors: whether those count too whom it lets recognise others.
    """

    url: str | None = None
    document: bytes | None = None
    publisher: str | None = None
    name: str | None = None
    accreditors: bool = False


@dataclass(frozen=True, slots=True)
class Genuine:
    """A recognition credential of which every check holds, and what it says."""

    recognition: Recognition
    result: VerificationResult


class TrustLists:
    """What an operator does about trust lists, and what is done by itself."""

    def __init__(
        self,
        *,
        store: Store,
        identity: Identity,
        checker: Checker,
        http: GuardedHttp,
        world: World,
        endpoint: str,
        securing: str,
    ) -> None:
        self._store = store
        self._identity = identity
        self._checker = checker
        self._http = http
        self._world = world
        self._endpoint = endpoint
        self._securing = securing
        self._worker = Worker("trust-lists", world.clock, self._once)

    def start(self) -> None:
        """Begin to ask for lists again, and to renew those of this node, in the background."""
        self._worker.start()

    async def stop(self) -> None:
        """Stop; what is due is done after the next start."""
        await self._worker.stop()

    def url(self, name: str) -> str:
        """Where this node publishes a list."""
        return f"{self._endpoint}{LIST_PATH}/{name}"

    async def publish(self, name: str, *, title: str, days: int) -> Publication:
        """Publish the rules of this node as a list, or a new edition of it.

        Args:
            name: the last part of its URL.
            days: how long the edition is valid; it is renewed by itself when half of that is over.

        Raises:
            BadInput: ``trust.list_name``, ``trust.list_empty``, ``trust.list_too_long``.
            WrongState: ``did.none``.
        """
        if not _NAME.fullmatch(name):
            raise BadInput("trust.list_name", "A list is named by small letters, digits and hyphens.", "Try: colleges")
        async with self._store.write() as tx:
            await tx.lock("trust")
            entries = [
                Entry(did=g.did, name=rule.note, action=g.action, scope=g.scope, start=g.start, end=g.end)
                for rule in reversed(await trust.rules(tx, limit=1000))
                for g in [rule.grant]
            ]
            edition = await self._sign(tx, name, title, days, entries, actor="operator")
        self._worker.wake()
        return edition

    async def follow(self, wanted: ToFollow) -> list[Followed]:
        """Follow a list, or every registry that a file of registries names.

        Raises:
            BadInput: ``net.*``; ``trust.list_*`` where it is no list or is refused; ``trust.publisher_*``;
                ``trust.registry_*``.
            NotNow: ``net.*``; ``trust.list_unchecked`` where it cannot be checked now.
        """
        if wanted.url is None and wanted.document is None:
            urls = await self._lists_of(wanted.publisher or "")
            return [row for url in urls for row in await self.follow(replace(wanted, url=url))]
        body = await fetch_document(self._http, wanted.url) if wanted.url is not None else wanted.document or b""
        if is_registry_file(body):
            return await self._follow_registries(wanted, body)
        return [await self._take(wanted, body)]

    async def unfollow(self, row: Followed) -> None:
        """Follow a list no longer.

        Raises:
            WrongState: ``trust_list.unknown``.
        """
        async with self._store.write() as tx:
            await trust_lists.remove(tx, row.id)
            await self._note(tx, "trust.list_unfollowed", row)

    async def refresh(self, row: Followed) -> Followed:
        """Ask for a list again.

        Raises:
            LernodeError: as :meth:`follow`, and the kept edition stays.
        """
        if row.source is None:
            raise BadInput("trust.list_from_file", "This list came from a file.", "Follow its newer file.")
        again = ToFollow(url=row.source, publisher=row.publisher, name=row.name, accreditors=row.accreditors)
        try:
            body = await fetch_document(self._http, row.source)
            if row.kind is By.REGISTRY:
                return await self._take_registry(again, row.name, row.source, body)
            return await self._take(again, body, known=row)
        except LernodeError as error:
            async with self._store.write() as tx:
                again_at = self._world.clock() + _AFTER_FAILURE
                await trust_lists.note_failure(tx, row.id, error.code, again_at)
            raise

    async def _once(self) -> datetime | None:
        now = self._world.clock()
        await self._renew(now)
        async with self._store.read() as tx:
            rows, following = await trust_lists.due(tx, now)
        for row in rows:
            try:
                await self.refresh(row)
            except LernodeError as error:
                _log.warning("a trust list was not renewed: %s", error.code, extra={"facts": {"list": row.id}})
        return now if rows else following

    async def _renew(self, now: datetime) -> None:
        """Sign anew, with the same entries, the lists of this node of whose time half is over."""
        async with self._store.read() as tx:
            every = await trust_lists.publications(tx)
        for old in every:
            if now < old.published + (old.valid_until - old.published) / 2:
                continue
            async with self._store.write() as tx:
                await tx.lock("trust")
                current = await trust_lists.find_publication(tx, old.name)
                if current is not None and current.sequence == old.sequence:
                    entries = read_recognition(strict_json.loads_object(old.document)).entries
                    await self._sign(tx, old.name, old.title, old.days, entries, actor="policy")

    async def _sign(
        self, tx: Transaction, name: str, title: str, days: int, entries: Sequence[Entry], *, actor: str
    ) -> Publication:
        own = await self._identity.default(tx, DidPurpose.ISSUER)
        before = await trust_lists.find_publication(tx, name)
        now = self._world.clock().replace(microsecond=0)
        sequence = 1 if before is None else before.sequence + 1
        until = now + timedelta(days=days)
        credential = recognition_credential(
            entries,
            issuer=own.did,
            name=title,
            valid_from=now,
            valid_until=until,
            credential_id=self.url(name),
            sequence=sequence,
        )
        suite = proof_suite(own, self._securing)
        signer = await self._identity.signer(tx, own, CRYPTOSUITES[suite].key_types)
        document = strict_json.dumps(add_proof(credential, suite=suite, signer=signer, created=now))
        edition = Publication(
            name=name,
            title=title,
            days=days,
            sequence=sequence,
            document=document,
            etag=hashlib.sha256(document).hexdigest()[:32],
            published=now,
            valid_until=until,
        )
        await trust_lists.put_publication(tx, edition)
        await audit.append(
            tx,
            at=now,
            event="trust.list_published",
            actor=actor,
            subjects=(name,),
            details={"sequence": sequence, "digest": edition.etag},
        )
        return edition

    async def _lists_of(self, did: str) -> list[str]:
        """The lists that a DID's document names as its services."""
        services = (await self._checker.resolver.resolve(did)).raw.get("service")
        named = [item for item in as_list(services) if isinstance(item, dict) and has_type(item, RECOGNITION)]
        urls = [item["serviceEndpoint"] for item in named if isinstance(item.get("serviceEndpoint"), str)]
        if not urls:
            raise BadInput("trust.list_unnamed", "The DID document names no trust list.", "Follow the list by its URL.")
        return urls[:_MAX_LISTS_OF_A_DID]

    async def _take(self, wanted: ToFollow, body: bytes, known: Followed | None = None) -> Followed:
        found = await genuine(body, self._checker)
        listed = found.recognition
        if listed.sequence is None or listed.valid_until is None or listed.id is None:
            raise BadInput(
                "trust.list_unnumbered",
                "A list has an id, a sequence number and an end (validUntil); this has not.",
                "Keep an accreditation with: lernode trust keep FILE",
            )
        _check_publisher(wanted, listed)
        if known is not None and listed.id != known.list_id:
            raise BadInput("trust.list_other", "Another list is published there now.", "Ask its publisher.")
        row = self._row(wanted, listed.id, body, listed.valid_until)
        row = replace(
            row,
            kind=By.LIST,
            name=wanted.name or listed.name or listed.id,
            publisher=listed.issuer,
            sequence=listed.sequence,
            signed_at=listed.valid_from,
        )
        return await self._keep(row, listed.entries)

    async def _follow_registries(self, wanted: ToFollow, body: bytes) -> list[Followed]:
        if wanted.url is None or wanted.publisher is not None:
            raise BadInput(
                "trust.registry_unsigned",
                "Nobody has signed that registry, so that a file of it could be from anybody.",
                "Follow it by its https URL, and without --publisher.",
            )
        named = read_known_registries(body)
        if named is None:
            return [await self._take_registry(wanted, wanted.name or wanted.url, wanted.url, body)]
        bodies = [await fetch_document(self._http, registry.url) for registry in named]
        return [
            await self._take_registry(wanted, registry.name, registry.url, of)
            for registry, of in zip(named, bodies, strict=True)
        ]

    async def _take_registry(self, wanted: ToFollow, name: str, url: str, body: bytes) -> Followed:
        entries = read_registry(body)
        row = self._row(replace(wanted, url=url), url, body, self._world.clock() + _REGISTRY_IS_VALID)
        return await self._keep(replace(row, kind=By.REGISTRY, name=name), entries)

    def _row(self, wanted: ToFollow, list_id: str, body: bytes, valid_until: datetime) -> Followed:
        now = self._world.clock()
        again = now + min(_LONGEST_UNASKED, (valid_until - now) / 2)
        return Followed(
            id=self._world.new_id(),
            kind=By.LIST,
            name="",
            list_id=list_id,
            publisher=None,
            source=wanted.url,
            accreditors=wanted.accreditors,
            sequence=None,
            body=body,
            signed_at=None,
            valid_until=valid_until,
            fetched=now,
            refresh=again if wanted.url else None,
        )

    async def _keep(self, row: Followed, entries: Sequence[Entry]) -> Followed:
        async with self._store.write() as tx:
            await tx.lock("trust")
            before = await trust_lists.find(tx, row.list_id)
            if before is not None:
                _check_edition(before, row)
                row = replace(row, id=before.id, source=row.source or before.source)
                row = replace(row, refresh=row.refresh or before.refresh)
            await trust_lists.keep(tx, row, entries)
            if before is None:
                await self._note(tx, "trust.list_followed", row)
            elif (before.name, before.accreditors) != (row.name, row.accreditors):
                await self._note(tx, "trust.list_changed", row)
            elif before.body != row.body:
                # Whoever asked for it: what the list says now is its publisher's doing.
                await self._note(tx, "trust.list_renewed", row, actor="policy")
        self._worker.wake()
        return row

    async def _note(self, tx: Transaction, event: str, row: Followed, *, actor: str = "operator") -> None:
        await audit.append(
            tx,
            at=self._world.clock(),
            event=event,
            actor=actor,
            subjects=(row.id, row.list_id, *([row.publisher] if row.publisher else [])),
        )


async def fetch_document(http: GuardedHttp, url: str) -> bytes:
    """What is published at a URL.

    Raises:
        BadInput, NotNow: ``net.*``.
    """
    response = await http.get(url, max_bytes=_MAX_BYTES, accept=_ACCEPT)
    if response.status >= 500 or response.status in (408, 425, 429):
        raise NotNow("net.server_error", f"The server answers {response.status}.", "Try again later.")
    if response.status != 200:
        raise BadInput("net.unexpected_status", f"The server answers {response.status}.", "Check the address.")
    return response.body


async def genuine(document: dict[str, Any] | bytes, checker: Checker, *, may_be_over: bool = False) -> Genuine:
    """A recognition credential, once every check but that of trust holds.

    Args:
        may_be_over: whether its time may be over.

    Raises:
        BadInput: ``trust.list_unverified``, ``trust.list_malformed``.
        NotNow: ``trust.list_unchecked``: a check cannot be made now.
    """
    found = await examine(document, checker, forgiven=(ENDED,) if may_be_over else ())
    if found.wrong is not None:
        raise BadInput("trust.list_unverified", f"It does not verify: {found.wrong}", "Ask its publisher.")
    if found.unknown is not None or found.result.document is None:
        raise NotNow("trust.list_unchecked", f"It cannot be checked now: {found.unknown}", "Try again later.")
    return Genuine(read_recognition(found.result.document), found.result)


def _check_publisher(wanted: ToFollow, listed: Recognition) -> None:
    """Whether it is from the one who is followed: the one named, else the one to whom the address itself belongs."""
    if wanted.publisher is not None:
        if listed.issuer != wanted.publisher:
            raise BadInput(
                "trust.publisher_other",
                f"The list is signed by {listed.issuer[:200]}, and not by the one who is followed.",
                "Do not follow it, or ask its publisher what has changed.",
            )
        return
    if wanted.url is None or not owns(listed.issuer, wanted.url):
        raise BadInput(
            "trust.publisher_unnamed",
            f"The list is signed by {listed.issuer[:200]}; nothing says that this is the one you mean.",
            "If it is, say so: --publisher DID",
        )


def _is_same(one: bytes, other: bytes) -> bool:
    """Whether two editions are one, however a mirror may have written its JSON."""
    try:
        return one == other or strict_json.loads_object(one) == strict_json.loads_object(other)
    except BadInput:
        return False


def _check_edition(before: Followed, row: Followed) -> None:
    """Refuse what cannot follow after the edition that is kept."""
    if before.kind is not row.kind or before.publisher != row.publisher:
        raise BadInput(
            "trust.publisher_other",
            "A list of this id is followed already, and somebody else publishes it.",
            "Unfollow that one first.",
        )
    if before.sequence is None or row.sequence is None:
        return
    if row.sequence < before.sequence:
        raise BadInput(
            "trust.list_rolled_back",
            f"It is edition {row.sequence}, and edition {before.sequence} was seen already.",
            "Get the newest edition; an older one would undo what its publisher has taken back.",
        )
    if row.sequence == before.sequence and not _is_same(row.body, before.body):
        raise BadInput(
            "trust.list_forked",
            f"There are two different editions {row.sequence} of this list.",
            "Ask its publisher; one of them may be made for you alone.",
        )
