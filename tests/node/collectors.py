"""A collector of traces, on a real socket, that reads what OTLP/HTTP sends it."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.node.nodes import free_port


@dataclass(frozen=True)
class Seen:
    """One span as it arrived."""

    name: str
    trace: bytes
    id: bytes
    parent: bytes
    instance: str
    begun: int
    facts: dict[str, Any]


class Collector:
    """Keeps every span that it is sent, and the bytes that it came in."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}/v1/traces"
        self.spans: list[Seen] = []
        self.raw = b""

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "localhost", self.port).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        self.raw += body
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = _facts(of_resource.resource.attributes)
            for of_scope in of_resource.scope_spans:
                self.spans += [
                    Seen(
                        span.name,
                        span.trace_id,
                        span.span_id,
                        span.parent_span_id,
                        about["service.instance.id"],
                        span.start_time_unix_nano,
                        _facts(span.attributes),
                    )
                    for span in of_scope.spans
                ]
        return web.Response(content_type="application/x-protobuf")


def _facts(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
