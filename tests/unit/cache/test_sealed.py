"""Facts that leave the process come back exactly, or not at all."""

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from extauthz.cache.keys import CacheKeys
from extauthz.cache.sealed import FactsSealer
from extauthz.model.errors import Reason
from extauthz.model.token import TokenFacts, TokenForm

KEYS = CacheKeys([b"s" * 32]).sealing
KEY = b"k" * 32
FACTS = TokenFacts(form=TokenForm.JWT, believe_until=100.0, subject="alice@example.com", claims={"n": 2**60})

texts = st.text(st.characters(codec="utf-8"))
times = st.none() | st.floats(allow_nan=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | texts,
    lambda children: st.lists(children) | st.dictionaries(texts, children),
    max_leaves=10,
)
facts_of_any_kind = st.builds(
    TokenFacts,
    form=st.sampled_from(TokenForm),
    believe_until=st.floats(allow_nan=False),
    refusal=st.none() | st.sampled_from(Reason),
    issuer=st.none() | texts,
    subject=st.none() | texts,
    client_id=st.none() | texts,
    scopes=st.frozensets(texts),
    audiences=st.frozensets(texts),
    expires_at=times,
    not_before=times,
    issued_at=times,
    token_type=st.none() | texts,
    token_id=st.none() | texts,
    signing_key=st.none() | texts,
    claims=st.dictionaries(texts, json_values),
)


def sealed_by(sealer: FactsSealer) -> bytes:
    sealed = sealer.seal(KEY, FACTS)
    assert sealed is not None
    return sealed


@given(facts=facts_of_any_kind)
def test_every_field_comes_back_exactly(facts):
    sealer = FactsSealer(KEYS)

    sealed = sealer.seal(KEY, facts)

    assert sealed is not None
    opened = sealer.open(KEY, sealed)
    assert opened is not None
    assert opened == facts
    assert repr(opened.claims) == repr(facts.claims)  # 1, 1.0 and True are equal, and not the same


@given(garbage=st.binary(max_size=200))
def test_garbage_is_a_miss(garbage):
    assert FactsSealer(KEYS).open(KEY, garbage) is None
    assert FactsSealer(KEYS).open(KEY, b"\x03" + garbage) is None


def test_every_changed_bit_is_a_miss():
    sealer = FactsSealer(KEYS)
    sealed = sealed_by(sealer)

    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        assert sealer.open(KEY, bytes(changed)) is None


def test_facts_under_another_cache_key_are_a_miss():
    sealer = FactsSealer(KEYS)

    assert sealer.open(b"j" * 32, sealed_by(sealer)) is None


def test_a_rotated_secret_opens_and_no_longer_seals():
    old, new = b"o" * 32, b"n" * 32
    before, after = FactsSealer(CacheKeys([old]).sealing), FactsSealer(CacheKeys([new, old]).sealing)

    assert after.open(KEY, sealed_by(before)) == FACTS
    assert before.open(KEY, sealed_by(after)) is None


def test_the_same_facts_are_sealed_differently_each_time():
    sealer = FactsSealer(KEYS)

    assert sealed_by(sealer) != sealed_by(sealer)


def test_nothing_of_the_facts_can_be_seen():
    sealed = sealed_by(FactsSealer(KEYS))

    assert b"alice" not in sealed
    assert b"jwt" not in sealed


@pytest.mark.parametrize("value", [object(), 2**64, -(2**63) - 1, "\ud800"], ids=["object", "large", "small", "text"])
def test_claims_that_the_format_cannot_hold_are_not_sealed(value):
    assert FactsSealer(KEYS).seal(KEY, changed(FACTS, claims={"n": value})) is None


def test_claims_nested_too_deeply_to_be_written_are_not_sealed():
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]

    assert FactsSealer(KEYS).seal(KEY, changed(FACTS, claims={"nested": nested})) is None


def members(**changed):
    """What a record holds, in its order."""
    names = "form refusal issuer subject client_id scopes audiences expires_at not_before issued_at"
    rest = dict.fromkeys([*names.split(), "token_type", "token_id", "signing_key", "claims", "believe_until"])
    known = {"form": "jwt", "scopes": [], "audiences": [], "claims": {}, "believe_until": 1.0}
    return list((rest | known | changed).values())


def test_the_order_of_a_record_is_that_of_its_version():
    """Whoever changes it takes another version, or replicas read each other's facts wrongly."""
    record = [
        *("jwt", "token_inactive", "issuer", "subject", "client", ["scope"], ["audience"]),
        *(2.0, 3.0, 4.0, "at+jwt", "id", "key", {"a": 1}, 5.0),
    ]
    assert FactsSealer(KEYS).open(KEY, _sealed(record)) == TokenFacts(
        form=TokenForm.JWT,
        refusal=Reason.TOKEN_INACTIVE,
        issuer="issuer",
        subject="subject",
        client_id="client",
        scopes=frozenset({"scope"}),
        audiences=frozenset({"audience"}),
        expires_at=2.0,
        not_before=3.0,
        issued_at=4.0,
        token_type="at+jwt",
        token_id="id",
        signing_key="key",
        claims={"a": 1},
        believe_until=5.0,
    )


@pytest.mark.parametrize(
    "record",
    [
        members(form="paseto"),
        members(refusal="because"),
        members(believe_until=None),
        members(scopes=None),
        members(claims=[]),
        members(claims=None),
        members(expires_at="soon"),
        members()[:-1],
        [*members(), "more"],
        {},
        None,
    ],
    ids=[
        "form",
        "refusal",
        "believe-until",
        "scopes",
        "claims-list",
        "no-claims",
        "expires-at",
        "less",
        "more",
        "object",
        "null",
    ],
)
def test_facts_of_a_version_that_says_other_things_are_a_miss(record):
    assert FactsSealer(KEYS).open(KEY, _sealed(record)) is None


def test_what_is_no_record_is_a_miss_even_if_it_was_sealed():
    good = msgspec.msgpack.encode(members(subject="Hier", claims={"n": "Hier"}))
    nested = msgspec.msgpack.encode(members(claims={"n": "Hier"})).replace(b"\xa4Hier", b"\x91" * 100_000 + b"\xc0")
    assert FactsSealer(KEYS).open(KEY, _sealed_bytes(good)) is not None
    for plain in (b"\xff\xff\xff", b"", good[:-1], good.replace(b"Hier", b"H\xfcer"), nested):
        assert FactsSealer(KEYS).open(KEY, _sealed_bytes(plain)) is None


@pytest.mark.parametrize("version", [b"\x02", b"\x04"])
def test_another_format_version_is_a_miss(version):
    sealed = sealed_by(FactsSealer(KEYS))

    assert FactsSealer(KEYS).open(KEY, version + sealed[1:]) is None


def _sealed(record: object) -> bytes:
    """As another version of this program would seal it."""
    return _sealed_bytes(msgspec.msgpack.encode(record))


def _sealed_bytes(plain: bytes) -> bytes:
    nonce = b"n" * 12
    return b"\x03" + nonce + AESGCMSIV(KEYS[0]).encrypt(nonce, plain, b"\x03token facts" + KEY)
