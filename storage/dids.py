"""The DIDs that this node speaks as, and which of its keys stand in their documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from protocols.did.peer4 import shortest
from protocols.keys import KEY_KINDS, PublicKey
from protocols.multiformats import Multicodec, b58_decode
from storage.engine import Row, Transaction
from storage.errors import already_stored, unknown
from storage.query import Query
from storage.values import from_micros, to_micros

__all__ = [
    "DidPurpose", "DidState", "KeyState", "OwnDid", "OwnKey", "add", "add_key", "choose", "default", "end_key", "find",
    "get", "page", "replace_key", "set_state",
]  # fmt: skip

_SELECT = (
    "SELECT d.did, d.long_form, d.method, d.purpose, d.state, d.created, "
    "k.fragment, k.verkey, k.state AS key_state, k.changed, keys.kind FROM dids d "
    "JOIN did_keys k ON k.did = d.did JOIN keys ON keys.verkey = k.verkey"
)
_BY_AGE = "ORDER BY d.created, d.did, k.position"


class DidPurpose(StrEnum):
    """What a DID is used for; one DID has one purpose, so that peers cannot link what should stay apart."""

    ISSUER = "issuer"
    HOLDER = "holder"
    CONNECTION = "connection"
    INVITATION = "invitation"


class DidState(StrEnum):
    """Whether a DID is still offered for new things."""

    ACTIVE = "active"
    RETIRED = "retired"


class KeyState(StrEnum):
    """What a key of a DID is still good for."""

    ACTIVE = "active"
    """It signs."""
    RETIRED = "retired"
    """It signs no more; what it signed verifies."""
    WITHDRAWN = "withdrawn"
    """Others may have it: nothing that it signed verifies any more."""


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key in the document of a DID of this node.

    Attributes:
        fragment: of its verification method, without ``#``.
        verkey: the public key in raw base58; the key must be stored too.
        codec: what kind of key it is.
        changed: when it left the state ``ACTIVE``, or went from one of the others to the other.
    """

    fragment: str
    verkey: str
    codec: Multicodec = Multicodec.ED25519_PUB
    state: KeyState = KeyState.ACTIVE
    changed: datetime | None = None

    @property
    def public(self) -> PublicKey:
        """The public key."""
        return PublicKey(self.codec, b58_decode(self.verkey))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDid:
    """A DID of this node.

    Attributes:
        did: as it is first told to a peer; for did:peer:4 the long form.
        short_form: the form that did:peer:4 uses afterwards; None for other methods.
        method: e.g. ``"web"``, ``"key"``, ``"peer:4"``.
        keys: those that sign, at least one; the first signs where no kind of key is asked for.
        former_keys: those that sign no more.
    """

    did: str
    short_form: str | None = None
    method: str
    purpose: DidPurpose
    keys: tuple[OwnKey, ...]
    former_keys: tuple[OwnKey, ...] = ()
    state: DidState = DidState.ACTIVE
    created: datetime


async def add(tx: Transaction, did: OwnDid) -> None:
    """Keep a DID.

    Raises:
        WrongState: ``did.exists``.
    """
    inserted = await tx.execute(
        "INSERT INTO dids (did, long_form, method, purpose, state, is_chosen, created) VALUES (?, ?, ?, ?, ?, 0, ?) "
        "ON CONFLICT DO NOTHING",
        (
            shortest(did.did),
            did.did if did.short_form else None,
            did.method,
            did.purpose.value,
            did.state.value,
            to_micros(did.created),
        ),
    )
    if not inserted:
        raise already_stored("did")
    for key in did.keys:
        await add_key(tx, did.did, key)


async def add_key(tx: Transaction, did: str, key: OwnKey) -> None:
    """Note a key as the last one of a DID's document; its fragment is not there yet."""
    await tx.execute(
        "INSERT INTO did_keys (did, position, fragment, verkey) VALUES "
        "(?, (SELECT COUNT(*) FROM did_keys WHERE did = ?), ?, ?)",
        (shortest(did), shortest(did), key.fragment, key.verkey),
    )


async def replace_key(tx: Transaction, did: str, old: OwnKey, new: OwnKey) -> None:
    """Put ``new`` in the place of ``old``, which stands behind the others afterwards; its state stays."""
    did = shortest(did)
    place = await tx.one("SELECT position FROM did_keys WHERE did = ? AND fragment = ?", (did, old.fragment))
    if place is None:
        raise unknown("key")
    await tx.execute(
        "UPDATE did_keys SET position = (SELECT COUNT(*) FROM did_keys WHERE did = ?) WHERE did = ? AND fragment = ?",
        (did, did, old.fragment),
    )
    await tx.execute(
        "INSERT INTO did_keys (did, position, fragment, verkey) VALUES (?, ?, ?, ?)",
        (did, place["position"], new.fragment, new.verkey),
    )


async def end_key(tx: Transaction, did: str, fragment: str, state: KeyState, now: datetime) -> None:
    """Let a key sign no more.

    Raises:
        WrongState: ``key.unknown``.
    """
    if not await tx.execute(
        "UPDATE did_keys SET state = ?, changed = ? WHERE did = ? AND fragment = ?",
        (state.value, to_micros(now), shortest(did), fragment),
    ):
        raise unknown("key")


async def get(tx: Transaction, did: str) -> OwnDid:
    """A DID by its long or short form.

    Raises:
        WrongState: ``did.unknown``.
    """
    found = await find(tx, did)
    if found is None:
        raise unknown("did")
    return found


async def find(tx: Transaction, did: str) -> OwnDid | None:
    """As :func:`get`, or None."""
    query = Query(_SELECT).equal("d.did", shortest(did))
    found = next(_from_rows(await tx.all(*query.end(_BY_AGE))), None)
    return found if found is not None and did in (found.did, found.short_form) else None


async def page(
    tx: Transaction,
    *,
    purpose: DidPurpose | None = None,
    state: DidState | None = None,
    since: datetime | None = None,
) -> list[OwnDid]:
    """The DIDs with this purpose and state, and not made before ``since``, the oldest first."""
    query = Query(_SELECT).equal("d.purpose", purpose).equal("d.state", state)
    if since is not None:
        query.where("d.created >= ?", to_micros(since))
    return list(_from_rows(await tx.all(*query.end(_BY_AGE))))


async def default(tx: Transaction, purpose: DidPurpose) -> OwnDid | None:
    """The DID to use where none is named: the chosen one, else the oldest active one.

    So it does not change by itself.
    """
    row = await tx.one(
        "SELECT did FROM dids WHERE purpose = ? AND state = ? ORDER BY is_chosen DESC, created, did LIMIT 1",
        (purpose.value, DidState.ACTIVE.value),
    )
    return None if row is None else await find(tx, row["did"])


async def choose(tx: Transaction, did: OwnDid) -> None:
    """Make ``did`` the default of its purpose, instead of the one that was it before.

    Raises:
        WrongState: ``did.unknown``.
    """
    await tx.execute("UPDATE dids SET is_chosen = 0 WHERE purpose = ? AND is_chosen = 1", (did.purpose.value,))
    if not await tx.execute("UPDATE dids SET is_chosen = 1 WHERE did = ?", (shortest(did.did),)):
        raise unknown("did")


async def set_state(tx: Transaction, did: str, state: DidState) -> None:
    """Retire a DID, or take it up again.

    Raises:
        WrongState: ``did.unknown``.
    """
    if not await tx.execute("UPDATE dids SET state = ? WHERE did = ?", (state.value, shortest(did))):
        raise unknown("did")


def _from_rows(rows: Iterable[Row]) -> Iterator[OwnDid]:
    for did, group in groupby(rows, key=lambda row: row["did"]):
        of_did = list(group)
        first = of_did[0]
        every = tuple(_key_of(row) for row in of_did)
        yield OwnDid(
            did=first["long_form"] or did,
            short_form=None if first["long_form"] is None else did,
            method=first["method"],
            purpose=DidPurpose(first["purpose"]),
            keys=tuple(key for key in every if key.state is KeyState.ACTIVE),
            former_keys=tuple(key for key in every if key.state is not KeyState.ACTIVE),
            state=DidState(first["state"]),
            created=from_micros(first["created"]),
        )


def _key_of(row: Row) -> OwnKey:
    return OwnKey(
        row["fragment"],
        row["verkey"],
        KEY_KINDS[row["kind"]],
        KeyState(row["key_state"]),
        None if row["changed"] is None else from_micros(row["changed"]),
    )
