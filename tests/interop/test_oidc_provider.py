"""Tokens of an OpenID-certified authorization server: what passes, what does not, and how its endpoint is asked."""

from contextlib import AsyncExitStack

import pytest
from interop.gateway import BASIC, gateway_with_clock, running_gateway
from interop.oidc_provider import first_keys, running_provider, signing_key
from support.check_client import OVERWRITES, denied, headers_of, status_of
from support.clock import Clock

pytestmark = [pytest.mark.external_service, pytest.mark.interop, OVERWRITES]

AUTHENTICATIONS = {
    "gateway-basic": (BASIC, "Basic", set()),
    "gateway-post": (
        {"client_secret_post": {"client_id": "gateway-post", "client_secret": "secret"}},
        None,
        {"client_id", "client_secret"},
    ),
    "gateway-jwt": (
        {"private_key_jwt": {"client_id": "gateway-jwt", "key": "private-key-jwt", "kid": "gateway"}},
        None,
        {"client_assertion", "client_assertion_type"},
    ),
    "gateway-tls": (
        {"mutual_tls": {"client_id": "gateway-tls", "certificate_file": "gateway.pem", "key": "gateway-key"}},
        None,
        {"client_id"},
    ),
    "gateway-self-signed": (
        {
            "mutual_tls": {
                "client_id": "gateway-self-signed",
                "certificate_file": "self-signed.pem",
                "key": "self-signed-key",
            }
        },
        None,
        {"client_id"},
    ),
}


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256"])
async def test_a_signed_access_token_is_allowed(tmp_path, provider, alg):
    async with running_gateway(tmp_path / "gateway", provider) as gateway:
        assert await gateway.allows(await provider.access_token(alg))
        assert await provider.calls("/token/introspection") == []


async def test_a_signed_access_token_for_another_audience_is_refused(tmp_path, provider):
    jwt = {"audiences": ["another"]}
    async with running_gateway(tmp_path / "gateway", provider, jwt=jwt) as gateway:
        assert not await gateway.allows(await provider.access_token("RS256"))


async def test_a_signed_access_token_with_an_algorithm_that_is_not_configured_is_refused(tmp_path, provider):
    async with running_gateway(tmp_path / "gateway", provider, jwt={"algorithms": ["ES256"]}) as gateway:
        assert not await gateway.allows(await provider.access_token("RS256"))
        assert await gateway.allows(await provider.access_token("ES256"))


async def test_an_id_token_is_refused_and_the_access_token_beside_it_is_allowed(tmp_path, provider):
    tokens = await provider.login("RS256")
    # No audiences: nothing but the kind of the token tells both apart.
    async with running_gateway(tmp_path / "gateway", provider, jwt={"audiences": []}) as gateway:
        assert not await gateway.allows(tokens["id_token"])
        assert await gateway.allows(tokens["access_token"])


async def test_an_id_token_has_not_the_type_of_an_access_token(tmp_path, provider):
    tokens = await provider.login("RS256")
    async with running_gateway(tmp_path / "gateway", provider, jwt={"token_types": ["at+jwt"]}) as gateway:
        assert not await gateway.allows(tokens["id_token"])
        assert await gateway.allows(tokens["access_token"])


@pytest.mark.parametrize("client_id", AUTHENTICATIONS)
async def test_an_opaque_token_is_introspected_as_the_client_that_is_configured(tmp_path, provider, client_id):
    authentication, scheme, parameters = AUTHENTICATIONS[client_id]
    token = await provider.access_token("opaque")
    async with running_gateway(tmp_path / "gateway", provider, authentication) as gateway:
        assert await gateway.allows(token)
        assert not await gateway.allows("a-token-that-nobody-issued")
    calls = await provider.calls("/token/introspection")
    assert [(call["client"], call["status"], call["authorization"]) for call in calls] == [(client_id, 200, scheme)] * 2
    assert all(parameters <= set(call["parameters"]) for call in calls)
    assert all(call["encrypted"] is ("mutual_tls" in authentication) for call in calls)


@pytest.mark.parametrize(
    "authentication",
    [
        {"basic": {"username": "gateway-basic", "password": "wrong"}},
        {"client_secret_post": {"client_id": "gateway-post", "client_secret": "wrong"}},
        {"private_key_jwt": {"client_id": "gateway-jwt", "key": "gateway-key", "algorithm": "ES256"}},
        {"mutual_tls": {"client_id": "gateway-tls", "certificate_file": "self-signed.pem", "key": "self-signed-key"}},
    ],
    ids=lambda authentication: next(iter(authentication)),
)
async def test_with_wrong_credentials_of_ours_no_opaque_token_passes(tmp_path, provider, authentication):
    token = await provider.access_token("opaque")
    async with running_gateway(tmp_path / "gateway", provider, authentication) as gateway:
        assert status_of(await gateway.check(token)) == 503
    assert {call["status"] for call in await provider.calls("/token/introspection")} == {401}


async def test_its_introspection_endpoint_takes_no_bearer_token_and_nobody_passes(tmp_path, provider):
    """A gap of the counterpart: with a Bearer header it answers 400, though RFC 7662 §2.1 allows one.

    The token itself it issues, so that half of the way is tried here.
    """
    grant = {"token_endpoint": provider.url("/token"), "client_id": "gateway-basic", "client_secret": "secret"}
    token = await provider.access_token("opaque")
    async with running_gateway(tmp_path / "gateway", provider, {"client_credentials": grant}) as gateway:
        assert status_of(await gateway.check(token)) == 503
    own = [call for call in await provider.calls("/token") if call["client"] == "gateway-basic"]
    assert [(call["status"], call["authorization"]) for call in own] == [(200, "Basic")]
    asked = await provider.calls("/token/introspection")
    assert asked
    assert {(call["status"], call["authorization"]) for call in asked} == {(400, "Bearer")}


@pytest.mark.parametrize("credentials", ["header", "body"])
async def test_its_token_endpoint_takes_our_credentials_where_they_are_configured(tmp_path, provider, credentials):
    client_id = {"header": "gateway-basic", "body": "gateway-post"}[credentials]
    grant = {
        "token_endpoint": provider.url("/token"),
        "client_id": client_id,
        "client_secret": "secret",
        "credentials": credentials,
        "scopes": ["read"],
    }
    async with running_gateway(tmp_path / "gateway", provider, {"client_credentials": grant}) as gateway:
        assert status_of(await gateway.check(await provider.access_token("opaque"))) == 503
    own = [call for call in await provider.calls("/token") if call["client"] == client_id]
    assert [call["status"] for call in own] == [200]
    assert ("client_secret" in own[0]["parameters"]) is (credentials == "body")


async def test_a_signed_introspection_answer_is_believed(tmp_path, provider):
    """RFC 9701."""
    authentication = {"basic": {"username": "gateway-signed", "password": "secret"}}
    answer = {"signed_answer": {"audience": "gateway-signed", "algorithms": ["RS256"]}}
    async with running_gateway(tmp_path / "gateway", provider, authentication, introspection=answer) as gateway:
        assert await gateway.allows(await provider.access_token("opaque"))


async def test_a_signed_introspection_answer_for_another_client_is_not_believed(tmp_path, provider):
    authentication = {"basic": {"username": "gateway-signed", "password": "secret"}}
    answer = {"signed_answer": {"audience": "another", "algorithms": ["RS256"]}}
    async with running_gateway(tmp_path / "gateway", provider, authentication, introspection=answer) as gateway:
        assert status_of(await gateway.check(await provider.access_token("opaque"))) == 503


async def test_a_plain_introspection_answer_is_not_believed_where_a_signed_one_is_required(tmp_path, provider):
    answer = {"signed_answer": {"audience": "gateway-signed", "algorithms": ["RS256"]}}
    async with running_gateway(tmp_path / "gateway", provider, introspection=answer) as gateway:
        assert status_of(await gateway.check(await provider.access_token("opaque"))) == 503


async def test_an_opaque_token_for_another_audience_is_refused(tmp_path, provider):
    async with running_gateway(tmp_path / "gateway", provider, introspection={"audiences": ["another"]}) as gateway:
        assert not await gateway.allows(await provider.access_token("opaque"))


async def test_a_refresh_token_is_refused_where_an_audience_is_configured(tmp_path, provider):
    """Its introspection calls a refresh token active and gives no sign of its kind but the missing audience."""
    tokens = await provider.login("opaque")
    async with running_gateway(tmp_path / "gateway", provider, introspection={"audiences": ["petstore"]}) as gateway:
        assert not await gateway.allows(tokens["refresh_token"])
        assert await gateway.allows(tokens["access_token"])


async def test_a_token_that_is_revoked_there_is_inactive_after_the_cache_time(tmp_path, provider):
    clock, token = Clock(), await provider.access_token("opaque")
    cache = {"introspection": {"ttl_seconds": 60}}
    async with gateway_with_clock(tmp_path / "gateway", provider, clock, cache=cache) as gateway:
        assert await gateway.allows(token)
        await provider.revoke(token)
        clock.advance(59)
        assert await gateway.allows(token)
        assert len(await provider.calls("/token/introspection")) == 1
        clock.advance(2)
        assert not await gateway.allows(token)


async def test_without_a_cache_a_token_that_is_revoked_there_is_inactive_at_once(tmp_path, provider):
    clock, token = Clock(), await provider.access_token("opaque")
    cache = {"introspection": {"enabled": False}}
    async with gateway_with_clock(tmp_path / "gateway", provider, clock, cache=cache) as gateway:
        assert await gateway.allows(token)
        await provider.revoke(token)
        assert not await gateway.allows(token)


async def test_a_new_key_is_fetched_after_the_cooldown_and_old_tokens_still_pass(tmp_path, provider):
    clock, keys = Clock(), first_keys()
    old = await provider.access_token("RS256")
    async with gateway_with_clock(tmp_path / "gateway", provider, clock) as gateway:
        assert await gateway.allows(old)
        await provider.use_keys(signing_key("RS256-2", "RS256"), *keys)
        new = await provider.access_token("RS256")
        assert not await gateway.allows(new)
        assert len(await provider.calls("/jwks")) == 1
        clock.advance(31)
        assert await gateway.allows(new)
        assert len(await provider.calls("/jwks")) == 2
        assert await gateway.allows(old)


async def test_a_token_of_a_withdrawn_key_is_refused_once_the_keys_are_fetched_again(tmp_path, provider):
    clock = Clock()
    old = await provider.access_token("RS256")
    async with gateway_with_clock(tmp_path / "gateway", provider, clock) as gateway:
        assert await gateway.allows(old)
        await provider.use_keys(signing_key("RS256-2", "RS256"), *first_keys()[1:])
        clock.advance(301)
        assert await gateway.allows(await provider.access_token("RS256"))
        assert not await gateway.allows(old)


async def test_without_the_provider_what_is_not_known_yet_is_answered_with_503(tmp_path, gateway):
    """RFC 9110 §15.6.4: nobody can say whether the token is good, and nobody passes."""
    async with AsyncExitStack() as stack:
        async with running_provider(tmp_path / "provider", gateway) as provider:
            opaque, known = await provider.access_token("opaque"), await provider.access_token("RS256")
            service = await stack.enter_async_context(running_gateway(tmp_path / "gateway", provider))
            assert await service.allows(known)
        answer = await service.check(opaque)
        assert status_of(answer) == 503
        assert "retry-after" in headers_of(denied(answer))
        assert await service.allows(known)
