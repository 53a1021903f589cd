"""A running process takes over new settings, and nobody who asks it meanwhile notices."""

import asyncio
import contextlib
import json
import os
import signal

import aiohttp
import pytest
import yaml
from support.check_client import OVERWRITES, allowed, check_request, connected, denied, status_of
from support.decisions import GOOD
from support.operator import Operator
from support.revocations import until
from support.service import CACHE_SECRET, running_service
from support.valkey import ValkeyServer

pytestmark = [pytest.mark.external_service, OVERWRITES]
QUICK = {"interval_seconds": 0.05}
FORMS = {"apim": "code", "fault": "fault", "problem": "type"}
"""The outermost member of a refusal's body by `errors.format`."""


def bearer(token):
    return {"authorization": f"Bearer {token}"}


@contextlib.asynccontextmanager
async def asking_all_the_time(port, server):
    """Allowed from memory, allowed after a question to the key manager, refused; what goes wrong is raised at the end.

    Yields a function that waits until all that is asked was answered once more.
    """
    ends, rounds = asyncio.Event(), 0
    token = server.issue_jwt(**GOOD)

    async def ask(stub):
        nonlocal rounds
        while not ends.is_set():
            allowed(await stub.check(check_request(headers=bearer(token))))
            allowed(await stub.check(check_request(headers=bearer(server.issue_opaque(**GOOD)))))
            assert status_of(await stub.check(check_request())) == 401
            rounds += 1

    async def once_more():
        aim = rounds + 6

        async def reached():
            return rounds >= aim or any(task.done() for task in tasks)

        await until(reached)

    async with connected(port) as one, connected(port) as two:
        tasks = [asyncio.create_task(ask(stub)) for stub in (one, two, two)]
        try:
            yield once_more
        finally:
            ends.set()
            await asyncio.gather(*tasks)


def changed(path, **sections):
    """The text of the settings with other sections, and put in place at once."""
    document = yaml.safe_load(path.read_text()) | sections
    new = path.with_name("new.yaml")
    new.write_text(yaml.safe_dump(document))
    new.replace(path)


async def answers(port, error_format):
    """Waits until refusals look like this."""
    async with connected(port) as stub:

        async def so():
            (member, *_) = json.loads(denied(await stub.check(check_request())).body)
            return member == FORMS[error_format]

        await until(so)


async def ready(service):
    """Waits until it is ready."""

    async def so():
        status, _ = await service.operations("/readyz")
        return status == 200

    await until(so)


async def settings_say(service, *, ok, detail):
    """Waits until readiness tells this of the settings; it is ready all the time."""

    async def so():
        status, document = await service.operations("/readyz")
        assert status == 200
        component = document["components"]["settings"]
        return component["ok"] is ok and detail in component["detail"]

    await until(so)


async def test_no_check_fails_whatever_becomes_of_the_settings(tmp_path, server):
    config = tmp_path / "extauthz.yaml"
    async with (
        running_service(tmp_path, server, settings={"reload": QUICK}) as service,
        asking_all_the_time(service.port, server) as once_more,
    ):
        for error_format in ("fault", "problem", "apim", "fault"):
            await once_more()
            changed(config, errors={"format": error_format})
            await answers(service.port, error_format)
        right = config.read_text()
        config.write_text("errors: {format: jazz}\n")
        await settings_say(service, ok=False, detail="the last good ones stay")
        await once_more()
        await answers(service.port, "fault")
        config.write_text(right)
        await settings_say(service, ok=True, detail="applied")
        await once_more()
    assert "Traceback" not in service.logged()
    refused = [json.loads(line) for line in service.logged().splitlines() if '"event": "settings_refused"' in line]
    assert any("errors.format (line 1)" in line["problem"] for line in refused)


async def revoke(service, token):
    headers = {"authorization": f"Bearer {CACHE_SECRET}"}
    url = f"http://127.0.0.1:{service.operations_port}/revocations"
    sent = {"key_manager": "km", "token": token}
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, json=sent) as answer:
        assert answer.status < 300


async def initialize(config):
    """Says that the new Redis holds no revocations."""
    operator = Operator(TEST_CACHE_SECRET=CACHE_SECRET, TEST_GATEWAY_SECRET="of no use here, and never printed")
    status, *_ = await operator.run_apart("revoke", "--config", config, "--initialize")
    assert status == 0


async def test_what_is_shared_by_redis_is_followed_without_a_gap(tmp_path, server):
    early, late = server.issue_jwt(**GOOD, jti="early"), server.issue_jwt(**GOOD, jti="late")
    async with ValkeyServer() as valkey:
        redis = {"backend": "redis", "secret": ["cache-secret"], "redis": {"url": valkey.url}}
        settings = {"reload": QUICK, "cache": redis, "revocation": redis, "operations": {"token": "cache-secret"}}
        async with (
            running_service(tmp_path, server, settings=settings, wait_for="/healthz") as service,
            connected(service.port) as stub,
        ):
            await initialize(tmp_path / "extauthz.yaml")
            await ready(service)
            await revoke(service, early)
            async with asking_all_the_time(service.port, server) as once_more:
                changed(tmp_path / "extauthz.yaml", errors={"format": "fault"})
                await answers(service.port, "fault")
                allowed(await stub.check(check_request(headers=bearer(late))))
                await revoke(service, late)
                for token in (early, late):
                    assert status_of(await stub.check(check_request(headers=bearer(token)))) == 401
                await once_more()


async def test_sighup_has_the_settings_read_at_once(tmp_path, server):
    settings = {"reload": {"interval_seconds": 3600}}
    async with (
        running_service(tmp_path, server, settings=settings) as service,
        asking_all_the_time(service.port, server) as once_more,
    ):
        changed(tmp_path / "extauthz.yaml", errors={"format": "fault"}, listen="127.0.0.1:1")
        os.kill(service.process_id, signal.SIGHUP)
        await answers(service.port, "fault")
        await settings_say(service, ok=True, detail="a restart is needed for listen")
        await once_more()


async def test_a_mount_of_kubernetes_is_followed(tmp_path, server):
    """Files are links into `..data`, which is pointed elsewhere when a ConfigMap or a Secret changes."""
    data, old, new = tmp_path / "..data", tmp_path / "..old", tmp_path / "..new"
    old.mkdir()
    new.mkdir()
    data.symlink_to(old)
    for name in ("extauthz.yaml", "backend-jwt-key.pem"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    async with (
        running_service(tmp_path, server, settings={"reload": QUICK}) as service,
        asking_all_the_time(service.port, server) as once_more,
    ):
        for path in old.iterdir():
            (new / path.name).write_bytes(path.read_bytes())
        changed(new / "extauthz.yaml", errors={"format": "problem"})
        (swap := tmp_path / "..swap").symlink_to(new)
        swap.replace(data)
        await answers(service.port, "problem")
        await once_more()
