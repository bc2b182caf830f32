"""Two nodes of lernode, college and learner, with a connection; and the whole way of a record between them.

An exchange is over when the college's store says so, and what came of it stands there too. It is read beside the node,
so that watching costs the nodes nothing, and all that is watched for in one query.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import msgspec

from node.config import STORE_FILE
from node.http import schemas as s
from scripts.benchmark.processes import NodeProcess

__all__ = ["Pair", "by_id"]

_ACHIEVEMENT = "weld-101"
_ANY_RECORD = "https://www.w3.org/2018/credentials#VerifiableCredential"
_DEADLINE_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.001
_AT_ONCE = nullcontext()


class Pair:
    """Two nodes in processes of their own, made anew in a folder."""

    name = "lernode"

    def __init__(
        self,
        folder: Path,
        port: int,
        ask: Callable[[str], dict[str, Any]],
        *,
        data_model: Literal["2.0", "1.1"] = "2.0",
        settings: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """
        Args:
            port: the first of two.
            ask: what the college asks for, given the id of the record that it issued last: ``skills`` or
                ``definition`` of a request.
            data_model: that the records are written in.
            settings: more of the configuration of both.
        """
        self._college = NodeProcess(folder / "college", port, issuer=True, settings=settings)
        self._learner = NodeProcess(folder / "learner", port + 1, settings=settings)
        self._ask = ask
        self._data_model = data_model
        self._connection = ""
        self._watcher: _Watcher | None = None

    async def start(self) -> None:
        """Make both, start them, and connect them."""
        both = (self._college, self._learner)
        await asyncio.gather(*(node.make() for node in both))
        await asyncio.gather(*(node.start() for node in both))
        self._watcher = _Watcher(self._college.home / STORE_FILE)
        invitation = await self._college.api.post("/admin/invitations", s.InvitationView, s.NewInvitation())
        await self._learner.api.post(
            "/admin/connections", s.ConnectionView, s.AcceptInvitation(invitation=invitation.url)
        )
        async with asyncio.timeout(_DEADLINE_SECONDS):
            while not self._connection:
                page = await self._college.api.get("/admin/connections", s.Page[s.ConnectionView])
                self._connection = next((item.id for item in page.items if item.state == "completed"), "")
                await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def stop(self) -> None:
        """Stop both."""
        if self._watcher is not None:
            await self._watcher.stop()
        await asyncio.gather(self._college.stop(), self._learner.stop())

    async def exchange(self, turn: AbstractAsyncContextManager[object] = _AT_ONCE) -> None:
        """One whole exchange.

        Args:
            turn: held while the college is told to offer, and to ask.

        Raises:
            RuntimeError: it did not end well.
        """
        record = await self._issue(turn)
        query = s.NewRequest(connection=self._connection, purpose="To measure.", **self._ask(record))
        async with turn:
            asked = await self._college.api.post("/admin/presentations/requests", s.ExchangeView, query)
        if not (await self._done(asked.id)).verified(asked.id):
            raise RuntimeError("A presentation did not verify.")

    async def record(self) -> dict[str, Any]:
        """What is issued, as an example."""
        await self._issue()
        held = (await self._learner.api.get("/admin/records", s.Page[s.HeldView])).items[0]
        document: dict[str, Any] = msgspec.json.decode(
            (await self._learner.api.get(f"/admin/records/{held.id}", s.HeldDetail)).document
        )
        return document

    async def _issue(self, turn: AbstractAsyncContextManager[object] = _AT_ONCE) -> str:
        offer = s.AwardOverConnection(
            connection=self._connection, achievement=_ACHIEVEMENT, data_model=self._data_model
        )
        async with turn:
            offered = await self._college.api.post("/admin/credentials/offers", s.OfferView, offer)
        await self._done(offered.id)
        return offered.credential_ids[0]

    async def _done(self, exchange_id: str) -> _Watcher:
        if self._watcher is None:
            raise RuntimeError("The nodes do not run.")
        async with asyncio.timeout(_DEADLINE_SECONDS):
            state = await self._watcher.over(exchange_id)
        if state != "done":
            raise RuntimeError("An exchange was abandoned.")
        return self._watcher


def by_id(record: str) -> dict[str, Any]:
    """A request for the very record; ACA-Py insists on ``schema``, which version 1 of Presentation Exchange had."""
    field = {"path": ["$.id"], "filter": {"type": "string", "const": record}}
    return {
        "id": str(uuid4()),
        "format": {"ldp_vp": {"proof_type": ["Ed25519Signature2020"]}},
        "input_descriptors": [{"id": "record", "schema": [{"uri": _ANY_RECORD}], "constraints": {"fields": [field]}}],
    }


class _Watcher:
    """Tells when exchanges are over, by looking into a store."""

    def __init__(self, store: Path) -> None:
        self._rows = sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._task = asyncio.create_task(self._look())

    async def over(self, exchange_id: str) -> str:
        """The state in which an exchange ended."""
        waiting = self._waiting.setdefault(exchange_id, asyncio.get_running_loop().create_future())
        try:
            return await waiting
        finally:
            self._waiting.pop(exchange_id, None)

    def verified(self, exchange_id: str) -> bool:
        """Whether what was presented in an exchange verified."""
        query = "SELECT verified FROM verifications WHERE exchange_id = ? ORDER BY at DESC"
        row = self._rows.execute(query, (exchange_id,)).fetchone()
        return row is not None and bool(row[0])

    async def stop(self) -> None:
        """Stop looking."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._rows.close()

    async def _look(self) -> None:
        seen: object = None
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            ids = list(self._waiting)
            # It tells whether anything was committed since, for a small part of what a query takes.
            now = (self._rows.execute("PRAGMA data_version").fetchone()[0], ids)
            if now == seen:
                continue
            seen = now
            over = "SELECT id, state FROM exchanges WHERE state IN ('done', 'abandoned') AND id IN"
            for found, state in self._rows.execute(f"{over} ({','.join('?' * len(ids))})", ids):
                if not self._waiting[found].done():
                    self._waiting[found].set_result(state)
