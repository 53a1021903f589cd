"""Sends spans by OTLP over HTTP, as JSON (https://opentelemetry.io/docs/specs/otlp/, "OTLP/HTTP")."""

import json
import os
import random
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from extauthz.telemetry.otlp_json import trace_request

CERTIFICATE = "OTEL_EXPORTER_OTLP_CERTIFICATE"
"""OpenTelemetry's own variable: the file of the authorities that are trusted, in PEM."""

_ATTEMPTS = 3
_STEP_SECONDS = 2.0
"""Of connecting, sending and each read."""
_LONGEST_PAUSE_SECONDS = 30.0
_MOST_ANSWER_BYTES = 65536
_AGAIN = frozenset({
    HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT,
})  # fmt: skip
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What came of an attempt."""

    problem: str = ""
    """Without a word of the collector, who may repeat what it was sent. Empty: the spans were taken."""
    again: bool = False
    retry_after: float | None = None
    """Seconds."""
    rejected: int = 0
    """So many of the spans were not taken after all."""


class OtlpHttpExporter(SpanExporter):
    """Posts spans to a collector; what it does not take is told in the log, and dropped. Follows no redirect."""

    def __init__(self, endpoint: str, *, headers: Mapping[str, str], agent: str) -> None:
        """`endpoint` is a URL, to which `/v1/traces` is added; `headers` have names in lower case.

        Raises:
            ValueError: the file of authorities is of no use.
        """
        parts = urlsplit(endpoint)
        self._host, self._port = parts.hostname or "", parts.port
        self._path = parts.path.rstrip("/") + "/v1/traces"
        self._headers = {**headers, "content-type": "application/json", "user-agent": agent}
        self._tls = _tls() if parts.scheme == "https" else None
        self._hurried = threading.Event()
        self._given_up = False

    def hurry(self) -> None:
        """The process ends: from now on nothing is tried twice, and nothing at all after a failure."""
        self._hurried.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Blocks, also between attempts: what ends meanwhile is kept by the caller, up to its bound."""
        if self._given_up:
            return SpanExportResult.FAILURE
        answer = self._sent(json.dumps(trace_request(spans), separators=(",", ":")).encode())
        if answer.rejected:
            _log.warning("traces_rejected", spans=answer.rejected)
        if not answer.problem:
            return SpanExportResult.SUCCESS
        _log.warning("traces_not_sent", spans=len(spans), problem=answer.problem)
        self._given_up = self._hurried.is_set()
        return SpanExportResult.FAILURE

    def _sent(self, body: bytes) -> _Answer:
        answer = self._post(body)
        for attempt in range(1, _ATTEMPTS):
            if not answer.again or self._hurried.wait(_pause(attempt, answer.retry_after)):
                break
            answer = self._post(body)
        return answer

    def _post(self, body: bytes) -> _Answer:
        try:
            with closing(self._connection()) as connection:
                connection.request("POST", self._path, body, self._headers)
                return _answer(connection.getresponse())
        except (OSError, HTTPException) as error:
            return _Answer(problem=type(error).__name__, again=True)

    def _connection(self) -> HTTPConnection:
        if self._tls is not None:
            return HTTPSConnection(self._host, self._port, timeout=_STEP_SECONDS, context=self._tls)
        return HTTPConnection(self._host, self._port, timeout=_STEP_SECONDS)


def _tls() -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=os.environ.get(CERTIFICATE))
    except OSError as error:
        raise ValueError(
            f"the file of {CERTIFICATE} cannot be read: {error.strerror or type(error).__name__}"
        ) from error


def _answer(response: HTTPResponse) -> _Answer:
    if response.status == HTTPStatus.OK:
        return _Answer(rejected=_rejected(response.read(_MOST_ANSWER_BYTES)))
    again = response.status in _AGAIN
    return _Answer(
        problem=f"HTTP {response.status}", again=again, retry_after=_retry_after(response.getheader("retry-after", ""))
    )


def _rejected(body: bytes) -> int:
    """`partialSuccess.rejectedSpans`, a decimal text as all 64-bit numbers; 0 if the answer has none."""
    try:
        return int(json.loads(body)["partialSuccess"]["rejectedSpans"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return 0  # the spans were taken all the same


def _retry_after(value: str) -> float | None:
    """Seconds, or a date (RFC 9110 §10.2.3)."""
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - time.time())


def _pause(attempt: int, asked: float | None) -> float:
    """Seconds; as many collectors as processes ask at once, so without a wish there is some chance in it."""
    wanted = 2.0**attempt * random.uniform(0.5, 1.0) if asked is None else asked  # noqa: S311 - not a secret
    return min(wanted, _LONGEST_PAUSE_SECONDS)
