"""Names of tokens and keys for sealing."""

import pytest

from extauthz.cache.keys import CacheKeys

OLD, NEW = b"o" * 32, b"n" * 32


def token_key(keys, organization, key_manager, fingerprint, token):
    return keys.token_key(organization, key_manager, fingerprint, keys.named(token))


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

    assert token_key(keys, "a", "km", b"print", "token") != token_key(keys, *other)


def test_the_same_parts_give_the_same_48_bytes_in_every_process():
    parts = ("default", "resident", b"\x00\xff", "a.b.c")

    assert token_key(CacheKeys([OLD]), *parts) == token_key(CacheKeys([OLD]), *parts)
    assert len(token_key(CacheKeys([OLD]), *parts)) == 48


def test_a_token_has_one_name_wherever_it_is_shown():
    named, again = CacheKeys([OLD]).named("token"), CacheKeys([OLD]).named("token")

    assert (named.value, named.name) == ("token", again.name)
    assert len(named.name) == 32


def test_a_byte_moved_over_a_boundary_changes_the_key():
    keys = CacheKeys([OLD])

    assert token_key(keys, "ab", "c", b"", "t") != token_key(keys, "a", "bc", b"", "t")
    assert token_key(keys, "a", "b", b"c", "t") != token_key(keys, "a", "b", b"", "ct")


def test_the_first_secret_names_tokens_and_every_secret_opens():
    both, old, new = CacheKeys([NEW, OLD]), CacheKeys([OLD]), CacheKeys([NEW])
    parts = ("default", "resident", b"", "token")

    assert token_key(both, *parts) == token_key(new, *parts) != token_key(old, *parts)
    assert both.named("token") == new.named("token") != old.named("token")
    assert both.sealing == new.sealing + old.sealing


def test_no_part_of_a_key_is_the_same_under_another_secret():
    """Else whoever knows one secret could tell what was named under another."""
    parts = ("default", "resident", b"", "token")
    old, new = token_key(CacheKeys([OLD]), *parts), token_key(CacheKeys([NEW]), *parts)

    assert old[:16] != new[:16]
    assert old[16:] != new[16:]


def test_a_key_holds_nothing_of_what_it_names():
    key = token_key(CacheKeys([OLD]), "organization", "key-manager", b"fingerprint", "a-token-of-someone")

    assert not any(part in key for part in (b"organization", b"key-manager", b"fingerprint", b"token"))


def test_a_named_token_is_not_printed():
    named = CacheKeys([OLD]).named("tell-nobody")

    assert "tell-nobody" not in repr(named)
    assert repr(named.name) not in repr(named)


def test_any_text_has_a_key_of_its_own():
    keys = CacheKeys([OLD])

    assert token_key(keys, "", "", b"", "\ud800") != token_key(keys, "", "", b"", "?")


@pytest.mark.parametrize("secrets", [[], [b""], [b"x" * 31], [OLD, b"x" * 31]])
def test_missing_and_short_secrets_are_refused(secrets):
    with pytest.raises(ValueError, match=r"^(at least one secret|secret \d has \d+ bytes)"):
        CacheKeys(secrets)


def test_the_refusal_of_a_secret_does_not_hold_it():
    with pytest.raises(ValueError, match="secret 2 has 12 bytes") as refused:
        CacheKeys([OLD, b"tell-no-body"])

    assert "tell-no-body" not in str(refused.value)
