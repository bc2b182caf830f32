"""Traces: which work belongs together, and how long each part of it took, told to a collector of the operator's choice.

Promises: what a span says is a word of this program (the name of a protocol, an operation, a check, an error code), a
number or a truth value; never what somebody sent, and no id, DID, label or secret. Where traces are off, nothing of
OpenTelemetry is imported, and a span is a block like any other.

It leaves to others: how spans are kept and sent (``otlp.py``), and what a message says of its trace
(``protocols/didcomm/trace_context.py``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from enum import StrEnum
from typing import Protocol

from node.config import TracingConfig
from protocols.didcomm.message import PlainMessage
from protocols.errors import BadInput
from storage.engine import Around, Store, Transaction

__all__ = ["NO_TRACES", "Fact", "Kind", "Span", "Tracer", "open_tracer"]

Fact = str | int | bool


class Kind(StrEnum):
    """What a span is to the work that it belongs to (OpenTelemetry §SpanKind)."""

    INTERNAL = "internal"
    SERVER = "server"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Span(Protocol):
    """A piece of work under way."""

    def say(self, name: str, value: Fact) -> None:
        """Add a fact; see above which may be said."""


class Tracer(Protocol):
    """Begins spans."""

    def span(
        self, name: str, kind: Kind = Kind.INTERNAL, *, parent: str | None = None, since: int | None = None
    ) -> AbstractContextManager[Span]:
        """A block as a span; what is raised in it is noted by its code and goes on.

        Args:
            parent: a ``traceparent`` that it belongs to; None for the span that it stands in, or a new trace.
            since: when the work began, nanoseconds since 1970; None for now.
        """

    def current(self) -> str | None:
        """The ``traceparent`` of the span that this is called in; None where there is none."""

    def told(self, message: PlainMessage) -> PlainMessage:
        """``message`` as it goes to a peer, who is told of the trace where that is allowed."""

    def believed(self, message: PlainMessage) -> str | None:
        """The ``traceparent`` of a peer's message, where it is allowed that peers say one."""

    async def close(self) -> None:
        """Send what was not sent yet, for a few seconds at most."""


class _Silent:
    def say(self, name: str, value: Fact) -> None:
        pass


class _NoTraces:
    """What stands in for a tracer where traces are off."""

    def __init__(self) -> None:
        self._span: nullcontext[Span] = nullcontext(_Silent())

    def span(
        self, name: str, kind: Kind = Kind.INTERNAL, *, parent: str | None = None, since: int | None = None
    ) -> AbstractContextManager[Span]:
        del name, kind, parent, since
        return self._span

    def current(self) -> str | None:
        return None

    def told(self, message: PlainMessage) -> PlainMessage:
        return message

    def believed(self, message: PlainMessage) -> str | None:
        del message
        return None

    async def close(self) -> None:
        pass


NO_TRACES: Tracer = _NoTraces()


def open_tracer(settings: TracingConfig, store: Store) -> Tracer:
    """The tracer that the configuration asks for; units of work of ``store`` that write are spans from then on.

    Raises:
        BadInput: ``config.tracing_missing``.
    """
    if not settings.endpoint:
        return NO_TRACES
    try:
        # Only here: importing it takes half a second and 15 MB, and most nodes send no traces.
        from node.runtime.otlp import OtlpTracer  # noqa: PLC0415
    except ImportError:
        raise BadInput(
            "config.tracing_missing",
            "tracing.endpoint is set, and OpenTelemetry is not installed.",
            "Install it: pip install 'lernode[tracing]', or leave tracing.endpoint empty.",
        ) from None
    tracer = OtlpTracer(settings)
    store.around = _around_units_of_work(tracer)
    return tracer


def _around_units_of_work(tracer: Tracer) -> Around:

    @asynccontextmanager
    async def traced(unit: AbstractAsyncContextManager[Transaction]) -> AsyncIterator[Transaction]:
        with tracer.span("transaction"):
            async with unit as tx:
                yield tx

    return traced
