"""How spans are sent, and what becomes of those that a collector does not take."""

import asyncio
import json
import re
from email.utils import formatdate

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs
from support.certificate_authority import CertificateAuthority
from support.otlp_collector import Answer, OtlpCollector

from extauthz.telemetry.otlp_http import CERTIFICATE, OtlpHttpExporter

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE
AT_ONCE = {"retry-after": "0"}


@pytest.fixture
def spans():
    finished = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(finished))
    for name in ("one", "two"):
        provider.get_tracer("tracer").start_span(name).end()
    return finished.get_finished_spans()


def exporter(endpoint, **headers):
    return OtlpHttpExporter(endpoint, headers=headers, agent="extauthz/1.0")


async def exported(spans, *answers):
    """What became of it, the events of the log, and how often it was asked."""
    async with OtlpCollector(answers=list(answers)) as collector:
        with capture_logs() as events:
            result = await asyncio.to_thread(exporter(collector.endpoint).export, spans)
        assert len(collector.spans()) == (2 if result is SUCCESS else 0)
        return result, events, len(collector.bodies)


async def test_spans_are_posted_as_json(spans):
    async with OtlpCollector() as collector:
        sending = exporter(collector.endpoint + "/", authorization="Bearer x", **{"content-type": "text/plain"})
        assert await asyncio.to_thread(sending.export, spans) is SUCCESS
        (headers,) = collector.metadata
    wanted = {"content-type": "application/json", "user-agent": "extauthz/1.0", "authorization": "Bearer x"}
    assert headers.items() >= wanted.items()
    assert [span.name for span in collector.spans()] == ["one", "two"]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_collector_that_is_busy_is_asked_again(spans, status):
    busy = Answer(status=status, headers=AT_ONCE)
    assert await exported(spans, busy, busy) == (SUCCESS, [], 3)


async def test_it_may_name_a_date(spans):
    assert await exported(spans, Answer(status=503, headers={"retry-after": formatdate(0, usegmt=True)})) == (
        SUCCESS, [], 2,
    )  # fmt: skip


async def test_it_is_not_asked_for_ever(spans):
    result, events, requests = await exported(spans, *[Answer(status=503, headers=AT_ONCE)] * 5)
    assert (result, requests) == (FAILURE, 3)
    assert events == [{"event": "traces_not_sent", "spans": 2, "problem": "HTTP 503", "log_level": "warning"}]


@pytest.mark.parametrize("status", [204, 301, 307, 400, 401, 404, 413, 500])
async def test_any_other_answer_is_the_last(spans, status):
    answer = Answer(status=status, headers=AT_ONCE | {"location": "/v1/traces"}, text="" if status == 204 else "secret")
    result, events, requests = await exported(spans, answer)
    assert (result, requests) == (FAILURE, 1)
    assert [event["problem"] for event in events] == [f"HTTP {status}"]
    assert "secret" not in str(events)


async def test_what_a_collector_rejects_is_counted_without_its_words(spans):
    partial = {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "secret"}}
    result, events, requests = await exported(spans, Answer(text=json.dumps(partial)))
    assert (result, requests) == (SUCCESS, 1)
    assert events == [{"event": "traces_rejected", "spans": 1, "log_level": "warning"}]


@pytest.mark.parametrize(
    "text", ["", "[]", "null", '{"partialSuccess": {}}', '{"partialSuccess": []}', "[" * 9999, "<a>"]
)
async def test_an_answer_without_a_meaning_has_none(spans, text):
    assert await exported(spans, Answer(text=text)) == (SUCCESS, [], 1)


async def test_who_must_hurry_waits_for_nothing_and_gives_up_after_a_failure(spans):
    wait = Answer(status=503, headers={"retry-after": "3600"})
    async with OtlpCollector(answers=[wait]) as collector:
        sending = exporter(collector.endpoint)
        waiting = asyncio.ensure_future(asyncio.to_thread(sending.export, spans))
        await collector.until(lambda _: bool(collector.bodies))
        sending.hurry()
        async with asyncio.timeout(20):  # less than the longest pause
            assert await waiting is FAILURE
        assert await asyncio.to_thread(sending.export, spans) is FAILURE
        assert len(collector.bodies) == 1


async def test_who_must_hurry_still_sends(spans):
    async with OtlpCollector() as collector:
        sending = exporter(collector.endpoint)
        sending.hurry()
        assert [await asyncio.to_thread(sending.export, spans) for _ in range(2)] == [SUCCESS, SUCCESS]


async def answered(spans, said):
    """What is told of a server that says this, whatever it is asked, and closes."""

    async def say(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        # What is left unread would have the answer lost with the connection.
        (length,) = re.findall(rb"(?i)content-length: (\d+)", head)
        await reader.readexactly(int(length))
        writer.write(said)
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        sending = exporter(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        sending.hurry()
        with capture_logs() as events:
            result = await asyncio.to_thread(sending.export, spans)
    return result, [event["problem"] for event in events]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (b"", "RemoteDisconnected"),
        (b"nonsense secret\r\n\r\n", "BadStatusLine"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 99999 + b"\r\n\r\n", "LineTooLong"),
    ],
)
async def test_what_is_no_answer_is_told_by_its_kind(spans, said, problem):
    assert await answered(spans, said) == (FAILURE, [problem])


async def test_no_more_of_an_answer_is_read_than_one_needs(spans):
    endless = b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n" + b" " * 70000
    assert await answered(spans, endless) == (SUCCESS, [])


async def test_an_answer_that_breaks_off_says_that_the_spans_were_taken(spans):
    assert await answered(spans, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{") == (SUCCESS, [])


async def test_the_certificate_of_a_collector_is_verified(tmp_path, monkeypatch, spans):
    authority = CertificateAuthority(tmp_path)
    async with OtlpCollector(tls=authority.server_tls()) as collector:
        with capture_logs() as events:
            stranger = exporter(collector.endpoint)
            stranger.hurry()
            assert await asyncio.to_thread(stranger.export, spans) is FAILURE
        assert [event["problem"] for event in events] == ["SSLCertVerificationError"]
        monkeypatch.setenv(CERTIFICATE, str(authority.ca_file))
        assert await asyncio.to_thread(exporter(collector.endpoint).export, spans) is SUCCESS
        assert len(collector.spans()) == 2
