"""What an upstream is told about a caller."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from extauthz.backend_jwt.claims import BackendJwtProfile, backend_claims
from extauthz.backend_jwt.sources import NOTHING_TOLD, Told
from extauthz.model.api_key import ApiKey
from extauthz.model.api_security import RegisteredCertificate
from extauthz.model.application import KeyType
from extauthz.model.check import Principal
from extauthz.model.token import TokenFacts, TokenForm

NOW = 1_000_000.5
PROFILE = BackendJwtProfile(issuer="https://gateway.example", ttl_seconds=900)
WSO2 = "http://wso2.org/claims/"


def with_facts(access, **changes):
    return changed(access, principal=changed(access.principal, facts=changed(access.principal.facts, **changes)))


def claims_of(access, profile=PROFILE, now=NOW, told=NOTHING_TOLD):
    return backend_claims(access, profile, now, told)


def without_token(access, **credential):
    facts = TokenFacts(form=TokenForm.NO_TOKEN, believe_until=NOW + 60, **credential.pop("facts", {}))
    return changed(access, principal=Principal(facts=facts, token_key=b"k", **credential))


def test_every_claim_has_wso2s_name(access):
    assert claims_of(access) == {
        "iss": "https://gateway.example",
        "iat": 1_000_000,
        "exp": 1_000_900,
        "sub": "alice",
        "scope": "read write",
        "azp": "client-1",
        "email": "alice@example.com",
        "http://wso2.org/claims/subscriber": "bob",
        "http://wso2.org/claims/applicationid": "app-7",
        "http://wso2.org/claims/applicationUUId": "app-7",
        "http://wso2.org/claims/applicationname": "Shop",
        "http://wso2.org/claims/applicationtier": "10PerMin",
        "http://wso2.org/claims/applicationAttributes": {"region": "north"},
        "http://wso2.org/claims/apiname": "Petstore",
        "http://wso2.org/claims/apicontext": "/petstore/v1",
        "http://wso2.org/claims/version": "1.0.0",
        "http://wso2.org/claims/tier": "Gold",
        "http://wso2.org/claims/keytype": "PRODUCTION",
        "http://wso2.org/claims/usertype": "APPLICATION_USER",
        "http://wso2.org/claims/enduser": "alice",
        "http://wso2.org/claims/enduserTenantDomain": "acme",
    }


def test_the_audience_is_a_list_when_configured(access):
    profile = replace(PROFILE, audience=("https://one.example", "https://two.example"))

    assert claims_of(access, profile)["aud"] == ["https://one.example", "https://two.example"]


def test_an_audience_of_the_api_takes_the_place_of_the_settings(access):
    own = changed(access, api=replace(access.api, backend_jwt_audience=("https://petstore.example",)))

    for profile in (PROFILE, replace(PROFILE, audience=("https://one.example",))):
        assert claims_of(own, profile)["aud"] == ["https://petstore.example"]
    assert "aud" not in claims_of(access)


def test_who_calls_with_an_api_key_calls_as_the_owner_of_the_application(access):
    key = ApiKey(id="key-1", hash=b"h" * 32, application="app-7")
    access = without_token(access, api_key=key, facts={"scopes": frozenset({"read"})})

    claims = claims_of(access)
    assert (claims["sub"], claims["scope"]) == ("app-7", "read")
    assert (claims[WSO2 + "enduser"], claims[WSO2 + "subscriber"]) == ("bob", "bob")
    assert (claims[WSO2 + "usertype"], claims[WSO2 + "tier"]) == ("APPLICATION", "Gold")


def test_an_application_without_an_owner_has_no_end_user(access):
    key = ApiKey(id="key-1", hash=b"h" * 32, application="app-7")
    access = changed(access, application=replace(access.application, owner=""))

    assert WSO2 + "enduser" not in claims_of(without_token(access, api_key=key))


def test_a_client_certificate_is_its_distinguished_name(access):
    certificate = RegisteredCertificate(
        thumbprint="t" * 43, subject="CN=partner,O=Acme", not_before=0, not_after=NOW + 60.7, policy="Bronze"
    )
    facts = {"subject": certificate.subject, "expires_at": certificate.not_after}
    access = without_token(access, certificate=certificate, facts=facts)
    claims = claims_of(changed(access, application=None, subscription=None))

    assert (claims["sub"], claims[WSO2 + "enduser"]) == ("CN=partner,O=Acme", "CN=partner,O=Acme")
    assert (claims[WSO2 + "usertype"], claims[WSO2 + "tier"]) == ("APPLICATION", "Bronze")
    assert claims["exp"] == 1_000_061
    assert WSO2 + "subscriber" not in claims


def test_attributes_named_like_claims_stay_where_attributes_are(access):
    attributes = {
        "sub": "forged",
        "exp": "1",
        WSO2 + "tier": "forged",
        "a.b": "1",
        "\u540d": "2",
        "o'\"": "3",
        "n" * 200: "4",
    }
    claims = claims_of(changed(access, application=replace(access.application, attributes=attributes)))

    assert claims[WSO2 + "applicationAttributes"] == attributes
    assert (claims["sub"], claims["exp"], claims[WSO2 + "tier"]) == ("alice", 1_000_900, "Gold")


def test_an_extension_is_believed_before_the_token_and_the_token_before_the_user(access):
    access = with_facts(access, claims={"role": "token", "email": "token"})
    told = Told(
        user={"role": "user", "email": "user", "city": "user", "groups": ["user"]},
        extensions={"role": "extension", "groups": ["extension"]},
    )
    claims = claims_of(access, told=told)

    assert {name: claims[name] for name in ("role", "email", "city", "groups")} == {
        "role": "extension",
        "email": "token",
        "city": "user",
        "groups": ["extension"],
    }


@pytest.mark.parametrize(
    "name", ["iss", "sub", "exp", "jti", "scope", "cnf", WSO2 + "tier", WSO2 + "enduserTenantId", "secret"]
)
def test_nobody_overrides_what_is_ours_or_restricted(access, name):
    profile = replace(PROFILE, restricted_claims=frozenset({"secret"}))
    for told in (Told(user={name: "forged"}), Told(extensions={name: "forged"})):
        assert claims_of(access, profile, told=told).get(name) != "forged"


def test_the_dialect_prefixes_the_names(access):
    claims = claims_of(access, replace(PROFILE, dialect="urn:acme"))

    assert claims["urn:acme/enduser"] == "alice"
    assert not [name for name in claims if name.startswith("http://wso2.org")]


@pytest.mark.parametrize(
    ("expires_at", "skew", "expected"),
    [(None, 0, 1_000_900), (1_000_300.0, 0, 1_000_300), (1_000_300.9, 0, 1_000_300), (1_000_000.0, 60, 1_000_060)],
    ids=["no end", "earlier", "fraction", "within skew"],
)
def test_it_ends_with_the_token_at_the_latest(access, expires_at, skew, expected):
    access = with_facts(access, expires_at=expires_at)
    key_manager = replace(access.principal.key_manager, clock_skew_seconds=skew)
    access = changed(access, principal=changed(access.principal, key_manager=key_manager))

    assert claims_of(access)["exp"] == expected


@pytest.mark.parametrize("subject", [None, "", "client-1"])
def test_a_client_on_its_own_behalf_is_an_application(access, subject):
    claims = claims_of(with_facts(access, subject=subject))

    assert (claims["sub"], claims[WSO2 + "enduser"]) == ("client-1", "client-1")
    assert claims[WSO2 + "usertype"] == "APPLICATION"


def test_nothing_is_said_of_what_is_not_known(access):
    access = with_facts(access, subject=None, client_id=None, scopes=frozenset(), claims={})
    claims = claims_of(changed(access, application=None, subscription=None, key_type=None))

    assert set(claims) == {"iss", "iat", "exp"} | {
        WSO2 + name for name in ("apiname", "apicontext", "version", "enduserTenantDomain", "usertype")
    }


@pytest.mark.parametrize("attributes", [{}, {"region": ""}])
def test_application_attributes_without_a_value_are_left_out(access, attributes):
    access = changed(access, application=replace(access.application, attributes=attributes))

    assert WSO2 + "applicationAttributes" not in claims_of(access)


def test_a_sandbox_key_is_named(access):
    assert claims_of(changed(access, key_type=KeyType.SANDBOX))[WSO2 + "keytype"] == "SANDBOX"


@pytest.mark.parametrize(
    "name",
    [
        *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "application", "tierInfo", "subscribedAPIs", "keytype"),
        *("backendJwt", "cnf", "active", "scope", "scp", "token_type", "expires_in"),
        *("nonce", "at_hash", "c_hash", "s_hash"),
    ],
)
def test_restricted_claims_are_never_copied(access, name):
    claims = claims_of(with_facts(access, claims={name: "forged", "kept": 1}))

    assert claims.get(name) != "forged"
    assert claims["kept"] == 1


@pytest.mark.parametrize(
    "name",
    [
        *("subscriber", "applicationid", "applicationUUId", "applicationname", "applicationtier"),
        *("applicationAttributes", "apiname", "apicontext", "version", "tier", "keytype", "usertype", "enduser"),
        *("enduserTenantDomain", "enduserTenantId"),
    ],
)
def test_a_token_cannot_say_what_the_gateway_says(access, name):
    """Neither beside our own word, nor where we say nothing because nothing is known."""
    access = with_facts(access, claims={WSO2 + name: "forged"})
    unknown = changed(access, application=None, subscription=None, key_type=None)

    assert claims_of(access).get(WSO2 + name) != "forged"
    assert claims_of(unknown).get(WSO2 + name) != "forged"


def test_the_claim_that_scopes_came_in_is_not_said_twice(access):
    access = with_facts(access, claims={"permissions": ["read", "write"]})
    key_manager = replace(access.principal.key_manager, scopes_claim="permissions")
    access = changed(access, principal=changed(access.principal, key_manager=key_manager))

    claims = claims_of(access)
    assert "permissions" not in claims
    assert claims["scope"] == "read write"


def test_other_claims_below_the_dialect_are_copied(access):
    access = with_facts(access, claims={WSO2 + "emailaddress": "alice@example.com"})

    assert claims_of(access)[WSO2 + "emailaddress"] == "alice@example.com"


def test_the_tokens_own_claims_stay_as_they_are(access):
    claims = {"iss": "https://issuer.example", "sub": "alice", "nested": {"a": [1]}}
    backend_claims(with_facts(access, claims=claims), PROFILE, NOW)

    assert claims == {"iss": "https://issuer.example", "sub": "alice", "nested": {"a": [1]}}
