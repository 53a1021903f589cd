import pytest
from hypothesis import given
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
