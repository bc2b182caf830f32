"""Fetches what peers attach by links, before their message is read: a job, outside of any unit of work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from node.net.guarded_http import GuardedHttp
from node.runtime.jobs import LAST_ATTEMPT, Jobs
from protocols.didcomm import codec
from protocols.didcomm.linked import Linked, embedded
from protocols.didcomm.linked import linked as links_of
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import LernodeError, NotNow, PeerFault
from storage import connections
from storage.connections import Connection
from storage.engine import Transaction
from storage.jobs import Job

__all__ = ["LinkedContent", "Reader"]

_JOB = "fetch-attachments"


class Reader(Protocol):
    """Whose messages are fetched for."""

    def formats_of(self, plain: PlainMessage) -> frozenset[str]:
        """The content formats that are read of such a message."""

    async def begin(self, tx: Transaction, connection: Connection, plain: PlainMessage) -> None:
        """Take the message, with what it links to in it."""

    async def give_up(self, tx: Transaction, connection: Connection, plain: PlainMessage, error: LernodeError) -> None:
        """What it links to cannot be had; tell the peer."""


class LinkedContent:
    """Fetches attachments for a reader.

    Args:
        max_bytes: of all content of one message together.
    """

    def __init__(self, jobs: Jobs, http: GuardedHttp, max_bytes: int, reader: Reader) -> None:
        self._jobs = jobs
        self._http = http
        self._max_bytes = max_bytes
        self._reader = reader
        jobs.register(_JOB, self._fetch)

    async def plan(self, tx: Transaction, connection: Connection, plain: PlainMessage) -> bool:
        """Fetch what the message links to, and let the reader take it then; whether it links to anything.

        Raises:
            PeerFault: ``attachment.malformed``, ``attachment.no_digest``.
        """
        if not links_of(plain, self._reader.formats_of(plain)):
            return False
        payload = {"connection": connection.id, "wire": plain.wire.value, "message": codec.encode_object(plain)}
        await self._jobs.plan(tx, _JOB, None, subject=f"{connection.id} {plain.id}", payload=payload)
        return True

    async def _fetch(self, job: Job) -> Callable[[Transaction], Awaitable[None]]:
        plain = codec.CODECS[Wire(job.payload["wire"])].decode_object(job.payload["message"])
        take: Callable[[Transaction, Connection], Awaitable[None]]
        try:
            take = partial(self._take, embedded(plain, await self._contents(plain)))
        except LernodeError as error:
            if isinstance(error, NotNow) and job.attempts < LAST_ATTEMPT:
                raise
            take = partial(self._give_up, plain, error)

        async def commit(tx: Transaction) -> None:
            await take(tx, await connections.get(tx, job.payload["connection"]))

        return commit

    async def _contents(self, plain: PlainMessage) -> dict[Linked, bytes]:
        left, contents = self._max_bytes, {}
        for place in links_of(plain, self._reader.formats_of(plain)):
            contents[place] = await self._content(place, left)
            left -= len(contents[place])
        return contents

    async def _content(self, place: Linked, max_bytes: int) -> bytes:
        """From the first of its links that gives it."""
        failed: LernodeError | None = None
        for link in place.links:
            try:
                response = await self._http.get(link, max_bytes=max_bytes, accept="*/*")
            except LernodeError as error:
                failed = error
                continue
            if response.status == 200:
                return response.body
            failed = PeerFault("attachment.not_there", "Nothing is behind the link of an attachment.", "Send it again.")
        raise failed or PeerFault("attachment.malformed", "An attachment has no links.", "See Aries RFC 0017.")

    async def _take(self, plain: PlainMessage, tx: Transaction, connection: Connection) -> None:
        if connection.state == connections.ENDED:
            return
        try:
            await self._reader.begin(tx, connection, plain)
        except PeerFault as error:
            await self._reader.give_up(tx, connection, plain, error)

    async def _give_up(self, plain: PlainMessage, error: LernodeError, tx: Transaction, connection: Connection) -> None:
        await self._reader.give_up(tx, connection, plain, error)
