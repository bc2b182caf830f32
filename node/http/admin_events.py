"""Admin operations about events and webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from node.events.envelope import cloud_event, personal_data
from node.events.signature import secret_text
from node.http.admin_lookup import find_webhook
from node.http.admin_operation import Call, Nothing
from node.http.schemas import (
    EventsQuery,
    EventView,
    NewWebhook,
    Page,
    Replay,
    ReplayView,
    WebhookSecretView,
    WebhookTestView,
    WebhookView,
    topics_of,
)
from storage import events, webhooks
from storage.engine import Transaction
from storage.webhooks import EVERY_TOPIC, Webhook

if TYPE_CHECKING:
    from node.app import Node

__all__ = [
    "add_webhook", "list_events", "list_webhooks", "remove_webhook", "replay_webhook", "resume_webhook",
    "rotate_webhook", "test_webhook", "webhook",
]  # fmt: skip


async def list_events(node: Node, call: Call[EventsQuery, Nothing]) -> Page[EventView]:
    """Events that are kept, in order, from the one that follows ``after``."""
    query = call.query
    async with node.store.read() as tx:
        found = await events.page(tx, after=query.after or 0, topics=topics_of(query.topics), limit=query.limit)
        items = [
            EventView(
                sequence=event.seq,
                event=cloud_event(
                    event,
                    node.config.node.endpoint.rstrip("/"),
                    await personal_data(tx, event, node.config.events.include),
                ),
            )
            for event in found
        ]
    return Page(items=items, next=str(found[-1].seq) if len(found) == query.limit else None)


async def list_webhooks(node: Node, _call: Call[Nothing, Nothing]) -> Page[WebhookView]:
    """The webhooks, and how far behind each is."""
    async with node.store.read() as tx:
        return Page(items=[await _view(tx, one) for one in await webhooks.page(tx)])


async def webhook(node: Node, call: Call[Nothing, Nothing]) -> WebhookView:
    """One webhook."""
    async with node.store.read() as tx:
        return await _view(tx, await find_webhook(tx, call.id))


async def add_webhook(node: Node, call: Call[Nothing, NewWebhook]) -> WebhookSecretView:
    """Tell a URL of events.

    Raises:
        BadInput: ``net.*``, ``event.topic_unknown``.
        WrongState: ``webhook.too_many``.
    """
    return await _with_secret(node, *await node.webhooks.add(call.body.url, call.body.topics))


async def rotate_webhook(node: Node, call: Call[Nothing, Nothing]) -> WebhookSecretView:
    """Give a webhook a new secret."""
    return await _with_secret(node, *await node.webhooks.rotate(await _id(node, call)))


async def test_webhook(node: Node, call: Call[Nothing, Nothing]) -> WebhookTestView:
    """Send an event that tells of nothing; that it is not taken is an answer too."""
    tried = await node.webhooks.test(await _id(node, call))
    return WebhookTestView(
        delivered=tried.delivered, status=tried.status, code=tried.code, seconds=round(tried.seconds, 4)
    )


async def resume_webhook(node: Node, call: Call[Nothing, Nothing]) -> WebhookView:
    """Go on with a webhook that was stopped, or try again now."""
    resumed = await node.webhooks.resume(await _id(node, call))
    async with node.store.read() as tx:
        return await _view(tx, resumed)


async def replay_webhook(node: Node, call: Call[Nothing, Replay]) -> ReplayView:
    """Deliver again what was given up, or all that follows an event.

    Raises:
        WrongState: ``event.unknown``.
    """
    return ReplayView(events=await node.webhooks.replay(await _id(node, call), after=call.body.after))


async def remove_webhook(node: Node, call: Call[Nothing, Nothing]) -> WebhookView:
    """Forget a webhook; the answer says what it was."""
    async with node.store.read() as tx:
        view = await _view(tx, await find_webhook(tx, call.id))
    await node.webhooks.remove(view.id)
    return view


async def _id(node: Node, call: Call[Nothing, Any]) -> str:
    async with node.store.read() as tx:
        return (await find_webhook(tx, call.id)).id


async def _with_secret(node: Node, added: Webhook, secret: bytes) -> WebhookSecretView:
    async with node.store.read() as tx:
        return WebhookSecretView(webhook=await _view(tx, added), secret=secret_text(secret))


async def _view(tx: Transaction, found: Webhook) -> WebhookView:
    behind = await webhooks.backlog(tx, found.id)
    return WebhookView(
        id=found.id,
        url=found.url,
        topics=[] if EVERY_TOPIC in found.topics else list(found.topics),
        state=found.state.value,
        error=found.error_code or behind.error_code,
        waiting=behind.waiting,
        given_up=behind.dead,
        oldest=behind.oldest,
        previous_secret_until=found.previous_until,
        created=found.created,
    )
