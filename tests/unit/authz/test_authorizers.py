from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from extauthz.authz.api_state import ensure_published
from extauthz.authz.authorizer import AUTHORIZERS
from extauthz.authz.scopes import scope_granted
from extauthz.model.api import Api, ApiState, Resource, ScopeMatching, ScopeRule
from extauthz.model.api_key import ApiKey
from extauthz.model.api_security import RegisteredCertificate
from extauthz.model.application import Application, KeyType
from extauthz.model.check import Access, Principal
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import KeyManager, SubscriptionValidation
from extauthz.model.subscription import Subscription, SubscriptionState
from extauthz.model.token import TokenFacts, TokenForm

RESOURCE = Resource(template="/pets", methods=frozenset({"GET"}), scopes=frozenset({"read", "admin"}))
API = Api(id="petstore", name="PetStore", version="v1", context="/petstore", resources=(RESOURCE,))
KEY_MANAGER = KeyManager(id="km", issuer="https://issuer")
ACCESS = Access(
    api=API,
    resource=RESOURCE,
    principal=Principal(
        key_manager=KEY_MANAGER,
        facts=TokenFacts(form=TokenForm.JWT, believe_until=1, client_id="client", scopes=frozenset({"read", "x"})),
        token_key=b"key",
    ),
    application=Application(id="app", name="App"),
    key_type=KeyType.PRODUCTION,
    subscription=Subscription(id="s", application="app", api="petstore"),
)


def with_facts(**changes):
    return changed(ACCESS, principal=changed(ACCESS.principal, facts=changed(ACCESS.principal.facts, **changes)))


def with_key_manager(**changes):
    return changed(ACCESS, principal=changed(ACCESS.principal, key_manager=replace(KEY_MANAGER, **changes)))


def with_state(state, key_type=KeyType.PRODUCTION):
    assert ACCESS.subscription is not None
    return changed(ACCESS, subscription=replace(ACCESS.subscription, state=state), key_type=key_type)


def reason(access):
    """Why the access is refused; None: it passes every authorizer."""
    try:
        for authorize in AUTHORIZERS:
            authorize(access)
    except Denied as denied:
        return denied.reason
    return None


def test_an_access_with_everything_in_order_passes():
    assert reason(ACCESS) is None


def test_any_one_scope_of_the_resource_is_enough_and_none_is_not():
    assert reason(with_facts(scopes=frozenset({"admin"}))) is None
    assert reason(with_facts(scopes=frozenset({"READ", "reads"}))) is Reason.INSUFFICIENT_SCOPE
    assert reason(with_facts(scopes=frozenset())) is Reason.INSUFFICIENT_SCOPE
    assert reason(changed(with_facts(scopes=frozenset()), resource=replace(RESOURCE, scopes=frozenset()))) is None


def test_a_scope_refusal_names_the_scopes_that_would_do():
    with pytest.raises(Denied) as caught:
        scope_granted(with_facts(scopes=frozenset()))
    assert caught.value.scopes == {"read", "admin"}


def test_a_key_manager_that_the_api_does_not_accept_is_forbidden():
    restricted = replace(API, key_managers=frozenset({"other"}))
    assert reason(changed(ACCESS, api=restricted)) is Reason.RESOURCE_FORBIDDEN
    assert reason(changed(ACCESS, api=replace(API, key_managers=frozenset({"km"})))) is None
    assert reason(changed(ACCESS, api=replace(API, key_managers=frozenset()))) is Reason.RESOURCE_FORBIDDEN


def test_a_key_manager_of_another_organization_is_forbidden():
    assert reason(with_key_manager(organization="acme")) is Reason.RESOURCE_FORBIDDEN


def test_without_application_or_subscription_the_resource_is_forbidden():
    assert reason(changed(ACCESS, application=None, subscription=None)) is Reason.RESOURCE_FORBIDDEN
    assert reason(changed(ACCESS, subscription=None)) is Reason.RESOURCE_FORBIDDEN


def test_an_api_may_need_no_subscription_but_still_an_application():
    api = replace(API, subscription_required=False)
    assert reason(changed(ACCESS, api=api, subscription=None)) is None
    assert reason(changed(ACCESS, api=api, application=None, subscription=None)) is Reason.RESOURCE_FORBIDDEN


def test_a_key_manager_may_know_nothing_of_subscriptions():
    access = with_key_manager(subscription_validation=SubscriptionValidation.OFF)
    assert reason(changed(access, application=None, subscription=None)) is None


@pytest.mark.parametrize(
    ("state", "key_type", "expected"),
    [
        (SubscriptionState.UNBLOCKED, KeyType.PRODUCTION, None),
        (SubscriptionState.TIER_UPDATE_PENDING, KeyType.PRODUCTION, None),
        (SubscriptionState.BLOCKED, KeyType.PRODUCTION, Reason.SUBSCRIPTION_BLOCKED),
        (SubscriptionState.BLOCKED, KeyType.SANDBOX, Reason.SUBSCRIPTION_BLOCKED),
        (SubscriptionState.PROD_ONLY_BLOCKED, KeyType.PRODUCTION, Reason.SUBSCRIPTION_BLOCKED),
        (SubscriptionState.PROD_ONLY_BLOCKED, None, Reason.SUBSCRIPTION_BLOCKED),
        (SubscriptionState.PROD_ONLY_BLOCKED, KeyType.SANDBOX, None),
        (SubscriptionState.ON_HOLD, KeyType.PRODUCTION, Reason.SUBSCRIPTION_INACTIVE),
        (SubscriptionState.REJECTED, KeyType.SANDBOX, Reason.SUBSCRIPTION_INACTIVE),
    ],
)
def test_each_subscription_state_has_wso2s_meaning(state, key_type, expected):
    assert reason(with_state(state, key_type)) is expected


def test_a_state_that_is_not_known_refuses():
    with pytest.raises(AssertionError):
        reason(with_state("SOMETHING_NEW"))


def test_a_blocked_api_answers_nobody():
    ensure_published(API)
    with pytest.raises(Denied) as caught:
        ensure_published(replace(API, state=ApiState.BLOCKED))
    assert caught.value.reason is Reason.API_BLOCKED


def with_scopes(held, *wanted, rule=ScopeRule.ANY, matching=ScopeMatching.EXACT):
    resource = replace(RESOURCE, scopes=frozenset(wanted), scope_rule=rule)
    access = with_facts(scopes=frozenset(held.split()))
    return changed(access, resource=resource, api=replace(API, scope_matching=matching))


@pytest.mark.parametrize(
    ("held", "good"), [("read admin", True), ("read admin x", True), ("read", False), ("admin", False), ("", False)]
)
def test_a_resource_may_need_all_of_its_scopes(held, good):
    refused = reason(with_scopes(held, "read", "admin", rule=ScopeRule.ALL))
    assert refused is (None if good else Reason.INSUFFICIENT_SCOPE)


@pytest.mark.parametrize(
    ("held", "wanted", "good"),
    [
        ("pets", "pets", True),
        ("pets", "pets.read", True),
        ("pets", "pets:read", True),
        ("pets", "pets/read", True),
        ("pets", "pets.read:own", True),
        ("pets.read", "pets.read:own", True),
        ("pets", "petstore.read", False),
        ("pets", "pets-read", False),
        ("pets.", "pets.read", False),
        ("pets.read", "pets", False),
        ("pets.write", "pets.read", False),
        ("read", "pets.read", False),
        ("PETS", "pets.read", False),
        ("", "pets", False),
    ],
)
def test_a_scope_covers_those_below_it_where_the_api_says_so(held, wanted, good):
    refused = reason(with_scopes(held, wanted, matching=ScopeMatching.HIERARCHICAL))
    assert refused is (None if good else Reason.INSUFFICIENT_SCOPE)
    assert (reason(with_scopes(held, wanted)) is None) == (held == wanted)


def test_all_scopes_may_be_covered_by_one_above_them():
    both = {"rule": ScopeRule.ALL, "matching": ScopeMatching.HIERARCHICAL}
    assert reason(with_scopes("pets", "pets.read", "pets.write", **both)) is None
    assert reason(with_scopes("pets", "pets.read", "shop.write", **both)) is Reason.INSUFFICIENT_SCOPE


@pytest.mark.parametrize(("rule", "matching"), [("most", ScopeMatching.EXACT), (ScopeRule.ANY, "fuzzy")])
def test_a_rule_that_is_not_known_refuses(rule, matching):
    with pytest.raises(AssertionError):
        reason(with_scopes("read", "read", rule=rule, matching=matching))


@pytest.mark.parametrize(
    ("key_types", "key_type", "good"),
    [
        ({KeyType.PRODUCTION, KeyType.SANDBOX}, KeyType.SANDBOX, True),
        ({KeyType.PRODUCTION, KeyType.SANDBOX}, None, True),
        ({KeyType.PRODUCTION}, KeyType.PRODUCTION, True),
        ({KeyType.PRODUCTION}, None, True),
        ({KeyType.PRODUCTION}, KeyType.SANDBOX, False),
        ({KeyType.SANDBOX}, KeyType.SANDBOX, True),
        ({KeyType.SANDBOX}, KeyType.PRODUCTION, False),
        ({KeyType.SANDBOX}, None, False),
        (set(), KeyType.PRODUCTION, False),
    ],
)
def test_an_api_takes_keys_of_its_types_alone(key_types, key_type, good):
    access = changed(ACCESS, api=replace(API, key_types=frozenset(key_types)), key_type=key_type)
    assert reason(access) is (None if good else Reason.WRONG_TOKEN_TYPE)


@pytest.mark.parametrize(
    ("wanted", "audiences", "good"),
    [
        ({"pets"}, {"pets"}, True),
        ({"pets", "shop"}, {"x", "shop"}, True),
        ({"pets"}, {"PETS"}, False),
        ({"pets"}, set(), False),
        (set(), {"anything"}, True),
        (set(), set(), True),
    ],
)
def test_a_token_is_meant_for_one_of_the_audiences_of_the_api(wanted, audiences, good):
    access = changed(with_facts(audiences=frozenset(audiences)), api=replace(API, audiences=frozenset(wanted)))
    assert reason(access) is (None if good else Reason.API_AUDIENCE)


FACTS = TokenFacts(form=TokenForm.NO_TOKEN, believe_until=1, scopes=frozenset({"read"}))
CERTIFICATE = RegisteredCertificate(thumbprint="m" * 43, subject="CN=m", not_before=0, not_after=1)
BY_CERTIFICATE = Access(
    api=API,
    resource=RESOURCE,
    principal=Principal(facts=FACTS, token_key=b"m", certificate=CERTIFICATE),
    key_type=KeyType.PRODUCTION,
)
BY_KEY = changed(
    ACCESS, principal=Principal(facts=FACTS, token_key=b"h", api_key=ApiKey(id="k", hash=b"h", application="app"))
)
BY_EXTENSION = changed(ACCESS, principal=Principal(facts=FACTS, token_key=b"e", application="app"))


@pytest.mark.parametrize("access", [BY_CERTIFICATE, BY_KEY, BY_EXTENSION])
def test_other_credentials_have_no_key_manager_and_no_audience(access):
    api = replace(API, key_managers=frozenset(), audiences=frozenset({"pets"}))
    assert reason(changed(access, api=api)) is None


@pytest.mark.parametrize("access", [BY_CERTIFICATE, BY_KEY, BY_EXTENSION])
def test_other_credentials_need_the_scopes_and_the_key_type(access):
    unscoped = changed(access.principal, facts=changed(FACTS, scopes=frozenset()))
    assert reason(changed(access, principal=unscoped)) is Reason.INSUFFICIENT_SCOPE
    sandbox = replace(API, key_types=frozenset({KeyType.SANDBOX}))
    assert reason(changed(access, api=sandbox)) is Reason.WRONG_TOKEN_TYPE


@pytest.mark.parametrize("access", [BY_KEY, BY_EXTENSION])
def test_other_credentials_need_an_application_and_its_subscription(access):
    assert reason(changed(access, application=None, subscription=None)) is Reason.RESOURCE_FORBIDDEN
    assert reason(changed(access, subscription=None)) is Reason.RESOURCE_FORBIDDEN
    blocked = replace(access.subscription, state=SubscriptionState.BLOCKED)
    assert reason(changed(access, subscription=blocked)) is Reason.SUBSCRIPTION_BLOCKED


def test_a_registered_certificate_needs_no_subscription_and_brings_its_policy():
    assert BY_CERTIFICATE.subscription is None
    assert reason(BY_CERTIFICATE) is None
    assert BY_CERTIFICATE.policy == "Unlimited"


def test_an_api_key_of_another_organization_is_forbidden():
    foreign = changed(BY_KEY.principal, api_key=ApiKey(id="k", hash=b"h", application="app", organization="acme"))
    assert reason(changed(BY_KEY, principal=foreign)) is Reason.RESOURCE_FORBIDDEN


CLAIMED = with_key_manager(subscription_validation=SubscriptionValidation.CLAIM)


def test_in_claim_mode_the_subscription_counts_and_the_application_may_be_unnamed():
    assert reason(CLAIMED) is None
    assert reason(changed(CLAIMED, application=None)) is None
    assert reason(changed(CLAIMED, subscription=None)) is Reason.RESOURCE_FORBIDDEN
    assert reason(changed(CLAIMED, application=None, subscription=None)) is Reason.RESOURCE_FORBIDDEN
    free = replace(API, subscription_required=False)
    assert reason(changed(CLAIMED, api=free, subscription=None)) is None


def test_a_mode_that_is_not_known_refuses():
    with pytest.raises(AssertionError):
        reason(with_key_manager(subscription_validation="sometimes"))
