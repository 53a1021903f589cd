"""The running program: what arrives, however odd, gets a decision; it starts, reloads and stops as operators expect."""

import asyncio
import json
import os
import signal
import subprocess
import sys

import grpc
import jwt
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from support.catalogs import api, catalog_document, text_of
from support.check_client import OVERWRITES, allowed, check_request, connected, denied, headers_of, status_of
from support.deciding import key_manager_of
from support.decisions import GOOD
from support.service import CACHE_SECRET, running_service, serve_program, write_files
from support.valkey import ValkeyServer

from extauthz.cli.demo.processes import Processes, ProgramFailed
from extauthz.cli.demo.programs import accepts_connections, free_port

pytestmark = [pytest.mark.external_service, OVERWRITES]
SERVICE = "envoy.service.auth.v3.Authorization"


def bearer(token):
    return {"authorization": f"Bearer {token}"}


async def code_of(stub, **request):
    """HTTP status and product code of a refusal."""
    answer = await stub.check(check_request(**request))
    return status_of(answer), json.loads(denied(answer).body)["code"]


async def test_an_allowed_request_carries_a_backend_jwt_that_the_published_keys_verify(tmp_path, server):
    async with running_service(tmp_path, server) as service, connected(service.port) as stub:
        answer = allowed(await stub.check(check_request(headers=bearer(server.issue_jwt(**GOOD, sub="ann")))))
        status, document = await service.operations("/jwks")
        assert status == 200
        token = headers_of(answer)["x-jwt-assertion"]
        key = jwt.PyJWK(document["keys"][0])
        claims = jwt.decode(token, key, algorithms=["ES256"], issuer="wso2.org/products/am")
        assert claims["sub"] == "ann"
        assert claims["http://wso2.org/claims/applicationname"] == "App"
        assert "authorization" in answer.headers_to_remove


async def test_whatever_arrives_is_answered_with_a_decision(tmp_path, server):
    good = server.issue_jwt(**GOOD)
    async with running_service(tmp_path, server) as service, connected(service.port) as stub:
        assert await code_of(stub) == (401, "900902")
        assert await code_of(stub, headers=bearer("x" * 1_000_000)) == (401, "900901")
        assert await code_of(stub, headers=bearer(server.issue_jwt(iss="https://unknown"))) == (401, "900901")
        assert await code_of(stub, raw_headers=[("authorization", b"Bearer \xff\xfe")]) == (401, "900901")
        two = [("authorization", f"Bearer {good}".encode()), ("Authorization", b"Bearer other")]
        assert await code_of(stub, raw_headers=two) == (400, "900901")
        assert await code_of(stub, headers={"authorization": f"Bearer {good},Bearer other"}) == (400, "900901")
        assert await code_of(stub, path="/petstore/v1/pets/%2e%2e/about", headers=bearer(good)) == (404, "404")
        assert await code_of(stub, path="", headers=bearer(good)) == (404, "404")
        assert await code_of(stub, method="", headers=bearer(good)) == (405, "405")
        allowed(await stub.check(check_request(headers=bearer(good))))
        assert "Traceback" not in service.logged()


async def test_it_is_not_ready_before_its_ports_for_checks_are_open(tmp_path, server):
    """Probes ask for `/readyz`, which is open before them."""
    port = free_port()
    settings = {"http_check": {"listen": f"127.0.0.1:{port}", "proxy": "nginx"}}
    async with running_service(tmp_path, server, settings=settings) as service:
        assert await accepts_connections(service.port)()
        assert await accepts_connections(port)()
        _, document = await service.operations("/readyz")
        assert document["components"]["listener"] == {"ok": True, "essential": True, "detail": "open"}


async def test_tokens_and_secrets_are_in_no_log(tmp_path, server):
    tokens = [server.issue_jwt(**GOOD), server.issue_opaque(**GOOD), server.issue_opaque(scope="none")]
    async with running_service(tmp_path, server) as service, connected(service.port) as stub:
        for token in tokens:
            await stub.check(check_request(headers=bearer(token)))
        await service.processes.__aexit__(None, None, None)
        logged = service.logged()
    assert logged.count('"event": "allowed"') == 2
    assert logged.count('"event": "denied"') == 1
    for secret in (*tokens, server.client_secret, CACHE_SECRET):
        assert secret not in logged


async def health(port, service=""):
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
        return answer.status


async def test_it_is_not_ready_before_the_catalog_is_loaded(tmp_path, server):
    """A pipe in place of the catalog: reading it waits until somebody writes."""
    catalog = tmp_path / "pipe.yaml"
    os.mkfifo(catalog)
    settings = {"catalog": {"file": "pipe.yaml"}}
    async with running_service(tmp_path, server, settings=settings, wait_for="/healthz") as service:
        assert (await service.operations("/readyz"))[0] == 503
        assert await health(service.port, SERVICE) == health_pb2.HealthCheckResponse.NOT_SERVING
        async with connected(service.port) as stub, grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel:
            assert await code_of(stub, headers=bearer(server.issue_jwt(**GOOD))) == (503, "900900")
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=SERVICE))
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
            document = text_of(catalog_document(key_managers=[key_manager_of(server)]))
            await asyncio.to_thread(catalog.write_text, document)
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
            watch.cancel()
            assert (await service.operations("/readyz"))[0] == 200
            allowed(await stub.check(check_request(headers=bearer(server.issue_jwt(**GOOD)))))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_while_the_catalog_is_still_being_read(tmp_path, server, number):
    os.mkfifo(tmp_path / "pipe.yaml")
    settings = {"catalog": {"file": "pipe.yaml"}, "limits": {"drain_seconds": 600}}
    async with running_service(tmp_path, server, settings=settings, wait_for="/healthz") as service:
        os.kill(service.process_id, number)
        with pytest.raises(ProgramFailed, match="status 0"):
            await service.processes.watch()


async def until(condition):
    """Asks again and again: the file is looked at every 50 ms."""
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - another process has no event for us
            await asyncio.sleep(0.02)


async def test_a_changed_catalog_is_taken_over_and_a_broken_one_is_not(tmp_path, server):
    token = server.issue_jwt(**GOOD)
    async with running_service(tmp_path, server) as service, connected(service.port) as stub:
        allowed(await stub.check(check_request(headers=bearer(token))))
        blocked = catalog_document(key_managers=[key_manager_of(server)], apis=[api(state="BLOCKED")])
        service.write_catalog(blocked)

        async def is_blocked():
            answer = await stub.check(check_request(headers=bearer(token)))
            return answer.denied_response is not None and status_of(answer) == 503

        await until(is_blocked)
        (tmp_path / "catalog.yaml").write_text("apis: []")

        async def is_reported():
            return "last good one stays" in (await service.operations("/healthz"))[1]["components"]["catalog"]["detail"]

        await until(is_reported)
        assert (await service.operations("/readyz"))[0] == 200
        assert await is_blocked()


async def test_it_listens_on_a_unix_socket(tmp_path, server):
    socket = tmp_path / "e.sock"
    async with (
        running_service(tmp_path, server, settings={"listen": f"unix:{socket}"}),
        grpc.aio.insecure_channel(f"unix:{socket}") as channel,
    ):
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert not socket.exists()


async def test_sigterm_drains_in_order(tmp_path, server):
    """NOT_SERVING first while Checks are still answered, the operations port to the end, exit status 0."""
    settings = {"limits": {"drain_seconds": 1, "grace_seconds": 5}}
    async with running_service(tmp_path, server, settings=settings) as service, connected(service.port) as stub:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel:
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=SERVICE))
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
            os.kill(service.process_id, signal.SIGTERM)
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
            allowed(await stub.check(check_request(headers=bearer(server.issue_jwt(**GOOD)))))
            status, document = await service.operations("/readyz")
            assert (status, document["draining"]) == (503, True)
        with pytest.raises(ProgramFailed, match="status 0"):
            await service.processes.watch()
        assert '"event": "stopped"' in service.logged()


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("extauthz.yaml", "listen: 5\nnonsense: 1\n", ["listen", "nonsense", "catalog: is missing"]),
        ("catalog.yaml", "apis: [{id: x}]\n", ["apis[0].name", "apis[0].resources"]),
    ],
)
async def test_files_that_cannot_be_used_end_it_with_status_2_and_all_mistakes(tmp_path, server, file, text, said):
    write_files(tmp_path, server, {"listen": "127.0.0.1:0", "operations": {"listen": "127.0.0.1:0"}}, {})
    (tmp_path / file).write_text(text)
    async with Processes(tmp_path) as processes:
        with pytest.raises(ProgramFailed, match="status 2"):
            await processes.start(serve_program(tmp_path, server, _never))
        logged = processes.log("extauthz").read_text()
    for words in said:
        assert words in logged
    assert "Traceback" not in logged


async def _never():
    return False


async def test_a_broken_catalog_is_said_at_once_whatever_the_drain_takes(tmp_path, server):
    addresses = {"listen": "127.0.0.1:0", "operations": {"listen": "127.0.0.1:0"}}
    write_files(tmp_path, server, addresses | {"limits": {"drain_seconds": 600}}, {})
    (tmp_path / "catalog.yaml").write_text("apis: []\n")
    async with Processes(tmp_path) as processes:
        with pytest.raises(ProgramFailed, match="status 2"):
            await processes.start(serve_program(tmp_path, server, _never))


async def test_a_missing_secret_is_named_and_its_value_never_shown(tmp_path, server):
    secrets = {"secrets": {"backend-jwt-key": {"file": "missing.pem"}, "gateway": {"env": "NOT_SET_ANYWHERE"}}}
    write_files(tmp_path, server, secrets | {"listen": "127.0.0.1:0", "operations": {"listen": "127.0.0.1:0"}}, {})
    async with Processes(tmp_path) as processes:
        with pytest.raises(ProgramFailed, match="status 2"):
            await processes.start(serve_program(tmp_path, server, _never))
        logged = processes.log("extauthz").read_text()
    assert "missing.pem" in logged
    assert "NOT_SET_ANYWHERE" in logged


async def test_an_address_in_use_is_said_plainly(tmp_path, server):
    async with running_service(tmp_path / "first", server) as first:
        taken = {"listen": f"127.0.0.1:{first.port}", "operations": {"listen": "127.0.0.1:0"}}
        write_files(tmp_path / "second", server, taken, {})
        async with Processes(tmp_path / "second") as processes:
            with pytest.raises(ProgramFailed, match="status 1"):
                await processes.start(serve_program(tmp_path / "second", server, _never))
            assert f"cannot listen on 127.0.0.1:{first.port}" in processes.log("extauthz").read_text()


def redis_settings(valkey):
    return {"cache": {"backend": "redis", "secret": ["cache-secret"], "redis": {"url": valkey.url}}}


async def test_a_second_replica_answers_from_redis_without_a_call(tmp_path, server):
    token = server.issue_opaque(**GOOD, sub="ann-the-subject")
    async with (
        ValkeyServer() as valkey,
        running_service(tmp_path / "a", server, settings=redis_settings(valkey)) as first,
        running_service(tmp_path / "b", server, settings=redis_settings(valkey)) as second,
        connected(first.port) as one,
        connected(second.port) as two,
    ):
        allowed(await one.check(check_request(headers=bearer(token))))
        await server.go_down()
        allowed(await two.check(check_request(headers=bearer(token))))
    assert server.introspection.calls == 1


async def test_without_redis_it_still_answers_and_says_so(tmp_path, server):
    async with (
        ValkeyServer() as valkey,
        running_service(tmp_path, server, settings=redis_settings(valkey)) as service,
        connected(service.port) as stub,
    ):
        await valkey.stop()
        for _ in range(2):
            allowed(await stub.check(check_request(headers=bearer(server.issue_opaque(**GOOD)))))
        status, document = await service.operations("/readyz")
        assert status == 200
        assert not document["components"]["cache"]["ok"]
        assert await code_of(stub, headers=bearer("unknown")) == (401, "900904")


def test_the_command_line_explains_itself():
    ran = subprocess.run([sys.executable, "-m", "extauthz", "--help"], capture_output=True, text=True, check=True)
    for command in ("serve", "resident", "demo"):
        assert command in ran.stdout
