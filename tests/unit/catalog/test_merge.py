"""A part of a catalog put into the whole: what stays, what goes, and what cannot be."""

from pathlib import Path

import pytest
from support.catalogs import api, application, catalog_document, key_manager

from extauthz.catalog.conversion import contents_of
from extauthz.catalog.difference import difference
from extauthz.catalog.merge import CatalogPart, conflicts, merged
from extauthz.document.mistakes import path_text
from extauthz.document.strict import loads
from extauthz.document.text import written

BASIC = {
    "endpoint": "https://i.example.com/introspect",
    "authentication": {"basic": {"username": "u", "password": "secret"}},
}


def part(**sections):
    document = loads(written(sections), CatalogPart, "part.yaml")
    return document, contents_of(document, Path())


def entities(**sections):
    return merged({}, *part(**sections), prune=False).after


def whole(before, *, prune=False, **sections):
    document, contents = part(**sections)
    return merged(before, document, contents, prune=prune), document


def told(before, *, prune=False, **sections):
    return [str(difference(before, change)) for change in whole(before, prune=prune, **sections)[0].changes]


def wrong(before, *, prune=False, **sections):
    catalog, document = whole(before, prune=prune, **sections)
    return {path_text(mistake.location): mistake.message for mistake in conflicts(catalog, document)}


BEFORE = entities(**catalog_document())


def test_what_is_as_it_is_changes_nothing():
    assert told(BEFORE, **catalog_document()) == []
    assert told(BEFORE, prune=True, **catalog_document()) == []


def test_what_is_not_named_stays_and_goes_with_prune():
    new = {"applications": [application(id="new", keys=[])]}
    assert told(BEFORE, **new) == ["+ application new (default)"]
    assert told(BEFORE, prune=True, **new) == [
        "- key_manager km (default)",
        "- api petstore (default)",
        "- application app (default)",
        "- subscription app petstore (default)",
        "+ application new (default)",
    ]


def test_prune_leaves_the_organizations_that_the_file_is_not_about():
    new = {"organization": "acme", "key_managers": [key_manager()]}
    assert told(BEFORE, prune=True, **new) == ["+ key_manager km (acme)"]
    acme = entities(**new)
    assert told(BEFORE | acme, prune=True, organization="acme") == ["- key_manager km (acme)"]
    named = catalog_document(subscriptions=[], applications=[application(organization="acme", keys=[])])
    assert "- key_manager km (acme)" in told(BEFORE | acme, prune=True, **named)


def test_a_file_that_names_nothing_is_about_its_organization():
    assert len(told(BEFORE, prune=True, organization="default")) == len(BEFORE)
    assert told(BEFORE, prune=True, organization="acme") == []


def test_a_change_names_the_keys_and_no_value():
    changed = [key_manager(introspection=BASIC, clock_skew_seconds=3, jwt={"jwks_uri": "https://other/jwks"})]
    assert told(BEFORE, key_managers=changed) == [
        "~ key_manager km (default): jwt.jwks_uri, introspection, clock_skew_seconds"
    ]


def test_an_api_that_moves_leaves_its_place_before_another_comes():
    before = entities(apis=[api(id="a", context="/a"), api(id="b", context="/b")])
    changes = whole(before, prune=True, apis=[api(id="c", context="/a"), api(id="b", context="/b")])[0].changes
    assert [(change.identity.id, change.entity is None) for change in changes] == [("a", True), ("c", False)]


def test_rules_are_replaced_for_the_organizations_that_the_file_names():
    one = {"rules": [{"key_manager": "km", "organization": "one", "prefix": "1"}], "try_next": 1}
    two = {"rules": [{"key_manager": "km", "organization": "two", "prefix": "2"}], "try_next": 1}
    before = entities(opaque_tokens=one)
    both = whole(before, opaque_tokens=two)[0].after
    assert [rule.prefix for rule in rules(both).rules] == ["2", "1"]
    changed = {"rules": [{"key_manager": "km", "organization": "one", "prefix": "new"}]}
    after = whole(both, opaque_tokens=changed)[0].after
    assert [rule.prefix for rule in rules(after).rules] == ["new", "2"]
    assert rules(after).try_next == 1
    assert [rule.prefix for rule in rules(whole(after, prune=True, organization="two")[0].after).rules] == ["new"]
    last = whole(before, prune=True, organization="one")[0].after
    assert rules(last) is None


def rules(after):
    return next((entity for identity, entity in after.items() if identity.kind == "opaque_tokens"), None)


def test_a_part_may_lean_on_what_is_there():
    new = {"applications": [application(id="new", keys=[{"key_manager": "km", "client_id": "other"}])]}
    assert wrong(BEFORE, **new) == {}
    assert wrong(BEFORE, subscriptions=[{"application": "app", "api": "petstore"}]) == {}
    assert wrong({}, **new) == {"applications[0].keys[0].key_manager": "`km` is not the id of a key manager"}


@pytest.mark.parametrize(
    ("sections", "mistakes"),
    [
        (
            {"apis": [api(id="other")]},
            {"apis": "`petstore` (in Redis, not in this document): has the same host and context as apis[0]"},
        ),
        (
            {"applications": [application(id="app", organization="acme", keys=[])]},
            {
                "applications": "`app` (in Redis, not in this document): has the same id as applications[0]",
            },
        ),
        (
            {"applications": [application(id="other")]},
            {"applications": "`app` (in Redis, not in this document): is the same client as applications[0].keys[0]"},
        ),
        (
            {"key_managers": [key_manager(id="second")]},
            {"key_managers": "`km` (in Redis, not in this document): has the same issuer as key_managers[0]"},
        ),
        (
            {"apis": [api(id="one", context="/x"), api(id="two", context="/x")]},
            {"apis[1].context": "has the same host and context as apis[0]"},
        ),
    ],
)
def test_two_writers_cannot_contradict_each_other(sections, mistakes):
    assert wrong(BEFORE, **sections) == mistakes


def test_what_is_pruned_is_missed_by_what_needs_it():
    kept = {"apis": [api()], "subscriptions": [{"application": "app", "api": "petstore"}]}
    assert wrong(BEFORE, prune=True, **kept) == {"subscriptions[0].application": "`app` is not the id of a application"}


def test_a_rule_that_is_there_already_is_told_as_such():
    rule = {"key_manager": "km", "prefix": "x"}
    before = entities(
        **catalog_document(key_managers=[key_manager(introspection=BASIC)], opaque_tokens={"rules": [rule]})
    )
    assert wrong(before, key_managers=[key_manager()]) == {
        "opaque_tokens": "a rule (in Redis, not in this document): "
        "`km` is not the id of a key manager with `introspection`"
    }


def test_no_api_is_noticed():
    assert not whole(BEFORE, prune=True, organization="default")[0].has_apis
    assert whole(BEFORE, organization="default")[0].has_apis
