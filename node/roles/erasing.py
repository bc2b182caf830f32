"""The right to erasure (GDPR Article 17): all that is kept of a person goes, and a signed report says what went.

What stays: places in status lists, because verifiers rely on them and they name nobody, and the audit trail, which has
ids and digests only. The report is a JWT (RFC 7519) signed with a DID of the node. It names each thing that was erased
by its id and the SHA-256 of its content, and the person by the SHA-256 of the name that was given, so that who knows
that name can see that the report is about it, and nobody else learns it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from node.events.emit import emit
from node.events.types import PersonErased
from node.roles.identity import Identity
from node.runtime.hardware import perform
from node.runtime.world import World
from protocols.credentials.checks.recipient import identity_hash
from protocols.errors import WrongState
from protocols.jose import sign_jwt
from storage import apps, audit, connections, credentials, dids, erasure, exchanges, orders, resumes, shares, wallets
from storage.apps import Client
from storage.connections import Connection
from storage.credentials import IssuedCredential
from storage.dids import DidPurpose, OwnDid
from storage.engine import Store, Transaction
from storage.erasure import Erased, Kept, Report
from storage.query import MAX_PAGE

__all__ = ["REPORT_TYPE", "Erasing", "Erasure"]

_SALT = re.compile(rb'"salt"\s*:\s*"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,200})"')
REPORT_TYPE = "erasure-report+jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What was erased, or would be.

    Attributes:
        related: connections over which the person's data went, and which stay where a subject was erased.
        report: None where it was only tried.
    """

    erased: Sequence[Erased]
    kept: Sequence[Kept]
    related: Sequence[str]
    report: Report | None


class _OnlyTried(Exception):
    """Ends the unit of work of a trial, so that nothing of it is done."""

    def __init__(self, found: Erasure) -> None:
        super().__init__()
        self.found = found


class Erasing:
    """Erases what is kept of a person.

    Args:
        forget: what empties a memory of this process in which something of a person may be; called when one was erased,
            by this process or another one on the same store.
    """

    def __init__(self, store: Store, identity: Identity, world: World, forget: Sequence[Callable[[], None]]) -> None:
        for each in forget:
            store.listen(erasure.ERASED, each)
        self._store = store
        self._identity = identity
        self._world = world

    async def erase_peer(self, connection_id: str, *, dry_run: bool = False) -> Erasure:
        """Erase a peer: the connection, every exchange on it, the records issued over it and what names their subjects.

        Args:
            dry_run: only find out what would be erased.

        Raises:
            WrongState: ``connection.unknown``, ``did.none``.
        """
        async with self._store.read() as tx:
            connection = await connections.get(tx, connection_id)
            issued = await _issued_over(tx, connection_id)
            subjects = {record.subject for record in issued if record.subject}
            names = {name for name in subjects if await dids.find(tx, name) is None}
        return await self._erase(sorted(names), connection, "connection", connection_id, dry_run=dry_run)

    async def erase_subject(self, name: str, *, dry_run: bool = False) -> Erasure:
        """Erase whatever has ``name``, a DID or an e-mail address, as its subject or as a text.

        Raises:
            WrongState: ``erasure.own_did`` for a DID of this node; ``erasure.nothing``; ``did.none``.
        """
        async with self._store.read() as tx:
            if await dids.find(tx, name) is not None:
                raise WrongState(
                    "erasure.own_did",
                    "That is a DID of this node itself.",
                    "To erase it all, delete the node's folder.",
                )
        return await self._erase([name], None, "subject", name, dry_run=dry_run)

    async def _erase(
        self, names: Sequence[str], connection: Connection | None, kind: str, given: str, *, dry_run: bool
    ) -> Erasure:
        async with self._store.read() as tx:  # looking through all contents must not hold up who writes
            named = partial(_is_named, names)
            issued = await erasure.issued_naming(tx, named)
            held = await erasure.held_naming(tx, named)
            talks = await erasure.exchanges_naming(tx, named)
            invited = await erasure.invitations_naming(tx, named)
            shown, told = await shares.naming(tx, named), await resumes.naming(tx, named)
            listed = await orders.rows_naming(tx, named)
            let_in = await apps.naming(tx, named)
            connected = await wallets.naming(tx, named)
            in_profile = await erasure.is_in_own_profile(tx, named)
        try:
            async with self._store.write() as tx:
                hidden = [one for share_id in shown for one in await erasure.erase_share(tx, share_id)]
                hidden += [one for resume_id in told for one in await erasure.erase_resume(tx, resume_id)]
                found = await self._take_out(tx, connection, issued, held, talks, invited, listed)
                gone = await _apps(tx, let_in, in_profile=in_profile)
                gone += [one for wallet_id in connected for one in await erasure.erase_wallet(tx, wallet_id)]
                found = replace(found, erased=[*hidden, *found.erased, *gone])
                if not found.erased:
                    raise WrongState("erasure.nothing", "Nothing that is kept names it.", "Check how it is written.")
                if dry_run:
                    raise _OnlyTried(found)
                report = await self._report(tx, found, kind, given)
        except _OnlyTried as tried:
            return tried.found
        await self._store.vacuum()
        return Erasure(erased=found.erased, kept=found.kept, related=found.related, report=report)

    async def _take_out(
        self,
        tx: Transaction,
        connection: Connection | None,
        issued: Sequence[str],
        held: Sequence[str],
        talks: Sequence[str],
        invited: Sequence[str],
        listed: Sequence[str],
    ) -> Erasure:
        erased: list[Erased] = []
        kept: list[Kept] = []
        related: set[str] = set()
        over = await _issued_over(tx, connection.id) if connection else []
        for record in (await credentials.get_issued_all(tx, [*issued, *(r.id for r in over)])).values():
            gone, stays = await erasure.erase_issued(tx, record)
            erased, kept = [*erased, *gone], [*kept, *stays]
            related |= {record.connection_id} if record.connection_id else set()
        for record_id in dict.fromkeys(held):
            erased += await erasure.erase_held(tx, await credentials.get_held(tx, record_id))
        for exchange_id in dict.fromkeys(talks):
            row = await exchanges.get(tx, exchange_id)
            related.add(row.connection_id)
            erased += await erasure.erase_exchange(tx, row)
        for invitation_id in dict.fromkeys(invited):
            erased += await erasure.erase_invitation(tx, invitation_id)
        await orders.remove_rows(tx, listed)
        erased += [Erased("list_row", row_id) for row_id in listed]
        if connection is not None:
            erased += await erasure.erase_connection(tx, connection)
            related.discard(connection.id)
        return Erasure(erased=erased, kept=kept, related=sorted(related), report=None)

    async def _report(self, tx: Transaction, found: Erasure, kind: str, given: str) -> Report:
        now, report_id = self._world.clock(), self._world.new_id()
        own = await self._signing_did(tx)
        entries, head = await audit.head(tx)
        claims: dict[str, Any] = {
            "iss": own.did,
            "iat": int(now.timestamp()),
            "jti": report_id,
            "erased": {"kind": kind, "nameDigest": _sha256(given.encode())},
            "deleted": [
                {"what": one.what, "id": one.id, **({"contentDigest": f"sha-256:{one.digest}"} if one.digest else {})}
                for one in found.erased
            ],
            "kept": [
                {"what": "status_entry", "list": one.list_id, "index": one.index, "purpose": one.purpose}
                | {"value": one.value}
                for one in found.kept
            ],
            "auditTrail": {"entries": entries, "head": head.hex()},
        }
        signer = await self._identity.signer(tx, own)
        token = await perform(signer, partial(sign_jwt, claims, signer, typ=REPORT_TYPE))
        report = Report(report_id, now, token)
        await erasure.add_report(tx, report)
        details = {"reportDigest": _sha256(token.encode()), "things": len(found.erased)}
        await audit.append(tx, at=now, event="person.erased", actor="operator", subjects=(report_id,), details=details)
        await emit(tx, self._world, PersonErased(report_id=report_id))
        return report

    async def _signing_did(self, tx: Transaction) -> OwnDid:
        issuer = await dids.default(tx, DidPurpose.ISSUER)
        return issuer or await self._identity.default(tx, DidPurpose.HOLDER)


async def _apps(tx: Transaction, let_in: Sequence[Client], *, in_profile: bool) -> list[Erased]:
    erased = await erasure.erase_own_profile(tx) if in_profile else []
    for client in let_in:
        erased += await erasure.erase_app(tx, client)
    return erased


def _is_named(names: Sequence[str], content: bytes) -> bool:
    """Whether a content has one of the names as a text, or as the salted hash that records have of addresses."""
    salts = {salt.decode() for salt in _SALT.findall(content)}
    hashes = {identity_hash(name, salt) for name in names for salt in salts}
    return any(text.encode() in content for text in (*names, *hashes))


async def _issued_over(tx: Transaction, connection_id: str) -> list[IssuedCredential]:
    found: list[IssuedCredential] = []
    while page := await credentials.list_issued(
        tx, connection_id=connection_id, after=found[-1].id if found else None, limit=MAX_PAGE
    ):
        found += page
    return found


def _sha256(content: bytes) -> str:
    return f"sha-256:{hashlib.sha256(content).hexdigest()}"
