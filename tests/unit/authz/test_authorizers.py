from dataclasses import replace

import pytest

from extauthz.authz.api_state import ensure_published
from extauthz.authz.authorizer import AUTHORIZERS
from extauthz.authz.scopes import scope_granted
from extauthz.model.api import Api, ApiState, Resource
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
    return replace(ACCESS, principal=replace(ACCESS.principal, facts=replace(ACCESS.principal.facts, **changes)))


def with_key_manager(**changes):
    return replace(ACCESS, principal=replace(ACCESS.principal, key_manager=replace(KEY_MANAGER, **changes)))


def with_state(state, key_type=KeyType.PRODUCTION):
    assert ACCESS.subscription is not None
    return replace(ACCESS, subscription=replace(ACCESS.subscription, state=state), key_type=key_type)


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
    assert reason(replace(with_facts(scopes=frozenset()), resource=replace(RESOURCE, scopes=frozenset()))) is None


def test_a_scope_refusal_names_the_scopes_that_would_do():
    with pytest.raises(Denied) as caught:
        scope_granted(with_facts(scopes=frozenset()))
    assert caught.value.scopes == {"read", "admin"}


def test_a_key_manager_that_the_api_does_not_accept_is_forbidden():
    restricted = replace(API, key_managers=frozenset({"other"}))
    assert reason(replace(ACCESS, api=restricted)) is Reason.RESOURCE_FORBIDDEN
    assert reason(replace(ACCESS, api=replace(API, key_managers=frozenset({"km"})))) is None
    assert reason(replace(ACCESS, api=replace(API, key_managers=frozenset()))) is Reason.RESOURCE_FORBIDDEN


def test_a_key_manager_of_another_organization_is_forbidden():
    assert reason(with_key_manager(organization="acme")) is Reason.RESOURCE_FORBIDDEN


def test_without_application_or_subscription_the_resource_is_forbidden():
    assert reason(replace(ACCESS, application=None, subscription=None)) is Reason.RESOURCE_FORBIDDEN
    assert reason(replace(ACCESS, subscription=None)) is Reason.RESOURCE_FORBIDDEN


def test_an_api_may_need_no_subscription_but_still_an_application():
    api = replace(API, subscription_required=False)
    assert reason(replace(ACCESS, api=api, subscription=None)) is None
    assert reason(replace(ACCESS, api=api, application=None, subscription=None)) is Reason.RESOURCE_FORBIDDEN


def test_a_key_manager_may_know_nothing_of_subscriptions():
    access = with_key_manager(subscription_validation=SubscriptionValidation.OFF)
    assert reason(replace(access, application=None, subscription=None)) is None


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
