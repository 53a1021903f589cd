"""Who calls what, for credentials that are not tokens, and for tokens that claim their subscriptions."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed
from support.catalogs import api, application, contents, key_manager

from extauthz.catalog.catalog import Catalog
from extauthz.model.api import ResourceMatch
from extauthz.model.api_security import ApiSecurity, RegisteredCertificate, Requirement
from extauthz.model.application import KeyType
from extauthz.model.check import Principal
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.oauth2 import base64url

HASH = base64url.encode(b"h" * 32)
KEY = {"id": "k", "hash": HASH, "application": "app", "key_type": "SANDBOX"}
FACTS = TokenFacts(form=TokenForm.NO_TOKEN, believe_until=2e9)
SUBSCRIBED = {"name": "PetStore", "context": "/petstore/v1", "version": "v1", "subscriptionTier": "Gold"}


def match_of(catalog_contents):
    found = catalog_contents.apis[0]
    return ResourceMatch(api=found, resource=found.resources[0])


def by_key(before, after=None):
    """The access of a key that was found in one catalog, in another."""
    found = before.api_keys[0]
    caller = Principal(facts=FACTS, token_key=found.hash, api_key=found, application=found.application)
    return Catalog(after or before).access(caller, match_of(before))


def test_a_key_leads_to_its_application_and_that_to_the_subscription():
    access = by_key(contents(api_keys=[KEY]))
    assert (access.application.id, access.key_type, access.policy) == ("app", KeyType.SANDBOX, "Gold")


def test_a_key_of_an_application_that_has_not_subscribed_has_no_subscription():
    access = by_key(contents(api_keys=[KEY], subscriptions=[]))
    assert (access.application.id, access.subscription) == ("app", None)


@pytest.mark.parametrize(
    "keys", [[], [KEY | {"enabled": False}], [KEY | {"scopes": ["x"]}], [KEY | {"hash": base64url.encode(b"x" * 32)}]]
)
def test_a_key_that_changed_during_the_check_is_refused(keys):
    with pytest.raises(Denied) as caught:
        by_key(contents(api_keys=[KEY]), contents(api_keys=keys))
    assert caught.value.reason is Reason.INVALID_TOKEN


def test_a_key_that_was_loaded_again_unchanged_is_good():
    assert by_key(contents(api_keys=[KEY]), contents(api_keys=[KEY])).application.id == "app"


def test_what_an_api_accepts_may_not_change_during_the_check():
    before = contents(api_keys=[KEY])
    with pytest.raises(Unavailable):
        by_key(before, contents(api_keys=[KEY], apis=[api(security={"api_key": {"header": "X-Key"}})]))


def test_a_caller_of_an_extension_has_the_application_that_it_names():
    world = contents()
    caller = Principal(facts=FACTS, token_key=b"x", application="app")
    assert Catalog(world).access(caller, match_of(world)).application == world.applications[0]
    nobody = changed(caller, application=None)
    assert Catalog(world).access(nobody, match_of(world)).application is None


def of_two_organizations():
    """Organizations whose key managers, clients and APIs have the same names wherever they may."""
    other = {"organization": "other"}
    return contents(
        key_managers=[key_manager(), key_manager(**other)],
        apis=[api(), api(id="other-store", context="/other/v1", **other)],
        applications=[application(), application(id="other-app", **other)],
        subscriptions=[
            {"application": "app", "api": "petstore"},
            {"application": "other-app", "api": "other-store", "organization": "other"},
        ],
    )


@pytest.mark.parametrize(("place", "application_id"), [(0, "app"), (1, "other-app")])
def test_a_client_is_the_one_of_its_own_organization(place, application_id):
    world = of_two_organizations()
    facts = TokenFacts(form=TokenForm.JWT, believe_until=2e9, client_id="client")
    caller = Principal(key_manager=world.key_managers[place], facts=facts, token_key=b"t")
    found = world.apis[place]
    access = Catalog(world).access(caller, ResourceMatch(api=found, resource=found.resources[0]))
    assert access.application == next(each for each in world.applications if each.id == application_id)
    assert access.subscription == world.subscriptions[place]


@pytest.mark.parametrize(("place", "application_id"), [(0, "app"), (1, "other-app")])
def test_an_application_that_a_credential_names_is_one_of_the_apis_organization(place, application_id):
    world = of_two_organizations()
    found = world.apis[place]
    match = ResourceMatch(api=found, resource=found.resources[0])
    named = {
        name: Catalog(world).access(Principal(facts=FACTS, token_key=b"x", application=name), match).application
        for name in ("app", "other-app")
    }
    assert {name for name, found in named.items() if found is not None} == {application_id}


CERTIFICATE = RegisteredCertificate(
    thumbprint="m" * 43, subject="CN=m", not_before=0, not_after=2e9, policy="Silver", key_type=KeyType.SANDBOX
)


def by_certificate(*registered):
    world = contents()
    security = ApiSecurity(application=Requirement.OPTIONAL, mutual_tls=Requirement.OPTIONAL, certificates=registered)
    world = replace(world, apis=(replace(world.apis[0], security=security),))
    caller = Principal(facts=FACTS, token_key=b"m", certificate=CERTIFICATE)
    return Catalog(world).access(caller, match_of(world))


def test_a_certificate_has_what_its_registration_says():
    access = by_certificate(CERTIFICATE)
    assert (access.application, access.subscription) == (None, None)
    assert (access.policy, access.key_type) == ("Silver", KeyType.SANDBOX)


def test_a_certificate_that_is_not_registered_at_the_api_is_refused():
    with pytest.raises(Denied) as caught:
        by_certificate(replace(CERTIFICATE, thumbprint="o" * 43))
    assert caught.value.reason is Reason.INVALID_TOKEN


def claimed(*, mode="claim", publisher="", **claims):
    """The access of a token with claims, or the reason for the refusal."""
    world = contents(
        key_managers=[key_manager(subscription_validation=mode)],
        apis=[api(publisher=publisher)],
        applications=[application(keys=[])],
        subscriptions=[],
    )
    facts = TokenFacts(form=TokenForm.JWT, believe_until=2e9, client_id="client", claims=claims)
    caller = Principal(key_manager=world.key_managers[0], facts=facts, token_key=b"t")
    try:
        return Catalog(world).access(caller, match_of(world))
    except Denied as denied:
        return denied.reason


APPLICATION = {"id": 7, "uuid": "u-1", "name": "Shop", "tier": "Bronze", "owner": "alice", "tierQuotaType": None}


def test_a_token_says_its_application_its_key_type_and_its_subscription():
    access = claimed(subscribedAPIs=[{"name": "Other"}, SUBSCRIBED], application=APPLICATION, keytype="SANDBOX")
    told = access.application
    assert (told.id, told.name, told.policy, told.owner) == ("u-1", "Shop", "Bronze", "alice")
    assert (access.key_type, access.policy, access.subscription.application) == (KeyType.SANDBOX, "Gold", "u-1")


def test_what_a_token_leaves_out_has_a_meaning():
    access = claimed(subscribedAPIs=[{name: SUBSCRIBED[name] for name in ("name", "context", "version")}])
    assert (access.application, access.key_type, access.policy) == (None, KeyType.PRODUCTION, "Unlimited")


def test_an_application_may_have_a_number_for_an_id():
    assert claimed(application={"id": 7}).application.id == "7"


@pytest.mark.parametrize("entries", [None, [], {}, "PetStore", [None], ["PetStore"], [[SUBSCRIBED]], SUBSCRIBED])
def test_a_claim_that_is_no_list_of_subscriptions_subscribes_to_nothing(entries):
    assert claimed(subscribedAPIs=entries).subscription is None
    assert claimed().subscription is None


@pytest.mark.parametrize(
    "other",
    [
        {"name": "petstore"},
        {"name": None},
        {"name": ["PetStore"]},
        {"context": "/petstore"},
        {"context": "/petstore/v1/"},
        {"version": "v2"},
        {"version": 1},
    ],
)
def test_a_subscription_to_another_api_or_version_is_none(other):
    assert claimed(subscribedAPIs=[SUBSCRIBED | other]).subscription is None


@pytest.mark.parametrize(
    ("publisher", "said", "good"),
    [("", {}, True), ("", {"publisher": "x"}, True), ("alice", {"publisher": "alice"}, True)]
    + [("alice", each, False) for each in ({}, {"publisher": "bob"}, {"publisher": ["alice"]}, {"publisher": ""})],
)
def test_the_publisher_counts_where_the_api_has_one(publisher, said, good):
    assert (claimed(publisher=publisher, subscribedAPIs=[SUBSCRIBED | said]).subscription is not None) == good


@pytest.mark.parametrize("keytype", ["production", "", "TEST", 1, ["PRODUCTION"], {}, False])
def test_a_key_type_that_is_not_known_refuses(keytype):
    assert claimed(subscribedAPIs=[SUBSCRIBED], keytype=keytype) is Reason.WRONG_TOKEN_TYPE


@pytest.mark.parametrize("named", ["Shop", {}, [], {"uuid": ""}, {"id": True}, {"id": None}, {"uuid": 7}, 7])
def test_an_application_that_is_none_refuses(named):
    assert claimed(subscribedAPIs=[SUBSCRIBED], application=named) is Reason.RESOURCE_FORBIDDEN


@pytest.mark.parametrize("mode", ["catalog", "off"])
def test_claims_of_other_key_managers_mean_nothing(mode):
    access = claimed(mode=mode, subscribedAPIs=[SUBSCRIBED], application=APPLICATION, keytype="nonsense")
    assert (access.application, access.key_type, access.subscription) == (None, None, None)
