"""The section `cache` of the settings: a switch, a size and a time for each cache."""

import pytest
import yaml

from extauthz.document.mistakes import DocumentError, path_text
from extauthz.document.strict import loads
from extauthz.settings.process import Settings


def settings(**cache):
    document = {"catalog": {"file": "c.yaml"}, "cache": cache, "secrets": {"s": {"env": "S"}}}
    return loads(yaml.safe_dump(document), Settings, "extauthz.yaml").cache


def mistakes(**cache):
    with pytest.raises(DocumentError) as caught:
        settings(**cache)
    return {path_text(mistake.location) for mistake in caught.value.mistakes}


def test_every_cache_is_on_and_bounded_by_default():
    cache = settings()
    assert (cache.jwt, cache.introspection) == (cache.introspection, cache.jwt)
    assert (cache.jwt.enabled, cache.jwt.entries, cache.jwt.ttl_seconds) == (True, 50_000, 300)
    assert (cache.negative.enabled, cache.negative.entries, cache.negative.ttl_seconds) == (True, 10_000, 30)
    assert (cache.backend_jwt.enabled, cache.backend_jwt.entries) == (True, 50_000)


@pytest.mark.parametrize("name", ["jwt", "introspection", "negative"])
def test_each_cache_is_set_by_itself(name):
    changed = {"enabled": False, "entries": 7, "ttl_seconds": 3}
    cache = settings(**{name: changed})
    assert getattr(cache, name).model_dump() == changed
    assert all(getattr(cache, other).enabled for other in {"jwt", "introspection", "negative", "backend_jwt"} - {name})


@pytest.mark.parametrize("name", ["jwt", "introspection", "negative"])
@pytest.mark.parametrize(
    "wrong", [{"entries": 0}, {"ttl_seconds": 0}, {"ttl_seconds": -1}, {"ttl": 3}, {"entries": "all"}]
)
def test_a_cache_of_no_size_or_time_is_a_mistake(name, wrong):
    assert mistakes(**{name: wrong}) == {f"cache.{name}.{next(iter(wrong))}"}


def test_what_redis_shares_cannot_be_switched_off_beside_it():
    redis = {"backend": "redis", "secret": ["s"], "redis": {"url": "redis://localhost"}}
    settings(**redis)
    assert mistakes(**redis, introspection={"enabled": False}) == {"cache.introspection.enabled"}
