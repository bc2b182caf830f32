"""The records: those that this node holds about somebody, and those that it issued.

Promises: each record of an exchange is stored or issued once, however often the steps are repeated; a document
is kept byte for byte as it was received or signed. What is listed beside a document (name, skills, times) was
read from it when it was stored, and serves to find it. Both are sealed: a search for words opens what it looks at, the
newest first, so that the store has no index of words that would tell what records say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from protocols import strict_json
from protocols.errors import WrongState
from storage import record_skills
from storage.engine import Row, Transaction
from storage.errors import already_stored, unknown
from storage.query import MAX_PAGE, Query, bounded, check_needle, placeholders
from storage.record_skills import Reached
from storage.record_terms import IssuedState, Skill
from storage.skill_awards import AwardedBy
from storage.values import fold, from_micros, to_micros

__all__ = [
    "HELD_REMOVED",
    "HeldCredential",
    "IssuedCredential",
    "IssuedState",
    "Skill",
    "StatusRef",
    "add_held",
    "add_issued",
    "delete_held",
    "delete_issued",
    "find_held",
    "find_held_by_prefix",
    "find_held_from",
    "find_held_replacing",
    "find_held_same",
    "find_issued",
    "find_issued_by_prefix",
    "get_held",
    "get_issued",
    "get_issued_all",
    "held_about",
    "held_in",
    "held_of_exchange",
    "held_with_id",
    "issued_of_exchange",
    "list_held",
    "list_issued",
    "set_held_issuer",
    "set_held_state",
    "set_held_unverified",
    "set_issued_state",
]

HELD_REMOVED = "held-removed"
"""The channel on which the store tells that a held record is gone."""

_MAX_WORDS = 8
_NOTHING_REACHED: Mapping[Skill, Sequence[Reached]] = {}
_HELD_DOCUMENT, _HELD_DETAILS = "held_credentials.document", "held_credentials.details"
_HELD_ID = "held_credentials.credential_id"
_ISSUED_DOCUMENT, _ISSUED_DETAILS = "issued_credentials.document", "issued_credentials.details"
_ISSUED_ID, _SUBJECT = "issued_credentials.credential_id", "issued_credentials.subject"
_ACHIEVEMENT = "issued_credentials.achievement_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCredential:
    """A record that this node holds.

    Attributes:
        exchange_id: the exchange that brought it; None where it came from a file.
        position: among the records of that exchange.
        document: exactly as received.
        credential_id: the document's own ``id``, which it need not have.
        state: what the issuer's status lists said when they were looked at last.
        state_at: when that was; None before the first time.
        unverified: the code of the check that it did not pass when it was taken in from a file or link, where its
            holder wanted it all the same.
    """

    id: str
    exchange_id: str | None
    document: bytes
    credential_id: str | None
    issuer: str
    subject: str | None
    types: tuple[str, ...]
    name: str
    valid_from: datetime | None
    valid_until: datetime | None
    stored_at: datetime
    skills: tuple[Skill, ...] = ()
    state: IssuedState = IssuedState.ACTIVE
    state_at: datetime | None = None
    position: int = 0
    unverified: str | None = None

    @property
    def is_own_statement(self) -> bool:
        """Whether the one whom it is about has issued it, so that nobody else vouches for it."""
        return self.issuer == self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRef:
    """The index that a record has in a status list, for a purpose."""

    purpose: str
    list_id: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCredential:
    """A record that this node issued.

    Attributes:
        document: exactly as signed.
        statuses: its places in status lists; they must be allocated before.
        position: among the records of its exchange.
        request_digest: of the request that it answers, where the same request is to give the same record.
    """

    id: str
    exchange_id: str | None
    connection_id: str | None
    document: bytes
    credential_id: str
    subject: str | None
    achievement_id: str | None
    issued_at: datetime
    state: IssuedState = IssuedState.ACTIVE
    statuses: tuple[StatusRef, ...] = ()
    request_digest: str | None = None
    position: int = 0


async def add_held(
    tx: Transaction,
    record: HeldCredential,
    *,
    reached: Mapping[Skill, Sequence[Reached]] = _NOTHING_REACHED,
    award: AwardedBy | None = None,
) -> None:
    """Keep a record that was received, and note its skills with what was reached in them, and who awards what.

    Raises:
        WrongState: ``record.exists`` where its id is taken or its exchange stored one in its place already.
    """
    inserted = await tx.execute(
        "INSERT INTO held_credentials (id, exchange_id, position, document, details, credential_key, stored_at, state, "
        "state_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            record.id,
            record.exchange_id,
            record.position,
            tx.sealing.seal(_HELD_DOCUMENT, record.id, record.document),
            tx.sealing.seal_json(_HELD_DETAILS, record.id, _held_details(record)),
            tx.sealing.blind(_HELD_ID, _name_of(record)),
            to_micros(record.stored_at),
            record.state.value,
            to_micros(record.state_at),
        ),
    )
    if not inserted:
        raise already_stored("record")
    award = award or AwardedBy(issuer=record.issuer, subject=record.subject)
    await record_skills.add(tx, record, reached, award)


async def get_held(tx: Transaction, record_id: str) -> HeldCredential:
    """A held record.

    Raises:
        WrongState: ``record.unknown``.
    """
    row = await tx.one("SELECT * FROM held_credentials WHERE id = ?", (record_id,))
    if row is None:
        raise unknown("record")
    return held_in(tx, row)


async def held_of_exchange(tx: Transaction, exchange_id: str) -> list[HeldCredential]:
    """The records that an exchange brought, in their order."""
    rows = await tx.all("SELECT * FROM held_credentials WHERE exchange_id = ? ORDER BY position", (exchange_id,))
    return [held_in(tx, row) for row in rows]


async def find_held(tx: Transaction, credential_id: str) -> HeldCredential | None:
    """The newest held record with this ``id`` of its document, or None."""
    query = Query("SELECT * FROM held_credentials")
    query.equal("credential_key", tx.sealing.blind(_HELD_ID, credential_id))
    row = await tx.one(*query.newest_first("held_credentials", "stored_at", None, 1))
    return None if row is None else held_in(tx, row)


async def held_with_id(tx: Transaction, credential_id: str) -> list[HeldCredential]:
    """The held records with this ``id`` of their document, the newest first."""
    query = Query("SELECT * FROM held_credentials")
    query.equal("credential_key", tx.sealing.blind(_HELD_ID, credential_id))
    return [
        held_in(tx, row) for row in await tx.all(*query.newest_first("held_credentials", "stored_at", None, MAX_PAGE))
    ]


async def find_held_same(tx: Transaction, record: HeldCredential) -> HeldCredential | None:
    """The held record whose document is that of ``record``, or None."""
    query = Query("SELECT * FROM held_credentials")
    query.equal("credential_key", tx.sealing.blind(_HELD_ID, _name_of(record)))
    rows = await tx.all(*query.newest_first("held_credentials", "stored_at", None, MAX_PAGE))
    return next((found for row in rows if (found := held_in(tx, row)).document == record.document), None)


async def find_held_from(
    tx: Transaction, connection_id: str, *, thid: str | None = None, credential_id: str | None = None
) -> HeldCredential | None:
    """The newest held record that came from this peer, in this thread or with this ``id`` of its document, or None."""
    query = Query("SELECT h.* FROM held_credentials h JOIN exchanges e ON e.id = h.exchange_id")
    query.where("e.connection_id = ?", connection_id).equal("e.thid", thid)
    query.equal("h.credential_key", tx.sealing.blind(_HELD_ID, credential_id))
    row = await tx.one(*query.end("ORDER BY h.stored_at DESC, h.id DESC LIMIT 1"))
    return None if row is None else held_in(tx, row)


async def held_about(tx: Transaction, subject: str) -> list[HeldCredential]:
    """The held records with this subject, the newest first, such as endorsements of a record by its ``id``."""
    found, after = list[HeldCredential](), None
    while page := await list_held(tx, after=after, limit=MAX_PAGE):
        found += [record for record in page if record.subject == subject]
        after = page[-1].id
    return found


async def find_held_replacing(
    tx: Transaction, record: HeldCredential, replaced: Callable[[dict[str, Any]], str | None]
) -> str | None:
    """The ``id`` of a held record of the same issuer that replaces this one, as ``replaced`` reads it."""
    if record.credential_id is None:
        return None
    needle, after = record.credential_id.encode(), None
    while page := await list_held(tx, after=after, limit=MAX_PAGE):
        for other in page:
            if other.issuer == record.issuer and needle in other.document and other.id != record.id:
                said = strict_json.loads(other.document) if other.document.startswith(b"{") else None
                if isinstance(said, dict) and replaced(said) == record.credential_id:
                    return other.credential_id
        after = page[-1].id
    return None


async def set_held_state(tx: Transaction, record_id: str, state: IssuedState, at: datetime) -> None:
    """Note what the issuer's status lists said of a held record.

    Raises:
        WrongState: ``record.unknown``.
    """
    changed = await tx.execute(
        "UPDATE held_credentials SET state = ?, state_at = ? WHERE id = ?", (state.value, to_micros(at), record_id)
    )
    if not changed:
        raise unknown("record")


async def set_held_unverified(tx: Transaction, record: HeldCredential, code: str | None) -> HeldCredential:
    """Note which check a held record does not pass now, or that it passes them all.

    Raises:
        WrongState: ``record.unknown``.
    """
    record = replace(record, unverified=code)
    details = tx.sealing.seal_json(_HELD_DETAILS, record.id, _held_details(record))
    if not await tx.execute("UPDATE held_credentials SET details = ? WHERE id = ?", (details, record.id)):
        raise unknown("record")
    return record


async def set_held_issuer(
    tx: Transaction, record: HeldCredential, *, reached: Mapping[Skill, Sequence[Reached]], award: AwardedBy
) -> None:
    """Note whose a held record is, and with it who awards its skills.

    Raises:
        WrongState: ``record.unknown``.
    """
    details = tx.sealing.seal_json(_HELD_DETAILS, record.id, _held_details(record))
    if not await tx.execute("UPDATE held_credentials SET details = ? WHERE id = ?", (details, record.id)):
        raise unknown("record")
    await record_skills.remove(tx, record.id)
    await record_skills.add(tx, record, reached, award)


async def delete_held(tx: Transaction, record_id: str) -> None:
    """Forget a held record.

    Raises:
        WrongState: ``record.unknown``.
    """
    await record_skills.remove(tx, record_id)
    if not await tx.execute("DELETE FROM held_credentials WHERE id = ?", (record_id,)):
        raise unknown("record")
    tx.notify(HELD_REMOVED)


async def find_held_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[HeldCredential]:
    """The held records whose id starts so, in the order of their ids."""
    query = Query("SELECT * FROM held_credentials").id_starting_with(prefix, limit)
    return [held_in(tx, row) for row in await tx.all(*query)]


async def list_held(
    tx: Transaction, *, text: str | None = None, skill: str | None = None, after: str | None = None, limit: int = 100
) -> list[HeldCredential]:
    """Held records, the newest first; ``after`` is the id of the last one of the page before.

    Args:
        text: words that must all stand in its name, issuer, types or skills, letter case aside.
        skill: the code or URL of a skill, or a part of its name.

    Raises:
        BadInput: ``store.search_too_long``.
    """
    wanted = _Search.of(text, skill)
    count, found = bounded(limit), list[HeldCredential]()
    while True:
        query = Query("SELECT * FROM held_credentials")
        rows = await tx.all(*query.newest_first("held_credentials", "stored_at", after, MAX_PAGE if wanted else count))
        for row in rows:
            details = tx.sealing.open_json(_HELD_DETAILS, row["id"], row["details"])
            if wanted is None or wanted.fits(details):
                found.append(_held_from(tx, row, details))
            if len(found) == count:
                return found
        if wanted is None or len(rows) < MAX_PAGE:
            return found
        after = rows[-1]["id"]


async def add_issued(tx: Transaction, *records: IssuedCredential) -> None:
    """Keep records that this node signed.

    Raises:
        WrongState: ``issued_record.exists`` where an id or credential id is taken, or its exchange issued one in its
            place already.
    """
    inserted = await tx.execute_many(
        "INSERT INTO issued_credentials (id, exchange_id, position, connection_id, document, details, credential_key, "
        "subject_key, achievement_key, issued_at, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (
                record.id,
                record.exchange_id,
                record.position,
                record.connection_id,
                tx.sealing.seal(_ISSUED_DOCUMENT, record.id, record.document),
                tx.sealing.seal_json(_ISSUED_DETAILS, record.id, _issued_details(record)),
                tx.sealing.blind(_ISSUED_ID, record.credential_id),
                tx.sealing.blind(_SUBJECT, record.subject),
                tx.sealing.blind(_ACHIEVEMENT, record.achievement_id),
                to_micros(record.issued_at),
                record.state.value,
            )
            for record in records
        ],
    )
    if inserted != len(records):
        raise already_stored("issued record")
    await tx.execute_many(
        "INSERT INTO issued_statuses (issued_id, purpose, list_id, idx) VALUES (?, ?, ?, ?)",
        [(record.id, ref.purpose, ref.list_id, ref.index) for record in records for ref in record.statuses],
    )


async def get_issued(tx: Transaction, record_id: str) -> IssuedCredential:
    """An issued record.

    Raises:
        WrongState: ``issued_record.unknown``.
    """
    rows = await tx.all("SELECT * FROM issued_credentials WHERE id = ?", (record_id,))
    if not rows:
        raise unknown("issued record")
    return (await _with_statuses(tx, rows))[0]


async def get_issued_all(tx: Transaction, record_ids: Sequence[str]) -> dict[str, IssuedCredential]:
    """The issued records with these ids, by id; at most 1000. Ids without a record are left out."""
    query = Query("SELECT * FROM issued_credentials").where(f"id IN ({placeholders(len(record_ids))})", *record_ids)
    return {record.id: record for record in await _with_statuses(tx, await tx.all(*query.end()))}


async def issued_of_exchange(tx: Transaction, exchange_id: str) -> list[IssuedCredential]:
    """The records that an exchange issued, in their order."""
    rows = await tx.all("SELECT * FROM issued_credentials WHERE exchange_id = ? ORDER BY position", (exchange_id,))
    return await _with_statuses(tx, rows)


async def find_issued(tx: Transaction, credential_id: str) -> IssuedCredential | None:
    """The issued record with this ``id`` of its document, or None."""
    query = Query("SELECT * FROM issued_credentials")
    query.equal("credential_key", tx.sealing.blind(_ISSUED_ID, credential_id))
    found = await _with_statuses(tx, await tx.all(*query.end()))
    return found[0] if found else None


async def find_issued_by_prefix(tx: Transaction, prefix: str, *, limit: int = 10) -> list[IssuedCredential]:
    """The issued records whose id starts so, in the order of their ids."""
    query = Query("SELECT * FROM issued_credentials").id_starting_with(prefix, limit)
    return await _with_statuses(tx, await tx.all(*query))


async def list_issued(
    tx: Transaction,
    *,
    connection_id: str | None = None,
    achievement_id: str | None = None,
    subject: str | None = None,
    state: IssuedState | None = None,
    after: str | None = None,
    limit: int = 100,
) -> list[IssuedCredential]:
    """Issued records, the newest first; ``after`` is the id of the last one of the page before."""
    query = Query("SELECT * FROM issued_credentials").equal("connection_id", connection_id).equal("state", state)
    if state in {IssuedState.SUSPENDED, IssuedState.REVOKED}:
        query.where("state <> 'active'")  # as the index has it, which leaves out what nearly all records are
    query.equal("achievement_key", tx.sealing.blind(_ACHIEVEMENT, achievement_id))
    query.equal("subject_key", tx.sealing.blind(_SUBJECT, subject))
    return await _with_statuses(tx, await tx.all(*query.newest_first("issued_credentials", "issued_at", after, limit)))


async def delete_issued(tx: Transaction, record_id: str) -> None:
    """Forget an issued record; its places in status lists stay taken, and as they were set.

    Raises:
        WrongState: ``issued_record.unknown``; ``issued_record.of_batch`` where it belongs to a list of learners, which
            would issue it anew.
    """
    if await tx.one("SELECT 1 FROM batch_rows WHERE issued_id = ?", (record_id,)):
        raise WrongState(
            "issued_record.of_batch", "The record was issued from a list, which keeps it.", "Revoke it instead."
        )
    await tx.execute("DELETE FROM issued_statuses WHERE issued_id = ?", (record_id,))
    if not await tx.execute("DELETE FROM issued_credentials WHERE id = ?", (record_id,)):
        raise unknown("issued record")


async def set_issued_state(tx: Transaction, record_id: str, state: IssuedState) -> None:
    """Note what the issuer says of the record now.

    Raises:
        WrongState: ``issued_record.unknown``.
    """
    if not await tx.execute("UPDATE issued_credentials SET state = ? WHERE id = ?", (state.value, record_id)):
        raise unknown("issued record")


async def _with_statuses(tx: Transaction, rows: Sequence[Row]) -> list[IssuedCredential]:
    ids = [row["id"] for row in rows]
    query = Query("SELECT * FROM issued_statuses").where(f"issued_id IN ({placeholders(len(ids))})", *ids)
    statuses: dict[str, list[StatusRef]] = {record_id: [] for record_id in ids}
    for row in await tx.all(*query.end("ORDER BY issued_id, purpose")):
        status = StatusRef(purpose=row["purpose"], list_id=row["list_id"], index=row["idx"])
        statuses[row["issued_id"]].append(status)
    return [_issued(tx, row, tuple(statuses[row["id"]])) for row in rows]


@dataclass(frozen=True, slots=True)
class _Search:
    """What a held record must have: every word, and the skill."""

    words: tuple[str, ...]
    skill: str

    @classmethod
    def of(cls, text: str | None, skill: str | None) -> _Search | None:
        """None where everything is wanted."""
        words = (text or "").split()[:_MAX_WORDS]
        for needle in (*words, skill or ""):
            check_needle(needle)
        return cls(tuple(fold(word) for word in words), skill or "") if words or skill else None

    def fits(self, details: Mapping[str, Any]) -> bool:
        skills = details["skills"]
        if self.skill and not any(self._is(each) for each in skills):
            return False
        said = [details["name"], details["issuer"], *details["types"]]
        said += [part for each in skills for part in (each["name"], each["code"] or "")]
        folded = fold("\n".join(said))
        return all(word in folded for word in self.words)

    def _is(self, skill: Mapping[str, Any]) -> bool:
        wanted = fold(self.skill)
        return wanted == fold(skill["code"] or "") or self.skill == skill["url"] or wanted in fold(skill["name"])


def _name_of(record: HeldCredential) -> str:
    """What a held record is found by: the ``id`` of its document, or where that has none, its digest."""
    return record.credential_id or f"sha-256:{hashlib.sha256(record.document).hexdigest()}"


def _held_details(record: HeldCredential) -> dict[str, Any]:
    return {
        "credential_id": record.credential_id,
        "issuer": record.issuer,
        "subject": record.subject,
        "types": list(record.types),
        "name": record.name,
        "valid_from": to_micros(record.valid_from),
        "valid_until": to_micros(record.valid_until),
        "skills": [asdict(skill) for skill in record.skills],
        "unverified": record.unverified,
    }


def held_in(tx: Transaction, row: Row) -> HeldCredential:
    """The held record in a row of its table, opened."""
    return _held_from(tx, row, tx.sealing.open_json(_HELD_DETAILS, row["id"], row["details"]))


def _held_from(tx: Transaction, row: Row, details: Mapping[str, Any]) -> HeldCredential:
    return HeldCredential(
        id=row["id"],
        exchange_id=row["exchange_id"],
        document=tx.sealing.open(_HELD_DOCUMENT, row["id"], row["document"]),
        credential_id=details["credential_id"],
        issuer=details["issuer"],
        subject=details["subject"],
        types=tuple(details["types"]),
        name=details["name"],
        valid_from=from_micros(details["valid_from"]),
        valid_until=from_micros(details["valid_until"]),
        stored_at=from_micros(row["stored_at"]),
        skills=tuple(Skill(**skill) for skill in details["skills"]),
        state=IssuedState(row["state"]),
        state_at=from_micros(row["state_at"]),
        position=row["position"],
        unverified=details["unverified"],
    )


def _issued_details(record: IssuedCredential) -> dict[str, Any]:
    return {
        "credential_id": record.credential_id,
        "subject": record.subject,
        "achievement_id": record.achievement_id,
        "request_digest": record.request_digest,
    }


def _issued(tx: Transaction, row: Row, statuses: tuple[StatusRef, ...]) -> IssuedCredential:
    details = tx.sealing.open_json(_ISSUED_DETAILS, row["id"], row["details"])
    return IssuedCredential(
        id=row["id"],
        exchange_id=row["exchange_id"],
        connection_id=row["connection_id"],
        document=tx.sealing.open(_ISSUED_DOCUMENT, row["id"], row["document"]),
        credential_id=details["credential_id"],
        subject=details["subject"],
        achievement_id=details["achievement_id"],
        issued_at=from_micros(row["issued_at"]),
        state=IssuedState(row["state"]),
        statuses=statuses,
        request_digest=details["request_digest"],
        position=row["position"],
    )
