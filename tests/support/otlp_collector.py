"""A collector of traces: takes OTLP over HTTP, as JSON or protobuf, and keeps what it got."""

import asyncio
import base64
import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A span."""

    service: str
    span: dict[str, Any]
    """As JSON has it."""

    @property
    def name(self) -> str:
        return str(self.span["name"])

    @property
    def trace_id(self) -> str:
        return str(self.span["traceId"])

    @property
    def span_id(self) -> str:
        return str(self.span["spanId"])

    @property
    def parent_id(self) -> str:
        return str(self.span.get("parentSpanId", ""))

    @property
    def attributes(self) -> dict[str, str]:
        return _texts(self.span)

    @property
    def times(self) -> tuple[int, int]:
        """Begin and end in nanoseconds since 1970."""
        return int(self.span["startTimeUnixNano"]), int(self.span["endTimeUnixNano"])

    @property
    def status(self) -> int:
        return int(self.span["status"].get("code", 0))

    def encloses(self, other: "Received") -> bool:
        """In time."""
        (began, ended), (other_began, other_ended) = self.times, other.times
        return began <= other_began <= other_ended <= ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the collector says to an export; it keeps the spans if it says 200."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    text: str = "{}"


@dataclass(slots=True)
class OtlpCollector:
    """One on loopback, at `endpoint`."""

    tls: ssl.SSLContext | None = None
    answers: list[Answer] = field(default_factory=list)
    """To the next exports; after these, all are taken."""
    endpoint: str = ""
    exports: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    """Of all requests, those that were not taken too."""
    metadata: list[dict[str, str]] = field(default_factory=list)
    """Their headers, with names in lower case."""
    _runner: web.AppRunner | None = None
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/v1/traces", self._export)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.tls).start()
        self.endpoint = f"http{'s' if self.tls else ''}://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _export(self, request: web.Request) -> web.Response:
        body = await request.read()
        answer = self.answers.pop(0) if self.answers else Answer()
        async with self._news:
            self.bodies.append(body)
            self.metadata.append({name.lower(): value for name, value in request.headers.items()})
            if answer.status == 200:
                self.exports.append(_READERS[request.content_type](body))
            self._news.notify_all()
        return web.Response(
            status=answer.status, headers=answer.headers, text=answer.text, content_type="application/json"
        )

    async def until(self, condition: Callable[[list[Received]], bool]) -> list[Received]:
        """All spans, once it is so."""
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: condition(self.spans()))
        return self.spans()

    def spans(self) -> list[Received]:
        """All that came until now, in the order in which they ended."""
        return list(self._spans())

    def _spans(self) -> Iterator[Received]:
        for export in self.exports:
            for resource in export["resourceSpans"]:
                service = _texts(resource["resource"]).get("service.name", "")
                for scope in resource["scopeSpans"]:
                    yield from (Received(service=service, span=span) for span in scope["spans"])

    def text(self) -> str:
        """All that came, in words and in bytes; without the metadata, which have the collector's own secret."""
        return "\n".join([*map(json.dumps, self.exports), *map(repr, self.bodies)])


def _texts(owner: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: each["value"].get("stringValue", "") for each in owner.get("attributes", ())}


def _from_protobuf(body: bytes) -> dict[str, Any]:
    """What the JSON encoding of OTLP has instead.

    The messages are of OTLP 0.9, from which the newer ones differ in names, and in what nobody reads here.
    """
    export = MessageToDict(ExportTraceServiceRequest.FromString(body), use_integers_for_enums=True)
    for resource in export["resourceSpans"]:
        resource["scopeSpans"] = resource.pop("instrumentationLibrarySpans")
        for span in (span for scope in resource["scopeSpans"] for span in scope["spans"]):
            span.setdefault("status", {})
            span |= {name: base64.b64decode(span[name]).hex() for name in _IDS & span.keys()}
    return dict(export)


_IDS = {"traceId", "spanId", "parentSpanId"}
_READERS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    "application/json": json.loads,
    "application/x-protobuf": _from_protobuf,
}
