"""Which key manager checks a token, in which way, and what it may say: through the whole pipeline."""

import datetime as dt
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs
from support.authorization_server import AuthorizationServer, Misbehaviour
from support.catalogs import api, application
from support.deciding import deciding, key_manager_of
from support.decisions import GOOD, refused
from support.signing_keys import SigningKey, rsa_private_key

from extauthz.model.check import Allow
from extauthz.model.errors import Reason

OFF = {"subscription_validation": "off"}
STRANGER = SigningKey(kid="key-1", alg="RS256", private_key=rsa_private_key("stranger"))
UNKNOWN = SigningKey(kid="nobody's", alg="RS256", private_key=rsa_private_key("stranger"))


@pytest.fixture
async def second():
    async with AuthorizationServer(name="second") as running:
        yield running


@pytest.fixture
async def world(server):
    async with deciding(server) as running:
        yield running


def caller(decision):
    assert isinstance(decision, Allow), decision
    assert decision.access is not None
    return decision.access.principal


def introspection_of(server, **settings):
    basic = {"basic": {"username": server.client_id, "password": "gateway"}}
    return {"endpoint": server.introspection_endpoint, "authentication": basic} | settings


# One issuer, several key managers


def by_audience(server, **audiences):
    return [
        key_manager_of(
            server, id=name, introspection=None, jwt={"jwks_uri": server.jwks_uri, "audiences": aud}, **OFF
        )
        for name, aud in audiences.items()
    ]  # fmt: skip


@asynccontextmanager
async def shared_issuer(server, **settings):
    async with deciding(server) as world:
        managers = by_audience(server, first=["one"], second=["two", "three"])
        await world.catalog(key_managers=managers, applications=[], subscriptions=[], **settings)
        yield world


@pytest.mark.parametrize(
    ("aud", "expected"),
    [("one", "first"), (["two"], "second"), (["other", "three"], "second"), (["one", "x"], "first")],
)
async def test_the_audience_chooses_among_key_managers_of_one_issuer(server, aud, expected):
    async with shared_issuer(server) as world:
        for _ in range(2):
            assert caller(await world.check(server.issue_jwt(**GOOD, aud=aud))).key_manager.id == expected


@pytest.mark.parametrize("aud", ["four", [], None, ["ONE"], 7, {"one": 1}, ["one", 7]])
async def test_an_audience_of_none_of_them_is_refused_without_a_fetch(server, aud):
    async with shared_issuer(server) as world:
        refused(await world.check(server.issue_jwt(**GOOD, aud=aud)))
        assert server.jwks.calls == 0


async def test_a_token_for_two_of_them_goes_to_the_one_that_the_api_accepts(server):
    token = server.issue_jwt(**GOOD, aud=["one", "two"])
    async with shared_issuer(server) as world:
        assert caller(await world.check(token)).key_manager.id == "first"
    async with shared_issuer(server, apis=[api(key_managers=["second"])]) as world:
        assert caller(await world.check(token)).key_manager.id == "second"
        refused(await world.check(server.issue_jwt(**GOOD, aud="one")), Reason.RESOURCE_FORBIDDEN)


async def test_a_disabled_key_manager_leaves_its_audience_to_nobody(server):
    async with deciding(server) as world:
        first, other = by_audience(server, first=["one"], second=["two"])
        await world.catalog(key_managers=[first | {"enabled": False}, other], applications=[], subscriptions=[])
        refused(await world.check(server.issue_jwt(**GOOD, aud="one")))
        caller(await world.check(server.issue_jwt(**GOOD, aud="two")))


async def test_the_audience_that_was_routed_by_is_checked_again_after_the_signature(server):
    """The payload names an audience, and nobody of that audience signed it."""
    async with shared_issuer(server) as world:
        refused(await world.check(server.issue_jwt(**GOOD, aud="one", key=STRANGER)))


# Certificates


def certificate(key, now, *, starts=-3600, ends=3600) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
    at = dt.datetime.fromtimestamp(int(now), dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(at + dt.timedelta(seconds=starts))
        .not_valid_after(at + dt.timedelta(seconds=ends))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


def pinning(server, *pems, **settings):
    return [key_manager_of(server, jwt={"certificates": [{"pem": pem} for pem in pems]} | settings)]


async def test_a_certificate_verifies_from_its_first_to_its_last_second(server, world):
    pem = certificate(server.signing_key.private_key, world.clock(), starts=100, ends=500)
    token = server.issue_jwt(**GOOD, kid=None)
    await world.catalog(key_managers=pinning(server, pem))
    refused(await world.check(token))
    world.clock.advance(150)
    caller(await world.check(token))
    world.clock.advance(300)
    caller(await world.check(token))
    world.clock.advance(100)
    refused(await world.check(token))
    refused(await world.check(server.issue_jwt(**GOOD, kid=None)))


async def test_a_certificate_outside_of_its_dates_is_logged_when_it_is_loaded(server, world):
    expired = certificate(server.signing_key.private_key, world.clock(), starts=-200, ends=-100)
    with capture_logs() as logged:
        await world.catalog(key_managers=pinning(server, expired))
    assert [entry["key_manager"] for entry in logged if entry["event"] == "certificate_outside_its_dates"] == ["km"]
    with capture_logs() as logged:
        await world.catalog(key_managers=pinning(server, expired, certificate_validity=False))
    assert [entry for entry in logged if entry["event"] == "certificate_outside_its_dates"] == []
    caller(await world.check(server.issue_jwt(**GOOD, kid=None)))


async def test_several_certificates_stand_beside_a_jwks(server, world):
    old, new = rsa_private_key("pinned"), rsa_private_key("pinned later")
    pems = [{"pem": certificate(key, world.clock())} for key in (old, new)]
    jwt = {"jwks_uri": server.jwks_uri, "certificates": pems}
    await world.catalog(key_managers=[key_manager_of(server, jwt=jwt)])
    for key in (old, new):
        signing = SigningKey(kid="key-1", alg="RS256", private_key=key)
        caller(await world.check(server.issue_jwt(**GOOD, kid=None, key=signing)))
        refused(await world.check(server.issue_jwt(**GOOD, key=signing)))
    caller(await world.check(server.issue_jwt(**GOOD)))
    refused(await world.check(server.issue_jwt(**GOOD, kid=None)))


# JWTs that are introspected


async def test_jwts_of_a_key_manager_that_introspects_them_are_never_validated_here(server, world):
    await world.catalog(key_managers=[key_manager_of(server, validation="introspection")])
    token = server.issue_jwt(**GOOD, key=STRANGER)
    server.introspection_override = {"active": True, "iss": server.issuer, "sub": "told", **GOOD}
    for _ in range(2):
        assert caller(await world.check(token)).facts.subject == "told"
    assert (server.jwks.calls, server.introspection.calls) == (0, 1)
    server.introspection_override = {"active": False}
    refused(await world.check(server.issue_jwt(**GOOD)), Reason.TOKEN_INACTIVE)
    assert server.jwks.calls == 0


async def test_introspection_of_jwts_needs_no_keys(server, world):
    await world.catalog(key_managers=[key_manager_of(server, validation="introspection", jwt=None)])
    server.introspection_override = {"active": True, **GOOD}
    caller(await world.check(server.issue_jwt(**GOOD)))


async def test_a_jwt_is_introspected_where_its_issuer_says_and_never_elsewhere(server, second, world):
    first = key_manager_of(server, validation="introspection", **OFF)
    other = key_manager_of(second, id="second", validation="introspection", **OFF)
    rules = {"rules": [{"key_manager": "km", "prefix": "ey"}]}
    await world.catalog(key_managers=[first, other], opaque_tokens=rules)
    second.introspection_override = {"active": True, **GOOD}
    assert caller(await world.check(second.issue_jwt(**GOOD))).key_manager.id == "second"
    refused(await world.check(second.issue_jwt(**GOOD, iss="https://elsewhere")))
    assert (server.introspection.calls, second.introspection.calls) == (0, 1)


async def test_a_jwt_for_another_audience_is_not_introspected(server, world):
    jwt = {"jwks_uri": server.jwks_uri, "audiences": ["us"]}
    await world.catalog(key_managers=[key_manager_of(server, validation="introspection", jwt=jwt)])
    server.introspection_override = {"active": True, **GOOD}
    refused(await world.check(server.issue_jwt(**GOOD, aud="them")))
    assert server.introspection.calls == 0
    caller(await world.check(server.issue_jwt(**GOOD, aud="us")))


@pytest.mark.parametrize("key", [STRANGER, UNKNOWN], ids=["bad signature", "unknown key"])
async def test_a_jwt_that_cannot_be_verified_is_introspected_where_configured(server, world, key):
    token = server.issue_jwt(**GOOD, key=key)
    refused(await world.check(token))
    assert server.introspection.calls == 0
    await world.catalog(key_managers=[key_manager_of(server, introspect_failed_jwt=True)])
    server.introspection_override = {"active": True, **GOOD}
    for _ in range(3):
        assert caller(await world.check(token)).facts.form == "introspected"
    assert server.introspection.calls == 1


async def test_a_jwt_that_fails_otherwise_is_not_introspected(server, world):
    jwt = {"jwks_uri": server.jwks_uri, "audiences": ["us"], "token_types": ["at+jwt"]}
    await world.catalog(key_managers=[key_manager_of(server, introspect_failed_jwt=True, jwt=jwt)])
    right: dict[str, Any] = GOOD | {"aud": "us", "headers": {"typ": "at+jwt"}}
    now = int(world.clock())
    for wrong, reason in (
        ({"exp": now - 10}, Reason.TOKEN_EXPIRED),
        ({"aud": "them"}, Reason.INVALID_TOKEN),
        ({"nbf": now + 100}, Reason.INVALID_TOKEN),
        ({"exp": None}, Reason.INVALID_TOKEN),
        ({"headers": {"typ": "jwt"}}, Reason.WRONG_TOKEN_TYPE),
        ({"alg": "ES256"}, Reason.INVALID_TOKEN),
        ({"key": STRANGER, "aud": "them"}, Reason.INVALID_TOKEN),
    ):
        refused(await world.check(server.issue_jwt(**right | wrong)), reason)
    caller(await world.check(server.issue_jwt(**right)))
    assert server.introspection.calls == 0


async def test_a_jwt_whose_keys_cannot_be_had_is_not_introspected(server, world):
    await world.catalog(key_managers=[key_manager_of(server, introspect_failed_jwt=True)])
    server.jwks.misbehave(Misbehaviour.STATUS_500)
    refused(await world.check(server.issue_jwt(**GOOD)), Reason.UNAVAILABLE)
    assert server.introspection.calls == 0


async def test_what_introspection_refuses_is_not_what_a_signature_refuses(server, world):
    """The key appears after the token was called inactive: its own signature then counts."""
    await world.catalog(key_managers=[key_manager_of(server, introspect_failed_jwt=True)])
    later = SigningKey(kid="later", alg="RS256", private_key=rsa_private_key("later"))
    token = server.issue_jwt(**GOOD, key=later)
    server.introspection_override = {"active": False}
    for _ in range(2):
        refused(await world.check(token), Reason.TOKEN_INACTIVE)
    assert server.introspection.calls == 1
    server.extra_jwks.append(later.jwk())
    world.clock.advance(400)
    caller(await world.check(token))
    assert server.introspection.calls == 1


# What the claims are called, and what kind of token they are of


async def test_mapped_claims_have_our_names_and_the_others_their_own(server, world):
    mapping = {"mail": "email", "azp": "consumer", "scope": "permissions", "absent": "never"}
    await world.catalog(key_managers=[key_manager_of(server, claim_mapping=mapping)])
    claims = GOOD | {"mail": "a@example.com", "email": "old@example.com", "org": "acme"}
    for token in (server.issue_jwt(**claims), server.issue_opaque(**claims)):
        facts = caller(await world.check(token)).facts
        assert (facts.client_id, facts.scopes) == ("client", {"read"})
        told = {name: facts.claims.get(name) for name in ("email", "consumer", "permissions", "org", "iss")}
        assert told == {
            "email": "a@example.com", "consumer": "client", "permissions": "read", "org": "acme", "iss": server.issuer,
        }  # fmt: skip
        assert not {"mail", "azp", "scope", "never", "absent"} & facts.claims.keys()


@pytest.mark.parametrize(
    "claims",
    [
        {"headers": {"typ": "rt+jwt"}},
        {"headers": {"typ": "application/logout+jwt"}},
        {"typ": "Refresh"},
        {"at_hash": "h"},
        {"nonce": "n", "scope": None, "client_id": None},
        {"token_use": "id"},
        {"tokenName": "refresh_token"},
    ],
)
async def test_an_id_token_or_a_refresh_token_is_refused_and_remembered(server, world, claims):
    token = server.issue_jwt(**GOOD | claims)
    for _ in range(2):
        refused(await world.check(token), Reason.WRONG_TOKEN_TYPE)
    assert server.jwks.calls == 1


async def test_a_refresh_token_that_introspection_calls_active_is_refused(server, world):
    server.introspection_override = {"active": True, "typ": "Refresh", **GOOD}
    refused(await world.check("opaque"), Reason.WRONG_TOKEN_TYPE)


async def test_an_application_key_is_found_by_the_key_manager_that_was_routed_to(server):
    async with deciding(server) as world:
        managers = [
            km | {"subscription_validation": "catalog"} for km in by_audience(server, first=["one"], second=["two"])
        ]
        keys = [{"key_manager": "second", "client_id": "client"}]
        await world.catalog(key_managers=managers, applications=[application(keys=keys)])
        caller(await world.check(server.issue_jwt(**GOOD, aud="two")))
        refused(await world.check(server.issue_jwt(**GOOD, aud="one")), Reason.RESOURCE_FORBIDDEN)
