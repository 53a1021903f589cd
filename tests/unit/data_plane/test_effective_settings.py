"""The settings as operators are told them."""

import json

import yaml

from extauthz.data_plane.effective_settings import effective_settings
from extauthz.document.strict import loads
from extauthz.settings.process import Settings


def told(**sections):
    settings = {"catalog": {"file": "catalog.yaml"}} | sections
    return effective_settings(loads(yaml.safe_dump(settings), Settings, "extauthz.yaml"))


def test_defaults_and_what_is_set_are_told():
    document = told(limits={"check_seconds": 1.5}, logs={"allowed": {"then_one_in": 7}})
    assert document["limits"]["check_seconds"] == 1.5
    assert document["limits"]["token_bytes"] == 16_384
    assert document["logs"] == {"allowed": {"first_per_second": 10, "then_one_in": 7}}
    assert document["catalog"]["file"] == "catalog.yaml"


def test_secrets_are_told_by_name_only():
    document = told(
        operations={"token": "operator"},
        secrets={"operator": {"env": "WHERE_IT_IS"}, "b": {"file": "/run/secrets/it", "hosts": ["idp.example.com"]}},
    )
    assert document["secrets"] == ["b", "operator"]
    assert document["operations"]["token"] == "operator"
    assert not [text for text in ("WHERE_IT_IS", "/run/secrets") if text in json.dumps(document)]


def test_options_of_extensions_are_told_by_name_only():
    extension = {"name": "vendor", "options": {"password": "hunter2", "depth": {"token": "hunter3"}}}
    document = told(extensions={kind: [extension] for kind in ("authenticators", "authorizers", "claim_sources")})
    for kind in ("authenticators", "authorizers", "claim_sources"):
        assert document["extensions"][kind][0]["options"] == ["depth", "password"]
    assert "hunter" not in json.dumps(document)
