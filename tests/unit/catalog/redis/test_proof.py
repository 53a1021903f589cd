"""Who holds a secret of the catalog can prove a record, and nobody else can."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extauthz.cache.secret_keys import derived_keys
from extauthz.catalog.redis.proof import CatalogKeys, Purpose

SECRET, OTHER = b"a secret that has 32 bytes at least", b"another one that has 32 bytes at least"
ENTRY = (b"api", b"default/a", (3, 1), b"entity")
KEYS = CatalogKeys([SECRET], prefix="extauthz:")


@given(kind=st.binary(max_size=80), field=st.binary(max_size=80), entity=st.binary(max_size=200))
def test_the_proof_of_an_entry_is_hmac_sha_256(kind, field, entity):
    """Ours hashes the key once, for a million entries; it must be the same function."""
    (key,) = derived_keys([SECRET], b"extauthz catalog: proof of an entry, version 1\0extauthz:")
    lengths = len(kind).to_bytes(4, "big") + len(field).to_bytes(4, "big")
    message = lengths + (3).to_bytes(8, "big") + (1).to_bytes(4, "big") + kind + field + entity
    assert KEYS.entry_tag(kind, field, (3, 1), entity) == hmac.digest(key, message, "sha256")


@pytest.mark.parametrize(
    "other",
    [
        (b"ap", b"idefault/a", (3, 1), b"entity"),
        (b"api", b"default/", (3, 1), b"aentity"),
        (b"api", b"default/a", (1, 3), b"entity"),
        (b"api", b"default/a", (3, 1), b"entitY"),
    ],
)
def test_no_two_entries_have_one_proof(other):
    tag = KEYS.entry_tag(*ENTRY)
    assert KEYS.proves_entry(tag, *ENTRY)
    assert not KEYS.proves_entry(tag, *other)


@pytest.mark.parametrize("tag", [b"", bytes(32), b"short"])
def test_what_is_no_proof_proves_nothing(tag):
    assert not KEYS.proves_entry(tag, *ENTRY)
    assert not KEYS.proves_record(tag, Purpose.HEAD, b"body")


def test_the_first_secret_proves_and_every_one_is_believed():
    both = CatalogKeys([OTHER, SECRET], prefix="extauthz:")
    assert both.entry_tag(*ENTRY) == CatalogKeys([OTHER], prefix="extauthz:").entry_tag(*ENTRY)
    assert both.proves_entry(KEYS.entry_tag(*ENTRY), *ENTRY)
    assert both.proves_record(KEYS.record_tag(Purpose.HEAD, b"body"), Purpose.HEAD, b"body")
    assert not KEYS.proves_entry(both.entry_tag(*ENTRY), *ENTRY)


def test_a_head_is_no_transaction():
    assert not KEYS.proves_record(KEYS.record_tag(Purpose.HEAD, b"body"), Purpose.TRANSACTION, b"body")


@pytest.mark.parametrize("secrets", [[], [b"short"], [SECRET, b"short"]])
def test_short_secrets_are_refused(secrets):
    with pytest.raises(ValueError, match=r"^(at least one secret|secret \d has \d+ bytes)"):
        CatalogKeys(secrets, prefix="extauthz:")
