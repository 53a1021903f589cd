"""Several processes on the same ports, which operators and Envoy take for one."""

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path

import aiohttp
import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from support import http_check
from support.authorization_server import Misbehaviour
from support.check_client import OVERWRITES, allowed, check_request, connected, denied, status_of
from support.deciding import key_manager_of
from support.decisions import GOOD
from support.operator import Operator
from support.revocations import until
from support.service import CACHE_SECRET, write_files
from support.valkey import ValkeyServer
from support.workers import (
    WORKERS,
    checks,
    events,
    metrics,
    one_connection_to_each,
    patiently_connected,
    process_ids,
    program_with_workers,
    running_workers,
)

from extauthz.cli.demo.processes import Processes, ProgramFailed
from extauthz.cli.demo.programs import free_port

pytestmark = [pytest.mark.external_service, OVERWRITES]
OPERATOR = {"authorization": f"Bearer {CACHE_SECRET}"}


def bearer(token):
    return {"authorization": f"Bearer {token}"}


async def ask(service, path, *, method="GET", **options):
    url = f"http://127.0.0.1:{service.operations_port}{path}"
    async with aiohttp.ClientSession() as session, session.request(method, url, **options) as response:
        return response.status, response.headers, await response.text()


async def ready(service):
    async def so():
        return (await service.operations("/readyz"))[0] == 200

    await until(so)


async def test_all_of_them_answer_and_one_page_counts_every_check(tmp_path, server):
    async with running_workers(tmp_path, server) as service, one_connection_to_each(service) as stubs:
        before = sum((await checks(service)).values())
        for stub in stubs.values():
            for _ in range(3):
                allowed(await stub.check(check_request(headers=bearer(server.issue_jwt(**GOOD)))))
        assert sum((await checks(service)).values()) == before + 6
        shown = await metrics(service)
        for worker in WORKERS:
            allowed_by_it = ("extauthz_check_duration_seconds_count", ("decision", "allow"), ("worker", worker))
            assert shown[allowed_by_it] == 3
            assert shown["extauthz_ready", ("worker", worker)] == 1
        _, headers, page = await ask(service, "/metrics", headers={"Accept": "application/openmetrics-text"})
        assert headers["Content-Type"].startswith("application/openmetrics-text")
        assert {"extauthz_checks", "process_cpu_seconds"} <= {family.name for family in openmetrics_families(page)}


async def test_they_share_the_port_for_checks_by_http_as_well(tmp_path, server):
    port = free_port()
    settings = {"http_check": {"listen": f"127.0.0.1:{port}", "proxy": "envoy"}}
    async with running_workers(tmp_path, server, settings=settings) as service:

        async def both_have_answered():
            token = ("Authorization", f"Bearer {server.issue_jwt(**GOOD)}")
            assert (await http_check.ask(port, http_check.TARGETS["envoy"], [*http_check.ENVOY, token])).status == 200
            return all((await checks(service)).values())

        await until(both_have_answered)


async def test_readiness_tells_of_each_worker(tmp_path, server):
    async with running_workers(tmp_path, server) as service:
        status, document = await service.operations("/readyz")
        assert (status, document["ready"], document["draining"]) == (200, True, False)
        assert document["components"] == {
            f"worker {worker}": {"ok": True, "essential": True, "detail": "ready"} for worker in WORKERS
        }
        assert {document["workers"][worker]["components"]["catalog"]["detail"] for worker in WORKERS} == {"1 APIs"}
        assert (await service.operations("/healthz"))[0] == 200


async def test_a_killed_worker_is_missed_and_comes_back_while_checks_go_on(tmp_path, server):
    """Its files are of no use at first, so that it is away for as long as the test wants."""
    token = server.issue_jwt(**GOOD)
    async with running_workers(tmp_path, server) as service, one_connection_to_each(service) as stubs:
        catalog, killed = (tmp_path / "catalog.yaml").read_text(), process_ids(service)["1"]
        (tmp_path / "catalog.yaml").write_text("apis: []\n")
        os.kill(killed, signal.SIGKILL)

        async def missed():
            return [event["status"] for event in events(service, "worker_ended")][:2] == [-signal.SIGKILL, 2]

        await until(missed)
        for _ in range(5):
            async with connected(service.port) as new:
                allowed(await new.check(check_request(headers=bearer(token))))
        allowed(await stubs["2"].check(check_request(headers=bearer(token))))
        status, document = await service.operations("/readyz")
        assert (status, document["components"]["worker 2"]["ok"]) == (503, True)
        assert not document["components"]["worker 1"]["ok"]
        assert (await service.operations("/healthz"))[0] == 200
        assert (await metrics(service))["extauthz_ready", ("worker", "1")] == 0
        (tmp_path / "catalog.yaml").write_text(catalog)
        await ready(service)
        assert process_ids(service)["1"] != killed
        async with one_connection_to_each(service) as again:
            allowed(await again["1"].check(check_request(headers=bearer(token))))


async def test_a_worker_comes_back_though_old_files_were_cleared(tmp_path, server):
    """Where services have a folder of their own, what workers share is there."""
    shared = []

    def cleared(folder):
        shared.append(Path(folder))
        return {"RUNTIME_DIRECTORY": f"{folder}:/nonexistent"}

    async with running_workers(tmp_path, server, in_folder=cleared) as service:
        killed = process_ids(service)["1"]
        files = [path for path in shared[0].glob("*/*") if path.is_file()]
        assert files
        for path in files:
            path.unlink()
        os.kill(killed, signal.SIGKILL)

        async def back():
            return process_ids(service)["1"] != killed and (await service.operations("/readyz"))[0] == 200

        await until(back)
        assert len(events(service, "worker_ended")) == 1


async def test_sigterm_lets_every_check_finish(tmp_path, server):
    """Both workers have asked a key manager that takes its time, and may."""
    key_manager = key_manager_of(server)
    key_manager["introspection"]["timeout_seconds"] = 30
    limits = {"limits": {"check_seconds": 60, "drain_seconds": 0, "grace_seconds": 60}}
    async with (
        running_workers(tmp_path, server, settings=limits, catalog={"key_managers": [key_manager]}) as service,
        one_connection_to_each(service, patiently_connected) as stubs,
    ):
        server.introspection.misbehave(Misbehaviour.HANG)
        asked = server.introspection.calls
        waiting = [
            asyncio.create_task(stub.check(check_request(headers=bearer(server.issue_opaque(**GOOD)))))
            for stub in stubs.values()
        ]
        await server.introspection.called(asked + 2)
        os.kill(service.process_id, signal.SIGTERM)

        async def draining():
            status, document = await service.operations("/readyz")
            return status == 503 and document["draining"] and all(w["draining"] for w in document["workers"].values())

        await until(draining)
        await server.introspection.behave()
        for answer in await asyncio.gather(*waiting):
            allowed(answer)
        with pytest.raises(ProgramFailed, match="status 0"):
            await service.processes.watch()
        assert {event.get("worker") for event in events(service, "stopped")} == {1, 2, None}


async def test_sighup_has_all_read_their_settings_again(tmp_path, server):
    never = {"reload": {"interval_seconds": 3600}}
    async with running_workers(tmp_path, server, settings=never) as service, one_connection_to_each(service) as stubs:
        config = tmp_path / "extauthz.yaml"
        config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | {"errors": {"format": "fault"}}))
        os.kill(service.process_id, signal.SIGHUP)
        for stub in stubs.values():

            async def changed(stub=stub):
                return "fault" in json.loads(denied(await stub.check(check_request())).body)

            await until(changed)


async def test_settings_that_come_later_must_be_for_several_workers_too(tmp_path, server):
    """Else a revocation would be told to one of them, and the others would let it in."""
    quick = {"reload": {"interval_seconds": 0.05}}
    async with running_workers(tmp_path, server, settings=quick) as service:
        config = tmp_path / "extauthz.yaml"
        document = yaml.safe_load(config.read_text())
        document["operations"]["token"] = "cache-secret"
        config.write_text(yaml.safe_dump(document))

        async def refused():
            return {event["worker"] for event in events(service, "settings_refused")} == {1, 2}

        await until(refused)
        assert "revocation.backend" in events(service, "settings_refused")[0]["problem"]
        assert (await ask(service, "/revocations", method="POST", json={}))[0] == 404


async def end_of(folder, server):
    """Status and words of one that does not get far."""

    async def never():
        return False

    async with Processes(folder) as processes:
        with pytest.raises(ProgramFailed) as ended:
            await processes.start(program_with_workers(folder, server, never))
        return str(ended.value), processes.log("extauthz").read_text()


async def test_a_catalog_of_no_use_ends_all_and_is_complained_of_once(tmp_path, server):
    write_files(tmp_path, server, {"listen": f"127.0.0.1:{free_port()}", "operations": {"listen": "127.0.0.1:0"}}, {})
    (tmp_path / "catalog.yaml").write_text("apis: [{id: x}]\n")
    ended, logged = await end_of(tmp_path, server)
    assert "status 2" in ended
    assert logged.count("apis[0].name") == 1
    assert "Traceback" not in logged


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"listen": 5, "nonsense": 1}, "nonsense"),
        ({"listen": "127.0.0.1:0"}, "listen: each of several workers would get a port of its own"),
        ({"listen": "unix:/tmp/e.sock"}, "listen: several workers cannot share a Unix socket"),
    ],
)
async def test_settings_of_no_use_end_it_with_status_2(tmp_path, server, settings, said):
    write_files(tmp_path, server, settings | {"operations": {"listen": "127.0.0.1:0"}}, {})
    ended, logged = await end_of(tmp_path, server)
    assert "status 2" in ended
    assert logged.count(said) == 1


async def test_the_ports_are_not_shared_with_another_service(tmp_path, server):
    async with running_workers(tmp_path / "first", server) as first:
        taken = {"listen": f"127.0.0.1:{first.port}", "operations": {"listen": "127.0.0.1:0"}}
        write_files(tmp_path / "second", server, taken, {})
        ended, logged = await end_of(tmp_path / "second", server)
    assert "status 1" in ended
    assert f"cannot listen on 127.0.0.1:{first.port}" in logged


async def test_workers_do_not_outlive_their_supervisor(tmp_path, server):
    async with running_workers(tmp_path, server) as service:
        ends = [process_end(process_id) for process_id in process_ids(service).values()]
        os.kill(service.process_id, signal.SIGKILL)
        await asyncio.gather(*ends)


def process_end(process_id):
    """Of a process that is not our child."""
    descriptor, ended = os.pidfd_open(process_id), asyncio.Event()
    loop = asyncio.get_running_loop()

    def noticed():
        loop.remove_reader(descriptor)
        os.close(descriptor)
        ended.set()

    loop.add_reader(descriptor, noticed)
    return ended.wait()


@contextlib.asynccontextmanager
async def running_with_redis(folder, server):
    """Operators may revoke, for which several workers need Redis."""
    async with ValkeyServer() as valkey:
        redis = {"revocation": {"backend": "redis", "secret": ["cache-secret"], "redis": {"url": valkey.url}}}
        write_files(folder, server, redis, {})
        operator = Operator(TEST_CACHE_SECRET=CACHE_SECRET, TEST_GATEWAY_SECRET=server.client_secret)
        status, *_ = await operator.run_apart("revoke", "--config", folder / "extauthz.yaml", "--initialize")
        assert status == 0
        token = {"token": "cache-secret"}
        async with running_workers(folder, server, settings=redis, operations=token) as service:
            yield service


async def test_a_revocation_reaches_all_through_redis_whichever_takes_it(tmp_path, server):
    token = server.issue_jwt(**GOOD)
    async with running_with_redis(tmp_path, server) as service, one_connection_to_each(service) as stubs:
        for stub in stubs.values():
            allowed(await stub.check(check_request(headers=bearer(token))))
        sent = {"key_manager": "km", "token": token}
        assert (await ask(service, "/revocations", method="POST", json=sent))[0] == 401
        assert (await ask(service, "/revocations", method="POST", json=sent, headers=OPERATOR))[0] == 204
        for stub in stubs.values():

            async def refused(stub=stub):
                answer = await stub.check(check_request(headers=bearer(token)))
                return answer.denied_response is not None and status_of(answer) == 401

            await until(refused)


async def test_other_pages_are_those_of_a_worker_who_looks_at_the_secret(tmp_path, server):
    async with running_with_redis(tmp_path, server) as service:
        status, headers, _ = await ask(service, "/config")
        assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="extauthz operations"')
        _, headers, config = await ask(service, "/config", headers=OPERATOR)
        assert headers["Content-Type"] == "application/json"
        assert json.loads(config)["listen"] == f"127.0.0.1:{service.port}"
        _, _, listed = await ask(service, "/catalog?list=apis&limit=1", headers=OPERATOR)
        assert len(json.loads(listed)["apis"]) == 1
        _, headers, keys = await ask(service, "/jwks")
        assert json.loads(keys)["keys"]
        assert (await ask(service, "/jwks", headers={"If-None-Match": headers["ETag"]}))[0] == 304
        assert (await ask(service, "/nothing"))[0] == 404
        assert (await ask(service, "/metrics", method="POST"))[0] == 405
        for length in (70_000, 200_000):
            assert (await ask(service, "/revocations", method="POST", headers=OPERATOR, data="x" * length))[0] == 413
        assert CACHE_SECRET not in service.logged()
