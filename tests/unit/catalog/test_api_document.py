"""What an operator may say about an API's security, versions and browsers, and what is a mistake."""

import pytest
from support.catalogs import api, application, catalog_document, contents, text_of

from extauthz.catalog.document import CatalogDocument
from extauthz.document.mistakes import DocumentError, path_text
from extauthz.document.strict import loads
from extauthz.model.api_security import Requirement

HASH = "A" * 43


def places(**sections):
    """Where the mistakes of a document are."""
    with pytest.raises(DocumentError) as caught:
        loads(text_of(catalog_document(**sections)), CatalogDocument, "catalog.yaml")
    return {path_text(mistake.location) for mistake in caught.value.mistakes}


def api_places(**settings):
    return {place.removeprefix("apis[0].") for place in places(apis=[api(**settings)])}


@pytest.mark.parametrize(
    ("security", "place"),
    [
        ({"application": "off"}, "security.application"),
        ({"application": "optional"}, "security.application"),
        ({"oauth2": False}, "security.oauth2"),
        ({"mutual_tls": "mandatory"}, "security.certificates"),
        ({"certificates": [{"alias": "partner"}]}, "security.certificates"),
        ({"api_key": {}}, "security.api_key"),
        ({"api_key": {"header": "Authorization"}}, "security.api_key.header"),
        ({"api_key": {"header": "X-A-B-C-D-E-Key"}}, "security.api_key.header"),
        ({"api_key": {"query": "a&b"}}, "security.api_key.query"),
    ],
)
def test_security_that_would_let_everybody_or_nobody_in_is_a_mistake(security, place):
    assert api_places(security=security) == {place}


@pytest.mark.parametrize(
    ("cors", "place"),
    [
        ({"origins": []}, "cors.origins"),
        ({"origins": ["*", "https://a.example"]}, "cors.origins"),
        ({"origins": ["*"], "credentials": True}, "cors.credentials"),
        ({"origins": ["https://a.example:443"]}, "cors.origins"),
        ({"origins": ["http://[::1]:80"]}, "cors.origins"),
    ],
)
def test_cors_that_browsers_would_not_take_is_a_mistake(cors, place):
    assert api_places(cors=cors) == {place}


@pytest.mark.parametrize("origin", ["https://a.example/", "a.example", "https://A.example", "null"])
def test_an_origin_is_written_as_browsers_write_it(origin):
    assert api_places(cors={"origins": [origin]}) == {"cors.origins[0]"}


def test_the_version_stands_in_the_context_and_the_default_version_answers_without_it():
    made = contents(apis=[api(context="/petstore/{version}", version="1.0.0", default_version=True)]).apis[0]
    assert (made.context, made.default_context) == ("/petstore/1.0.0", "/petstore")


def test_a_default_version_needs_a_place_for_the_version():
    assert api_places(default_version=True) == {"default_version"}


def test_two_default_versions_of_one_context_are_a_mistake():
    first = api(context="/petstore/{version}", version="v1", default_version=True)
    second = api(id="second", context="/petstore/{version}", version="v2", default_version=True)
    found = places(apis=[first, second], subscriptions=[])
    assert found == {"apis[1].context"}


def test_any_other_parameter_in_a_context_is_a_mistake():
    assert api_places(context="/petstore/{tenant}") == {"context"}


def test_an_api_without_a_word_about_security_takes_tokens_alone():
    security = contents().apis[0].security
    assert security.oauth2
    assert security.api_key is None
    assert (security.application, security.mutual_tls) == (Requirement.MANDATORY, Requirement.OFF)


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ({"hash": "short"}, "api_keys[0].hash"),
        ({"hash": "A" * 42 + "B"}, "api_keys[0].hash"),
        ({"application": "unknown"}, "api_keys[0].application"),
        ({"expires_at": "2027-01-31T12:00:00"}, "api_keys[0].expires_at"),
        ({"expires_at": "tomorrow"}, "api_keys[0].expires_at"),
        ({"allowed_addresses": ["10.0.0.1/8"]}, "api_keys[0].allowed_addresses[0]"),
        ({"allowed_addresses": ["host"]}, "api_keys[0].allowed_addresses[0]"),
        ({"allowed_referers": ["https://*/x"]}, "api_keys[0].allowed_referers[0]"),
        ({"allowed_referers": ["*"]}, "api_keys[0].allowed_referers[0]"),
    ],
)
def test_an_api_key_that_could_mean_something_else_is_a_mistake(key, place):
    assert places(api_keys=[{"id": "key", "hash": HASH, "application": "app"} | key]) == {place}


@pytest.mark.parametrize(
    "referer",
    ["https://www.example.com/shop", "www.example.com/*", "*.example.com/*", "example.com", "example.com:8443/a/b*"],
)
def test_a_referer_is_a_host_and_a_path(referer):
    key = {"id": "key", "hash": HASH, "application": "app", "allowed_referers": [referer]}
    assert contents(api_keys=[key]).api_keys[0].allowed_referers == (referer,)


def test_two_api_keys_are_two_keys():
    key = {"hash": HASH, "application": "app"}
    assert places(api_keys=[{"id": "one"} | key, {"id": "two"} | key]) == {"api_keys[1]"}


def test_the_key_of_another_organizations_application_is_a_mistake():
    key = {"id": "key", "hash": HASH, "application": "app", "organization": "other"}
    assert places(applications=[application()], api_keys=[key]) == {"api_keys[0].application"}
