"""Names of tokens and keys for sealing."""

import pytest

from extauthz.cache.keys import CacheKeys

OLD, NEW = b"o" * 32, b"n" * 32


@pytest.mark.parametrize(
    "other",
    [
        ("b", "km", b"print", "token"),
        ("a", "kn", b"print", "token"),
        ("a", "km", b"prinu", "token"),
        ("a", "km", b"print", "tokeo"),
    ],
)
def test_every_part_changes_the_key(other):
    keys = CacheKeys([OLD])

    assert keys.token_key("a", "km", b"print", "token") != keys.token_key(*other)


def test_the_same_parts_give_the_same_32_bytes_in_every_process():
    parts = ("default", "resident", b"\x00\xff", "a.b.c")

    assert CacheKeys([OLD]).token_key(*parts) == CacheKeys([OLD]).token_key(*parts)
    assert len(CacheKeys([OLD]).token_key(*parts)) == 32


def test_a_byte_moved_over_a_boundary_changes_the_key():
    keys = CacheKeys([OLD])

    assert keys.token_key("ab", "c", b"", "t") != keys.token_key("a", "bc", b"", "t")
    assert keys.token_key("a", "b", b"c", "t") != keys.token_key("a", "b", b"", "ct")


def test_the_first_secret_names_tokens_and_every_secret_opens():
    both, old, new = CacheKeys([NEW, OLD]), CacheKeys([OLD]), CacheKeys([NEW])
    parts = ("default", "resident", b"", "token")

    assert both.token_key(*parts) == new.token_key(*parts) != old.token_key(*parts)
    assert both.sealing == new.sealing + old.sealing


def test_any_text_has_a_key_of_its_own():
    keys = CacheKeys([OLD])

    assert keys.token_key("", "", b"", "\ud800") != keys.token_key("", "", b"", "?")


@pytest.mark.parametrize("secrets", [[], [b""], [b"x" * 31], [OLD, b"x" * 31]])
def test_missing_and_short_secrets_are_refused(secrets):
    with pytest.raises(ValueError, match=r"cache\.secret"):
        CacheKeys(secrets)


def test_the_refusal_of_a_secret_does_not_hold_it():
    with pytest.raises(ValueError, match="secret 2 has 12 bytes") as refused:
        CacheKeys([OLD, b"tell-no-body"])

    assert "tell-no-body" not in str(refused.value)
