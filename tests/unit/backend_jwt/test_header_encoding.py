"""Values of headers: what an upstream reads is what was said, or nothing is sent."""

import base64
import json
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extauthz.backend_jwt.header_encoding import ENCODINGS, as_base64url, as_json, percent, plain
from extauthz.settings.backend_jwt import HeaderEncoding

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = [("admin", "admin"), (7, "7"), (1.5, "1.5"), (True, "true"), (False, "false")]
PRINTABLE = {chr(code) for code in range(0x20, 0x7F)}


def test_every_encoding_of_the_settings_is_there():
    assert set(ENCODINGS) == {encoding.value for encoding in HeaderEncoding}


@pytest.mark.parametrize(("value", "text"), SCALARS)
def test_scalars_are_written_as_in_json(value, text):
    assert percent(value) == plain(value) == text
    assert as_base64url(value) == base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("50% of a/b?c=d; e", "50%25 of a/b?c=d; e"),
        ("Zoë", "Zo%C3%AB"),
        ("a\r\nx-admin: 1", "a%0D%0Ax-admin: 1"),
        ("\x00\t\x7f", "%00%09%7F"),
        (" a b  ", "%20a b%20%20"),
        ("   ", "%20%20%20"),
        ("Doe, Jane", "Doe%2C Jane"),
        (["a,b", "c", 1, True], "a%2Cb,c,1,true"),
        ([], ""),
        ("", ""),
    ],
)
def test_percent_encodes_what_is_not_printable_ascii(value, encoded):
    assert percent(value) == encoded


@given(st.lists(TEXTS, min_size=1))
def test_percent_can_be_read_back(texts):
    value = percent(texts)
    assert set(value) <= PRINTABLE
    assert value == value.strip(" ")
    assert [unquote(part, errors="strict") for part in value.split(",")] == texts


@given(st.lists(TEXTS, min_size=1))
def test_base64url_can_be_read_back(texts):
    parts = as_base64url(texts).split(",")
    assert [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode() for part in parts] == texts


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)
    )
)
def test_json_can_be_read_back(value):
    text = as_json(value)
    assert set(text) <= PRINTABLE
    assert json.loads(text) == value


@pytest.mark.parametrize("value", ["admin", "a, b%20c", ["a", "b c"], "", [], "~"])
def test_plain_is_sent_as_it_is(value):
    assert plain(value) == (",".join(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(
    "value", ["ü", "a\r\nb", "a\x00", "a\tb", "\x7f", "admin ", " admin", " ", "a\n", ["a,b"], ["a "]]
)
def test_plain_sends_nothing_that_would_be_read_differently(value):
    with pytest.raises(ValueError, match="as it is"):
        plain(value)


@pytest.mark.parametrize("encode", [percent, plain, as_base64url])
@pytest.mark.parametrize("value", [{"a": 1}, [{"a": 1}], [["a"]], [None]])
def test_objects_and_nested_lists_go_as_json_only(encode, value):
    with pytest.raises(ValueError, match="as JSON"):
        encode(value)
    assert json.loads(as_json(value)) == value


@pytest.mark.parametrize("encode", ENCODINGS.values())
@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", object()])
def test_what_is_no_json_is_not_sent(encode, value):
    with pytest.raises(ValueError):
        encode(value)


@pytest.mark.parametrize("encode", [percent, plain, as_base64url])
def test_half_a_character_is_not_sent(encode):
    with pytest.raises(ValueError):
        encode("a\ud800")


@pytest.mark.parametrize("encode", ENCODINGS.values())
def test_a_number_too_long_to_write_is_not_sent(encode):
    with pytest.raises(ValueError):
        encode(10**5000)
