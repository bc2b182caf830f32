"""Traces by OpenTelemetry, sent to a collector over OTLP/HTTP; imported only where ``tracing.endpoint`` is set.

Spans are sent in a thread of the exporter's own, to the one address that the operator configured: not by the node's
guarded client, which is for addresses that others name. The environment variables of OpenTelemetry count, such as
``OTEL_EXPORTER_OTLP_HEADERS`` for a collector that wants a key and ``OTEL_SERVICE_NAME``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from uuid import uuid4

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from node.config import TracingConfig
from node.runtime.tracing import Fact, Kind, Span
from protocols.didcomm import trace_context
from protocols.didcomm.message import PlainMessage
from protocols.errors import LernodeError

__all__ = ["OtlpTracer"]

_TIMEOUT_SECONDS = 3
_KINDS = {
    Kind.INTERNAL: SpanKind.INTERNAL,
    Kind.SERVER: SpanKind.SERVER,
    Kind.PRODUCER: SpanKind.PRODUCER,
    Kind.CONSUMER: SpanKind.CONSUMER,
}
_W3C = TraceContextTextMapPropagator()


class OtlpTracer:
    """See :class:`node.runtime.tracing.Tracer`."""

    def __init__(self, settings: TracingConfig) -> None:
        ratio = TraceIdRatioBased(settings.sample_ratio)
        # A peer's word does not decide how much this node sends: what it began is sampled by its id as all the rest.
        sampler = ParentBased(ratio, remote_parent_sampled=ratio, remote_parent_not_sampled=ratio)
        names = {"service.version": version("lernode"), "service.instance.id": str(uuid4())}
        if "OTEL_SERVICE_NAME" not in os.environ:
            names["service.name"] = "lernode"
        self._provider = TracerProvider(sampler, Resource.create(names), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(settings.endpoint, timeout=_TIMEOUT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("lernode")
        self._tells, self._believes = settings.tell_peers, settings.believe_peers

    @contextmanager
    def span(
        self, name: str, kind: Kind = Kind.INTERNAL, *, parent: str | None = None, since: int | None = None
    ) -> Iterator[Span]:
        context = None if parent is None else _W3C.extract({"traceparent": parent}, Context())
        with self._tracer.start_as_current_span(
            name,
            context,
            _KINDS[kind],
            start_time=since,
            # An exception's text may quote what somebody sent.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield _Open(span)
            except BaseException as error:
                span.set_attribute("error.type", error.code if isinstance(error, LernodeError) else _name(error))
                span.set_status(StatusCode.ERROR)
                raise

    def current(self) -> str | None:
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier.get("traceparent")

    def told(self, message: PlainMessage) -> PlainMessage:
        current = self.current() if self._tells else None
        return message if current is None else trace_context.carrying(message, current)

    def believed(self, message: PlainMessage) -> str | None:
        return trace_context.carried(message) if self._believes else None

    async def close(self) -> None:
        await asyncio.to_thread(self._provider.shutdown)


class _Open:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def say(self, name: str, value: Fact) -> None:
        self._span.set_attribute(name, value)


def _name(error: BaseException) -> str:
    return type(error).__qualname__
