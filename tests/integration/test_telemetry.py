"""What a running replica tells operators, and what it never does."""

import asyncio
import json
import sys
import time

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from redis.asyncio import Redis
from support import http_check
from support.catalog_service import at_revision, catalog_service, whole_catalog
from support.catalogs import api, contents
from support.check_client import OVERWRITES, allowed, check_request, connected, status_of
from support.dpop_client import DpopClient
from support.metrics_page import documented, samples, shown_labels, shown_types
from support.otlp_collector import OtlpCollector
from support.redis_catalogs import CatalogWriter, catalog_store
from support.service import CACHE_SECRET, running_service, write_files
from support.valkey import ValkeyServer
from support.workers import running_workers

from extauthz.authn.api_key_hash import ApiKeyHashes, new_api_key
from extauthz.cli.demo.programs import free_port
from extauthz.redis_client.options import SingleServer

GOOD = {"client_id": "client", "azp": "client", "scope": "read", "sub": "alice-4711"}
OPERATOR = "the operator's secret, of at least 32 bytes"
REVOCATION = "a secret of at least 32 bytes, for revocations"
COLLECTOR = "the-secret-of-the-collector"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PAGES = ("/metrics", "/healthz", "/readyz", "/jwks", "/config", "/catalog", "/catalog?list=apis",
         "/catalog?list=key_managers", "/catalog?list=no", "/revocations", "/")  # fmt: skip

pytestmark = pytest.mark.external_service


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def settings(folder, valkey=None, **sections):
    folder.mkdir(exist_ok=True)
    secrets = {"backend-jwt-key": {"file": "backend-jwt-key.pem"}, "cache-secret": {"env": "TEST_CACHE_SECRET"},
               "gateway": {"env": "TEST_GATEWAY_SECRET", "hosts": ["127.0.0.1"]}}  # fmt: skip
    for name, value in (("operator", OPERATOR), ("revocation-secret", REVOCATION)):
        (folder / f"{name}.txt").write_text(value)
        secrets[name] = {"file": f"{name}.txt"}
    (folder / "collector.txt").write_text(f"authorization=Bearer {COLLECTOR}")
    secrets["collector"] = {"file": "collector.txt", "hosts": ["127.0.0.1"]}
    wanted = {"operations": {"token": "operator"}, "secrets": secrets} | sections
    if valkey is not None:
        redis = {"backend": "redis", "redis": {"url": valkey.url}}
        wanted |= {"cache": redis | {"secret": ["cache-secret"]}}
    return wanted


async def page(service, path, *, method="GET", headers=None, body=None):
    url = f"http://127.0.0.1:{service.operations_port}{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers, data=body) as response,
    ):
        return f"{response.status} {dict(response.headers)}\n{await response.text()}"


async def metrics(service, accept="text/plain"):
    return (await page(service, "/metrics", headers={"Accept": accept})).partition("\n")[2]


@OVERWRITES
async def test_every_metric_is_documented_as_it_is(tmp_path, server):
    wanted = settings(tmp_path)
    async with running_service(tmp_path, server, settings=wanted) as service, connected(service.port) as stub:
        for token in (server.issue_jwt(**GOOD), server.issue_opaque(**GOOD), "nonsense"):
            await stub.check(check_request(headers=bearer(token)))
        shown = await metrics(service)
        list(openmetrics_families(await metrics(service, "application/openmetrics-text;version=1.0.0")))
    pages = documented()
    assert shown_types(shown) == {name: kind for name, (kind, _) in pages.items()}
    for name, labels in shown_labels(shown):
        assert labels == pages[name][1], name


@OVERWRITES
async def test_what_happens_is_counted(tmp_path, server):
    wanted = settings(tmp_path, logs={"allowed": {"first_per_second": 0, "then_one_in": 1}})
    trace = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    async with running_service(tmp_path, server, settings=wanted) as service, connected(service.port) as stub:
        for _ in range(40):
            allowed(await stub.check(check_request(headers=bearer(server.issue_jwt(**GOOD)) | trace)))
        for _ in range(15):
            assert status_of(await stub.check(check_request(headers=bearer("nonsense") | trace))) == 401
        shown = samples(await metrics(service))
        await service.processes.__aexit__(None, None, None)
        lines = [json.loads(line) for line in service.logged().splitlines()]
    assert shown["extauthz_cache_lookups_total", ("cache", "jwt"), ("level", "memory"), ("result", "miss")] >= 1
    called = (("key_manager", "km"), ("kind", "jwks"), ("outcome", "ok"))
    assert shown["extauthz_key_manager_calls_total", *called] == 1
    assert shown["extauthz_key_manager_call_duration_seconds_count", ("kind", "jwks")] == 1
    # One in sixteen of 55.
    assert shown["extauthz_stage_duration_seconds_count", ("stage", "match")] == 4
    by = {"decision": "allow", "reason": "", "api": "petstore", "key_manager": "km"}
    assert shown["extauthz_checks_total", *sorted(by.items())] == 40
    assert sum(value for (name, *labels), value in shown.items() if ("decision", "deny") in labels
               and name == "extauthz_checks_total") == 15  # fmt: skip
    assert shown["extauthz_check_duration_seconds_count", ("decision", "allow")] == 40
    assert shown["extauthz_event_loop_lag_seconds_count",] > 0
    assert shown["extauthz_catalog_entities", ("kind", "apis")] == 1
    assert shown["extauthz_catalog_changed_timestamp_seconds",] == pytest.approx(time.time(), abs=300)
    assert (shown["extauthz_revocations",], shown["extauthz_ready",]) == (0, 1)
    assert shown["extauthz_log_lines_dropped_total",] == 0
    # All of them, although the process was told to stop right behind the last.
    events = [line["event"] for line in lines if line.get("trace_id") == TRACE]
    assert (events.count("allowed"), events.count("denied")) == (40, 15)
    assert lines[-1]["event"] == "stopped"


@OVERWRITES
async def test_allowed_requests_can_be_left_out_of_the_log_and_refusals_cannot(tmp_path, server):
    wanted = settings(tmp_path, logs={"allowed": {"first_per_second": 0, "then_one_in": 1_000_000}})
    async with running_service(tmp_path, server, settings=wanted) as service, connected(service.port) as stub:
        for _ in range(20):
            allowed(await stub.check(check_request(headers=bearer(server.issue_jwt(**GOOD)))))
            await stub.check(check_request(headers=bearer("nonsense")))
        await service.processes.__aexit__(None, None, None)
        events = [json.loads(line)["event"] for line in service.logged().splitlines()]
    assert (events.count("allowed"), events.count("denied")) == (0, 20)


@OVERWRITES
async def test_apis_beyond_the_bound_are_counted_together(tmp_path, server):
    wanted = settings(tmp_path, metrics={"apis": 0})
    async with running_service(tmp_path, server, settings=wanted) as service, connected(service.port) as stub:
        allowed(await stub.check(check_request(headers=bearer(server.issue_jwt(**GOOD)))))
        shown = samples(await metrics(service))
    assert {dict(labels)["api"] for (name, *labels) in shown if name == "extauthz_checks_total"} == {"other"}


@OVERWRITES
async def test_the_revision_of_a_shared_catalog_is_shown(tmp_path, server):
    async with ValkeyServer() as valkey:
        store = catalog_store(SingleServer(url=valkey.url))
        writer = CatalogWriter(store)
        await writer.write(*whole_catalog(server))
        async with catalog_service(tmp_path, server, valkey.url) as service:
            await at_revision(service, 1)
            first = samples(await metrics(service))
            await writer.write(remove=[contents().subscriptions[0]])
            await at_revision(service, 2)
            second = samples(await metrics(service))
        await store.close()
    assert [shown["extauthz_catalog_revision",] for shown in (first, second)] == [1, 2]
    changed = ("extauthz_catalog_changed_timestamp_seconds",)
    assert second[changed] > first[changed]


@OVERWRITES
async def test_operators_with_the_secret_see_settings_and_catalog(tmp_path, server):
    async with running_service(tmp_path, server, settings=settings(tmp_path)) as service:
        for path in ("/config", "/catalog"):
            assert (await page(service, path)).startswith("401 ")
            assert (await page(service, path, headers=bearer("wrong"))).startswith("401 ")
        config = json.loads((await page(service, "/config", headers=bearer(OPERATOR))).partition("\n")[2])
        catalog = json.loads((await page(service, "/catalog?list=apis", headers=bearer(OPERATOR))).partition("\n")[2])
    assert config["limits"]["drain_seconds"] == 0
    assert config["secrets"] == [
        "backend-jwt-key", "cache-secret", "collector", "gateway", "operator", "revocation-secret",
    ]  # fmt: skip
    assert (catalog["revision"], catalog["entities"]["apis"]) == (None, 1)
    assert [entry["id"] for entry in catalog["apis"]] == ["petstore"]


@OVERWRITES
async def test_without_a_token_for_operators_there_is_nothing_to_see(tmp_path, server):
    async with running_service(tmp_path, server) as service:
        for path in ("/config", "/catalog"):
            assert (await page(service, path, headers=bearer(OPERATOR))).startswith("404 ")


async def stored(client):
    """All that is in Redis, names and values."""
    found = []
    for key in await client.keys("*"):
        kind = (await client.type(key)).decode()
        read = {
            "string": client.get, "hash": client.hgetall, "set": client.smembers,
            "list": lambda name: client.lrange(name, 0, -1),
            "zset": lambda name: client.zrange(name, 0, -1, withscores=True),
            "stream": client.xrange,
        }[kind]  # fmt: skip
        found.append(repr((key, await read(key))))
    return found


_SHORTEST = 16
"""Characters; less than that may be anywhere by chance."""


def parts(token):
    """The token, and what of a JWT is a secret by itself: claims and signature."""
    return [token, *[part for part in token.split(".")[1:] if len(part) >= _SHORTEST]]


async def initialize(folder):
    """Says that the new Redis holds no revocations."""
    arguments = ("-m", "extauthz", "revoke", "--config", str(folder / "extauthz.yaml"), "--initialize")
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    assert await process.wait() == 0


async def revoking(service, revoked, kept):
    """Answers to whoever revokes one token, and tries another in vain."""
    for headers in (bearer(kept), bearer(f"wrong {kept}"), bearer(OPERATOR)):
        for sent in (json.dumps({"key_manager": "km", "token": revoked}), f'{{"token": "{kept}"}}', kept):
            yield await page(service, "/revocations", method="POST", headers=headers, body=sent)


async def reading(service, token):
    """All pages, asked for rightly and wrongly."""
    for path in PAGES:
        for headers in (bearer(token), bearer(OPERATOR) | {"Accept": "application/openmetrics-text"}):
            yield await page(service, path, headers=headers)


PETS = "/petstore/v1/pets"
ALL_KINDS = {"api_key": {"header": "X-Api-Key", "query": "api_key"}}


def asking_by_grpc(stub, told):
    async def ask(path, headers):
        answer = await stub.check(check_request(path=path, headers=headers, scheme="https"))
        if answer.ok_response is not None:
            return 200
        told.append(repr(answer))
        return status_of(answer)

    return ask


def asking_by_http(port, told):
    async def ask(path, headers):
        answer = await http_check.ask(port, f"/check{path}", [*http_check.ENVOY, *headers.items()])
        if answer.status != 200:
            told.append(repr(answer))
        return answer.status

    return ask


async def show_tokens(ask, good, others):
    """Where they belong, and where they do not."""
    for token in (good, *others) * 2:
        await ask(PETS, bearer(token) | {"traceparent": token})
        await ask(PETS, {"authorization": token})
        await ask(f"{PETS}?access_token={token}", {})
    assert await ask(PETS, bearer(good)) == 200


async def show_keys(ask, good, unknown):
    """In a header and in the query, alone and beside another."""
    for key in (good, unknown) * 2:
        taken = 200 if key == good else 401
        assert await ask(PETS, {"x-api-key": key, "traceparent": key}) == taken
        assert await ask(f"{PETS}?api_key={key}", {}) == taken
        assert await ask(f"{PETS}?api_key={key}", {"x-api-key": f"{key},{key}"}) == 400
        await ask(f"{PETS}?access_token={key}&x-api-key={key}", bearer(key))


async def show_proofs(ask, token, proofs):
    """A good one, which is then a used one; and those that are good for nothing."""
    bound = {"authorization": f"DPoP {token}"}
    good, *others = proofs
    assert await ask(PETS, bound | {"dpop": good}) == 200
    for proof in (good, *others):
        assert await ask(PETS, bound | {"dpop": proof, "traceparent": proof}) == 401
        await ask(f"{PETS}?dpop={proof}", bearer(token) | {"dpop": proof})
        await ask(PETS, {"authorization": f"DPoP {proof}", "dpop": token})


def proofs_of(client, token):
    """The first one is good."""
    wrong = {"uri": "https://elsewhere.example.com/"}, {"iat": int(time.time()) - 5000}
    return [*(client.proof(token, **claims) for claims in ({}, *wrong)), client.proof("of another token")]


def watched(folder, valkey, collector, http_port):
    """Settings with all that could tell."""
    redis = {"backend": "redis", "redis": {"url": valkey.url}, "secret": ["revocation-secret"]}
    traces = {"endpoint": collector.endpoint, "headers_secret": "collector", "sample": 1, "max_per_second": 1000}
    listen = {"listen": f"127.0.0.1:{http_port}", "proxy": "envoy"}
    keys = {"secret": ["cache-secret"]}
    return settings(folder, valkey, revocation=redis, traces=traces, http_check=listen, dpop={}, api_keys=keys)


def running(workers, folder, server, wanted, catalog):
    if workers == 1:
        return running_service(folder, server, settings=wanted, catalog=catalog)
    operations = wanted.pop("operations")
    return running_workers(folder, server, settings=wanted, operations=operations, catalog=catalog)


@pytest.mark.parametrize("workers", [1, 2])
@OVERWRITES
async def test_no_token_and_no_secret_is_in_any_log_page_trace_or_store(tmp_path, server, workers):
    revoked, *tokens = [
        server.issue_jwt(**GOOD, jti="revoked"),
        *(issue(**GOOD) for issue in (server.issue_jwt, server.issue_opaque)),
        server.issue_jwt(**GOOD, exp=int(time.time()) - 500),
        server.issue_jwt(**GOOD, iss="https://unknown.example.com"),
        server.issue_jwt(**GOOD)[:-8] + "AAAAAAAA",
        server.issue_opaque(scope="none"),
        "a-token-of-nobody " * 3,
    ]
    keys = new_api_key(), new_api_key()
    entry = {"id": "partner", "application": "app", "hash": ApiKeyHashes([CACHE_SECRET.encode()]).entry(keys[0])}
    catalog = {"apis": [api(security=ALL_KINDS)], "api_keys": [entry | {"scopes": ["read"]}]}
    client = DpopClient()
    bound = [server.issue_opaque(**GOOD, cnf={"jkt": client.jkt}), server.issue_jwt(**GOOD, cnf={"jkt": client.jkt})]
    proofs = {token: proofs_of(client, token) for token in bound}
    told = []
    async with ValkeyServer() as valkey, Redis.from_url(valkey.url) as redis, OtlpCollector() as collector:
        wanted = watched(tmp_path, valkey, collector, http_port := free_port())
        write_files(tmp_path, server, wanted, catalog)
        await initialize(tmp_path)
        started = running(workers, tmp_path, server, wanted, catalog)
        async with started as service, connected(service.port) as stub:
            told += [answer async for answer in revoking(service, revoked, tokens[0])]
            for ask, token in zip((asking_by_grpc(stub, told), asking_by_http(http_port, told)), bound, strict=True):
                await show_tokens(ask, tokens[0], [revoked, *tokens[1:]])
                await show_keys(ask, *keys)
                await show_proofs(ask, token, proofs[token])
            told += [answer async for answer in reading(service, tokens[1])]
            told += (in_redis := await stored(redis))
            await service.processes.__aexit__(None, None, None)
            told += (service.logged(), collector.text())
    assert {span.name for span in collector.spans()} >= {"Check", "authenticate", "introspection", "jwks"}
    assert {each["authorization"] for each in collector.metadata} == {f"Bearer {COLLECTOR}"}
    key = (tmp_path / "backend-jwt-key.pem").read_text().splitlines()[1]
    secrets = [OPERATOR, REVOCATION, COLLECTOR, CACHE_SECRET, server.client_secret, key, GOOD["sub"]]
    everything = "\n".join(told)
    kept = ("extauthz:revocations", "extauthz:facts", "extauthz:proof")
    assert [name for name in kept if name not in "".join(in_redis)] == []
    assert [event for event in ("allowed", "denied", "revoked") if f'"event": "{event}"' not in everything] == []
    shown = [revoked, *tokens, *bound, *(proof for each in proofs.values() for proof in each)]
    hidden = [*secrets, *(key.partition("_")[2] for key in keys), *(part for token in shown for part in parts(token))]
    assert [value for value in hidden if value in everything] == []
