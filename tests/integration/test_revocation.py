"""Revoked tokens: in the pipeline, and over real replicas, a real Redis and the command line."""

import asyncio
import contextlib
import json
import os
import sys
import time
from functools import partial
from typing import Any

import aiohttp
import pytest
import yaml
from redis.asyncio import Redis
from support.authorization_server import AuthorizationServer, Misbehaviour
from support.check_client import OVERWRITES, allowed, check_request, connected, denied, status_of
from support.deciding import deciding, key_manager_of
from support.revocations import until
from support.service import running_service, serve_program, write_files
from support.valkey import ValkeyServer

from extauthz.cli.demo.processes import Processes, ProgramFailed
from extauthz.model.check import Allow, Deny
from extauthz.model.errors import Reason
from extauthz.revocation.retention import Retention
from extauthz.revocation.revocation import Revocation, RevocationForm

GOOD = {"client_id": "client", "azp": "client", "scope": "read", "sub": "alice-4711"}
OPERATOR = "the operator's secret, of at least 32 bytes"
SECRETS = {"revocation-secret": b"a secret of at least 32 bytes, for revocations", "operator": OPERATOR.encode()}


@pytest.fixture
async def world(server):
    async with deciding(server) as running:
        yield running


def issue(server, form, **claims):
    return (server.issue_jwt if form == "jwt" else server.issue_opaque)(**(GOOD | claims))


def revocation(form, value, /, **times):
    return Revocation(key_manager="km", form=form, value=value, **times)


def refused(decision, reason=Reason.TOKEN_INACTIVE):
    assert isinstance(decision, Deny), decision
    assert decision.reason is reason, decision


def passed(decision):
    assert isinstance(decision, Allow), decision


@pytest.mark.parametrize("cached", [True, False], ids=["cached", "fresh"])
@pytest.mark.parametrize("kind", ["jwt", "opaque"])
@pytest.mark.parametrize("form", list(RevocationForm))
async def test_a_revoked_token_is_refused_cached_or_fresh(server, world, cached, kind, form):
    token, other = issue(server, kind, jti="id-1"), issue(server, kind, jti="id-2", sub="bob", iat=int(time.time()) + 9)
    if cached:
        passed(await world.check(token))
    values = {"token": token, "jti": "id-1", "client": "client", "subject": "alice-4711"}
    until = {"issued_until": time.time() + 1} if form.indirect else {}
    await world.revocations.revoker.revoke([revocation(form, values[form.value], **until)])
    refused(await world.check(token))
    refused(await world.check(token))
    passed(await world.check(other))


async def test_a_hit_evicts_the_fact(server, world):
    token = issue(server, "opaque", jti="id-1")
    passed(await world.check(token))
    passed(await world.check(token))
    assert server.introspection.calls == 1
    await world.revocations.revoker.revoke([revocation(RevocationForm.TOKEN_ID, "id-1", expires_at=time.time() + 60)])
    for _ in range(5):
        refused(await world.check(token))
    assert server.introspection.calls == 1
    world.clock.advance(31)
    refused(await world.check(token))
    assert server.introspection.calls == 2


MINIMUM = {"active": True, "client_id": "client", "scope": "read"}
"""What an answer may be content with (RFC 7662 §2.2): it names neither the token nor who holds it."""


@pytest.mark.parametrize(
    "settings", [{"validation": "introspection"}, {"introspect_failed_jwt": True}], ids=["introspection", "failed"]
)
@pytest.mark.parametrize(
    ("form", "value"),
    [(RevocationForm.TOKEN_ID, "id-1"), (RevocationForm.SUBJECT, "alice-4711"), (RevocationForm.CLIENT, "own-client")],
)  # fmt: skip
async def test_an_introspected_jwt_is_revoked_by_what_it_says_of_itself(server, world, settings, form, value):
    server.introspection_override = MINIMUM
    await world.catalog(key_managers=[key_manager_of(server, **settings)])
    async with AuthorizationServer(name="second") as stranger:
        signer = server if "validation" in settings else stranger
        claims: dict[str, Any] = GOOD | {"azp": "own-client", "client_id": "own-client"}
        token = signer.issue_jwt(**claims, iss=server.issuer, jti="id-1")
    passed(await world.check(token))
    times = {"expires_at": time.time() + 60} if form is RevocationForm.TOKEN_ID else {"issued_until": time.time() + 1}
    await world.revocations.revoker.revoke([revocation(form, value, **times)])
    refused(await world.check(token))
    refused(await world.check(token))


async def test_a_jwt_that_outlives_revocations_keeps_what_it_says_of_itself_when_it_is_introspected(server):
    server.introspection_override = MINIMUM
    async with deciding(server, retention=Retention(seconds=SHORT, introspect=True)) as world:
        lasting = {"exp": int(time.time()) + 100 * SHORT}
        token = server.issue_jwt(**GOOD, jti="id-1", **lasting)
        passed(await world.check(token))
        refused(await world.check(server.issue_jwt(**GOOD, cnf={"jkt": "a" * 43}, **lasting)), Reason.INVALID_TOKEN)
        revoked = revocation(RevocationForm.TOKEN_ID, "id-1", expires_at=time.time() + 60)
        await world.revocations.revoker.revoke([revoked])
        refused(await world.check(token))


async def test_a_token_that_is_revoked_by_itself_costs_its_issuer_nothing(server, world):
    token = issue(server, "opaque")
    await world.revocations.revoker.revoke([revocation(RevocationForm.TOKEN, token)])
    refused(await world.check(token))
    assert server.introspection.calls == 0


async def test_what_is_revoked_while_its_issuer_is_being_asked_is_refused(server, world):
    token = issue(server, "opaque", jti="id-1")
    server.introspection.misbehave(Misbehaviour.HANG)
    check = asyncio.create_task(world.check(token))
    await server.introspection.called(1)
    await world.revocations.revoker.revoke([revocation(RevocationForm.TOKEN_ID, "id-1")])
    await server.introspection.behave()
    refused(await check)


async def test_another_key_managers_revocation_is_none(server, world):
    token = issue(server, "opaque", jti="id-1")
    elsewhere = Revocation(key_manager="other", form=RevocationForm.TOKEN_ID, value="id-1")
    await world.revocations.revoker.revoke([elsewhere])
    passed(await world.check(token))


async def test_before_revocations_are_known_a_check_is_unavailable(server, world):
    token = issue(server, "jwt")
    world.revocations.revoked.known = False
    refused(await world.check(token), Reason.UNAVAILABLE)
    world.revocations.revoked.known = True
    passed(await world.check(token))


SHORT = 2 * 86_400.0


@pytest.mark.parametrize("introspect", [True, False])
async def test_a_token_that_outlives_its_revocation_is_refused_or_introspected(server, introspect):
    async with deciding(server, retention=Retention(seconds=SHORT, introspect=introspect)) as world:
        no_introspection = key_manager_of(server)
        del no_introspection["introspection"]
        end = int(time.time() + SHORT)
        bounded, long = issue(server, "jwt", exp=end - 10, iat=end - 10), issue(server, "jwt", exp=end + 100)
        opaque = issue(server, "opaque", exp=None)
        (passed if introspect else lambda d: refused(d, Reason.INVALID_TOKEN))(await world.check(opaque))
        await world.catalog(key_managers=[no_introspection])
        passed(await world.check(bounded))
        refused(await world.check(long), Reason.INVALID_TOKEN)


@pytest.mark.parametrize("introspect", [True, False])
async def test_a_jwt_that_outlives_its_revocation_is_accepted_on_its_key_managers_word_alone(server, introspect):
    token = issue(server, "jwt", exp=int(time.time() + 2 * SHORT))
    async with deciding(server, retention=Retention(seconds=SHORT, introspect=introspect)) as world:
        if not introspect:
            refused(await world.check(token), Reason.INVALID_TOKEN)
            assert server.introspection.calls == 0
            return
        passed(await world.check(token))
        passed(await world.check(token))
        assert server.introspection.calls == 1
        server.revoke(token)
        world.clock.advance(301)
        refused(await world.check(token))


def settings(valkey=None, **revocation):
    """As operators write them."""
    shared = {"backend": "redis", "secret": ["revocation-secret"], "redis": {"url": valkey.url}} if valkey else {}
    named = {name: {"file": f"{name}.txt"} for name in SECRETS}
    own: dict[str, Any] = {"backend-jwt-key": {"file": "backend-jwt-key.pem"}}
    own["gateway"] = {"env": "TEST_GATEWAY_SECRET", "hosts": ["127.0.0.1"]}
    return {"operations": {"token": "operator"}, "revocation": shared | revocation, "secrets": named | own}


@contextlib.asynccontextmanager
async def replica(folder, server, wanted, **rest):
    folder.mkdir()
    for name, value in SECRETS.items():
        (folder / f"{name}.txt").write_bytes(value)
    async with running_service(folder, server, settings=wanted, **rest) as service, connected(service.port) as stub:
        yield service, stub


async def extauthz(folder, *arguments, text=b""):
    """Status, output and errors of a command."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "extauthz", "revoke", "--config", str(folder / "extauthz.yaml"), *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip
    output, errors = await process.communicate(text)
    return process.returncode, output.decode(), errors.decode()


async def post(service, body, *, secret=OPERATOR):
    url = f"http://127.0.0.1:{service.operations_port}/revocations"
    headers = {"Authorization": f"Bearer {secret}"}
    async with aiohttp.ClientSession() as session, session.post(url, json=body, headers=headers) as response:
        return response.status


async def check(stub, token):
    return await stub.check(check_request(headers={"authorization": f"Bearer {token}"}))


async def is_ready(service):
    return (await service.operations("/readyz"))[0] == 200


async def misses_news(service):
    return not (await service.operations("/healthz"))[1]["components"]["revocation_channel"]["ok"]


async def until_refused(stub, token):
    """A replica learns of a revocation by itself; a good token's answer says only that it has not yet."""

    async def refused_here():
        return (await check(stub, token)).ok_response is None

    await until(refused_here)
    answer = await check(stub, token)
    assert (status_of(answer), json.loads(denied(answer).body)["code"]) == (401, "900904")


@pytest.mark.external_service
@OVERWRITES
async def test_three_replicas_learn_of_a_revocation_whoever_makes_it(tmp_path, server, valkey):
    jwt, opaque, good = issue(server, "jwt", jti="id-1"), issue(server, "opaque"), issue(server, "jwt", sub="bob")
    async with contextlib.AsyncExitStack() as stack:
        wanted = settings(valkey)
        first, stub = await stack.enter_async_context(replica(tmp_path / "0", server, wanted, wait_for="/healthz"))
        assert (await first.operations("/readyz"))[0] == 503
        status, output, _ = await extauthz(tmp_path / "0", "--initialize")
        assert (status, output) == (0, "initialised: replicas are ready to start\n")
        others = [await stack.enter_async_context(replica(tmp_path / name, server, wanted)) for name in "12"]
        await until(partial(is_ready, first))
        stubs = [stub, *(other for _, other in others)]
        for each in stubs:
            for token in (jwt, opaque, good):
                allowed(await check(each, token))

        assert await post(others[0][0], {"key_manager": "km", "jti": "id-1"}) == 204
        status, output, _ = await extauthz(
            tmp_path / "1", "--key-manager", "km", "--token-stdin", text=opaque.encode() + b"\n"
        )
        assert (status, output) == (0, "revoked\n")
        for each in stubs:
            await until_refused(each, jwt)
            await until_refused(each, opaque)
            allowed(await check(each, good))

        _, joiner = await stack.enter_async_context(replica(tmp_path / "3", server, wanted))
        for token in (jwt, opaque):
            assert status_of(await check(joiner, token)) == 401
        allowed(await check(joiner, good))

        await valkey.stop()
        assert await post(first, {"key_manager": "km", "subject": "bob"}) == 503
        status, _, errors = await extauthz(tmp_path / "1", "--key-manager", "km", "--subject", "bob")
        assert status == 1
        assert "revocations: redis does not answer" in errors
        for each in stubs:
            assert status_of(await check(each, jwt)) == 401
        assert (await first.operations("/readyz"))[0] == 200
        await until(partial(misses_news, others[0][0]))

        await valkey.start()
        for each in stubs:
            await until_refused(each, good)
        async with Redis.from_url(valkey.url) as client:
            kept = repr(await client.zrange("{extauthz:revocations}:entries", 0, -1))
        assert not [value for value in ("id-1", "bob", "alice-4711", opaque) if value in kept]
        for service, _ in others:
            assert opaque not in service.logged()
            assert OPERATOR not in service.logged()


@pytest.mark.external_service
@OVERWRITES
async def test_a_process_alone_revokes_over_http_and_says_so_on_the_command_line(tmp_path, server):
    token = issue(server, "opaque")
    async with replica(tmp_path / "0", server, settings()) as (service, stub):
        allowed(await check(stub, token))
        assert await post(service, {"key_manager": "km", "token": token}, secret="wrong") == 401
        allowed(await check(stub, token))
        assert await post(service, {"key_manager": "km", "token": token}) == 204
        assert status_of(await check(stub, token)) == 401
        status, _, errors = await extauthz(tmp_path / "0", "--key-manager", "km", "--jti", "a")
        assert status == 2
        assert f"http://127.0.0.1:{service.operations_port}/revocations" in errors


@pytest.mark.external_service
@OVERWRITES
async def test_wso2_identity_server_may_notify(tmp_path, server):
    notifications = {"key_manager": "km", "username": "admin", "password": "operator"}
    token = issue(server, "jwt", jti="id-1")
    async with replica(tmp_path / "0", server, settings(notifications=notifications)) as (service, stub):
        allowed(await check(stub, token))
        url = f"http://127.0.0.1:{service.operations_port}/internal/data/v1/notify"
        event = {"type": "token_revocation", "accessToken": "id-1", "expiryTime": int(time.time() * 1000) + 60_000}
        login = {"Authorization": aiohttp.encode_basic_auth("admin", OPERATOR)}
        async with aiohttp.ClientSession() as session, session.post(url, json=event, headers=login) as response:
            assert response.status == 204
        assert status_of(await check(stub, token)) == 401


async def failed_start(folder, server, wanted, secrets=SECRETS):
    folder.mkdir()
    for name, value in secrets.items():
        (folder / f"{name}.txt").write_bytes(value)

    async def never():
        return False

    write_files(folder, server, {"listen": "127.0.0.1:0"} | wanted, {})
    async with Processes(folder) as processes:
        with pytest.raises(ProgramFailed, match="status 2"):
            await processes.start(serve_program(folder, server, never))
        return processes.log("extauthz").read_text()


@pytest.mark.external_service
async def test_a_server_that_throws_revocations_away_is_refused_at_start(tmp_path, server):
    async with ValkeyServer("--maxmemory-policy", "allkeys-lru") as evicting:
        logged = await failed_start(tmp_path / "0", server, settings(evicting))
    assert "revocation.redis: its maxmemory-policy is allkeys-lru" in logged


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"secrets": {"revocation-secret": b"short"}}, "revocation.secret: secret 1 has 5 bytes"),
        ({"secrets": {"operator": b"short"}}, "operations.token: the secret must have 32 bytes"),
        ({"revocation": {"backend": "redis", "secret": None}}, "revocation.secret"),
        ({"revocation": {"backend": "memory"}}, "contradicts `backend: memory`"),
        ({"revocation": {"retention_seconds": 60}}, "revocation.retention_seconds"),
        ({"revocation": {"secret": ["nobody"]}}, "`nobody` is not one of `secrets:`"),
        ({"revocation": {"notifications": {"key_manager": "km", "username": "u"}}}, "both of `username`"),
    ],
)
async def test_settings_that_cannot_be_used_are_refused_with_their_place(tmp_path, server, changes, told):
    wanted = settings()
    url = {"backend": "redis", "redis": {"url": "redis://127.0.0.1:1/0"}, "secret": ["revocation-secret"]}
    wanted["revocation"] = {k: v for k, v in (url | changes.get("revocation", {})).items() if v is not None}
    assert told in await failed_start(tmp_path / "0", server, wanted, SECRETS | changes.get("secrets", {}))


@pytest.fixture
def configured(tmp_path, server):
    """The files of a replica whose Redis is not there."""
    for name, value in SECRETS.items():
        (tmp_path / f"{name}.txt").write_bytes(value)
    redis = {"backend": "redis", "secret": ["revocation-secret"], "redis": {"url": "redis://127.0.0.1:1/0"}}
    write_files(tmp_path, server, settings() | {"revocation": redis}, {})
    return tmp_path


KM = ("--key-manager", "km")


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ((*KM, "--jti", "a"), 1, "redis does not answer"),
        (("--initialize",), 1, "redis does not answer"),
        (KM, 2, "exactly one of --token-stdin"),
        ((*KM, "--jti", "a", "--client", "b"), 2, "exactly one of --token-stdin"),
        (("--jti", "a"), 2, "must not be empty"),
        (("--key-manager", "typo", "--jti", "a"), 2, "not in the catalog; known: km (default)"),
        ((*KM, "--organization", "o", "--jti", "a"), 2, "of organization `o` is not in the catalog"),
        ((*KM, "--jti", "a", "--issued-before", "17"), 2, "--issued-until belongs to"),
        ((*KM, "--client", "a", "--expires-at", "17"), 2, "--expires-at belongs to"),
        ((*KM, "--client", "a", "--issued-until", "soon"), 2, "soon: a time is seconds"),
        ((*KM, "--client", "a", "--issued-until", "2026-01-31T12:00:00"), 2, "in which zone"),
        ((*KM, "--client", "a", "--issued-until", "2026-01-31T12:00:00Z"), 1, "redis does not answer"),
        ((*KM, "--jti", "a", "--expires-at", "17"), 2, "--expires-at is in the past"),
        ((*KM, "--jti", "a", "--expires-at", "2001-01-31T12:00:00Z"), 2, "--expires-at is in the past"),
        ((*KM, "--jti", "a", "--expires-at", "nan"), 2, "a time must be seconds since 1970"),
        ((*KM, "--token-stdin"), 2, "that is no token"),
        ((*KM, "--token-file", "/nowhere"), 2, "/nowhere"),
    ],
)
async def test_the_command_says_what_is_wrong(configured, arguments, status, told):
    ended, output, errors = await extauthz(configured, *arguments)
    assert (ended, output) == (status, "")
    assert told in errors
    assert "Traceback" not in errors


async def test_a_catalog_that_cannot_be_read_does_not_stop_a_revocation(configured):
    (configured / "catalog.yaml").write_text("[")
    status, _, errors = await extauthz(configured, *KM, "--jti", "a")
    assert status == 1
    assert "was not looked up" in errors
    assert "redis does not answer" in errors


async def test_an_operator_needs_no_other_secret_than_those_of_revocation(configured):
    document = yaml.safe_load((configured / "extauthz.yaml").read_text())
    assert "TEST_GATEWAY_SECRET" not in os.environ
    assert document["secrets"]["gateway"]["env"] == "TEST_GATEWAY_SECRET"
    assert (await extauthz(configured, "--initialize"))[0] == 1
