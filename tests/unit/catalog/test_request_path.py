import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extauthz.catalog.request_path import MAX_PATH_BYTES, segments


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", ("",)),
        ("/pets", ("pets",)),
        ("/pets/", ("pets", "")),
        ("/pets/1?x=/../y", ("pets", "1")),
        ("/a%20b/%C3%A9", ("a b", "é")),
        ("/a+b", ("a+b",)),
        ("/...", ("...",)),
        ("/%7Euser", ("~user",)),
    ],
)
def test_a_plain_path_is_read_segment_by_segment(path, expected):
    assert segments(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "", "pets", "*", "http://x/pets", "//pets", "/a//b", "/a/./b", "/a/../b", "/a/..", "/.", "/%2e%2e/b", "/a%2Fb",
        "/a%5cb", "/a\\b", "/a;b=1", "/a%3Bb", "/a#b", "/a%00", "/a\x00b", "/a%0d%0a", "/a%7f", "/a%FF", "/a%C3",
        "/a%zz", "/a%", "/a%2", "/a%252e", "/a%25", "/a%3Fb", "/é", "/" + "a" * MAX_PATH_BYTES,
    ],
)  # fmt: skip
def test_a_path_with_more_than_one_reading_is_refused(path):
    assert segments(path) is None


@given(st.text())
def test_no_text_raises_and_no_segment_has_structure(text):
    for path in (text, "/" + text):
        found = segments(path)
        for segment in found or ():
            assert segment not in {".", ".."}
            assert not set(segment) & set("/\\;#\x00")


def read_slowly(path):
    """The rule in its plainest words: character by character, segment by segment."""
    before_query = path.split("?", 1)[0]
    if len(path) > MAX_PATH_BYTES or not before_query.startswith("/"):
        return None
    decoded = re.sub(r"%[0-9A-Fa-f]{2}", lambda escape: chr(int(escape[0][1:], 16)), before_query)
    undecoded = re.sub(r"%[0-9A-Fa-f]{2}", "", before_query)
    if "%" in undecoded or any(ord(character) > 255 for character in before_query):
        return None
    if any(each.lower() in before_query.lower() for each in ("%2e", "%2f", "%5c", "%3f", "%25")):
        return None
    try:
        text = decoded.encode("latin-1").decode()
    except UnicodeDecodeError:
        return None
    if any(character in ";\\#\x7f" or character < " " for character in text):
        return None
    first, *found = text.split("/")
    wrong = first or any(part in {".", ".."} for part in found) or not all(found[:-1])
    return None if wrong else tuple(found)


PIECES = ["/", "//", "/.", "..", ".", "a", "B-_~", "!$&'()*+,=:@", "%20", "%c3%a9", "%2e", "%2F", "%zz", "%", ";", "#"]


@settings(max_examples=500)
@given(
    st.lists(st.sampled_from([*PIECES, "?", "?x=/../y", " ", '"<>', "\x00", "\x7f", "é", "\u20ac", "\\"])).map("".join)
)
def test_the_quick_way_agrees_with_a_slow_reading(path):
    for each in (path, f"/{path}", f"/a/{path}"):
        assert segments(each) == read_slowly(each)
