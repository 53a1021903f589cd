"""Every setting that is not at its default does what it says, seen from outside."""

import json

import pytest
from redis.asyncio import Redis
from support.authorization_server import Misbehaviour
from support.check_client import OVERWRITES, allowed, check_request, connected, denied, headers_of, status_of
from support.decisions import GOOD
from support.service import running_service, serve_program, write_files
from support.valkey import ValkeyServer

from extauthz.cli.demo.processes import Processes, ProgramFailed

pytestmark = [pytest.mark.external_service, OVERWRITES]


def bearer(token):
    return {"authorization": f"Bearer {token}"}


async def test_errors_limits_and_the_backend_jwt_are_as_set(tmp_path, server):
    settings = {
        "errors": {"format": "fault", "realm": "our gateway"},
        "limits": {"check_seconds": 30, "token_bytes": 4096, "drain_seconds": 0},
        "backend_jwt": {
            "keys": [{"key": "backend-jwt-key", "algorithm": "ES256"}],
            "header": "X-Who-Calls",
            "issuer": "us",
        },
    }
    async with running_service(tmp_path, server, settings=settings) as service, connected(service.port) as stub:
        answer = await stub.check(check_request())
        assert json.loads(denied(answer).body)["fault"]["code"] == 900902
        assert headers_of(denied(answer))["www-authenticate"] == 'Bearer realm="our gateway"'
        assert status_of(await stub.check(check_request(headers=bearer("a" * 4097)))) == 401
        assert server.introspection.calls == 0
        jwt = allowed(await stub.check(check_request(headers=bearer(server.issue_jwt(**GOOD)))))
        assert "x-who-calls" in headers_of(jwt)
        assert "x-jwt-assertion" not in headers_of(jwt)


async def test_the_time_budget_of_a_check_is_as_set(tmp_path, server):
    settings = {"limits": {"check_seconds": 0.2, "drain_seconds": 0}}
    async with running_service(tmp_path, server, settings=settings) as service, connected(service.port) as stub:
        server.introspection.misbehave(Misbehaviour.HANG)
        late = await stub.check(check_request(headers=bearer(server.issue_opaque(**GOOD))))
        assert status_of(late) == 503
        await service.processes.__aexit__(None, None, None)
        assert "time budget spent" in service.logged()


async def test_redis_is_used_as_the_user_and_under_the_prefix_that_are_set(tmp_path, server):
    async with ValkeyServer() as valkey, Redis.from_url(valkey.url, decode_responses=True) as admin:
        await admin.execute_command(
            *("ACL", "SETUSER", "cache", "on", f">{server.client_secret}", "~ours:*"),
            *("+get", "+set", "+del", "+eval", "+hello", "+client"),
        )
        await admin.execute_command("ACL", "SETUSER", "default", "off", "+acl")
        redis = {"url": valkey.url, "username": "cache", "password": "gateway", "key_prefix": "ours:"}
        settings = {"cache": {"backend": "redis", "secret": ["cache-secret"], "redis": redis}}
        async with running_service(tmp_path, server, settings=settings) as service, connected(service.port) as stub:
            allowed(await stub.check(check_request(headers=bearer(server.issue_opaque(**GOOD)))))
            _, document = await service.operations("/healthz")
            assert document["components"]["cache"] == {"ok": True, "essential": False, "detail": "redis"}
        assert [str(key).startswith("ours:") for key in await admin.keys()] == [True]


@pytest.mark.parametrize("header", ["Host", "Content-Length", "X-A-B-C-D-E-F-G"])
async def test_a_backend_jwt_header_that_cannot_be_ours_is_a_mistake(tmp_path, server, header):
    backend_jwt = {"keys": [{"key": "backend-jwt-key", "algorithm": "ES256"}], "header": header}
    addresses = {"listen": "127.0.0.1:0", "operations": {"listen": "127.0.0.1:0"}}
    write_files(tmp_path, server, addresses | {"backend_jwt": backend_jwt}, {})

    async def never():
        return False

    async with Processes(tmp_path) as processes:
        with pytest.raises(ProgramFailed, match="status 2"):
            await processes.start(serve_program(tmp_path, server, never))
        logged = processes.log("extauthz").read_text()
    assert "backend_jwt.header" in logged
    assert "Traceback" not in logged
