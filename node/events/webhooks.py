"""Webhooks at work: each event is delivered at least once, under the same id, in the order of its lane.

A delivery is planned with its event and taken out once the receiver answered 2xx, so neither a crash of the node nor
of the receiver loses one; a receiver that saw an id before ignores it. One lane of one webhook is in one request at a
time, whichever of the node's processes makes it, and a webhook has few requests open at once in each, so that a slow
receiver holds up nobody else.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from node.config import WebhooksConfig
from node.events.emit import event_of
from node.events.envelope import MEDIA_TYPE, cloud_event, personal_data
from node.events.signature import SECRET_BYTES, signed_headers
from node.events.types import WebhookTest, check_topics
from node.net.guarded_http import GuardedHttp, Response
from node.runtime.leases import Leases
from node.runtime.metrics import Metrics
from node.runtime.wakeup import Crew, Work
from node.runtime.world import World
from protocols import strict_json
from protocols.errors import LernodeError, WrongState
from storage import audit, events, webhooks
from storage.engine import Store, Transaction
from storage.events import Event
from storage.secrets import Vault
from storage.webhooks import EVERY_TOPIC, Due, Webhook, WebhookState

__all__ = ["ROTATION_OVERLAP", "Tried", "Webhooks"]

_log = logging.getLogger("lernode.webhooks")
_PARALLEL = 16
_MOST_JITTER = 1.25
_PARALLEL_EACH = 4
_GONE = 410
ROTATION_OVERLAP = timedelta(hours=24)
"""How long messages are signed with the old secret too after it was rotated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How one request to a webhook ended: the HTTP status, or the code of why there was none."""

    delivered: bool
    status: int | None
    code: str | None
    seconds: float


class Webhooks:
    """Keeps webhooks and delivers to them."""

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        http: GuardedHttp,
        world: World,
        settings: WebhooksConfig,
        include: Sequence[str],
        source: str,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._vault = vault
        self._http = http
        self._world = world
        self._settings = settings
        self._include = include
        self._source = source
        self._metrics = metrics
        self._leases = Leases(store, webhooks.CHANNEL, webhooks.release)
        self._crew = Crew("webhooks", world.clock, _PARALLEL, self._find)
        store.listen(webhooks.CHANNEL, self._crew.wake)

    def start(self) -> None:
        """Begin to deliver in the background."""
        self._crew.start()

    async def finish(self) -> None:
        """Begin nothing more, and wait for what is in hand."""
        await self._crew.finish()

    async def stop(self) -> None:
        """Stop; what was not confirmed is delivered again after the next start, or now by another process."""
        await self._crew.stop()
        await self._leases.give_back()

    # What an operator does --------------------------------------------------------------------------------------

    async def add(self, url: str, topics: Sequence[str] = ()) -> tuple[Webhook, bytes]:
        """Tell ``url`` of every event from now on, or of these topics; the webhook and its secret, given once.

        Raises:
            BadInput: ``net.*`` for a URL that the node may not reach, ``event.topic_unknown``.
            WrongState: ``webhook.too_many``.
        """
        self._http.check(url)
        check_topics(topics)
        webhook = Webhook(
            id=self._world.new_id(),
            url=url,
            topics=tuple(dict.fromkeys(topics)) or (EVERY_TOPIC,),
            created=self._world.clock(),
        )
        secret = self._world.entropy(SECRET_BYTES)
        async with self._store.write() as tx:
            if len(await webhooks.page(tx)) >= self._settings.max_webhooks:
                raise WrongState(
                    "webhook.too_many", "There are as many webhooks as may be.", "Remove one: lernode webhooks remove"
                )
            await webhooks.add(tx, self._vault, webhook, secret)
            await audit.append(tx, at=webhook.created, event="webhook.added", actor="operator", subjects=(webhook.id,))
            return await webhooks.get(tx, webhook.id), secret

    async def rotate(self, webhook_id: str) -> tuple[Webhook, bytes]:
        """Give a webhook a new secret; for a day messages are signed with the old one too.

        Raises:
            WrongState: ``webhook.unknown``.
        """
        secret, now = self._world.entropy(SECRET_BYTES), self._world.clock()
        async with self._store.write() as tx:
            await webhooks.rotate(tx, self._vault, webhook_id, secret, now, overlap=ROTATION_OVERLAP)
            await audit.append(tx, at=now, event="webhook.rotated", actor="operator", subjects=(webhook_id,))
            return await webhooks.get(tx, webhook_id), secret

    async def remove(self, webhook_id: str) -> None:
        """Forget a webhook, and what it was still to be told.

        Raises:
            WrongState: ``webhook.unknown``.
        """
        async with self._store.write() as tx:
            await webhooks.remove(tx, webhook_id)
            await audit.append(
                tx, at=self._world.clock(), event="webhook.removed", actor="operator", subjects=(webhook_id,)
            )

    async def resume(self, webhook_id: str) -> Webhook:
        """Go on with a webhook that was stopped, or try again now what waits for its next attempt.

        Raises:
            WrongState: ``webhook.unknown``.
        """
        async with self._store.write() as tx:
            now = self._world.clock()
            await webhooks.resume(tx, webhook_id, now)
            await audit.append(tx, at=now, event="webhook.resumed", actor="operator", subjects=(webhook_id,))
            tx.after_commit(self._crew.wake)
            return await webhooks.get(tx, webhook_id)

    async def replay(self, webhook_id: str, *, after: str | None = None) -> int:
        """Deliver again what was given up; with ``after``, the id or number of an event, all that follows it.

        Raises:
            WrongState: ``webhook.unknown``, ``event.unknown``.
        """
        async with self._store.write() as tx:
            seq = None if after is None else await _seq(tx, after)
            now = self._world.clock()
            again = await webhooks.replay(tx, webhook_id, now, after=seq)
            await audit.append(tx, at=now, event="webhook.replayed", actor="operator", subjects=(webhook_id,))
            tx.after_commit(self._crew.wake)
            return again

    async def test(self, webhook_id: str) -> Tried:
        """Send an event that tells of nothing, now and once.

        Raises:
            WrongState: ``webhook.unknown``.
        """
        async with self._store.read() as tx:
            webhook = await webhooks.get(tx, webhook_id)
            secrets = await webhooks.secrets_of(tx, self._vault, webhook_id, self._world.clock())
        event = event_of(self._world, WebhookTest(webhook_id=webhook_id))
        started = time.perf_counter()
        try:
            response = await self._post(webhook.url, event, self._body(event, {}), secrets)
        except LernodeError as error:
            return Tried(delivered=False, status=None, code=error.code, seconds=time.perf_counter() - started)
        taken = _is_taken(response)
        code = None if taken else f"webhook.http_{response.status}"
        return Tried(delivered=taken, status=response.status, code=code, seconds=time.perf_counter() - started)

    # Delivering -------------------------------------------------------------------------------------------------

    async def _find(self, busy: tuple[str, ...], room: int) -> tuple[dict[str, Work], datetime | None]:
        self._store.require_sound()
        found: dict[str, Work] = {}
        wakes: list[datetime] = []
        now = self._world.clock()
        async with self._store.write() if self._store.shared else self._store.read() as tx:
            for webhook in await webhooks.page(tx):
                lanes = [key.partition("/")[2] for key in busy if key.startswith(f"{webhook.id}/")]
                space = min(_PARALLEL_EACH - len(lanes), room - len(found))
                if webhook.state is not WebhookState.ACTIVE or space <= 0:
                    continue  # whoever finishes, or resumes it, rings the bell
                ready = await self._take(tx, webhook.id, now, space, lanes)
                found |= {one.key: partial(self._deliver_lane, webhook, one) for one in ready}
                taken = (*lanes, *(one.lane for one in ready))
                following = await webhooks.next_wake(tx, webhook.id, skip_lanes=taken)
                wakes += [following] if following else []
        wake = min(wakes, default=None)
        if self._store.shared and wake is not None and wake <= now:
            wake = now + self._lease  # what another process has in hand is looked at again when its lease is over
        return found, wake

    @property
    def _lease(self) -> timedelta:
        return timedelta(seconds=self._settings.lease_seconds)

    async def _take(
        self, tx: Transaction, webhook_id: str, now: datetime, limit: int, skip_lanes: Sequence[str]
    ) -> list[Due]:
        longest = timedelta(seconds=max(self._settings.max_retry_seconds * _MOST_JITTER, 60.0))
        if not self._store.shared:
            return await webhooks.due(tx, webhook_id, now, limit, skip_lanes=skip_lanes, longest=longest)
        claimed = await webhooks.claim(tx, webhook_id, now, self._lease, limit, skip_lanes=skip_lanes, longest=longest)
        self._leases.hold(tx, {due.key: due.lease for due in claimed})
        return claimed

    async def _deliver_lane(self, webhook: Webhook, due: Due) -> bool:
        """One delivery; whatever comes of it, there is room for another to the same webhook."""
        try:
            response = await self._deliver(webhook, due)
        except LernodeError as error:
            await self._failed(due, error.code, None)
            return True
        if response.status == _GONE:
            await self._stop(webhook, due)
        elif _is_taken(response):
            async with self._store.write() as tx:
                await webhooks.finish(tx, due, self._world.clock())
            self._leases.end(due.key)
            self._metrics.webhooks_delivered.inc()
        else:
            await self._failed(due, f"webhook.http_{response.status}", _retry_after(response))
        return True

    async def _deliver(self, webhook: Webhook, due: Due) -> Response:
        async with self._store.read() as tx:
            (event,) = await events.page(tx, after=due.seq - 1, limit=1)
            secrets = await webhooks.secrets_of(tx, self._vault, webhook.id, self._world.clock())
            personal = await personal_data(tx, event, self._include)
        return await self._post(webhook.url, event, self._body(event, personal), secrets)

    def _body(self, event: Event, personal: dict[str, object]) -> bytes:
        return strict_json.dumps(cloud_event(event, self._source, personal))

    async def _post(self, url: str, event: Event, body: bytes, secrets: Sequence[bytes]) -> Response:
        headers = signed_headers(event.id, self._world.clock(), body, secrets)
        return await self._http.post(url, body, MEDIA_TYPE, headers=headers)

    async def _failed(self, due: Due, code: str, retry_after: float | None) -> None:
        settings, attempts = self._settings, due.attempts + 1
        delay = min(settings.first_retry_seconds * 2 ** min(due.attempts, 30), settings.max_retry_seconds)
        delay *= random.uniform(2 - _MOST_JITTER, _MOST_JITTER)  # noqa: S311 - spreads load, protects nothing
        delay = max(delay, min(retry_after or 0, settings.max_retry_seconds))
        now = self._world.clock()
        async with self._store.write() as tx:
            if attempts >= settings.max_attempts:
                await webhooks.finish(tx, due, now, error_code=code)
            else:
                await webhooks.failed(tx, due, code, now + timedelta(seconds=delay))
        self._leases.end(due.key)
        self._metrics.webhook_failures.inc()
        _log.info("a webhook did not take an event (%s), attempt %d", code, attempts, extra=_facts(due))

    async def _stop(self, webhook: Webhook, due: Due) -> None:
        async with self._store.write() as tx:
            await webhooks.stop(tx, webhook.id, "webhook.gone")
            await webhooks.release(tx, {due.key: due.lease})
            await audit.append(
                tx, at=self._world.clock(), event="webhook.stopped", actor="policy", subjects=(webhook.id,)
            )
        self._leases.end(due.key)
        _log.warning("a webhook is gone and was stopped", extra={"facts": {"webhook": webhook.id}})


async def _seq(tx: Transaction, text: str) -> int:
    found = await events.seq_of(tx, text)
    if found is None and text.isascii() and text.isdigit() and len(text) <= 20:
        return min(int(text), (1 << 63) - 1)
    if found is None:
        raise WrongState("event.unknown", "There is no such event, or not any more.", "List them: lernode events")
    return found


def _is_taken(response: Response) -> bool:
    return 200 <= response.status < 300


def _retry_after(response: Response) -> float | None:
    """What the receiver asks for (RFC 9110 §10.2.3), where it is a number of seconds."""
    text = response.headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _facts(due: Due) -> dict[str, dict[str, str]]:
    return {"facts": {"webhook": due.webhook_id, "lane": due.lane}}
