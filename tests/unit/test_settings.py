"""The settings file: what operators get wrong is named with its place."""

import pytest
import yaml

from extauthz.document.mistakes import DocumentError, path_text
from extauthz.document.strict import loads
from extauthz.settings.process import Settings


def settings(**sections):
    return loads(yaml.safe_dump({"catalog": {"file": "catalog.yaml"}} | sections), Settings, "extauthz.yaml")


def mistakes(**sections):
    with pytest.raises(DocumentError) as caught:
        settings(**sections)
    return {path_text(mistake.location) for mistake in caught.value.mistakes}


@pytest.mark.parametrize("address", ["0.0.0.0:9191", "[::]:9191", "localhost:0", "unix:/run/extauthz.sock"])
def test_an_address_is_a_host_with_a_port_or_a_socket(address):
    assert settings(listen=address).listen == address


@pytest.mark.parametrize(
    "address", ["9191", ":9191", "host", "host:70000", "::1:9191", "unix:", "unix:run/e.sock", "unix://run/e", "a b:1"]
)
def test_what_is_no_address_is_a_mistake(address):
    assert mistakes(listen=address) == {"listen"}


def redis(url):
    return {
        "cache": {"backend": "redis", "secret": ["s"], "redis": {"url": url}},
        "secrets": {"s": {"env": "S"}},
    }


@pytest.mark.parametrize("url", ["redis://localhost", "redis://localhost:6379/3", "rediss://r:1", "unix:///run/r.sock"])
def test_a_redis_url_names_a_server_and_a_database(url):
    assert settings(**redis(url)).cache.redis is not None


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379", "http://localhost", "redis://", "redis://localhost:port/0", "redis://localhost:0",
        "redis://user:secret@localhost", "redis://localhost?password=secret", "redis://localhost/0?foo=bar",
        "redis://localhost/zero", "unix://", "redis://localhost#0",
    ],
)  # fmt: skip
def test_a_redis_url_that_cannot_work_or_holds_a_secret_is_a_mistake(url):
    assert mistakes(**redis(url)) == {"cache.redis.url"}


def test_redis_needs_an_address_and_a_secret_and_memory_takes_neither_address():
    assert mistakes(cache={"backend": "redis"}) == {"cache.redis", "cache.secret"}
    assert mistakes(cache={"redis": {"url": "redis://localhost"}}) == {"cache.redis"}


def test_a_secret_that_is_not_declared_is_a_mistake_wherever_it_is_named():
    named = redis("redis://localhost") | {"secrets": {}, "backend_jwt": {"keys": [{"key": "k"}]}}
    named["cache"]["redis"]["password"] = "p"
    assert mistakes(**named) == {"cache.secret[0]", "cache.redis.password", "backend_jwt.keys[0].key"}


@pytest.mark.parametrize("secret", [{}, {"env": "A", "file": "b"}])
def test_a_secret_is_in_one_place(secret):
    assert mistakes(secrets={"s": secret}) == {"secrets.s"}
