from dataclasses import replace

import pytest
from msgspec.structs import replace as changed
from support.catalogs import api, application, contents, key_manager, request

from extauthz.catalog.catalog import Catalog
from extauthz.catalog.indexes import Indexes
from extauthz.catalog.resource_match import resource_match
from extauthz.model.check import Principal
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.key_manager import BackendJwtMode
from extauthz.model.token import TokenFacts, TokenForm


def matched(catalog, asked):
    return resource_match(asked, catalog.locate(asked))


def denied(catalog, *arguments, **settings):
    with pytest.raises(Denied) as caught:
        matched(catalog, request(*arguments, **settings))
    return caught.value


def by_issuer(catalog, issuer="https://issuer.example.com", audiences=frozenset()):
    return catalog.key_manager_for_jwt(matched(catalog, request()).api, issuer, frozenset(audiences))


def principal(catalog, client_id="client"):
    key_manager = by_issuer(catalog)
    facts = TokenFacts(form=TokenForm.JWT, believe_until=1, client_id=client_id)
    return Principal(key_manager=key_manager, facts=facts, token_key=b"key")


def test_before_the_first_catalog_everything_is_unavailable():
    with pytest.raises(Unavailable):
        matched(Catalog(), request())


def test_a_request_is_matched_by_path_and_method():
    match = matched(Catalog(contents()), request("/petstore/v1/pets/7?x=1"))
    assert (match.api.id, match.resource.template) == ("petstore", "/pets/{petId}")


def test_what_does_not_match_is_told_apart():
    catalog = Catalog(contents())
    assert denied(catalog, "/nowhere").reason is Reason.NO_MATCHING_API
    assert denied(catalog, "/petstore/v1/toys").reason is Reason.NO_MATCHING_RESOURCE
    assert denied(catalog, "/petstore/v1/pets/../pets").reason is Reason.NO_MATCHING_API
    wrong_method = denied(catalog, method="DELETE")
    assert wrong_method.reason is Reason.METHOD_NOT_ALLOWED
    assert wrong_method.methods == {"GET", "POST"}


def test_a_context_ends_at_a_segment():
    assert denied(Catalog(contents()), "/petstore/v10/pets").reason is Reason.NO_MATCHING_API


def test_the_longest_context_wins():
    wide = api(id="wide", context="/petstore", resources=[{"template": "/*", "methods": ["GET"]}])
    catalog = Catalog(contents(apis=[wide, api()]))
    assert matched(catalog, request()).api.id == "petstore"
    assert matched(catalog, request("/petstore/other")).api.id == "wide"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.example.com", "exact"),
        ("API.example.com:8443", "exact"),
        ("api.example.com.", "exact"),
        ("other.example.com", "wild"),
        ("a.b.example.com", "wild"),
        ("example.com", "any"),
        ("[::1]:8080", "any"),
        ("", "any"),
    ],
)
def test_the_most_specific_host_wins(host, expected):
    apis = [
        api(id="any"),
        api(id="wild", hosts=["*.example.com"]),
        api(id="exact", hosts=["api.example.com"]),
    ]
    catalog = Catalog(contents(apis=apis, subscriptions=[]))
    assert matched(catalog, request(host=host)).api.id == expected


def test_a_host_that_cannot_be_one_costs_nothing_and_finds_nothing():
    catalog = Catalog(contents())
    assert denied(catalog, host="a." * 30_000).reason is Reason.NO_MATCHING_API


def test_a_context_is_read_as_the_paths_of_requests_are():
    wide = api(id="wide", context="/", resources=[{"template": "/*", "methods": ["GET"], "open": True}])
    catalog = Catalog(contents(apis=[api(context="/caf%C3%A9"), wide]))
    assert matched(catalog, request("/caf%C3%A9/pets")).api.id == "petstore"
    assert matched(catalog, request("/caf%c3%a9/pets")).api.id == "petstore"


def test_a_route_may_name_the_api_but_not_another_path():
    catalog = Catalog(contents(apis=[api(hosts=["api.example.com"])]))
    assert matched(catalog, request(host="elsewhere", api_id="petstore")).api.id == "petstore"
    assert denied(catalog, "/other", api_id="petstore").reason is Reason.NO_MATCHING_API
    assert denied(catalog, api_id="unknown").reason is Reason.NO_MATCHING_API


@pytest.mark.parametrize("path", ["/petstore/v1", "/petstore/v1/"])
def test_the_context_itself_is_the_template_slash(path):
    catalog = Catalog(contents(apis=[api(resources=[{"template": "/", "methods": ["GET"]}])]))
    assert matched(catalog, request(path)).resource.template == "/"


def test_an_api_may_take_a_whole_host():
    catalog = Catalog(contents(apis=[api(context="/", resources=[{"template": "/*", "methods": ["GET"]}])]))
    for path in ("/", "/a", "/a/b"):
        assert matched(catalog, request(path)).api.id == "petstore"


def test_access_finds_application_and_subscription():
    catalog = Catalog(contents())
    access = catalog.access(principal(catalog), matched(catalog, request()))
    assert access.application is not None
    assert access.application.id == "app"
    assert access.key_type == "PRODUCTION"
    assert access.subscription is not None
    assert access.subscription.policy == "Gold"


def test_a_client_of_nobody_has_no_application():
    catalog = Catalog(contents())
    access = catalog.access(principal(catalog, "stranger"), matched(catalog, request()))
    assert (access.application, access.key_type, access.subscription) == (None, None, None)


def test_a_client_id_of_another_key_manager_is_another_client():
    other = key_manager(id="other", issuer="https://other.example.com")
    applications = [application(keys=[{"key_manager": "other", "client_id": "client"}])]
    catalog = Catalog(contents(key_managers=[key_manager(), other], applications=applications))
    assert catalog.access(principal(catalog), matched(catalog, request())).application is None


def test_a_new_subscription_works_although_the_token_was_checked_before_it():
    catalog = Catalog(contents(subscriptions=[]))
    caller, match = principal(catalog), matched(catalog, request())
    assert catalog.access(caller, match).subscription is None
    catalog.replace(Indexes.of(contents().entities()))
    assert catalog.access(caller, match).subscription is not None


def test_an_api_that_vanished_during_the_check_is_unavailable():
    catalog = Catalog(contents())
    caller, match = principal(catalog), matched(catalog, request())
    catalog.replace(Indexes.of(contents(apis=[api(id="other")], subscriptions=[]).entities()))
    with pytest.raises(Unavailable):
        catalog.access(caller, match)


def test_a_resource_that_changed_during_the_check_is_unavailable():
    catalog = Catalog(contents())
    caller, match = principal(catalog), matched(catalog, request())
    resources = [{"template": "/pets", "methods": ["GET"], "scopes": ["admin"]}]
    catalog.replace(Indexes.of(contents(apis=[api(resources=resources)]).entities()))
    with pytest.raises(Unavailable):
        catalog.access(caller, match)


@pytest.mark.parametrize("settings", [{"enabled": False}, {"clock_skew_seconds": 9}])
def test_a_key_manager_that_changed_during_the_check_refuses(settings):
    catalog = Catalog(contents())
    caller, match = principal(catalog), matched(catalog, request())
    catalog.replace(Indexes.of(contents(key_managers=[key_manager(**settings)]).entities()))
    with pytest.raises(Denied) as caught:
        catalog.access(caller, match)
    assert caught.value.reason is Reason.INVALID_TOKEN


def test_a_disabled_key_manager_is_not_found():
    catalog = Catalog(contents(key_managers=[key_manager(enabled=False)]))
    assert by_issuer(catalog) is None


def test_an_issuer_is_found_exactly_and_in_its_organization_only():
    assert by_issuer(Catalog(contents())) is not None
    assert by_issuer(Catalog(contents()), "https://issuer.example.com/") is None
    elsewhere = contents(key_managers=[key_manager(organization="acme")], applications=[], subscriptions=[])
    assert by_issuer(Catalog(elsewhere)) is None


def test_opaque_tokens_go_to_the_one_key_manager_that_the_api_accepts():
    basic = {"basic": {"username": "u", "password": "p"}}
    introspecting = [
        key_manager(id=name, issuer=f"https://{name}", jwt=None,
                    introspection={"endpoint": f"https://{name}/i", "authentication": basic})
        for name in ("first", "second")
    ]  # fmt: skip
    apis = [api(key_managers=["second"]), api(id="jwt-only", context="/j", key_managers=["km"])]
    catalog = Catalog(contents(key_managers=[key_manager(), *introspecting], apis=apis))
    assert [km.id for km in asked(catalog)] == ["second"]
    assert asked(catalog, path="/j/pets") == ()


def test_of_two_key_managers_that_nothing_tells_apart_neither_sees_a_token():
    """No document may say so, but a replica need not believe that."""
    one, two = (contents(key_managers=[key_manager(), introspecting(name)]) for name in ("first", "second"))
    assert [km.id for km in asked(Catalog(one))] == ["first"]
    assert asked(Catalog(replace(one, key_managers=(*one.key_managers, two.key_managers[1])))) == ()


def asked(catalog, value="t", path="/petstore/v1/pets", **headers):
    api = matched(catalog, request(path)).api
    return catalog.key_managers_for_opaque_token(api, value, {name.replace("_", "-"): v for name, v in headers.items()})


def introspecting(name, **settings):
    basic = {"basic": {"username": "u", "password": "p"}}
    introspection = {"endpoint": f"https://{name}/i", "authentication": basic}
    return key_manager(
        **{"id": name, "issuer": f"https://{name}", "jwt": None, "introspection": introspection} | settings
    )


def ruled(*rules, try_next=3, key_managers=None, **sections):
    tokens = {"rules": list(rules), "try_next": try_next}
    managers = key_managers or [introspecting("first"), introspecting("second")]
    loaded = contents(key_managers=managers, applications=[], subscriptions=[], opaque_tokens=tokens, **sections)
    return Catalog(loaded)


@pytest.mark.parametrize(
    ("rule", "token", "fits"),
    [
        ({"prefix": "a_"}, "a_b", True),
        ({"prefix": "a_"}, "a_", True),
        ({"prefix": "a_"}, "ba_", False),
        ({"prefix": "a."}, "ab", False),
        ({"pattern": "a|ab"}, "ab", True),
        ({"pattern": "a|b"}, "ab", False),
        ({"pattern": "a"}, "a\n", False),
        ({"pattern": "^a$"}, "a\n", False),
        ({"pattern": "a"}, "A", False),
    ],
)
def test_a_rule_fits_the_whole_token(rule, token, fits):
    assert [km.id for km in asked(ruled(rule | {"key_manager": "first"}), token)] == (["first"] if fits else [])


def test_rules_are_asked_in_their_order_and_each_key_manager_once():
    rules = [{"key_manager": name, "prefix": "t"} for name in ("second", "first", "second")]
    assert [km.id for km in asked(ruled(*rules))] == ["second", "first"]
    assert [km.id for km in asked(ruled(*rules, try_next=0))] == ["second"]


def test_a_header_hint_has_any_case_in_its_name_only():
    catalog = ruled({"key_manager": "first", "header": {"name": "X-Issuer", "value": "One"}})
    assert [km.id for km in asked(catalog, x_issuer="One")] == ["first"]
    for value in ("one", "One,One", " One", ""):
        assert asked(catalog, x_issuer=value) == ()


def test_a_rule_chooses_only_what_the_api_accepts():
    rules = [{"key_manager": name, "prefix": "t"} for name in ("first", "second")]
    catalog = ruled(*rules, apis=[api(key_managers=["second"])])
    assert [km.id for km in asked(catalog)] == ["second"]


def test_rules_of_one_organization_leave_another_to_its_only_key_manager():
    managers = [introspecting("first"), introspecting("theirs", organization="acme")]
    rules = [{"key_manager": "theirs", "organization": "acme", "prefix": "t"}]
    other = api(id="theirs", organization="acme", context="/theirs")
    catalog = ruled(*rules, key_managers=managers, apis=[api(), other])
    assert [km.id for km in asked(catalog, "unruled")] == ["first"]
    assert asked(catalog, "unruled", "/theirs/pets") == ()
    assert [km.id for km in asked(catalog, "t", "/theirs/pets")] == ["theirs"]


def of_audience(name, *audiences):
    return key_manager(id=name, jwt={"jwks_uri": "https://issuer.example.com/jwks", "audiences": list(audiences)})


def test_the_audience_chooses_among_key_managers_of_one_issuer():
    managers = [of_audience("km", "one", "uno"), of_audience("other", "two")]
    catalog = Catalog(contents(key_managers=managers))
    found = {aud: by_issuer(catalog, audiences=[aud]) for aud in ("one", "uno", "two", "three")}
    assert {aud: km and km.id for aud, km in found.items()} == {"one": "km", "uno": "km", "two": "other", "three": None}
    assert by_issuer(catalog) is None


def test_of_two_that_a_token_is_meant_for_the_one_that_the_api_accepts_checks_it():
    managers = [of_audience("km", "one"), of_audience("other", "two")]
    for accepted in ("km", "other"):
        catalog = Catalog(contents(key_managers=managers, apis=[api(key_managers=[accepted])]))
        found = by_issuer(catalog, audiences=["one", "two"])
        assert found is not None
        assert found.id == accepted


def test_a_key_manager_of_its_own_issuer_is_found_whatever_the_audience():
    """Whether the audience is right is checked once the signature was."""
    assert by_issuer(Catalog(contents(key_managers=[of_audience("km", "one")])), audiences=["two"]) is not None


def test_a_key_manager_without_jwts_stands_beside_one_with_them():
    opaque = introspecting("opaque", issuer="https://issuer.example.com")
    found = by_issuer(Catalog(contents(key_managers=[opaque, key_manager()])))
    assert found is not None
    assert found.id == "km"


def test_an_unchanged_principal_is_kept_as_it_is():
    catalog = Catalog(contents())
    caller = principal(catalog)
    assert catalog.access(caller, matched(catalog, request())).principal is caller
    assert caller.key_manager is not None
    other = replace(caller.key_manager, backend_jwt=BackendJwtMode.PASS_THROUGH)
    now = catalog.access(changed(caller, key_manager=other), matched(catalog, request())).principal.key_manager
    assert now is caller.key_manager
