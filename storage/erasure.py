"""Takes rows out of the store for good: exchanges that are over, and all that is kept of a person.

Promises: what hangs on a row goes with it or is loosened from it (:data:`OF_EXCHANGE`, :data:`OF_CONNECTION`), in the
same unit of work; places in status lists and entries of the audit trail stay; each thing that was erased is named by
its id and the SHA-256 of its content. SQLite overwrites what is deleted (``secure_delete``).

It leaves to others: what is to be erased and who may say so, and the report (``node/roles/erasing.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from protocols.did import peer4
from storage import (
    apps,
    attached,
    credentials,
    exchanges,
    invitations,
    own_profile,
    resumes,
    shares,
    status_lists,
    wallets,
)
from storage.connections import Connection
from storage.credentials import HeldCredential, IssuedCredential
from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.exchanges import ExchangeRow, Filter
from storage.query import Query, bounded
from storage.values import from_micros, to_json, to_micros

__all__ = [
    "ERASED", "OF_CONNECTION", "OF_EXCHANGE", "Erased", "Kept", "Naming", "Report", "add_report", "erase_app",
    "erase_connection", "erase_exchange", "erase_held", "erase_invitation", "erase_issued", "erase_own_profile",
    "erase_resume", "erase_share", "erase_wallet",
    "exchanges_naming", "forget_finished", "forget_invitations", "get_report", "held_naming", "invitations_naming",
    "is_in_own_profile", "issued_naming", "page_of_reports",
]  # fmt: skip

ERASED = "erased"
"""The channel on which a commit tells that a person was erased, so that memory forgets them too."""

_REPORT = "erasures.report"

OF_EXCHANGE: Mapping[str, str] = {
    "jobs": "DELETE FROM jobs WHERE exchange_id = ?",
    "routed_names": (
        "DELETE FROM routed_names WHERE mediator_id IN (SELECT connection_id FROM mediators WHERE exchange_id = ?)"
    ),
    "mediators": "DELETE FROM mediators WHERE exchange_id = ?",
    "receipts": "DELETE FROM receipts WHERE exchange_id = ?",
    "record_links": "DELETE FROM record_links WHERE exchange_id = ?",
    "verifications": "DELETE FROM verifications WHERE exchange_id = ?",
    "held_credentials": "UPDATE held_credentials SET exchange_id = NULL WHERE exchange_id = ?",
    "issued_credentials": "UPDATE issued_credentials SET exchange_id = NULL WHERE exchange_id = ?",
}
"""Each table that refers to exchanges, or to one that does -> what becomes of its rows when one is erased, in order."""

OF_CONNECTION: Mapping[str, str] = {
    "mediated_messages": "DELETE FROM mediated_messages WHERE connection_id = ?",
    "mediated_recipients": "DELETE FROM mediated_recipients WHERE connection_id = ?",
    "mediation_clients": "DELETE FROM mediation_clients WHERE connection_id = ?",
    "routed_names": "DELETE FROM routed_names WHERE mediator_id = ?",
    "mediators": "DELETE FROM mediators WHERE connection_id = ?",
    "outbox": "DELETE FROM outbox WHERE connection_id = ?",
    "attached_messages": "DELETE FROM attached_messages WHERE connection_id = ?",
    "former_names": "DELETE FROM former_names WHERE connection_id = ?",
    "issued_credentials": "UPDATE issued_credentials SET connection_id = NULL WHERE connection_id = ?",
    "cohort_askers": "DELETE FROM cohort_askers WHERE connection_id = ?",
    "exchanges": "DELETE FROM exchanges WHERE connection_id = ?",
}
"""Likewise each table that refers to connections."""

_PAGE = 500
_FINISHED = (
    "SELECT e.id FROM exchanges AS e WHERE e.state IN ('done', 'abandoned') AND e.waiting_for IS NULL "
    "AND e.updated < ? "
    # What a record came by stays as long as the record, and what made a connection as long as that.
    "AND NOT EXISTS (SELECT 1 FROM held_credentials AS h WHERE h.exchange_id = e.id) "
    "AND NOT EXISTS (SELECT 1 FROM issued_credentials AS i WHERE i.exchange_id = e.id) "
    "AND NOT EXISTS (SELECT 1 FROM mediators AS m WHERE m.exchange_id = e.id) "
    # A person may want to see for ever what was shown to whom.
    "AND NOT EXISTS (SELECT 1 FROM receipts AS r WHERE r.exchange_id = e.id) "
    "AND NOT EXISTS (SELECT 1 FROM connections AS c WHERE c.id = e.connection_id AND c.thid = e.thid) "
    "LIMIT ?"
)


Naming = Callable[[bytes], bool]
"""Whether a content names who is meant."""


@dataclass(frozen=True, slots=True)
class Erased:
    """One thing that was erased: what it was, its id, and the SHA-256 of its content (hex; empty where it had none)."""

    what: str
    id: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A place in a status list that stays as it is, because verifiers rely on it."""

    list_id: str
    index: int
    purpose: str
    value: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was erased, as a signed JWT."""

    id: str
    at: datetime
    report: str


async def forget_finished(tx: Transaction, before: datetime, limit: int) -> int:
    """Erase up to ``limit`` exchanges that were over before a time; how many that were."""
    rows = await tx.all(_FINISHED, (to_micros(before), limit))
    for row in rows:
        await _erase_exchange(tx, row["id"])
    return len(rows)


async def forget_invitations(tx: Transaction, before: datetime) -> int:
    """Erase invitations of this node that were over before a time, with what goes with them; how many that were."""
    values = (to_micros(before), to_micros(before))
    await tx.execute(
        "DELETE FROM attached_messages WHERE invitation_id IN "
        "(SELECT id FROM invitations WHERE expires < ? OR (state <> 'open' AND created < ?))",
        values,
    )
    return await tx.execute("DELETE FROM invitations WHERE expires < ? OR (state <> 'open' AND created < ?)", values)


async def erase_exchange(tx: Transaction, row: ExchangeRow) -> list[Erased]:
    """Erase an exchange, what was verified in it, and what of it waits to be sent."""
    found = await tx.all("SELECT id FROM verifications WHERE exchange_id = ?", (row.id,))
    await tx.execute("DELETE FROM outbox WHERE connection_id = ? AND thid = ?", (row.connection_id, row.thid))
    await _erase_exchange(tx, row.id)
    return [
        Erased("exchange", row.id, _digest(row.data)),
        *(Erased("verification", one["id"]) for one in found),
    ]


async def erase_issued(tx: Transaction, record: IssuedCredential) -> tuple[list[Erased], list[Kept]]:
    """Erase an issued record; its places in status lists stay taken, and as they are set."""
    kept = []
    for ref in record.statuses:
        entry = await status_lists.get_entry(tx, ref.list_id, ref.index)
        kept.append(Kept(ref.list_id, ref.index, ref.purpose, entry.value))
        # The reason was for the issuer's own eyes, and is about the person.
        await tx.execute(
            "UPDATE status_entries SET reason = NULL WHERE list_id = ? AND idx = ?", (ref.list_id, ref.index)
        )
    await tx.execute("DELETE FROM issued_statuses WHERE issued_id = ?", (record.id,))
    await tx.execute("DELETE FROM issued_credentials WHERE id = ?", (record.id,))
    return [Erased("issued_record", record.id, _digest(record.document))], kept


async def erase_held(tx: Transaction, record: HeldCredential) -> list[Erased]:
    """Erase a held record, and what shows it by a link."""
    erased = [one for share_id in await shares.of_record(tx, record.id) for one in await erase_share(tx, share_id)]
    await credentials.delete_held(tx, record.id)
    return [*erased, Erased("held_record", record.id, _digest(record.document))]


async def erase_share(tx: Transaction, share_id: str) -> list[Erased]:
    """Erase what is shown by a link."""
    await shares.delete(tx, share_id)
    return [Erased("share", share_id)]


async def erase_resume(tx: Transaction, resume_id: str) -> list[Erased]:
    """Erase a résumé."""
    await resumes.delete(tx, resume_id)
    return [Erased("resume", resume_id)]


async def erase_app(tx: Transaction, client: apps.Client) -> list[Erased]:
    """Erase an app with all that it was granted."""
    await apps.remove_client(tx, client.id)
    return [Erased("app", client.id, _digest(to_json(client.details).encode()))]


async def erase_wallet(tx: Transaction, wallet_id: str) -> list[Erased]:
    """Erase a wallet of others that is connected; it is not told."""
    await wallets.remove(tx, wallet_id)
    return [Erased("wallet", wallet_id)]


async def erase_own_profile(tx: Transaction) -> list[Erased]:
    """Erase the profile that apps read."""
    document = await own_profile.find(tx)
    await own_profile.remove(tx)
    return [] if document is None else [Erased("profile", "owner", _digest(document))]


async def erase_invitation(tx: Transaction, invitation_id: str) -> list[Erased]:
    """Erase an invitation of this node, or of a peer what waits of it, with what goes with it."""
    found, kept = await invitations.find(tx, invitation_id), await attached.find(tx, invitation_id)
    content = (found.message if found else b"") + (kept.content if kept else b"")
    await attached.remove(tx, invitation_id)
    await tx.execute("DELETE FROM invitations WHERE id = ?", (invitation_id,))
    return [Erased("invitation", invitation_id, _digest(content))] if content else []


async def erase_connection(tx: Transaction, connection: Connection) -> list[Erased]:
    """Erase a connection and every exchange on it; records that came over it stay, without saying from whom."""
    erased: list[Erased] = []
    async for row in _each_exchange(tx, Filter(connection_id=connection.id)):
        erased += await erase_exchange(tx, row)
    for sql in OF_CONNECTION.values():
        await tx.execute(sql, (connection.id,))
    # What the peer came in by was made for it, an offer in it included; one for many was not.
    invitation = await invitations.find(tx, connection.invitation_id) if connection.invitation_id else None
    if invitation is not None and not invitation.multi_use:
        erased += await erase_invitation(tx, invitation.id)
    did = connection.their_did
    for sender in (connection.their_verkey, did and peer4.shortest(did)):
        await tx.execute("DELETE FROM inbox WHERE sender_verkey = ?", (sender,))
    await tx.execute("DELETE FROM connections WHERE id = ?", (connection.id,))
    return [*erased, Erased("connection", connection.id)]


# Whom it is about ---------------------------------------------------------------------------------------------------


async def issued_naming(tx: Transaction, names: Naming) -> list[str]:
    """The ids of issued records whose document names who is meant."""
    found: list[str] = []
    after = None
    while page := await credentials.list_issued(tx, after=after, limit=_PAGE):
        found += [r.id for r in page if names(r.document) or names((r.subject or "").encode())]
        after = page[-1].id
    return found


async def held_naming(tx: Transaction, names: Naming) -> list[str]:
    """The ids of held records whose document names who is meant."""
    found: list[str] = []
    after = None
    while page := await credentials.list_held(tx, after=after, limit=_PAGE):
        found += [r.id for r in page if names(r.document) or names((r.subject or "").encode())]
        after = page[-1].id
    return found


async def exchanges_naming(tx: Transaction, names: Naming) -> list[str]:
    """The ids of exchanges in which who is meant is named."""
    return [row.id async for row in _each_exchange(tx, Filter()) if names(row.data)]


async def is_in_own_profile(tx: Transaction, names: Naming) -> bool:
    """Whether the profile that apps read names who is meant."""
    return names(await own_profile.find(tx) or b"")


async def invitations_naming(tx: Transaction, names: Naming) -> list[str]:
    """The ids of invitations that name who is meant, in themselves or in what goes with them."""
    found: list[str] = []
    after = None
    while page := await invitations.page(tx, after=after, limit=_PAGE):
        found += [one.id for one in page if names(one.message)]
        after = page[-1].id
    last = ""
    while going_along := await attached.page(tx, after=last, limit=_PAGE):
        found += [one.invitation_id for one in going_along if names(one.content)]
        last = going_along[-1].invitation_id
    return found


# Reports ------------------------------------------------------------------------------------------------------------


async def add_report(tx: Transaction, report: Report) -> None:
    """Keep a report, and tell on :data:`ERASED`."""
    tx.notify(ERASED)
    await tx.execute(
        "INSERT INTO erasures (id, at, report) VALUES (?, ?, ?)",
        (report.id, to_micros(report.at), tx.sealing.seal(_REPORT, report.id, report.report)),
    )


async def get_report(tx: Transaction, report_id: str) -> Report:
    """A report.

    Raises:
        WrongState: ``erasure.unknown``.
    """
    row = await tx.one("SELECT * FROM erasures WHERE id = ?", (report_id,))
    if row is None:
        raise unknown("erasure")
    return _report(tx, row)


async def page_of_reports(tx: Transaction, *, after: str | None = None, limit: int = 100) -> list[Report]:
    """Reports, the newest first; ``after`` is the id of the last one of the page before."""
    query = Query("SELECT * FROM erasures").newest_first("erasures", "at", after, bounded(limit))
    return [_report(tx, row) for row in await tx.all(*query)]


def _report(tx: Transaction, row: Row) -> Report:
    return Report(row["id"], from_micros(row["at"]), tx.sealing.open(_REPORT, row["id"], row["report"]).decode())


async def _erase_exchange(tx: Transaction, exchange_id: str) -> None:
    for sql in OF_EXCHANGE.values():
        await tx.execute(sql, (exchange_id,))
    await tx.execute("DELETE FROM exchanges WHERE id = ?", (exchange_id,))


async def _each_exchange(tx: Transaction, which: Filter) -> AsyncIterator[ExchangeRow]:
    # All ids first: rows may be erased while this goes on, and a page begins after a row that has to be there.
    ids: list[str] = []
    after = None
    while page := await exchanges.page(tx, which, after=after, limit=_PAGE):
        ids += [row.id for row in page]
        after = page[-1].id
    for exchange_id in ids:
        yield await exchanges.get(tx, exchange_id)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
