"""Where in a cluster a command belongs."""

import pytest

from extauthz.redis_client.command_key import command_key


@pytest.mark.parametrize(
    ("command", "key"),
    [
        ((b"GET", b"k"), b"k"),
        ((b"get", b"k"), b"k"),
        ((b"SET", b"k", b"v", b"PX", 5), b"k"),
        ((b"ZSCAN", b"k", b"0", b"COUNT", 10), b"k"),
        ((b"HSCAN", b"k", b"0"), b"k"),
        ((b"XADD", b"k", b"*", b"f", b"v"), b"k"),
        ((b"EVAL", b"return 1", 2, b"k", b"l", b"argument"), b"k"),
        ((b"eval", b"return 1", b"1", b"k"), b"k"),
        ((b"EVALSHA", b"0" * 40, 1, b"k"), b"k"),
        ((b"EVAL", b"return 1", 0, b"argument"), None),
        ((b"EVAL", b"return 1", 0), None),
        ((b"XREAD", b"COUNT", 1, b"BLOCK", 1000, b"STREAMS", b"k", b"0-0"), b"k"),
        ((b"XREAD", b"STREAMS"), None),
        ((b"CONFIG", b"GET", b"maxmemory-policy"), None),
        ((b"INFO", b"memory"), None),
        ((b"TIME",), None),
        ((b"PING",), None),
    ],
)
def test_the_key_is_found_where_the_command_has_it(command, key):
    assert command_key(command) == key
