"""What a node counts, for Prometheus; names and labels carry no personal data."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from storage.engine import Store, Usage

__all__ = ["Metrics"]


class Metrics:
    """The counters of one node; each node has a registry of its own.

    Args:
        store: counts for itself what it is asked for.
    """

    def __init__(self, store: Store | None = None) -> None:
        self.registry = CollectorRegistry()
        self.received = Counter("lernode_messages_received", "Messages taken from peers.", registry=self.registry)
        self.duplicates = Counter("lernode_messages_duplicate", "Messages seen before.", registry=self.registry)
        self.refused = Counter(
            "lernode_messages_refused", "Messages refused, by error code.", ["code"], registry=self.registry
        )
        self.delivered = Counter("lernode_messages_delivered", "Messages delivered.", registry=self.registry)
        self.delivery_failures = Counter(
            "lernode_delivery_failures", "Attempts to deliver that failed.", registry=self.registry
        )
        self.webhooks_delivered = Counter(
            "lernode_webhooks_delivered", "Events that a webhook took.", registry=self.registry
        )
        self.webhook_failures = Counter(
            "lernode_webhook_failures", "Attempts to deliver an event that failed.", registry=self.registry
        )
        self.issued = Counter("lernode_records_issued", "Records signed.", registry=self.registry)
        self.stored = Counter("lernode_records_stored", "Records stored as holder.", registry=self.registry)
        self.notices = Counter(
            "lernode_revocation_notices",
            "Notices of revocation to holders, by outcome: sent, acknowledged, given-up.",
            ["outcome"],
            registry=self.registry,
        )
        self.verifications = Counter(
            "lernode_verifications", "Verifications, by outcome.", ["verified"], registry=self.registry
        )
        self.jsonld_fallbacks = Gauge(
            "lernode_jsonld_fallbacks",
            "Documents since the start that only the complete JSON-LD path covers.",
            registry=self.registry,
        )
        self.webhooks_waiting = Gauge(
            "lernode_webhooks_waiting", "Deliveries of events to webhooks that wait.", registry=self.registry
        )
        self.webhooks_dead = Gauge(
            "lernode_webhooks_dead", "Deliveries of events to webhooks that were given up.", registry=self.registry
        )
        self.webhooks_oldest = Gauge(
            "lernode_webhooks_oldest_seconds", "Age of the oldest event that waits.", registry=self.registry
        )
        self.exchanges_waiting = Gauge(
            "lernode_exchanges_waiting", "Exchanges that wait for a person.", registry=self.registry
        )
        self.status_list_age = Gauge(
            "lernode_status_list_age_seconds",
            "Since when the status lists of a purpose stand as they were last signed; of the oldest one.",
            ["purpose"],
            registry=self.registry,
        )
        self.registry.register(_Database(store))
        self.database_checked = Gauge(
            "lernode_database_checked_seconds",
            "How long ago every page of an SQLite store was looked at, and nothing found; NaN where none was.",
            registry=self.registry,
        )
        self.outbox_waiting = Gauge("lernode_outbox_waiting", "Messages that wait.", registry=self.registry)
        self.outbox_dead = Gauge("lernode_outbox_dead", "Messages given up.", registry=self.registry)
        self.outbox_oldest = Gauge(
            "lernode_outbox_oldest_seconds", "Age of the oldest waiting message.", registry=self.registry
        )
        self.mediation_held = Gauge("lernode_mediation_held", "Messages held for others.", registry=self.registry)
        self.mediation_bytes = Gauge(
            "lernode_mediation_held_bytes", "Bytes of messages held for others.", registry=self.registry
        )
        self.mediation_clients = Gauge(
            "lernode_mediation_clients", "Peers that messages are held for.", registry=self.registry
        )
        self.channels = Gauge("lernode_channels", "Peers that hold a channel open.", registry=self.registry)

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)


class _Database(Collector):
    """What the store counts itself, read when somebody looks."""

    def __init__(self, store: Store | None) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """The counters, and whether the store takes writes."""
        store = self._store
        usage = Usage() if store is None else store.usage
        yield CounterMetricFamily("lernode_database_seconds", "Time that statements and commits took.", usage.seconds)
        yield CounterMetricFamily("lernode_database_statements", "Statements that the store ran.", usage.statements)
        yield CounterMetricFamily("lernode_database_commits", "Commits that were made durable.", usage.commits)
        failures = CounterMetricFamily(
            "lernode_database_failures", "Transactions that failed because of the store itself.", labels=["code"]
        )
        for code, number in usage.failures.items():
            failures.add_metric([code], number)
        yield failures
        takes_writes = store is not None and store.trouble is None and store.shortage() is None
        yield GaugeMetricFamily("lernode_database_writable", "Whether the store takes writes.", int(takes_writes))
        free = GaugeMetricFamily("lernode_database_free_bytes", "Room on the disk of the store's file.")
        if store is not None and (room := store.free_bytes()) is not None:
            free.add_metric([], room)
        yield free

    def describe(self) -> Iterator[Metric]:
        """Their names, with which the registry sees that no other metric has them."""
        return self.collect()
