from dataclasses import replace
from ipaddress import ip_network

import pytest
from support.catalogs import application, catalog_document, contents, request

from extauthz.authn.api_key import ApiKeys
from extauthz.authn.api_key_hash import ApiKeyHashes
from extauthz.authn.client_address import peer_address
from extauthz.catalog.catalog import Catalog
from extauthz.model.check import PresentedApiKey
from extauthz.model.errors import Denied, Reason

NOW = 1_700_000_000.0
SECRET, FORMER = b"s" * 32, b"f" * 32
HASHES = ApiKeyHashes([SECRET])
KEY, OTHER = "xk_" + "A" * 43, "xk_" + "B" * 42 + "A"


def entry(**settings):
    return {"id": "k", "hash": HASHES.entry(KEY), "application": "app", "scopes": ["read"]} | settings


def principal(key=KEY, *, hashes=HASHES, api_organization=None, of_request=None, **settings):
    """Who calls with a key that is in the catalog, or the reason for the refusal."""
    world = contents(api_keys=[entry(**settings)])
    api = world.apis[0] if api_organization is None else replace(world.apis[0], organization=api_organization)
    keys = ApiKeys(catalog=Catalog(world), hashes=hashes, address=peer_address, clock=lambda: NOW)
    try:
        return keys.principal(PresentedApiKey(value=key), api, request(**(of_request or {})))
    except Denied as denied:
        return denied.reason


def test_a_key_is_known_by_its_hash_and_speaks_for_its_application():
    known = principal()
    assert known.api_key.id == "k"
    assert (known.application, known.facts.scopes, known.key_manager, known.token) == ("app", {"read"}, None, None)


def test_a_key_under_a_former_secret_is_known():
    former = ApiKeyHashes([FORMER]).entry(KEY)
    assert principal(hash=former) is Reason.INVALID_TOKEN
    assert principal(hash=former, hashes=ApiKeyHashes([SECRET, FORMER])).api_key.id == "k"


@pytest.mark.parametrize("key", [OTHER, "", "xk_", KEY + "A", KEY[3:], "eyJhbGciOiJub25lIn0.e30."])
def test_a_key_that_is_not_known_or_of_another_form_is_refused(key):
    assert principal(key) is Reason.INVALID_TOKEN


def test_a_key_of_another_organization_is_as_unknown_as_any():
    assert principal(api_organization="acme") is Reason.INVALID_TOKEN


def test_a_disabled_key_is_refused():
    assert principal(enabled=False) is Reason.INVALID_TOKEN


@pytest.mark.parametrize(
    ("expires_at", "good"),
    [("2023-11-14T22:13:20Z", False), ("2023-11-14T22:13:19Z", False), ("2023-11-14T22:13:21Z", True)],
)
def test_a_key_is_over_on_its_end_and_after_it(expires_at, good):
    known = principal(expires_at=expires_at)
    assert known.facts.expires_at > NOW if good else known is Reason.TOKEN_EXPIRED


NETWORKS = ["192.0.2.0/24", "203.0.113.9", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("192.0.2.7", True),
        ("203.0.113.9", True),
        ("2001:db8::1", True),
        ("::ffff:192.0.2.7", True),
        ("192.0.3.7", False),
        ("203.0.113.10", False),
        ("2001:db9::1", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_a_key_with_addresses_is_good_from_those_alone(address, good):
    known = principal(allowed_addresses=NETWORKS, of_request={"peer_address": address})
    assert (known.api_key.id == "k") if good else (known is Reason.RESOURCE_FORBIDDEN)


@pytest.mark.parametrize(("referer", "good"), [("https://www.example.com/x", True), ("https://evil.example/", False)])
def test_a_key_with_referers_is_good_from_those_alone(referer, good):
    known = principal(allowed_referers=["www.example.com/*"], of_request={"headers": {"referer": referer}})
    assert (known.api_key.id == "k") if good else (known is Reason.RESOURCE_FORBIDDEN)


def test_a_key_with_referers_is_not_good_without_one():
    assert principal(allowed_referers=["www.example.com/*"]) is Reason.RESOURCE_FORBIDDEN


@pytest.mark.parametrize("address", ["192.0.2.7", "198.51.100.1"])
@pytest.mark.parametrize("referer", ["https://www.example.com/", "https://evil.example/"])
def test_addresses_and_referers_both_count(address, referer):
    """Of WSO2's enforcer it is known that an address that fits leaves the referers unread."""
    of_request = {"peer_address": address, "headers": {"referer": referer}}
    known = principal(allowed_addresses=NETWORKS, allowed_referers=["www.example.com/*"], of_request=of_request)
    good = (address, referer) == ("192.0.2.7", "https://www.example.com/")
    assert (known is not Reason.RESOURCE_FORBIDDEN) == good


def test_neither_key_nor_hash_shows_in_a_representation():
    shown = repr((PresentedApiKey(value=KEY), principal(), HASHES))
    assert KEY not in shown
    assert HASHES.entry(KEY) not in shown
    assert repr(HASHES.of(KEY)[0]) not in shown


def test_the_networks_of_the_catalog_are_networks():
    keys = contents(**catalog_document(applications=[application()], api_keys=[entry(allowed_addresses=NETWORKS)]))
    assert keys.api_keys[0].allowed_addresses == tuple(ip_network(each) for each in NETWORKS)
