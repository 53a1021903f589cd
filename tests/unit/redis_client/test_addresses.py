"""Where a URL leads, and which slot of a cluster a key has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot as slot_of_redis_py

from extauthz.redis_client.cluster import key_slot
from extauthz.redis_client.node import Nodes
from extauthz.redis_client.options import RedisOptions, SingleServer


def node(url):
    return Nodes(options=RedisOptions(servers=SingleServer(url=url)), component="test").of_url(url)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://host:1", ("host", 1)),
        ("redis://host", ("host", 6379)),
        ("redis://host/3", ("host", 6379)),
        ("rediss://host:2/", ("host", 2)),
        ("redis://[::1]:5/0", ("::1", 5)),
        ("unix:///run/r.sock", None),
    ],
)
def test_a_url_leads_to_an_address(url, address):
    assert node(url).address == address


@pytest.mark.parametrize("url", ["http://host", "redis://", "redis:///0", "redis://host/x", "unix://", "redis://h:x"])
def test_what_leads_nowhere_is_refused(url):
    with pytest.raises(ValueError, match=r"schemes|[Pp]ort"):
        node(url)


@given(st.lists(st.sampled_from([b"{", b"}", b"a", b"bc"]), max_size=9).map(b"".join))
def test_a_key_has_the_slot_that_others_give_it(key):
    assert key_slot(key) == slot_of_redis_py(key)


def test_keys_with_one_hash_tag_have_one_slot():
    """The examples of the Redis Cluster Specification."""
    assert key_slot(b"{user1000}.following") == key_slot(b"{user1000}.followers") == key_slot(b"user1000")
    assert key_slot(b"foo{{bar}}zap") == key_slot(b"{bar")
    assert key_slot(b"123456789") == 0x31C3
