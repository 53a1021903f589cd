"""The catalog file: each mistake that an operator can make is named with its place."""

import pytest
from support.catalogs import api, application, catalog_document, contents, key_manager, text_of

from extauthz.catalog.document import CatalogDocument
from extauthz.catalog.key_manager_conversion import fingerprint
from extauthz.document.mistakes import DocumentError, path_text
from extauthz.document.strict import loads
from extauthz.model.key_manager import SubscriptionValidation

BASIC = {"basic": {"username": "u", "password": "secret"}}


def mistakes(**sections):
    with pytest.raises(DocumentError) as caught:
        loads(text_of(catalog_document(**sections)), CatalogDocument, "catalog.yaml")
    return {path_text(mistake.location): mistake.message for mistake in caught.value.mistakes}


def resources(*entries):
    return [api(resources=list(entries))]


def test_a_right_catalog_becomes_the_entities_it_names():
    loaded = contents()
    assert [km.issuer for km in loaded.key_managers] == ["https://issuer.example.com"]
    assert loaded.apis[0].resources[1].template == "/pets/{petId}"
    assert loaded.applications[0].keys[0].client_id == "client"
    assert loaded.subscriptions[0].policy == "Gold"
    assert loaded.subscriptions[0].id == "app:petstore"


def test_the_organization_of_the_file_is_that_of_entities_without_their_own():
    loaded = contents(organization="acme", subscriptions=[], applications=[application(organization="other", keys=[])])
    assert loaded.apis[0].organization == "acme"
    assert loaded.applications[0].organization == "other"


def test_off_is_a_word():
    loaded = contents(key_managers=[key_manager(subscription_validation="off")])
    assert loaded.key_managers[0].subscription_validation is SubscriptionValidation.OFF


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"jwt": None}, "key_managers[0]"),
        ({"jwt": {"algorithms": ["RS256"]}}, "key_managers[0].jwt"),
        ({"jwt": {"jwks_uri": "https://i/jwks", "algorithms": ["none"]}}, "key_managers[0].jwt.algorithms"),
        ({"jwt": {"jwks_uri": "https://i/jwks", "algorithms": ["HS256"]}}, "key_managers[0].jwt.algorithms"),
        ({"jwt": {"jwks_uri": "https://i/jwks", "algorithms": []}}, "key_managers[0].jwt.algorithms"),
        ({"jwt": {"jwks_uri": "ftp://i/jwks"}}, "key_managers[0].jwt.jwks_uri"),
        ({"jwt": {"jwks_uri": "http://issuer.example.com/jwks"}}, "key_managers[0].jwt.jwks_uri"),
        ({"jwt": {"certificates": [{}]}}, "key_managers[0].jwt.certificates[0]"),
        ({"introspection": {"endpoint": "http://i/introspect", "authentication": BASIC}},
         "key_managers[0].introspection.endpoint"),
        ({"introspection": {"endpoint": "https://i/introspect"}}, "key_managers[0].introspection.authentication"),
        ({"clock_skew_seconds": 301}, "key_managers[0].clock_skew_seconds"),
        ({"userinfo": {"endpoint": "http://i.example.com/userinfo"}}, "key_managers[0].userinfo.endpoint"),
        ({"userinfo": {"endpoint": "https://i.example.com/userinfo"}, "binding": "any"}, "key_managers[0].userinfo"),
        ({"clock_skew_seconds": -1}, "key_managers[0].clock_skew_seconds"),
    ],
)  # fmt: skip
def test_a_key_manager_that_cannot_be_trusted_is_a_mistake(settings, place):
    assert place in mistakes(key_managers=[key_manager(**settings)])


def test_plain_http_is_accepted_on_loopback_and_where_it_is_said_to_be():
    contents(key_managers=[key_manager(jwt={"jwks_uri": "http://127.0.0.1:9443/jwks"})])
    contents(key_managers=[key_manager(jwt={"jwks_uri": "http://idp.internal/jwks"}, allow_plain_http=True)])


@pytest.mark.parametrize(
    ("resource", "place"),
    [
        ({"template": "pets", "methods": ["GET"]}, "apis[0].resources[0].template"),
        ({"template": "/a/*/b", "methods": ["GET"]}, "apis[0].resources[0].template"),
        ({"template": "/a{b}", "methods": ["GET"]}, "apis[0].resources[0].template"),
        ({"template": "/a//b", "methods": ["GET"]}, "apis[0].resources[0].template"),
        ({"template": "/a/../b", "methods": ["GET"]}, "apis[0].resources[0].template"),
        ({"template": "/a", "methods": ["get"]}, "apis[0].resources[0].methods"),
        ({"template": "/a", "methods": []}, "apis[0].resources[0].methods"),
        ({"template": "/a", "methods": ["GET"], "open": True, "scopes": ["x"]}, "apis[0].resources[0].scopes"),
        ({"template": "/a", "methods": ["GET"], "scopes": ["two words"]}, "apis[0].resources[0].scopes[0]"),
    ],
)
def test_a_resource_that_no_request_can_mean_is_a_mistake(resource, place):
    assert place in mistakes(apis=resources(resource))


def test_two_resources_for_one_method_of_one_path_are_a_mistake():
    found = mistakes(
        apis=resources(
            {"template": "/pets/{a}", "methods": ["GET", "PUT"]}, {"template": "/pets/{b}", "methods": ["PUT"]}
        )
    )
    assert "PUT" in found["apis[0].resources[1]"]


@pytest.mark.parametrize("context", ["petstore", "/petstore/", "/{v}", "/*", "/a/../b"])
def test_a_context_that_no_request_can_begin_with_is_a_mistake(context):
    assert "apis[0].context" in mistakes(apis=[api(context=context)])


@pytest.mark.parametrize("host", ["api.example.com.", "api..example.com", "", "*", "*.", "a.*.com", "host:80"])
def test_a_host_that_no_request_can_name_is_a_mistake(host):
    assert "apis[0].hosts[0]" in mistakes(apis=[api(hosts=[host])])


def test_contexts_that_are_one_path_are_the_same_context():
    found = mistakes(apis=[api(context="/caf%C3%A9"), api(id="b", context="/caf%c3%a9")])
    assert "apis[1].context" in found


def test_what_stands_twice_is_a_mistake():
    found = mistakes(
        key_managers=[key_manager(), key_manager(), key_manager(id="other")],
        apis=[api(), api(context="/x"), api(id="y")],
        applications=[application(), application(), application(id="z")],
        subscriptions=[{"application": "app", "api": "petstore"}, {"application": "app", "api": "petstore"}],
    )
    assert found.keys() == {
        "key_managers[1]", "key_managers[2]", "apis[1]", "apis[2].context",
        "applications[1]", "applications[1].keys[0]", "applications[2].keys[0]", "subscriptions[1]",
    }  # fmt: skip


def test_an_unknown_reference_is_a_mistake():
    found = mistakes(
        apis=[api(key_managers=["nobody"])],
        applications=[application(keys=[{"key_manager": "nobody", "client_id": "c"}])],
        subscriptions=[{"application": "nobody", "api": "nothing"}],
    )
    assert found.keys() == {
        "apis[0].key_managers",
        "applications[0].keys[0].key_manager",
        "subscriptions[0].application",
        "subscriptions[0].api",
    }


def test_a_reference_to_another_organization_is_a_mistake():
    found = mistakes(
        apis=[api(organization="acme", key_managers=["km"])], subscriptions=[{"application": "app", "api": "petstore"}]
    )
    assert found.keys() == {"apis[0].key_managers", "subscriptions[0].api"}


def test_an_api_whose_opaque_tokens_could_go_to_two_servers_is_a_mistake():
    def introspecting(name):
        introspection = {"endpoint": f"https://{name}/introspect", "authentication": BASIC}
        return key_manager(id=name, issuer=f"https://{name}", introspection=introspection)

    two = [introspecting("km"), introspecting("second")]
    assert "leak" in mistakes(key_managers=two)["apis[0].key_managers"]
    contents(key_managers=two, apis=[api(key_managers=["km"])])


def test_a_missing_certificate_file_is_a_mistake(tmp_path):
    with pytest.raises(DocumentError, match=r"missing\.pem"):
        contents(tmp_path, key_managers=[key_manager(jwt={"certificates": [{"file": "missing.pem"}]})])


def test_the_fingerprint_changes_with_what_decides_validity_and_only_then():
    plain = contents().key_managers[0]
    assert fingerprint(plain) == plain.fingerprint
    for settings in (
        {"issuer": "https://other"},
        {"clock_skew_seconds": 5},
        {"scopes_claim": "scp"},
        {"jwt": {"jwks_uri": "https://issuer.example.com/jwks", "algorithms": ["ES256"]}},
    ):
        assert contents(key_managers=[key_manager(**settings)]).key_managers[0].fingerprint != plain.fingerprint
    for settings in ({"subscription_validation": "off"}, {"backend_jwt": "pass_through"}):
        assert contents(key_managers=[key_manager(**settings)]).key_managers[0].fingerprint == plain.fingerprint


def of_audience(name, *audiences):
    return key_manager(id=name, jwt={"jwks_uri": "https://issuer.example.com/jwks", "audiences": list(audiences)})


@pytest.mark.parametrize("theirs", [[], ["one"], ["two", "one"]])
def test_key_managers_of_one_issuer_with_a_common_audience_are_a_mistake(theirs):
    found = mistakes(key_managers=[of_audience("km", "one"), of_audience("other", *theirs)])
    assert "same issuer as key_managers[0]" in found["key_managers[1]"]


def test_key_managers_of_one_issuer_with_disjoint_audiences_are_right():
    contents(key_managers=[of_audience("km", "one"), of_audience("other", "two"), of_audience("third", "three")])


def test_one_issuer_in_two_organizations_is_right():
    contents(key_managers=[key_manager(), key_manager(organization="acme")])


@pytest.mark.parametrize("local", ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf"])
def test_a_mapping_that_overwrites_a_registered_claim_is_a_mistake(local):
    found = mistakes(key_managers=[key_manager(claim_mapping={"remote": local})])
    assert "registered claim" in found["key_managers[0].claim_mapping.remote"]


@pytest.mark.parametrize("remote", ["cnf", "exp", "aud"])
def test_a_mapping_that_hides_what_a_token_is_checked_by_is_a_mistake(remote):
    assert mistakes(key_managers=[key_manager(claim_mapping={remote: "x"})])


def test_a_mapping_of_two_claims_to_one_is_a_mistake():
    found = mistakes(key_managers=[key_manager(claim_mapping={"a": "x", "b": "x"})])
    assert found == {"key_managers[0].claim_mapping.b": "`a` is mapped to `x` already"}


def test_a_mapping_is_part_of_the_fingerprint():
    plain, mapped = (
        contents(key_managers=[key_manager(**s)]).key_managers[0] for s in ({}, {"claim_mapping": {"a": "b"}})
    )
    assert plain.fingerprint != mapped.fingerprint


def test_an_alias_names_a_file_of_the_certificate_directory(tmp_path):
    (tmp_path / "certificates").mkdir()
    (tmp_path / "certificates" / "login.example.pem").write_text("in the directory")
    (tmp_path / "login.example.pem").write_text("beside the catalog")
    managers = [key_manager(jwt={"certificates": [{"alias": "login.example"}]})]
    for sections, expected in (
        ({"certificate_directory": "certificates"}, "in the directory"),
        ({"certificate_directory": str(tmp_path / "certificates")}, "in the directory"),
        ({}, "beside the catalog"),
    ):
        loaded = contents(tmp_path, key_managers=managers, **sections).key_managers[0].jwt
        assert loaded is not None
        assert loaded.certificates == (expected,)


@pytest.mark.parametrize(
    "alias", ["../secret", "..", ".", ".hidden", "a/b", "a\\b", "/etc/passwd", "", "a\0b", "a\n", "ä"]
)
def test_an_alias_that_leads_elsewhere_is_a_mistake(alias):
    found = mistakes(key_managers=[key_manager(jwt={"certificates": [{"alias": alias}]})])
    assert "key_managers[0].jwt.certificates[0].alias" in found


def test_an_alias_that_is_not_there_is_a_mistake(tmp_path):
    with pytest.raises(DocumentError, match=r"missing\.pem"):
        contents(tmp_path, key_managers=[key_manager(jwt={"certificates": [{"alias": "missing"}]})])


def test_an_api_that_takes_no_tokens_need_not_say_where_opaque_ones_go():
    introspection = {"endpoint": "https://issuer.example.com/introspect", "authentication": BASIC}
    two = [key_manager(id=name, issuer=f"https://{name}", introspection=introspection) for name in ("km", "other")]
    assert "apis[0].key_managers" in mistakes(key_managers=two)
    by_key = {"oauth2": False, "api_key": {"header": "X-Api-Key"}}
    assert contents(key_managers=two, apis=[api(security=by_key)]).apis[0].security.oauth2 is False
