"""A catalog that is written down again is the same catalog."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.catalogs import api, application, catalog_document, key_manager
from support.full_catalog import WAYS, full_catalog

from extauthz.catalog.changes import Kind, identity_of
from extauthz.catalog.conversion import contents_of
from extauthz.catalog.document import CatalogDocument
from extauthz.catalog.export import catalog_text
from extauthz.document.mistakes import DocumentError
from extauthz.document.strict import loads
from extauthz.document.text import parse, written
from extauthz.model.api import Api, Resource
from extauthz.model.api_key import ApiKey


def of(document, folder=Path()):
    return contents_of(loads(written(document), CatalogDocument, "catalog.yaml"), folder, later=Path())


def written_and_read(contents):
    return contents_of(loads(catalog_text(contents.entities()), CatalogDocument, "export"), Path())


def keyed(contents):
    return {identity_of(entity): entity for entity in contents.entities()}


def test_everything_survives(tmp_path):
    contents = of(full_catalog(tmp_path), tmp_path)
    assert {identity.kind for identity in keyed(contents)} == set(Kind)
    assert keyed(written_and_read(contents)) == keyed(contents)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_authenticate_survives(way):
    introspection = {"endpoint": "https://i.example.com/introspect", "authentication": {way: WAYS[way]}}
    contents = of(catalog_document(key_managers=[key_manager(introspection=introspection)]))
    assert written_and_read(contents) == contents


def test_two_exports_are_one_text(tmp_path):
    contents = of(full_catalog(tmp_path), tmp_path)
    assert catalog_text(written_and_read(contents).entities()) == catalog_text(contents.entities())


def test_what_is_as_it_is_by_default_is_not_written():
    exported = yaml.safe_load(catalog_text(of(catalog_document()).entities()))
    assert "organization" not in exported
    assert exported["subscriptions"] == [{"application": "app", "api": "petstore", "policy": "Gold"}]
    assert exported["key_managers"] == [key_manager()]


def test_an_organization_that_is_the_only_one_is_written_once():
    exported = yaml.safe_load(catalog_text(of(catalog_document(organization="acme")).entities()))
    assert exported["organization"] == "acme"
    assert "organization" not in exported["apis"][0]


def test_plain_http_is_allowed_where_it_is_used():
    plain = key_manager(jwt={"jwks_uri": "http://issuer/jwks"}, allow_plain_http=True)
    encrypted = key_manager(id="other", issuer="https://other", allow_plain_http=True)
    exported = yaml.safe_load(catalog_text(of(catalog_document(key_managers=[plain, encrypted])).entities()))
    assert [each.get("allow_plain_http") for each in exported["key_managers"]] == [True, None]


@pytest.mark.parametrize(
    ("context", "version"),
    [
        ("/{version}", "v1"),
        ("/a/{version}", "v1"),
        ("/{version}/v1", "v1"),
        ("/v1/{version}", "v1"),
        ("/v1/{version}/v1", "v1"),
        ("/{version}/a/{version}", "v1"),
        ("/{version}/{version}", "v1"),
        ("/a/{version}/b", "2024/1"),
        ("/a1/{version}", "1"),
    ],
)
def test_the_version_is_found_again_in_the_context(context, version):
    contents = of(catalog_document(apis=[api(context=context, version=version, default_version=True)]))
    assert written_and_read(contents) == contents


@pytest.mark.parametrize("seconds", [-1e12, 0.0, 1.5, 253_402_300_800.0, 1e300])
def test_a_time_that_nobody_can_write_is_the_nearest_one(seconds):
    key = ApiKey(id="k", hash=bytes(32), application="app", expires_at=seconds)
    entry = yaml.safe_load(catalog_text([key]))["api_keys"][0]
    assert entry["expires_at"][:4] in {"1970", "9999"}


def test_what_is_not_valid_in_this_version_is_named():
    old = Api(
        id="old",
        name="n",
        version="v",
        context="no slash",
        resources=(Resource(template="/", methods=frozenset({"GET"})),),
    )
    with pytest.raises(DocumentError, match="`old` of organization `default` is not valid here"):
        catalog_text([old])


def test_a_default_context_that_no_document_makes_is_named():
    resources = (Resource(template="/", methods=frozenset({"GET"})),)
    odd = Api(id="odd", name="n", version="v1", context="/a/v1", default_context="/b", resources=resources)
    with pytest.raises(DocumentError, match="odd"):
        catalog_text([odd])


WORDS = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.sampled_from(
        ["off", "0o17", "1e3", "12:30", "~", "", "null", "2026-01-31", "=", "a: b", "a\nb\n", "a\r\nb", " a "]
    ),
)


@given(word=WORDS)
def test_every_text_is_read_as_it_was_written(word):
    assert parse(written({"key": [word, word]}), "test")[0] == {"key": [word, word]}
    assert yaml.safe_load(written({"key": word})) == {"key": word}


def test_owners_keep_their_words():
    contents = of(catalog_document(applications=[application(owner="0o17", name="off\nline")]))
    assert written_and_read(contents) == contents
