"""Checks in the traces of a real Envoy, and what happens without OpenTelemetry."""

import asyncio
import sys

import pytest
from support.check_client import OVERWRITES, check_request, connected
from support.envoy import running_echo, running_envoy, send
from support.otlp_collector import OtlpCollector
from support.service import running_service, write_files

from extauthz.cli.demo.envoy_bootstrap import connection_manager

GOOD = {"client_id": "client", "azp": "client", "scope": "read", "sub": "alice"}
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

pytestmark = pytest.mark.external_service


@pytest.fixture
async def collector():
    async with OtlpCollector() as running:
        yield running


def tracing(collector, sampled_percent):
    """A change of Envoy's bootstrap: it traces as well, to the same collector."""
    port = int(collector.endpoint.rpartition(":")[2])
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    endpoint = {"endpoint": {"address": address}}

    def change(bootstrap):
        bootstrap["static_resources"]["clusters"].append({
            "name": "collector", "type": "STATIC", "connect_timeout": "1s",
            "load_assignment": {"cluster_name": "collector", "endpoints": [{"lb_endpoints": [endpoint]}]},
        })  # fmt: skip
        provider = {
            "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
            "http_service": {
                "http_uri": {"uri": f"{collector.endpoint}/v1/traces", "cluster": "collector", "timeout": "1s"}
            },
            "service_name": "envoy",
        }
        connection_manager(bootstrap)["tracing"] = {
            "random_sampling": {"value": sampled_percent},
            "provider": {"name": "envoy.tracers.opentelemetry", "typed_config": provider},
        }

    return change


def checks(spans):
    return [span for span in spans if span.name == "Check"]


def traces(collector, **settings):
    return {"traces": {"endpoint": collector.endpoint, "sample": 0} | settings}


@pytest.mark.through_envoy
async def test_a_check_is_a_child_of_the_span_of_envoys_call(tmp_path, server, collector):
    async with (
        running_service(tmp_path / "service", server, settings=traces(collector)) as service,
        running_echo(tmp_path) as upstream,
        running_envoy(
            tmp_path, authorization_port=service.port, upstream_port=upstream, change=tracing(collector, 100)
        ) as envoy,
    ):
        token = ("authorization", f"Bearer {server.issue_jwt(**GOOD)}")
        answer = await send(envoy.port, [token], target="/petstore/v1/pets")
        assert answer.status == 200
        spans = await collector.until(lambda spans: checks(spans) and len({span.service for span in spans}) > 1)
    (check,) = checks(spans)
    by_id = {span.span_id: span for span in spans}
    above = by_id[check.parent_id]
    assert (above.service, above.trace_id) == ("envoy", check.trace_id)
    assert by_id[above.parent_id].service == "envoy"  # the span of the client's request
    assert {span.name for span in spans if span.parent_id == check.span_id} == {
        "match", "authenticate", "authorize", "upstream",
    }  # fmt: skip
    assert check.attributes == {
        "extauthz.decision": "allow", "extauthz.api": "petstore", "extauthz.key_manager": "km",
    }  # fmt: skip


@OVERWRITES
async def test_the_trace_of_the_client_counts_where_envoy_does_not_trace(tmp_path, server, collector):
    opaque = server.issue_opaque(**GOOD)
    async with running_service(tmp_path, server, settings=traces(collector)) as service:
        async with connected(service.port) as stub:
            for flags, path in (("00", "/petstore/v1/pets"), ("01", "/petstore/v1/pets"), ("00", "/nowhere")):
                headers = {"authorization": f"Bearer {opaque}", "traceparent": f"00-{TRACE}-{SPAN}-{flags}"}
                await stub.check(check_request(headers=headers, path=path))
        spans = await collector.until(checks)
    (check,) = checks(spans)
    assert (check.trace_id, check.parent_id) == (TRACE, SPAN)


@OVERWRITES
async def test_an_unknown_token_shows_who_was_asked(tmp_path, server, collector):
    async with running_service(tmp_path, server, settings=traces(collector, sample=1)) as service:
        async with connected(service.port) as stub:
            await stub.check(check_request(headers={"authorization": f"Bearer {server.issue_opaque(**GOOD)}"}))
        spans = await collector.until(checks)
    by_name = {span.name: span for span in spans}
    call = by_name["introspection"]
    assert call.attributes == {"extauthz.key_manager": "km", "extauthz.outcome": "ok"}
    assert call.parent_id == by_name["authenticate"].span_id
    assert by_name["Check"].encloses(by_name["authenticate"])
    assert by_name["authenticate"].encloses(call)


@OVERWRITES
async def test_clients_have_no_more_checks_traced_than_the_settings_allow(tmp_path, server, collector):
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    async with running_service(tmp_path, server, settings=traces(collector, max_per_second=1)) as service:
        async with connected(service.port) as stub:
            began = asyncio.get_running_loop().time()
            for _ in range(200):
                await stub.check(check_request(headers=headers))
            seconds = asyncio.get_running_loop().time() - began
        await collector.until(checks)
        await service.processes.__aexit__(None, None, None)
    assert 1 <= len(checks(collector.spans())) <= seconds + 2


async def test_without_opentelemetry_the_service_says_what_is_missing(tmp_path, server):
    write_files(tmp_path, server, {"traces": {"endpoint": "http://127.0.0.1:4318"}}, {})
    # None in `sys.modules` is how Python itself says that a module is not there.
    start = (
        "import sys; sys.modules['opentelemetry'] = None; "
        f"sys.argv = ['extauthz', 'serve', '--config', {str(tmp_path / 'extauthz.yaml')!r}]; "
        "from extauthz.__main__ import main; main()"
    )
    environment = {"TEST_CACHE_SECRET": "s" * 32, "TEST_GATEWAY_SECRET": "secret", "PATH": "/usr/bin"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", start, env=environment, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    told = b"".join(await process.communicate()).decode()
    assert process.returncode
    assert "install `extauthz[otel]`" in told
    assert "Traceback" not in told
