"""The audit trail's head, signed daily by the node's key, and the check of trail, heads and signatures.

A signed head is a JWT (RFC 7519) of type ``lernode-audit-head+jwt``: ``iss`` is the DID that signs, ``seq`` the number
of the last entry, ``head`` its hash in hex, ``iat`` when. Every one is kept in the store and appended to a file, one a
line, which is to be copied to where nobody who can write the store can write too.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from node.roles.identity import Identity
from node.runtime.hardware import perform
from node.runtime.wakeup import Worker
from node.runtime.world import World
from protocols.errors import LernodeError
from protocols.jose.jwt import is_typ, read_jwt, sign_jwt
from storage import audit, audit_heads, dids
from storage.audit_heads import SignedHead
from storage.dids import DidPurpose
from storage.engine import Store, Transaction

__all__ = ["HEADS_FILE", "BadHead", "Trail", "TrailReport"]

_log = logging.getLogger("lernode.trail")
HEADS_FILE = "audit-heads.txt"
_TYPE = "lernode-audit-head+jwt"
_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BadHead:
    """A signed head that the trail does not bear out.

    Attributes:
        seq: the entry that it names; None where it cannot be read.
    """

    seq: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class TrailReport:
    """How far the trail holds.

    Attributes:
        entries: so many good ones from the start.
        broken_at: the number of the first bad one, or None.
        head: the hash of the last entry.
        heads: how many signed heads were checked.
        bad_heads: those that do not hold.
    """

    entries: int
    broken_at: int | None
    head: bytes
    heads: int
    bad_heads: tuple[BadHead, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.broken_at is None and not self.bad_heads


class Trail:
    """Signs the head of the audit trail every day, and checks trail and heads."""

    def __init__(self, *, store: Store, identity: Identity, world: World, file: Path) -> None:
        self._store = store
        self._identity = identity
        self._world = world
        self._file = file
        self._worker = Worker("trail", world.clock, self._daily)

    def start(self) -> None:
        """Begin to sign in the background."""
        self._worker.start()

    async def stop(self) -> None:
        """Stop."""
        await self._worker.stop()

    async def sign(self) -> SignedHead | None:
        """Sign the head as it is now, keep it, and append it to the file; None where there is no entry or no DID."""
        async with self._store.write() as tx:
            return await self._sign(tx)

    async def verify(self, given: Sequence[str] = ()) -> TrailReport:
        """Compute every hash anew, and hold the heads in the store against it, and those that were kept elsewhere.

        Args:
            given: signed heads, as they stand in the file.
        """
        async with self._store.read() as tx:
            await tx.take_time()
            chain = await audit.verify_chain(tx)
            _, last = await audit.head(tx)
            count, bad = 0, []
            async for statement in _all(tx, given):
                count += 1
                problem = await self._problem(tx, statement, chain.entries)
                if problem is not None:
                    bad.append(problem)
        return TrailReport(chain.entries, chain.broken_at, last, count, tuple(bad))

    async def _daily(self) -> datetime | None:
        now = self._world.clock()
        async with self._store.read() as tx:
            is_due, signed = await _due(tx, now)
        if is_due:
            async with self._store.write() as tx:
                await tx.lock("audit head")
                if (await _due(tx, now))[0]:  # no other process was quicker
                    await self._sign(tx)
        due = now if signed is None else signed.at + _EVERY
        return due if now < due < now + _EVERY else now + _EVERY

    async def _sign(self, tx: Transaction) -> SignedHead | None:
        seq, digest = await audit.head(tx)
        own = await dids.default(tx, DidPurpose.ISSUER) or await dids.default(tx, DidPurpose.HOLDER)
        if not seq or own is None:
            return None
        now = self._world.clock()
        claims = {"iss": own.did, "seq": seq, "head": digest.hex(), "iat": int(now.timestamp())}
        signer = await self._identity.signer(tx, own)
        head = SignedHead(seq, now, await perform(signer, partial(sign_jwt, claims, signer, typ=_TYPE)))
        await audit_heads.add(tx, head)
        # With those that the file has missed while it could not be written.
        text = "".join([f"{each.statement}\n" async for each in _later(tx, self._last_written(before=seq))])
        tx.after_commit(lambda: self._append(text.encode("ascii")))
        return head

    def _last_written(self, *, before: int) -> int:
        """The number of the last head in the file; of a file that was taken away, to be kept, the one before."""
        try:
            lines = self._file.read_text(encoding="ascii").split()
            return int(read_jwt(lines[-1]).claims["seq"])
        except (OSError, LernodeError, LookupError, ValueError, TypeError):
            return before - 1

    def _append(self, text: bytes) -> None:
        try:
            descriptor = os.open(self._file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                size = os.fstat(descriptor).st_size
                if file.write(text) < len(text):
                    os.ftruncate(descriptor, size)  # no half of a line
                    raise OSError(errno.ENOSPC, "no room")
        except OSError:
            _log.warning("%s cannot be written; what it misses is in the store, and is added with the next", HEADS_FILE)

    async def _problem(self, tx: Transaction, statement: str, entries: int) -> BadHead | None:
        """Why a signed head does not hold, or None."""
        try:
            jwt = read_jwt(statement)
            seq, digest, issuer = jwt.claims["seq"], bytes.fromhex(jwt.claims["head"]), jwt.claims["iss"]
        except (LernodeError, LookupError, ValueError, TypeError):
            return BadHead(None, "It is not a signed head.")
        if not isinstance(seq, int) or not isinstance(issuer, str) or not is_typ(jwt.jws.typ, _TYPE):
            return BadHead(None, "It is not a signed head.")
        own = await dids.find(tx, issuer)
        keys = {f"{issuer}#{key.fragment}": key.public for key in (*own.keys, *own.former_keys)} if own else {}
        key = keys.get(jwt.jws.kid or "")
        if key is None or jwt.jws.codec is not key.codec or not jwt.jws.holds_under(key):
            return BadHead(seq, "No key of this node signed it.")
        if seq > entries:
            return BadHead(
                seq, f"The trail ends at entry {entries}: its end was cut off, or the chain is broken before."
            )
        if await audit_heads.hash_at(tx, seq) != digest:
            return BadHead(seq, "The trail was written anew: this entry had another hash when it was signed.")
        return None


async def _due(tx: Transaction, now: datetime) -> tuple[bool, SignedHead | None]:
    """Whether the head is to be signed, and the last one that was; a time far to come is of a clock that was ahead."""
    signed, (seq, _) = await audit_heads.latest(tx), await audit.head(tx)
    return signed is None or (abs(now - signed.at) >= _EVERY and seq > signed.seq), signed


async def _all(tx: Transaction, given: Sequence[str]) -> AsyncIterator[str]:
    for statement in given:
        yield statement
    async for head in _later(tx, 0):
        yield head.statement


async def _later(tx: Transaction, after: int) -> AsyncIterator[SignedHead]:
    while page := await audit_heads.page(tx, after=after):
        for head in page:
            yield head
        after = page[-1].seq
