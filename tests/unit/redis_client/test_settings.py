"""The settings of a Redis, alike in every section that has one."""

import pytest
import yaml

from extauthz.document.mistakes import DocumentError, path_text
from extauthz.document.strict import loads
from extauthz.settings.process import Settings

SENTINEL = {"master": "m", "nodes": ["10.0.0.1:26379", "[::1]:26379"]}
CLUSTER = {"nodes": ["cache.example.com:6379"]}
URL = "rediss://cache.example.com:6379/0"
SECRETS = {"s": {"env": "S"}}


def document(redis, section="cache"):
    chosen = {"secret": ["s"], "redis": redis} | ({} if section == "catalog" else {"backend": "redis"})
    return {"catalog": {"file": "catalog.yaml"}, "secrets": SECRETS, section: chosen}


def mistakes(redis, section="cache"):
    with pytest.raises(DocumentError) as caught:
        loads(yaml.safe_dump(document(redis, section)), Settings, "extauthz.yaml")
    return {path_text(mistake.location).removeprefix(f"{section}.redis") for mistake in caught.value.mistakes}


@pytest.mark.parametrize("section", ["cache", "revocation", "catalog"])
@pytest.mark.parametrize(
    "redis",
    [
        {"url": "redis://localhost"},
        {"url": URL, "tls": {}},
        {"url": URL, "tls": {"ca_file": "ca.pem"}},
        {"url": URL, "tls": {"ca_file": "ca.pem", "certificate_file": "c.pem", "key": "s"}},
        {"sentinel": SENTINEL},
        {"sentinel": SENTINEL | {"username": "u", "password": "s"}, "username": "v", "password": "s", "tls": {}},
        {"cluster": CLUSTER},
        {"cluster": CLUSTER, "tls": {"ca_file": "ca.pem"}},
    ],
)
def test_one_way_to_reach_it_is_enough(section, redis):
    loads(yaml.safe_dump(document(redis, section)), Settings, "extauthz.yaml")


@pytest.mark.parametrize("section", ["cache", "revocation", "catalog"])
@pytest.mark.parametrize(
    ("redis", "wrong"),
    [
        ({}, ""),
        ({"url": URL, "cluster": CLUSTER}, ""),
        ({"url": URL, "sentinel": SENTINEL}, ""),
        ({"sentinel": SENTINEL, "cluster": CLUSTER}, ""),
        ({"url": "redis://localhost", "tls": {}}, ".tls"),
        ({"url": "unix:///run/r.sock", "tls": {}}, ".tls"),
        ({"url": URL, "tls": {"key": "s"}}, ".tls"),
        ({"url": URL, "tls": {"certificate_file": "c.pem"}}, ".tls"),
        ({"sentinel": {"nodes": ["a:1"]}}, ".sentinel.master"),
        ({"sentinel": {"master": "m", "nodes": []}}, ".sentinel.nodes"),
        ({"sentinel": SENTINEL | {"username": "u"}}, ".sentinel.username"),
        ({"cluster": {"nodes": ["a:1", "a:1"]}}, ".cluster.nodes"),
        ({"cluster": {"nodes": ["a:0"]}}, ".cluster.nodes"),
        ({"cluster": {"nodes": ["a"]}}, ".cluster.nodes[0]"),
        ({"cluster": {"nodes": ["redis://a:1"]}}, ".cluster.nodes[0]"),
        ({"cluster": CLUSTER, "timeout_seconds": 0}, ".timeout_seconds"),
    ],
)
def test_what_contradicts_itself_is_told_at_its_place(section, redis, wrong):
    assert wrong in mistakes(redis, section)


@pytest.mark.parametrize("section", ["cache", "revocation", "catalog"])
@pytest.mark.parametrize(
    ("redis", "place"),
    [
        ({"url": URL, "password": "nosuch"}, ".password"),
        ({"sentinel": SENTINEL | {"password": "nosuch"}}, ".sentinel.password"),
        ({"url": URL, "tls": {"certificate_file": "c.pem", "key": "nosuch"}}, ".tls.key"),
    ],
)
def test_passwords_and_keys_are_names_of_secrets(section, redis, place):
    assert place in mistakes(redis, section)
