"""The sections `api_keys` and `client_address` of the settings, and what they make."""

from typing import Any

import pytest
import yaml
from support.catalogs import request

from extauthz.authn.api_key_hash import ApiKeyHashes
from extauthz.data_plane.callers import api_key_hashes, client_address
from extauthz.data_plane.secrets import Secrets
from extauthz.document.mistakes import DocumentError
from extauthz.document.strict import loads
from extauthz.settings.process import Settings

SECRETS = Secrets({"new": b"n" * 32, "former": b"f" * 32, "short": b"s" * 31}, {})
KEY = "xk_" + "A" * 43
ASKED = request(peer_address="192.0.2.7", headers={"x-forwarded-for": "203.0.113.9,198.51.100.1,192.0.2.7"})


def settings(**sections: Any) -> Settings:
    names = {name: {"env": name.upper()} for name in ("new", "former", "short")}
    document = {"catalog": {"file": "catalog.yaml"}, "secrets": names} | sections
    return loads(yaml.safe_dump(document), Settings, "extauthz.yaml")


def hashes(*names):
    section = settings(api_keys={"secret": list(names)}).api_keys
    assert section is not None
    return api_key_hashes(section, SECRETS)


def test_the_first_secret_hashes_and_all_match():
    assert hashes("new", "former").of(KEY) == ApiKeyHashes([b"n" * 32, b"f" * 32]).of(KEY)
    assert hashes("new", "former").entry(KEY) == hashes("new").entry(KEY)


def test_a_secret_that_could_be_guessed_is_a_mistake_in_the_settings():
    with pytest.raises(DocumentError, match=r"api_keys\.secret"):
        hashes("new", "short")


@pytest.mark.parametrize("api_keys", [{}, {"secret": []}, {"secret": ["unknown"]}])
def test_the_section_needs_a_secret_that_is_there(api_keys):
    with pytest.raises(DocumentError, match=r"api_keys\.secret"):
        settings(api_keys=api_keys)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({}, "192.0.2.7"),
        ({"source": "peer"}, "192.0.2.7"),
        ({"source": "x-forwarded-for"}, "192.0.2.7"),
        ({"source": "x-forwarded-for", "trusted_hops": 1}, "198.51.100.1"),
        ({"source": "x-forwarded-for", "trusted_hops": 2}, "203.0.113.9"),
        ({"source": "x-forwarded-for", "trusted_hops": 3}, "None"),
    ],
)
def test_the_address_is_taken_from_where_it_is_set(section, expected):
    assert str(client_address(settings(client_address=section).client_address)(ASKED)) == expected


@pytest.mark.parametrize("section", [{"trusted_hops": 1}, {"source": "peer", "trusted_hops": 1}])
def test_hops_without_the_header_are_a_mistake(section):
    with pytest.raises(DocumentError, match="trusted_hops"):
        settings(client_address=section)
