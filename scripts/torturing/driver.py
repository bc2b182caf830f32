"""The people at the nodes: they offer, revoke, suspend, reinstate and ask, and remember what they were told.

What a node answered must hold for ever. Where the answer was cut off it may have been done or not, and nobody does it
again: so the number of exchanges in the end is known within bounds, and each one that was answered by name.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from protocols.status.bitstring import Bitstring
from scripts.torturing.nodes import Node, Refused, Unsure
from scripts.torturing.plan import Act, Action

__all__ = ["Driver", "Told"]

_ACHIEVEMENTS = ("weld-101", "code-110", "data-120")
_SKILL = "51-4121.00"
_MOST_IN_FLIGHT = 6
_LOOK_EVERY_SECONDS = 0.1
_PATIENCE_SECONDS = 12.0
_PATIENCE_HEALED_SECONDS = 60.0
_CHANGES = {Act.REVOKE: "revoke", Act.SUSPEND: "suspend", Act.REINSTATE: "reinstate"}


@dataclass(slots=True)
class Told:
    """What a node has answered, and what was asked for without an answer.

    Attributes:
        exchanges: ids of exchanges that were begun, by what begins them.
        revoked: ids of records.
        unsure: how often an answer was cut off, by what was asked for.
        refused: codes of what was refused, and how often.
        unpublished: records whose revocation was answered and was not in the list that was served then.
    """

    exchanges: dict[Act, list[str]] = field(default_factory=lambda: {Act.OFFER: [], Act.REQUEST: []})
    revoked: list[str] = field(default_factory=list)
    changes: int = 0
    unsure: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    unpublished: list[str] = field(default_factory=list)


class Driver:
    """Has the college do what the plan says, several things at a time."""

    def __init__(self, college: Node, connection: str, actions: Iterator[Action]) -> None:
        self.told = Told()
        self._college = college
        self._connection = connection
        self._actions = actions
        self._patience = _PATIENCE_SECONDS

    async def go_on(self) -> None:
        """Do what is next, again and again, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_MOST_IN_FLIGHT):
                group.create_task(self._one_after_another())

    async def do_one_of_each(self) -> None:
        """Do everything once more; each is answered, for nothing is broken any more."""
        self._patience = _PATIENCE_HEALED_SECONDS
        for act in (Act.OFFER, Act.SUSPEND, Act.REINSTATE, Act.REQUEST, Act.REVOKE):
            await self._do(Action(act, 0, 0.0, 0.0))

    async def _one_after_another(self) -> None:
        for action in self._actions:
            await asyncio.sleep(action.pause)
            await self._college.ready.wait()
            await self._do(action)

    async def _do(self, action: Action) -> None:
        try:
            if action.act is Act.OFFER:
                names = [_ACHIEVEMENTS[int(action.which * 3) % 3], *_ACHIEVEMENTS[: action.also]]
                also = [{"achievement": name} for name in names[1:]]
                await self._begin(action.act, "credentials/offers", {"achievement": names[0], "also": also})
            elif action.act is Act.REQUEST:
                await self._begin(action.act, "presentations/requests", {"skills": [_SKILL]})
            elif (record := await self._chosen(action.which)) is not None:
                await self._change(action.act, record)
        except Unsure:
            self.told.unsure[action.act.value] += 1
        except Refused as refused:
            self.told.refused[refused.code] += 1
            if refused.status >= 500:
                # Such as a commit whose answer got lost between node and database.
                self.told.unsure[action.act.value] += 1

    async def _begin(self, act: Act, path: str, body: dict[str, Any]) -> None:
        begun = await self._college.call("POST", f"/admin/{path}", {"connection": self._connection, **body})
        self.told.exchanges[act].append(begun["id"])
        # The next comes when this is over, or when it takes long.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await self._over(begun["id"])

    async def _over(self, exchange_id: str) -> dict[str, Any]:
        while True:
            with suppress(Unsure, Refused):
                exchange: dict[str, Any] = await self._college.call("GET", f"/admin/exchanges/{exchange_id}")
                if exchange["state"] in {"done", "abandoned"}:
                    return exchange
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def _chosen(self, which: float) -> str | None:
        """One of the records that were issued last, or None where there is none yet."""
        issued = (await self._college.call("GET", "/admin/issued"))["items"]
        return str(issued[min(int(which * len(issued)), len(issued) - 1)]["id"]) if issued else None

    async def _change(self, act: Act, record: str) -> None:
        await self._college.call("POST", f"/admin/issued/{record}/status", {"action": _CHANGES[act]})
        self.told.changes += 1
        if act is Act.REVOKE:
            self.told.revoked.append(record)
            await self._look_whether_published(record)

    async def _look_whether_published(self, record: str) -> None:
        """A revocation that was answered stands in the list that is served from then on."""
        while True:
            with suppress(Unsure, Refused):
                document = (await self._college.call("GET", f"/admin/issued/{record}"))["document"]
                entry = next(e for e in document["credentialStatus"] if e["statusPurpose"] == "revocation")
                served = await self._college.status_list(entry["statusListCredential"].rsplit("/", 1)[1])
                if served is not None:
                    said = Bitstring.decode(json.loads(served)["credentialSubject"]["encodedList"])
                    if not said.get(int(entry["statusListIndex"])):
                        self.told.unpublished.append(record)
                    return
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
