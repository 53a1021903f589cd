"""Where traces may go, and what goes with them."""

from contextlib import AsyncExitStack

import pytest
from support.otlp_collector import OtlpCollector

from extauthz.data_plane.observers import observers
from extauthz.data_plane.secrets import Secrets
from extauthz.document.mistakes import DocumentError
from extauthz.document.strict import loads
from extauthz.settings.process import Settings
from extauthz.telemetry.metrics import Metrics

LOCAL = "http://127.0.0.1:4318"


def settings(traces):
    secrets = "secrets: {collector: {env: COLLECTOR, hosts: [127.0.0.1]}}"
    return loads(f"catalog: {{file: catalog.yaml}}\n{secrets}\ntraces: {traces}\n", Settings, "extauthz.yaml")


@pytest.mark.parametrize(
    "endpoint", [LOCAL, "https://collector.example.com:4318", "http://[::1]:4318/", "https://c:4318/base/otlp"]
)
def test_a_collector_is_named_by_its_url(endpoint):
    assert settings(f"{{endpoint: '{endpoint}'}}").traces.endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        *("127.0.0.1:4318", "ftp://c:4318", "http://collector", "http://c:70000", "http://:4318", "http://u:p@c:4318"),
        *("http://c:4318/v1/traces", "http://c:4318/a/v1/traces/", "http://c:4318/a b", "http://c:4318/%0d"),
        *("http://c:4318?", "http://c:4318/#", "http://c:4318//x"),
        *("http://c:4318/?key=secret", "http://c:4318#x", "http://c:port"),
    ],
)
def test_anything_else_is_refused(endpoint):
    with pytest.raises(DocumentError, match=r"traces\.endpoint"):
        settings(f"{{endpoint: '{endpoint}'}}")


def test_a_secret_is_sent_with_tls_or_within_this_machine():
    assert settings(f"{{endpoint: '{LOCAL}', headers_secret: collector}}").traces.headers_secret == "collector"
    assert settings("{endpoint: 'https://c:4318', headers_secret: collector}").traces.headers_secret == "collector"
    with pytest.raises(DocumentError, match="needs an `https` endpoint"):
        settings("{endpoint: 'http://c:4318', headers_secret: collector}")


def test_a_secret_that_is_not_there_is_told():
    with pytest.raises(DocumentError, match="not one of `secrets:`"):
        settings(f"{{endpoint: '{LOCAL}', headers_secret: other}}")


async def built(endpoint, value, hosts=frozenset({"127.0.0.1"})):
    wanted = settings(f"{{endpoint: '{endpoint}', headers_secret: collector}}")
    async with AsyncExitStack() as stack:
        return observers(wanted, Secrets({"collector": value}, {"collector": hosts}), Metrics(), stack)


async def test_a_secret_is_sent_where_its_owner_allows_it():
    async with OtlpCollector() as collector:
        assert (await built(collector.endpoint, b"a=b, c-d=Bearer e=f")).on_call is not None
        with pytest.raises(DocumentError, match=r"may not be sent to 127\.0\.0\.1"):
            await built(collector.endpoint, b"a=b", hosts=frozenset())


@pytest.mark.parametrize("value", [b"a", b"a=", b"=b", b"A=b", b"a=b,", b"a=b\nc=d", b"a=\xc3\xa4"])
async def test_headers_of_another_form_are_refused_without_quoting_them(value):
    with pytest.raises(DocumentError, match="must be `name=value`") as refused:
        await built(LOCAL, value)
    assert str(refused.value).count("=") == 1


async def test_a_file_of_authorities_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem")
    with pytest.raises(DocumentError, match="the file of OTEL_EXPORTER_OTLP_CERTIFICATE cannot be read: No such file"):
        await built("https://127.0.0.1:4318", b"a=b")


async def test_without_traces_nobody_asks_how_a_check_came():
    wanted = loads("catalog: {file: catalog.yaml}\n", Settings, "extauthz.yaml")
    async with AsyncExitStack() as stack:
        assert observers(wanted, Secrets({}, {}), Metrics(), stack).on_call is None
