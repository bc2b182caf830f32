"""The issuer's status lists: who has which index, and what its value is.

One shape serves W3C Bitstring Status Lists and, for the purpose :data:`STATUS_LIST`, IETF Token Status Lists.

Promises: an index is random, belongs to one credential for ever, and asking again for the same exchange and purpose
gives the same one, also after a crash. Random indices in lists at most half full tell an observer nothing about when
or for whom a record was issued (Bitstring Status List 1.0 §2.1). What the values of a list mean never changes, for the
records in it were signed with it. A list counts its changes: a published document that does not contain the latest
change leaves the list dirty.

It leaves to others: the values as a compressed, signed document (``protocols/status``), and when to publish.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from protocols.errors import BadInput, NotNow
from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query, placeholders
from storage.values import from_json, from_micros, to_json, to_micros

__all__ = [
    "MIN_SIZE_BITS",
    "STATUS_LIST",
    "Allocation",
    "Entry",
    "PublishedList",
    "StatusList",
    "Terms",
    "allocate",
    "allocate_all",
    "dirty",
    "get",
    "get_entry",
    "get_published",
    "is_signed_after",
    "oldest_signed",
    "page",
    "publish",
    "set_value",
    "touch",
    "touch_signed_after",
    "values",
]

_REASON = "status_entries.reason"

MIN_SIZE_BITS = 131_072
"""The least size that the specification allows, 16 KiB uncompressed: smaller lists single people out."""

STATUS_LIST = "status_list"
"""The purpose of an IETF Token Status List, by the name of its mechanism: one value says all that is to be said."""

_MAX_DRAWS = 256
_NEARLY_FULL = 1024
"""Places left in a list, from which on processes take turns: far more than are given at the same time."""

_PURPOSES = ("revocation", "suspension", "refresh", "message", STATUS_LIST)
# By purpose, so that an index finds them.
_SIGNED_AFTER = f"purpose IN ({placeholders(len(_PURPOSES))}) AND published_at > ?"
_OLDEST = " UNION ALL ".join(
    f"SELECT '{purpose}' AS purpose, MIN(published_at) AS at FROM status_lists WHERE purpose = '{purpose}'"  # noqa: S608
    for purpose in _PURPOSES
)
# Without the document, which can be large and is read only to be served.
_SELECT = (
    "SELECT id, purpose, issuer, value_bits, messages, reference_urls, size_bits, allocated, created, version, "
    "published_version, published_at FROM status_lists"
)


@dataclass(frozen=True, slots=True)
class Allocation:
    """The place of a credential's status."""

    list_id: str
    index: int


@dataclass(frozen=True, slots=True)
class Terms:
    """Whose statuses stand in a list, what for, and what they mean: the same for every record in it, for ever.

    Attributes:
        purpose: ``revocation``, ``suspension``, ``refresh``, ``message``, or :data:`STATUS_LIST`.
        value_bits: the size of a value, 1 to 8 bits.
        messages: what each value means, where that is said; as many as there are values.
        references: URLs of documents about the statuses.
        issuer: the DID that issued the records, and so has to sign the list.
    """

    purpose: str
    value_bits: int = 1
    messages: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    issuer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusList:
    """A list.

    Attributes:
        size_bits: how many indices it has.
        allocated: how many of them are given out.
        version: counts changes, from 1.
        published_version: the version last published; 0 where none was.
    """

    id: str
    terms: Terms
    size_bits: int
    allocated: int
    created: datetime
    version: int
    published_version: int
    published_at: datetime | None

    @property
    def dirty(self) -> bool:
        """Whether the published document lacks a change."""
        return self.published_version < self.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One index of a list.

    Attributes:
        value: 0 where nothing is set.
        reason: why it was last changed, for the issuer's own eyes.
    """

    list_id: str
    index: int
    purpose: str
    exchange_id: str
    value: int
    changed_at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedList:
    """A list as others fetch it."""

    purpose: str
    document: bytes
    etag: str
    published_at: datetime
    version: int

    @property
    def media_type(self) -> str:
        """As which it is served."""
        return "application/statuslist+jwt" if self.purpose == STATUS_LIST else "application/vc"


async def allocate(
    tx: Transaction,
    *,
    terms: Terms,
    exchange_id: str,
    entropy: Callable[[int], bytes],
    now: datetime,
    size_bits: int = MIN_SIZE_BITS,
) -> Allocation:
    """The index of an exchange's credential for a purpose, as :func:`allocate_all`."""
    (found,) = await allocate_all(
        tx, terms=terms, exchange_ids=(exchange_id,), entropy=entropy, now=now, size_bits=size_bits
    )
    return found


async def allocate_all(
    tx: Transaction,
    *,
    terms: Terms,
    exchange_ids: Sequence[str],
    entropy: Callable[[int], bytes],
    now: datetime,
    size_bits: int = MIN_SIZE_BITS,
) -> list[Allocation]:
    """The indices of exchanges' credentials for a purpose, in order; given out now where they were not before.

    Args:
        terms: of the list; one that was begun under others is not given further records.
        exchange_ids: the exchanges, or any names that each stand for one credential; no two alike, at most 1000.
        entropy: gives so many unpredictable bytes.
        size_bits: how many indices a list has that has to be begun, a power of two.

    Raises:
        BadInput: ``status.purpose_unknown``, ``status.size_unusable``.
        NotNow: ``status.no_index`` where the entropy repeats itself and never hits a free index.
    """
    if terms.purpose not in _PURPOSES:
        raise BadInput(
            "status.purpose_unknown", "This purpose has no status lists.", f"Use one of: {', '.join(_PURPOSES)}."
        )
    found = await _allocated(tx, terms.purpose, exchange_ids)
    waiting = [name for name in exchange_ids if name not in found]
    while waiting:
        target, room, is_locked = await _with_room(tx, terms, size_bits, entropy, now)
        names = waiting[:room]
        places = await _draw(tx, target, len(names), entropy)
        inserted = await tx.execute_many(
            "INSERT INTO status_entries (list_id, idx, purpose, exchange_id, value, changed_at) "
            "VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING",
            [
                (target.id, index, terms.purpose, name, to_micros(now))
                for name, index in zip(names, places, strict=True)
            ],
        )
        if inserted == len(names):
            found |= {name: Allocation(target.id, index) for name, index in zip(names, places, strict=True)}
        else:  # another process took one of the places, or gave an exchange its own, since they were looked at
            found |= await _allocated(tx, terms.purpose, names)
        if is_locked:
            await _count(tx, [(target.id, inserted)])
        else:
            tx.before_end(_count, (target.id, inserted))
        waiting = [name for name in waiting if name not in found]
    return [found[name] for name in exchange_ids]


async def _with_room(
    tx: Transaction,
    terms: Terms,
    size_bits: int,
    entropy: Callable[[int], bytes],
    now: datetime,
) -> tuple[StatusList, int, bool]:
    """A list under these terms that is not half full, how many more indices it may give, and whether it is locked."""
    target = await _newest(tx, terms)
    if target is not None and _room(target) >= _NEARLY_FULL:
        return target, _room(target) - _NEARLY_FULL + 1, False
    # Only here do processes wait for each other: who is to begin the next list, and who gets the last places.
    await tx.lock(f"status lists for {terms.purpose}")
    target = await _newest(tx, terms)
    if target is None or _room(target) <= 0:
        target = await _begin(tx, terms, size_bits, entropy, now)
    return target, max(1, _room(target)), True


def _room(target: StatusList) -> int:
    return target.size_bits // 2 - target.allocated


async def _count(tx: Transaction, given: list[tuple[str, int]]) -> None:
    """Add to the lists' counters; late, for everybody who issues changes the same row."""
    sums: dict[str, int] = {}
    for list_id, count in given:
        sums[list_id] = sums.get(list_id, 0) + count
    await tx.execute_many(
        "UPDATE status_lists SET allocated = allocated + ? WHERE id = ?",
        [(count, list_id) for list_id, count in sorted(sums.items())],
    )


async def _allocated(tx: Transaction, purpose: str, exchange_ids: Sequence[str]) -> dict[str, Allocation]:
    query = Query("SELECT exchange_id, list_id, idx FROM status_entries").equal("purpose", purpose)
    query.where(f"exchange_id IN ({placeholders(len(exchange_ids))})", *exchange_ids)
    return {row["exchange_id"]: Allocation(row["list_id"], row["idx"]) for row in await tx.all(*query.end())}


async def _draw(tx: Transaction, target: StatusList, count: int, entropy: Callable[[int], bytes]) -> list[int]:
    """So many free indices, each equally likely, in the order drawn: sorted, they would tell who stood before whom."""
    drawn: dict[int, None] = {}
    for _ in range(_MAX_DRAWS):
        # The size is a power of two, so cutting off high bits keeps every index equally likely.
        fresh = [int.from_bytes(entropy(8), "big") % target.size_bits for _ in range(count - len(drawn))]
        query = Query("SELECT idx FROM status_entries").equal("list_id", target.id)
        query.where(f"idx IN ({placeholders(len(fresh))})", *fresh)
        taken = {row["idx"] for row in await tx.all(*query.end())}
        drawn |= dict.fromkeys(index for index in fresh if index not in taken)
        if len(drawn) == count:
            return list(drawn)
    raise NotNow("status.no_index", "No free status index was found.", "Check the source of randomness.")


async def set_value(tx: Transaction, list_id: str, index: int, value: int, reason: str | None, now: datetime) -> bool:
    """Let a status have a value; whether that changed it. A change makes the list dirty.

    Raises:
        WrongState: ``status_entry.unknown`` for an index that was never given out.
    """
    changed = await tx.execute(
        "UPDATE status_entries SET value = ?, changed_at = ?, reason = ? WHERE list_id = ? AND idx = ? AND value <> ?",
        (value, to_micros(now), tx.sealing.seal(_REASON, f"{list_id}/{index}", reason), list_id, index, value),
    )
    if changed:
        await tx.execute("UPDATE status_lists SET version = version + 1 WHERE id = ?", (list_id,))
        return True
    await get_entry(tx, list_id, index)
    return False


async def get_entry(tx: Transaction, list_id: str, index: int) -> Entry:
    """What is known of an index.

    Raises:
        WrongState: ``status_entry.unknown``.
    """
    row = await tx.one("SELECT * FROM status_entries WHERE list_id = ? AND idx = ?", (list_id, index))
    if row is None:
        raise unknown("status entry")
    return Entry(
        list_id=row["list_id"],
        index=row["idx"],
        purpose=row["purpose"],
        exchange_id=row["exchange_id"],
        value=row["value"],
        changed_at=from_micros(row["changed_at"]),
        reason=tx.sealing.open_text(_REASON, f"{list_id}/{index}", row["reason"]),
    )


async def values(tx: Transaction, list_id: str) -> dict[int, int]:
    """What is set: index to value, in rising order; every other index is 0."""
    rows = await tx.all(
        "SELECT idx, value FROM status_entries WHERE list_id = ? AND value <> 0 ORDER BY idx", (list_id,)
    )
    return {row["idx"]: row["value"] for row in rows}


async def get(tx: Transaction, list_id: str) -> StatusList:
    """A list.

    Raises:
        WrongState: ``status_list.unknown``.
    """
    row = await tx.one(*Query(_SELECT).equal("id", list_id).end())
    if row is None:
        raise unknown("status list")
    return _from_row(row)


async def page(tx: Transaction, *, after: str | None = None, limit: int = 100) -> list[StatusList]:
    """The lists, the newest first; ``after`` is the id of the last one of the page before."""
    rows = await tx.all(*Query(_SELECT).newest_first("status_lists", "created", after, limit))
    return [_from_row(row) for row in rows]


async def touch(tx: Transaction, issuer: str) -> None:
    """Make every list of an issuer dirty, though it says the same."""
    await tx.execute("UPDATE status_lists SET version = version + 1 WHERE issuer = ?", (issuer,))


async def dirty(tx: Transaction, *, limit: int = 100) -> list[StatusList]:
    """The lists whose latest version is not published yet."""
    query = Query(_SELECT).where("published_version < version")
    return [_from_row(row) for row in await tx.all(*query.newest_first("status_lists", "created", None, limit))]


async def is_signed_after(tx: Transaction, moment: datetime) -> bool:
    """Whether a published document says that it was signed later than ``moment``."""
    row = await tx.one(f"SELECT 1 FROM status_lists WHERE {_SIGNED_AFTER} LIMIT 1", (*_PURPOSES, to_micros(moment)))  # noqa: S608
    return row is not None


async def touch_signed_after(tx: Transaction, moment: datetime) -> int:
    """Make every list dirty whose published document was signed later than ``moment``; how many there are."""
    return await tx.execute(
        f"UPDATE status_lists SET version = version + 1 WHERE {_SIGNED_AFTER}",  # noqa: S608
        (*_PURPOSES, to_micros(moment)),
    )


async def oldest_signed(tx: Transaction) -> dict[str, datetime]:
    """When the list of each purpose that was signed longest ago was signed."""
    rows = await tx.all(_OLDEST)
    return {row["purpose"]: from_micros(row["at"]) for row in rows if row["at"] is not None}


async def publish(tx: Transaction, list_id: str, document: bytes, etag: str, now: datetime, *, version: int) -> bool:
    """Keep a signed document as the published one; whether it was taken.

    Args:
        version: the list's version when the bits in the document were read. A document older than the published
            one is not taken; one that lacks a later change is, and leaves the list dirty.

    Raises:
        WrongState: ``status_list.unknown``.
    """
    taken = await tx.execute(
        "UPDATE status_lists SET document = ?, etag = ?, published_at = ?, published_version = ? "
        "WHERE id = ? AND published_version <= ? AND version >= ?",
        (document, etag, to_micros(now), version, list_id, version, version),
    )
    if not taken:
        await get(tx, list_id)
    return taken == 1


async def get_published(tx: Transaction, list_id: str) -> PublishedList | None:
    """The published document, or None where the list is unknown or was not published yet."""
    row = await tx.one(
        "SELECT purpose, document, etag, published_at, published_version FROM status_lists "
        "WHERE id = ? AND published_version > 0",
        (list_id,),
    )
    if row is None:
        return None
    return PublishedList(
        purpose=row["purpose"],
        document=row["document"],
        etag=row["etag"],
        published_at=from_micros(row["published_at"]),
        version=row["published_version"],
    )


async def _newest(tx: Transaction, terms: Terms) -> StatusList | None:
    """The newest list under these terms."""
    query = Query(_SELECT).equal("purpose", terms.purpose).equal("value_bits", terms.value_bits)
    query.equal("issuer", terms.issuer).equal("messages", to_json(terms.messages)).equal(
        "reference_urls", to_json(terms.references)
    )
    rows = await tx.all(*query.newest_first("status_lists", "created", None, 1))
    return _from_row(rows[0]) if rows else None


async def _begin(
    tx: Transaction, terms: Terms, size_bits: int, entropy: Callable[[int], bytes], now: datetime
) -> StatusList:
    if size_bits < 8 or size_bits & (size_bits - 1):
        raise BadInput("status.size_unusable", "A status list's size is a power of two from 8.", "Use 131072.")
    # The id stands in a public address; a counter would tell how many records were issued.
    list_id = entropy(16).hex()
    await tx.execute(
        "INSERT INTO status_lists (id, purpose, issuer, value_bits, messages, reference_urls, size_bits, allocated, "
        "created, version, published_version) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, 1, 0)",
        (
            list_id,
            terms.purpose,
            terms.issuer,
            terms.value_bits,
            to_json(terms.messages),
            to_json(terms.references),
            size_bits,
            to_micros(now),
        ),
    )
    return await get(tx, list_id)


def _from_row(row: Row) -> StatusList:
    return StatusList(
        id=row["id"],
        terms=Terms(
            purpose=row["purpose"],
            value_bits=row["value_bits"],
            messages=tuple(from_json(row["messages"])),
            references=tuple(from_json(row["reference_urls"])),
            issuer=row["issuer"],
        ),
        size_bits=row["size_bits"],
        allocated=row["allocated"],
        created=from_micros(row["created"]),
        version=row["version"],
        published_version=row["published_version"],
        published_at=from_micros(row["published_at"]),
    )
