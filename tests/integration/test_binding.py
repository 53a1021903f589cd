"""Bound tokens through the pipeline, the running program, Valkey and Envoy."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.catalogs import request
from support.check_client import OVERWRITES, allowed, check_request, connected, denied, headers_of, status_of
from support.deciding import deciding, key_manager_of
from support.decisions import GOOD
from support.dpop_client import DpopClient
from support.envoy import running_echo, running_envoy
from support.mutual_tls import (
    FORWARDED_HEADER,
    ask_for_certificates,
    forward_the_client_certificate,
    send_the_peer_certificate,
    tls_client,
)
from support.service import running_service
from support.valkey import ValkeyServer

from extauthz.authn.client_certificate import forwarded_certificate
from extauthz.model.check import Allow, Deny
from extauthz.model.errors import Reason
from extauthz.oauth2.dpop_nonce import DpopNonces

PATH = "/petstore/v1/pets"
FORMS = pytest.mark.parametrize("form", ["jwt", "opaque"])


def issue(server, form, **claims):
    return (server.issue_jwt if form == "jwt" else server.issue_opaque)(**GOOD | claims)


def reason(decision):
    return decision.reason if isinstance(decision, Deny) else None


def dpop_request(token, proof, **settings):
    headers = {"authorization": f"DPoP {token}"} | ({} if proof is None else {"dpop": proof})
    return request(PATH, headers=headers, **settings)


# In process: both forms of token, fresh and cached.


async def test_an_introspected_jwt_keeps_the_binding_that_the_answer_leaves_out(server):
    server.introspection_override = {"active": True, "client_id": "client", "scope": "read"}
    async with deciding(server) as world:
        await world.catalog(key_managers=[key_manager_of(server, validation="introspection")])
        assert reason(await world.check(server.issue_jwt(**GOOD))) is None
        bound = server.issue_jwt(**GOOD, cnf={"jkt": "a" * 43})
        for _ in range(2):
            assert reason(await world.check(bound)) is Reason.INVALID_TOKEN


async def test_an_introspected_jwt_with_two_bindings_is_refused(server):
    answer = {"active": True, "client_id": "client", "scope": "read", "cnf": {"jkt": "b" * 43}}
    server.introspection_override = answer
    async with deciding(server) as world:
        await world.catalog(key_managers=[key_manager_of(server, validation="introspection")])
        assert reason(await world.check(server.issue_jwt(**GOOD, cnf={"jkt": "a" * 43}))) is Reason.INVALID_TOKEN


@FORMS
async def test_a_cached_token_is_held_against_the_certificate_of_each_request(server, authority, form):
    mine, thief = tls_client(authority, "mine"), tls_client(authority, "thief")
    token = issue(server, form, cnf={"x5t#S256": mine.x5t_s256})

    async def check(world, client):
        headers = {"authorization": f"Bearer {token}"} | ({FORWARDED_HEADER: client.forwarded} if client else {})
        return reason(await world.pipeline.decide(request(PATH, headers=headers)))

    async with deciding(server, certificate=forwarded_certificate) as world:
        answers = [await check(world, client) for client in (thief, mine, thief, None, mine)]
    assert answers == [Reason.INVALID_TOKEN, None, Reason.INVALID_TOKEN, Reason.INVALID_TOKEN, None]


@FORMS
async def test_a_token_with_a_key_needs_a_proof_each_time(server, form):
    client = DpopClient()
    token = issue(server, form, cnf={"jkt": client.jkt})
    async with deciding(server) as world:
        proof = client.proof(token)
        asked = [dpop_request(token, p) for p in (None, proof, proof, client.proof(token))]
        answers = [reason(await world.pipeline.decide(each)) for each in asked]
        assert reason(await world.check(token)) is Reason.INVALID_TOKEN  # with the scheme Bearer
    assert answers == [Reason.INVALID_DPOP_PROOF, None, Reason.INVALID_DPOP_PROOF, None]


@FORMS
@pytest.mark.parametrize("cnf", [{"kid": "k"}, {}, "x", {"jkt": "m" * 43, "jwk": {}}])
async def test_a_binding_that_nobody_can_verify_refuses_the_token(server, form, cnf):
    async with deciding(server) as world:
        for _ in range(2):
            assert reason(await world.check(issue(server, form, cnf=cnf))) is Reason.INVALID_TOKEN


@pytest.mark.parametrize("required", ["certificate", "dpop", "any"])
async def test_a_binding_that_is_required_later_refuses_tokens_that_are_cached_without(server, required):
    token = issue(server, "opaque")
    async with deciding(server) as world:
        assert isinstance(await world.check(token), Allow)
        await world.catalog(key_managers=[key_manager_of(server, binding=required)])
        assert reason(await world.check(token)) is Reason.INVALID_TOKEN
    assert server.introspection.calls == 1


async def test_a_proof_is_old_when_its_time_is_over(server):
    client = DpopClient()
    token = issue(server, "jwt", cnf={"jkt": client.jkt})
    async with deciding(server) as world:
        proof = client.proof(token)
        world.clock.advance(62)
        assert reason(await world.pipeline.decide(dpop_request(token, proof))) is Reason.INVALID_DPOP_PROOF


async def test_a_client_that_uses_the_nonce_it_was_told_passes(server):
    client = DpopClient()
    token = issue(server, "jwt", cnf={"jkt": client.jkt})
    nonces = DpopNonces([b"n" * 32], lifetime_seconds=60)
    async with deciding(server, nonces=nonces) as world:
        told = await world.pipeline.decide(dpop_request(token, client.proof(token)))
        assert isinstance(told, Deny)
        assert told.reason is Reason.USE_DPOP_NONCE
        second = dpop_request(token, client.proof(token, nonce=told.dpop_nonce))
        assert isinstance(await world.pipeline.decide(second), Allow)


async def test_a_request_that_is_refused_for_its_scopes_has_used_its_proof(server):
    """The binding is settled before anything that depends on who calls."""
    client = DpopClient()
    token = issue(server, "jwt", cnf={"jkt": client.jkt}, scope="other")
    async with deciding(server) as world:
        asked = dpop_request(token, client.proof(token))
        answers = [reason(await world.pipeline.decide(asked)) for _ in range(2)]
    assert answers == [Reason.INSUFFICIENT_SCOPE, Reason.INVALID_DPOP_PROOF]


# The program, and replicas of it with one Valkey.


async def dpop_check(stub, token, proof):
    headers = {"authorization": f"DPoP {token}", "dpop": proof}
    return await stub.check(check_request(path=PATH, scheme="https", headers=headers))


@asynccontextmanager
async def replica(folder, server, **settings):
    async with running_service(folder, server, settings=settings) as service, connected(service.port) as stub:
        yield service, stub


@pytest.mark.external_service
@OVERWRITES
async def test_a_proof_that_one_replica_has_seen_is_refused_by_the_other(tmp_path, server):
    client = DpopClient()
    token = issue(server, "opaque", cnf={"jkt": client.jkt})
    async with ValkeyServer() as valkey:
        redis = {"url": valkey.url, "timeout_seconds": 2.0}
        settings: dict[str, Any] = {
            "cache": {"backend": "redis", "secret": ["cache-secret"], "redis": redis},
            "dpop": {},
        }
        async with (
            replica(tmp_path / "a", server, **settings) as (service, first),
            replica(tmp_path / "b", server, **settings) as (_, second),
        ):
            proof = client.proof(token)
            allowed(await dpop_check(first, token, proof))
            refusal = denied(await dpop_check(second, token, proof))
            assert headers_of(refusal)["www-authenticate"].startswith(
                'DPoP realm="extauthz", error="invalid_dpop_proof"'
            )
            proof = client.proof(token)
            answers = await asyncio.gather(*(dpop_check(stub, token, proof) for stub in (first, second) * 10))
            assert [answer.ok_response is not None for answer in answers].count(True) == 1

            await valkey.stop()
            refusal = denied(answer := await dpop_check(first, token, client.proof(token)))
            assert status_of(answer) == 503
            assert "retry-after" in headers_of(refusal)
            _, components = await service.operations("/readyz")
            assert components["components"]["dpop replay memory"]["ok"] is False
            unbound = {"authorization": f"Bearer {issue(server, 'opaque')}"}
            allowed(await first.check(check_request(path=PATH, headers=unbound)))


@pytest.mark.external_service
@OVERWRITES
async def test_without_dpop_in_the_settings_the_scheme_is_no_credential(tmp_path, server):
    client = DpopClient()
    token = issue(server, "jwt", cnf={"jkt": client.jkt})
    async with replica(tmp_path / "a", server) as (_, stub):
        refusal = denied(await dpop_check(stub, token, client.proof(token)))
        assert json.loads(refusal.body)["code"] == "900902"
        assert "DPoP" not in headers_of(refusal)["www-authenticate"]
        bearer = await stub.check(check_request(path=PATH, headers={"authorization": f"Bearer {token}"}))
        assert json.loads(denied(bearer).body)["code"] == "900901"


# Through Envoy.


@asynccontextmanager
async def gateway(folder, server, *changes, settings=None, key_manager=None):
    """Envoy with TLS, extauthz and an upstream; the URL of a resource."""

    def change(bootstrap):
        for each in changes:
            each(bootstrap)

    catalog = {"key_managers": [key_manager_of(server, **(key_manager or {}))]}
    async with (
        running_service(folder / "extauthz", server, settings=settings, catalog=catalog) as service,
        running_echo(folder) as echo,
        running_envoy(folder, authorization_port=service.port, upstream_port=echo, change=change) as envoy,
    ):
        yield f"https://127.0.0.1:{envoy.port}{PATH}"


@pytest.mark.external_service
@pytest.mark.through_envoy
@FORMS
async def test_a_token_works_with_the_certificate_of_its_client_only(tmp_path, server, authority, form):
    mine, thief = tls_client(authority, "mine"), tls_client(authority, "thief")
    bound = ("Authorization", f"Bearer {issue(server, form, cnf={'x5t#S256': mine.x5t_s256})}")
    unbound = ("Authorization", f"Bearer {issue(server, form)}")

    def tls(bootstrap):
        ask_for_certificates(bootstrap, authority)

    required = {"binding": "certificate"}
    async with gateway(tmp_path, server, tls, send_the_peer_certificate, key_manager=required) as url:
        assert (await mine.get(url, bound))[0] == 200
        status, headers = await thief.get(url, bound)
        assert status == 401
        assert 'error="invalid_token"' in headers["www-authenticate"]
        assert (await thief.get(url, bound, (FORWARDED_HEADER, mine.forwarded)))[0] == 401
        assert (await mine.get(url, unbound))[0] == 401
        assert (await mine.get(url, bound))[0] == 200


@pytest.mark.external_service
@pytest.mark.through_envoy
async def test_an_envoy_that_sends_no_certificate_refuses_bound_tokens(tmp_path, server, authority):
    mine = tls_client(authority, "mine")
    bound = ("Authorization", f"Bearer {issue(server, 'jwt', cnf={'x5t#S256': mine.x5t_s256})}")
    async with gateway(tmp_path, server, lambda bootstrap: ask_for_certificates(bootstrap, authority)) as url:
        assert (await mine.get(url, bound))[0] == 401


@pytest.mark.external_service
@pytest.mark.through_envoy
@pytest.mark.parametrize("how", ["SANITIZE_SET", "APPEND_FORWARD"])
async def test_a_forwarded_certificate_is_that_of_envoy_and_not_of_the_client(tmp_path, server, authority, how):
    mine, thief = tls_client(authority, "mine"), tls_client(authority, "thief")
    bound = ("Authorization", f"Bearer {issue(server, 'jwt', cnf={'x5t#S256': mine.x5t_s256})}")
    forged = [mine.forwarded, f"By=x;{mine.forwarded},{mine.forwarded}", f'{mine.forwarded};Subject="', '"', ","]

    def tls(bootstrap):
        ask_for_certificates(bootstrap, authority)
        forward_the_client_certificate(bootstrap, how)

    settings = {"client_certificate": {"source": FORWARDED_HEADER}}
    async with gateway(tmp_path, server, tls, settings=settings) as url:
        assert (await mine.get(url, bound))[0] == 200
        assert [(await thief.get(url, bound, (FORWARDED_HEADER, value)))[0] for value in forged] == [401] * len(forged)


@pytest.mark.external_service
@pytest.mark.through_envoy
async def test_proofs_are_checked_on_their_way_through_envoy(tmp_path, server, authority):
    browser, client = tls_client(authority, "any"), DpopClient()
    token = issue(server, "jwt", cnf={"jkt": client.jkt})
    scheme = ("Authorization", f"DPoP {token}")

    def tls(bootstrap):
        ask_for_certificates(bootstrap, authority)

    settings = {"dpop": {"nonce_secret": ["cache-secret"]}}
    async with gateway(tmp_path, server, tls, settings=settings) as url:
        status, headers = await browser.get(url, scheme, ("DPoP", client.proof(token, uri=url)))
        assert status == 401
        assert 'error="use_dpop_nonce"' in headers["www-authenticate"]

        def proof(**changes):
            return "DPoP", client.proof(token, **({"uri": url, "nonce": headers["dpop-nonce"]} | changes))

        good = proof()
        assert (await browser.get(f"{url}?limit=1", scheme, good))[0] == 200
        status, refused = await browser.get(url, scheme, good)
        assert status == 401
        assert 'error="invalid_dpop_proof"' in refused["www-authenticate"]
        assert (await browser.get(url, scheme, proof(uri=url.replace("https", "http"))))[0] == 401
        assert (await browser.get(url, scheme, proof(), proof()))[0] == 401
        assert (await browser.get(url, scheme, proof(method="POST")))[0] == 401
        assert (await browser.get(url, ("Authorization", f"Bearer {token}"), proof()))[0] == 401
        assert (await browser.get(url, scheme, proof()))[0] == 200
