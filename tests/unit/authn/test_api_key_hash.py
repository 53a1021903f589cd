import base64
import hmac
import re

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from extauthz.authn.api_key_hash import ApiKeyHashes, is_api_key, new_api_key

SECRET, FORMER = b"s" * 32, b"f" * 32
KEY = "xk_" + "A" * 43


def test_a_new_key_has_the_form_and_is_never_the_same():
    keys = {new_api_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(re.fullmatch(r"xk_[A-Za-z0-9_-]{43}", key) and is_api_key(key) for key in keys)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "xk_",
        "A" * 46,
        KEY[:-1],
        KEY + "A",
        KEY + "\n",
        "XK_" + "A" * 43,
        "xk_" + "A" * 42 + "B",  # another spelling of the same bytes
        "xk_" + "A" * 42 + "=",
        "xk_" + "é" * 43,
        "xk_" + "A" * 1_000_000,
    ],
)
def test_another_form_is_no_key(value):
    assert not is_api_key(value)


def test_the_hash_is_an_hmac_under_a_key_of_its_own():
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"extauthz api keys: hashing, version 1").derive(
        SECRET
    )
    message = (7).to_bytes(4, "big") + b"api key" + (46).to_bytes(4, "big") + KEY.encode()
    expected = hmac.digest(derived, message, "sha256")
    assert ApiKeyHashes([SECRET]).of(KEY) == (expected,)
    assert base64.urlsafe_b64decode(ApiKeyHashes([SECRET]).entry(KEY) + "=") == expected


def test_the_first_secret_makes_entries_and_all_are_looked_for():
    rotated = ApiKeyHashes([SECRET, FORMER])
    assert rotated.entry(KEY) == ApiKeyHashes([SECRET]).entry(KEY)
    assert rotated.of(KEY) == (*ApiKeyHashes([SECRET]).of(KEY), *ApiKeyHashes([FORMER]).of(KEY))


@pytest.mark.parametrize("secrets", [[], [b"s" * 31], [SECRET, b"short"]])
def test_a_secret_that_can_be_guessed_is_refused(secrets):
    with pytest.raises(ValueError, match=r"^(at least one secret|secret \d has \d+ bytes)"):
        ApiKeyHashes(secrets)
