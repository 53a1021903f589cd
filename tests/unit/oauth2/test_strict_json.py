"""JSON has one reading or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extauthz.oauth2 import base64url, strict_json
from extauthz.oauth2.strict_json import AmbiguousJson


def test_an_object_is_read():
    assert strict_json.parse_object(b'{"a": [1, 2.5, "\\u00e9\\ud83d\\ude00"]}') == {"a": [1, 2.5, "é😀"]}


@pytest.mark.parametrize(
    "document",
    [
        b'{"iss": "a", "iss": "b"}',
        b'{"outer": {"x": 1, "x": 1}}',
        b'{"exp": NaN}',
        b'{"exp": Infinity}',
        b'{"exp": -Infinity}',
        b'{"exp": 1e999}',
        b'{"exp": ' + b"9" * 5000 + b"}",
        b'{"sub": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=lambda document: repr(document[:24]),
)
def test_json_that_readers_see_differently_is_refused(document):
    with pytest.raises(AmbiguousJson):
        strict_json.parse_object(document)


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"null", b'"x"', b"{", b"{}x", b"\xff{}", b"\xef\xbb\xbf{}", b"{\x00}"]
)
def test_what_is_no_json_object_is_refused(document):
    with pytest.raises(ValueError) as refused:
        strict_json.parse_object(document)
    assert not isinstance(refused.value, AmbiguousJson)


def test_utf_16_is_refused():
    with pytest.raises(ValueError):
        strict_json.parse_object('{"alg": "RS256"}'.encode("utf-16"))


def nested(levels: int) -> bytes:
    """An object of so many levels, with more brackets than levels."""
    return b'{"b":[],"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


def test_nesting_is_read_up_to_the_limit():
    assert strict_json.parse_object(nested(strict_json.MAX_DEPTH))
    with pytest.raises(AmbiguousJson):
        strict_json.parse_object(nested(strict_json.MAX_DEPTH + 1))


@pytest.mark.parametrize("value", [b"", b"\x00", b"\xff\xfe", b"abc", bytes(range(256))])
def test_base64url_reads_what_it_writes(value):
    assert base64url.decode(base64url.encode(value)) == value


@pytest.mark.parametrize("text", ["QQ==", "QR", "Q", "A+/A", "QUI\n", " QUI", "QUÍ", "QUI=", "AAAAA"])
def test_base64url_has_one_spelling(text):
    with pytest.raises(ValueError):
        base64url.decode(text)


@given(st.text(alphabet="AQgwEBz09-_+/= \n\u00e9", max_size=9) | st.text(max_size=6))
def test_whatever_base64url_reads_it_would_write_so(text):
    try:
        value = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(value) == text
