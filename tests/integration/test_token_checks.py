"""JWTs and opaque tokens through the whole pipeline, against a simulated issuer."""

import asyncio

import pytest
from support.authorization_server import AuthorizationServer, Misbehaviour
from support.catalogs import api, application, key_manager
from support.deciding import deciding, key_manager_of
from support.decisions import GOOD, allowed, refused

from extauthz.document.mistakes import DocumentError
from extauthz.model.check import Deny
from extauthz.model.errors import Reason


@pytest.fixture
async def world(server):
    async with deciding(server) as running:
        yield running


def application_of(decision):
    access = allowed(decision).access
    return access.application.id if access and access.application else None


async def test_a_good_jwt_is_allowed_and_its_keys_are_fetched_once(server, world):
    for _ in range(3):
        assert application_of(await world.check(server.issue_jwt(**GOOD))) == "app"
    assert server.jwks.calls == 1
    assert server.introspection.calls == 0


async def test_a_good_opaque_token_is_allowed_and_asked_about_once(server, world):
    token = server.issue_opaque(**GOOD)
    for _ in range(3):
        assert application_of(await world.check(token)) == "app"
    assert server.introspection.calls == 1


async def test_no_credential_is_missing_and_an_open_resource_needs_none(world):
    refused(await world.check(None), Reason.MISSING_CREDENTIALS)
    assert allowed(await world.check(None, "/petstore/v1/about")).access is None


async def test_an_open_resource_of_a_blocked_api_is_blocked(server, world):
    await world.catalog(key_managers=[key_manager_of(server)], apis=[api(state="BLOCKED")])
    refused(await world.check(None, "/petstore/v1/about"), Reason.API_BLOCKED)


class Meanwhile:
    """An authenticator that leaves every request to the next one; while it is asked, the catalog changes."""

    def __init__(self, change):
        self._change = change

    async def authenticate(self, _request, _api):
        await self._change()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"apis": [api(state="BLOCKED")]}, Reason.API_BLOCKED),
        ({"apis": [api(key_managers=[])]}, Reason.RESOURCE_FORBIDDEN),
        ({"apis": [api(audiences=["somewhere-else"])]}, Reason.API_AUDIENCE),
        ({"apis": [api(resources=[{"template": "/pets", "methods": ["GET"], "scopes": ["w"]}])]}, Reason.UNAVAILABLE),
        ({"apis": [api(id="another")], "subscriptions": []}, Reason.UNAVAILABLE),
        ({"applications": [application(keys=[])]}, Reason.RESOURCE_FORBIDDEN),
        ({"subscriptions": []}, Reason.RESOURCE_FORBIDDEN),
    ],
)
async def test_what_changes_while_the_caller_is_found_out_counts(server, change, reason):
    async def changed():
        await running.catalog(**{"key_managers": [key_manager_of(server)]} | change)

    async with deciding(server, authenticators=[Meanwhile(changed)]) as running:
        decision = await running.check(server.issue_jwt(**GOOD))
    if reason is None:
        allowed(decision)
    else:
        refused(decision, reason)


async def test_an_inactive_token_is_refused_and_remembered_for_a_short_time(server, world):
    token = server.issue_opaque(**GOOD)
    server.revoke(token)
    for _ in range(3):
        refused(await world.check(token), Reason.TOKEN_INACTIVE)
    assert server.introspection.calls == 1
    world.clock.advance(31)
    refused(await world.check(token), Reason.TOKEN_INACTIVE)
    assert server.introspection.calls == 2


@pytest.mark.parametrize("form", ["jwt", "opaque"])
async def test_a_cached_token_is_refused_at_its_end(server, world, form):
    issue = server.issue_jwt if form == "jwt" else server.issue_opaque
    token = issue(**GOOD, exp=int(world.clock()) + 100)
    allowed(await world.check(token))
    world.clock.advance(99)
    allowed(await world.check(token))
    world.clock.advance(2)
    refused(await world.check(token), Reason.TOKEN_EXPIRED)
    refused(await world.check(token), Reason.TOKEN_EXPIRED)


async def test_scopes_are_checked_on_a_cache_hit_as_on_a_miss(server, world):
    token = server.issue_jwt(**GOOD | {"scope": "write"})
    allowed(await world.check(token, "/petstore/v1/pets/7"))
    assert refused(await world.check(token), Reason.INSUFFICIENT_SCOPE).scopes == {"read"}


async def test_a_subscription_that_is_blocked_stops_cached_tokens_at_once(server, world):
    token = server.issue_opaque(**GOOD)
    allowed(await world.check(token))
    blocked = [{"application": "app", "api": "petstore", "state": "BLOCKED"}]
    await world.catalog(key_managers=[key_manager_of(server)], subscriptions=blocked)
    refused(await world.check(token), Reason.SUBSCRIPTION_BLOCKED)
    await world.catalog(key_managers=[key_manager_of(server)], applications=[application(keys=[])])
    refused(await world.check(token), Reason.RESOURCE_FORBIDDEN)
    assert server.introspection.calls == 1


async def test_changed_validation_settings_make_old_facts_unreachable(server, world):
    token = server.issue_opaque(**GOOD)
    allowed(await world.check(token))
    await world.catalog(key_managers=[key_manager_of(server, clock_skew_seconds=5)])
    allowed(await world.check(token))
    assert server.introspection.calls == 2


async def test_a_jwt_of_an_unknown_issuer_is_refused_and_never_introspected(server, world):
    refused(await world.check(server.issue_jwt(**GOOD, iss="https://elsewhere")), Reason.INVALID_TOKEN)
    refused(await world.check(server.issue_jwt(**GOOD, iss=None)), Reason.INVALID_TOKEN)
    assert (server.jwks.calls, server.introspection.calls) == (0, 0)


async def test_a_jwt_with_a_bad_signature_is_refused_and_never_introspected(server, world):
    async with AuthorizationServer(name="second") as impostor:
        token = impostor.issue_jwt(**GOOD, iss=server.issuer)
    refused(await world.check(token), Reason.INVALID_TOKEN)
    assert server.introspection.calls == 0


async def test_a_jwt_with_an_algorithm_that_is_not_configured_costs_the_issuer_nothing(server, world):
    refused(await world.check(server.issue_jwt(alg="ES256", **GOOD)), Reason.INVALID_TOKEN)
    assert server.jwks.calls == 0


async def test_a_jwt_without_end_is_refused(server, world):
    refused(await world.check(server.issue_jwt(**GOOD, exp=None)), Reason.INVALID_TOKEN)


async def test_a_jwt_that_is_not_valid_yet_becomes_valid(server, world):
    token = server.issue_jwt(**GOOD, nbf=int(world.clock()) + 100)
    refused(await world.check(token), Reason.INVALID_TOKEN)
    world.clock.advance(101)
    allowed(await world.check(token))


async def test_audience_is_looked_at_only_where_it_is_configured(server, world):
    token = server.issue_jwt(**GOOD, aud=["someone-else"])
    allowed(await world.check(token))
    jwt = {"jwks_uri": server.jwks_uri, "audiences": ["us"]}
    await world.catalog(key_managers=[key_manager_of(server, jwt=jwt)])
    refused(await world.check(token), Reason.INVALID_TOKEN)
    allowed(await world.check(server.issue_jwt(**GOOD, aud=["us", "someone-else"])))


async def test_with_certificate_and_jwks_a_token_with_kid_is_checked_by_the_jwks(server, world):
    old = server.certificate
    server.rotate(keep_old=False)
    jwt = {"jwks_uri": server.jwks_uri, "certificates": [{"pem": old}], "certificate_validity": False}
    await world.catalog(key_managers=[key_manager_of(server, jwt=jwt)])
    allowed(await world.check(server.issue_jwt(**GOOD)))
    assert server.jwks.calls == 1
    refused(await world.check(server.issue_jwt(**GOOD, kid=None)), Reason.INVALID_TOKEN)
    assert server.jwks.calls == 1


async def test_with_a_certificate_alone_no_keys_are_fetched(server, world):
    jwt = {"certificates": [{"pem": server.certificate}], "certificate_validity": False}
    await world.catalog(key_managers=[key_manager_of(server, jwt=jwt)])
    allowed(await world.check(server.issue_jwt(**GOOD, kid=None)))
    allowed(await world.check(server.issue_jwt(**GOOD)))
    assert server.jwks.calls == 0


async def test_a_cached_jwt_is_refused_once_its_key_is_withdrawn(server, world):
    token = server.issue_jwt(**GOOD)
    allowed(await world.check(token))
    server.rotate(keep_old=False)
    world.clock.advance(301)
    refused(await world.check(token), Reason.INVALID_TOKEN)


async def test_two_issuers_are_kept_apart(server, world):
    async with AuthorizationServer(name="second") as second:
        other = key_manager(id="second", issuer=second.issuer, jwt={"jwks_uri": second.jwks_uri})
        applications = [application(keys=[{"key_manager": "km", "client_id": "client"}])]
        await world.catalog(key_managers=[key_manager_of(server), other], applications=applications)
        allowed(await world.check(server.issue_jwt(**GOOD)))
        refused(await world.check(second.issue_jwt(**GOOD)), Reason.RESOURCE_FORBIDDEN)
        other |= {"subscription_validation": "off"}
        await world.catalog(key_managers=[key_manager_of(server), other], applications=applications)
        allowed(await world.check(second.issue_jwt(**GOOD)))


async def test_a_key_manager_that_the_api_does_not_accept_is_forbidden(server, world):
    other = key_manager(id="other")
    await world.catalog(key_managers=[key_manager_of(server), other], apis=[api(key_managers=["other"])])
    refused(await world.check(server.issue_jwt(**GOOD)), Reason.RESOURCE_FORBIDDEN)


async def test_a_disabled_key_manager_is_unknown(server, world):
    await world.catalog(key_managers=[key_manager_of(server, enabled=False)])
    refused(await world.check(server.issue_jwt(**GOOD)), Reason.INVALID_TOKEN)
    refused(await world.check(server.issue_opaque(**GOOD)), Reason.INVALID_TOKEN)
    assert server.introspection.calls == 0


WRONG = [Misbehaviour.DISCONNECT, Misbehaviour.HTML, Misbehaviour.HUGE, Misbehaviour.STATUS_500, Misbehaviour.REDIRECT]


@pytest.mark.parametrize("how", WRONG)
async def test_an_introspection_endpoint_that_misbehaves_is_unavailable_and_not_remembered(server, world, how):
    token = server.issue_opaque(**GOOD)
    server.introspection.misbehave(how)
    assert refused(await world.check(token), Reason.UNAVAILABLE).retry_after_seconds
    await server.introspection.behave()
    allowed(await world.check(token))


@pytest.mark.parametrize("how", WRONG)
async def test_a_jwks_endpoint_that_misbehaves_is_unavailable_and_recovers(server, world, how):
    token = server.issue_jwt(**GOOD)
    server.jwks.misbehave(how)
    assert refused(await world.check(token), Reason.UNAVAILABLE).retry_after_seconds
    await server.jwks.behave()
    world.clock.advance(60)
    allowed(await world.check(token))


async def test_active_as_a_string_is_inactive(server, world):
    server.introspection.misbehave(Misbehaviour.ACTIVE_AS_STRING)
    refused(await world.check(server.issue_opaque(**GOOD)), Reason.TOKEN_INACTIVE)


async def test_an_issuer_that_is_down_is_unavailable_but_cached_tokens_pass(server, world):
    jwt, opaque = server.issue_jwt(**GOOD), server.issue_opaque(**GOOD)
    allowed(await world.check(jwt))
    allowed(await world.check(opaque))
    await server.go_down()
    allowed(await world.check(jwt))
    allowed(await world.check(opaque))
    refused(await world.check("another-opaque-token"), Reason.UNAVAILABLE)


async def test_an_endpoint_that_hangs_is_unavailable(server, world):
    """Both timeouts are short here: the test waits for real ones."""
    basic = {"basic": {"username": server.client_id, "password": "gateway"}}
    slow = {"endpoint": server.introspection_endpoint, "authentication": basic, "timeout_seconds": 0.2}
    await world.catalog(key_managers=[key_manager_of(server, introspection=slow)])
    server.introspection.misbehave(Misbehaviour.HANG)
    server.jwks.misbehave(Misbehaviour.HANG)
    checks = (world.check(server.issue_opaque(**GOOD)), world.check(server.issue_jwt(**GOOD)))
    for decision in await asyncio.gather(*checks):
        refused(decision, Reason.UNAVAILABLE)


async def test_a_token_type_that_is_not_configured_is_refused_also_where_it_is_left_out(server, world):
    """As of a server that calls refresh tokens active."""
    introspection = key_manager_of(server)["introspection"] | {"token_types": ["Bearer"]}
    await world.catalog(key_managers=[key_manager_of(server, introspection=introspection)])
    allowed(await world.check(server.issue_opaque(**GOOD, token_type="bearer")))
    for token_type in (None, "N_A", "refresh_token", "DPoP"):
        token = server.issue_opaque(**GOOD, token_type=token_type)
        refused(await world.check(token), Reason.WRONG_TOKEN_TYPE)


async def test_a_burst_of_one_token_costs_one_call(server, world):
    token = server.issue_opaque(**GOOD)
    for decision in await asyncio.gather(*(world.check(token) for _ in range(100))):
        allowed(decision)
    assert server.introspection.calls == 1


async def test_a_caller_that_gives_up_does_not_spoil_it_for_the_others(server, world):
    token = server.issue_opaque(**GOOD)
    server.introspection.misbehave(Misbehaviour.HANG)
    first = asyncio.create_task(world.check(token))
    await server.introspection.called(1)
    second = asyncio.create_task(world.check(token))
    first.cancel()
    await server.introspection.behave()
    allowed(await second)
    assert server.introspection.calls == 1


@pytest.mark.parametrize("odd", ["a.b.c", "a.b", "....", "e30.e30.e30", "eyJhbGciOiJub25lIn0.e30.", "-"])
async def test_odd_tokens_are_refused(world, odd):
    decision = await world.check(odd)
    assert isinstance(decision, Deny)
    assert decision.reason in {Reason.INVALID_TOKEN, Reason.TOKEN_INACTIVE, Reason.INVALID_REQUEST}


async def test_a_secret_is_not_sent_to_a_host_that_it_is_not_bound_to(server):
    with pytest.raises(DocumentError, match="may not be sent to 127"):
        async with deciding(server, hosts=frozenset({"issuer.example.com"})):
            pass
    assert server.introspection.calls == 0


async def test_a_catalog_that_cannot_be_used_leaves_the_old_one(server, world):
    token = server.issue_jwt(**GOOD)
    broken = key_manager_of(server, jwt={"certificates": [{"pem": "no certificate"}]})
    with pytest.raises(DocumentError, match="key manager km"):
        await world.catalog(key_managers=[broken])
    allowed(await world.check(token))


async def test_a_trusted_key_managers_own_backend_jwt_is_passed_on(server, world):
    own = server.issue_jwt(sub="told-by-the-issuer")
    await world.catalog(key_managers=[key_manager_of(server, backend_jwt="pass_through")])
    assert allowed(await world.check(server.issue_jwt(**GOOD, backendJwt=own))).backend_jwt == own
    assert allowed(await world.check(server.issue_opaque(**GOOD, backendJwt=own))).backend_jwt == own
    assert allowed(await world.check(server.issue_jwt(**GOOD))).backend_jwt is None
    refused(await world.check(server.issue_jwt(**GOOD, backendJwt="no JWT")), Reason.INVALID_TOKEN)


async def test_a_backend_jwt_of_an_untrusted_key_manager_is_ignored(server, world):
    own = server.issue_jwt(sub="told-by-the-issuer")
    assert allowed(await world.check(server.issue_jwt(**GOOD, backendJwt=own))).backend_jwt is None


async def test_an_issuer_that_names_no_kid_may_rotate_its_keys(server, world):
    old = server.issue_jwt(**GOOD, kid=None)
    server.rotate()
    allowed(await world.check(server.issue_jwt(**GOOD, kid=None)))
    allowed(await world.check(old))
