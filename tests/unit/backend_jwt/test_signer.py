"""Assertions that upstreams can verify, and when one is used again."""

from dataclasses import replace

import jwt
import pytest
from msgspec.structs import replace as changed

from extauthz.backend_jwt.claims import BackendJwtProfile
from extauthz.backend_jwt.jwks import jwk_set
from extauthz.backend_jwt.signer import BackendJwtSigner
from extauthz.backend_jwt.signing_key import SigningKey
from extauthz.model.api_security import RegisteredCertificate
from extauthz.model.errors import Denied, Reason
from extauthz.model.subscription import SubscriptionState

PROFILE = BackendJwtProfile(issuer="https://gateway.example", audience=("https://upstream.example",), ttl_seconds=900)
WSO2 = "http://wso2.org/claims/"
CERTIFICATE = RegisteredCertificate(
    thumbprint="t" * 43, subject="CN=a", not_before=0, not_after=2_000_000, policy="Gold"
)


@pytest.fixture
def key(ec_pem):
    return SigningKey(ec_pem, "ES256")


@pytest.fixture
def signer(key, clock):
    return BackendJwtSigner(key=key, profile=PROFILE, clock=clock, cache_entries=10)


def with_facts(access, **changes):
    return changed(access, principal=changed(access.principal, facts=changed(access.principal.facts, **changes)))


def with_token(access, token_key):
    return changed(access, principal=changed(access.principal, token_key=token_key))


def verified(assertion, *keys):
    """As an upstream does it: by the published set, without trust in the header's `alg`."""
    published = {published.key_id: published for published in jwt.PyJWKSet.from_dict(dict(jwk_set(keys))).keys}
    used = published[jwt.get_unverified_header(assertion)["kid"]]
    return jwt.decode(
        assertion,
        used,
        algorithms=[used.algorithm_name],
        audience="https://upstream.example",
        issuer="https://gateway.example",
        options={"verify_exp": False, "verify_iat": False},  # the tests' clock is not the machine's
    )


@pytest.mark.parametrize(
    ("fixture", "algorithm"), [("rsa_pem", "RS256"), ("ec_pem", "ES256"), ("ed25519_pem", "EdDSA")]
)
async def test_an_upstream_verifies_it_with_the_published_keys(request, access, clock, fixture, algorithm):
    key = SigningKey(request.getfixturevalue(fixture), algorithm)
    signer = BackendJwtSigner(key=key, profile=PROFILE, clock=clock, cache_entries=10)

    assertion = await signer.assertion(access)

    assert jwt.get_unverified_header(assertion) == {"typ": "JWT", "alg": algorithm, "kid": key.kid}
    claims = verified(assertion, key)
    assert (claims[WSO2 + "enduser"], claims[WSO2 + "tier"], claims["exp"]) == ("alice", "Gold", 1_000_900)


async def test_it_is_base64url_without_padding(signer, access):
    access = with_facts(access, claims={"odd": "\u00ff\u00fe>>>???~~~"})

    assert set(await signer.assertion(access)).isdisjoint("+/= \n")


@pytest.mark.parametrize("name", ["alice.b.smith", "Zo\u00eb \u674e \U0001f600", "a" * 200, "o'\"<\\>\r\n", "\ud800"])
async def test_odd_names_arrive_as_they_are_twice(signer, key, access, name):
    access = changed(access, application=replace(access.application, name=name))
    access = with_facts(access, subject=name, claims={name: name})

    for assertion in (await signer.assertion(access), await signer.assertion(access)):
        claims = verified(assertion, key)
        assert [claims[n] for n in ("sub", WSO2 + "enduser", WSO2 + "applicationname", name)] == [name] * 4


async def test_it_is_signed_once_for_a_token_and_an_api(signer, access, clock):
    first = await signer.assertion(access)
    clock.now += 800

    assert await signer.assertion(access) == first


async def test_equal_facts_from_another_cache_entry_are_the_same(signer, access):
    assert await signer.assertion(access) == await signer.assertion(
        with_facts(access, scopes=frozenset({"read", "write"}))
    )


async def test_it_is_renewed_before_it_ends(signer, key, access, clock):
    first = await signer.assertion(access)
    clock.now += 871  # 30 s before its end, at most
    second = await signer.assertion(access)

    assert second != first
    assert verified(second, key)["exp"] == 1_001_771
    assert verified(second, key)["jti"] != verified(first, key)["jti"]


async def test_it_is_not_renewed_when_the_token_ends_with_it(signer, access, clock):
    access = with_facts(access, expires_at=1_000_100.0)
    first = await signer.assertion(access)
    clock.now = 1_000_099.9
    assert await signer.assertion(access) == first


async def test_it_is_not_used_past_the_end_of_the_token(signer, access, clock):
    access = with_facts(access, expires_at=1_000_100.0)
    first = await signer.assertion(access)
    clock.now = 1_000_100.0
    assert await signer.assertion(access) != first


async def test_a_clock_that_was_set_back_brings_out_no_assertion_of_the_future(signer, key, access, clock):
    first = await signer.assertion(access)
    clock.now -= 3600

    assert verified(await signer.assertion(access), key)["iat"] == verified(first, key)["iat"] - 3600


@pytest.mark.parametrize(
    "change",
    [  # in order: the subscription, the application, the key, the API, the token
        lambda access: changed(access, subscription=replace(access.subscription, policy="Silver")),
        lambda access: changed(access, subscription=replace(access.subscription, state=SubscriptionState.BLOCKED)),
        lambda access: changed(access, subscription=None),
        lambda access: changed(access, application=replace(access.application, name="Shop 2")),
        lambda access: changed(access, application=replace(access.application, attributes={"region": "south"})),
        lambda access: changed(access, key_type=None),
        lambda access: changed(access, api=replace(access.api, version="1.0.1")),
        lambda access: changed(access, api=replace(access.api, id="petstore-2")),
        lambda access: changed(access, api=replace(access.api, organization="another")),
        lambda access: changed(access, api=replace(access.api, backend_jwt_audience=("https://upstream.example",))),
        lambda access: changed(access, principal=changed(access.principal, certificate=CERTIFICATE)),
        lambda access: with_facts(access, claims={"email": "alice@example.net"}),
        lambda access: with_facts(access, scopes=frozenset({"read"})),
        lambda access: with_token(access, b"another"),
    ],
)
async def test_what_enters_the_claims_shows_at_once(signer, access, change):
    first = await signer.assertion(access)

    assert await signer.assertion(change(access)) != first


async def test_the_policy_of_a_certificate_is_said_at_once(signer, key, access):
    """It has no subscription whose policy could change."""
    for policy in ("Bronze", "Silver"):
        principal = changed(access.principal, certificate=replace(CERTIFICATE, policy=policy))
        shown = changed(access, subscription=None, principal=principal)
        assert verified(await signer.assertion(shown), key)[WSO2 + "tier"] == policy


async def test_an_assertion_for_one_api_is_not_good_at_another(key, access, clock):
    """Where the APIs have audiences of their own."""
    signer = BackendJwtSigner(key=key, profile=PROFILE, clock=clock, cache_entries=10)
    own = changed(access, api=replace(access.api, id="orders", backend_jwt_audience=("https://orders.example",)))
    with pytest.raises(jwt.InvalidAudienceError):
        verified(await signer.assertion(own), key)


async def test_one_that_holds_is_had_without_waiting(signer, access, clock):
    assert signer.held(access) is None
    made = await signer.assertion(access)
    assert signer.held(access) == made
    clock.now += 900
    assert signer.held(access) is None


async def test_a_changed_policy_is_said_at_once(signer, key, access):
    await signer.assertion(access)
    other = changed(access, subscription=replace(access.subscription, policy="Silver"))

    assert verified(await signer.assertion(other), key)[WSO2 + "tier"] == "Silver"


async def test_the_resource_does_not_matter(signer, access):
    elsewhere = changed(access, resource=replace(access.resource, template="/orders"))

    assert await signer.assertion(elsewhere) == await signer.assertion(access)


async def test_the_least_recently_used_is_signed_anew(key, access, clock):
    signer = BackendJwtSigner(key=key, profile=PROFILE, clock=clock, cache_entries=2)
    one, two, three = (with_token(access, token) for token in (b"1", b"2", b"3"))
    kept, dropped = await signer.assertion(one), await signer.assertion(two)
    await signer.assertion(one)
    await signer.assertion(three)

    assert await signer.assertion(one) == kept
    assert await signer.assertion(two) != dropped


async def test_without_a_cache_each_is_signed(key, access, clock):
    signer = BackendJwtSigner(key=key, profile=PROFILE, clock=clock, cache_entries=0)

    assert await signer.assertion(access) != await signer.assertion(access)


async def test_a_token_with_claims_that_are_not_json_is_refused(signer, access):
    with pytest.raises(Denied) as refused:
        await signer.assertion(with_facts(access, claims={"odd": float("nan")}))

    assert refused.value.reason is Reason.INVALID_TOKEN


@pytest.mark.parametrize(("ttl", "entries"), [(0, 1), (-1, 1), (900, -1)])
def test_settings_without_sense_are_refused(key, clock, ttl, entries):
    with pytest.raises(ValueError, match="backend JWT"):
        BackendJwtSigner(key=key, profile=replace(PROFILE, ttl_seconds=ttl), clock=clock, cache_entries=entries)
