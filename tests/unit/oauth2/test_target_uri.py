"""RFC 3986 §6.2.2 and §6.2.3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extauthz.oauth2.target_uri import MAX_LENGTH, composed, parsed


@pytest.mark.parametrize(
    ("uri", "spelled"),
    [
        ("HTTPS://API.Example.COM/A", "https://api.example.com/A"),
        ("https://a", "https://a/"),
        ("https://a:443/", "https://a/"),
        ("https://a:/", "https://a/"),
        ("https://a:0443/", "https://a/"),
        ("http://a:80/", "http://a/"),
        ("http://a:443/", "http://a:443/"),
        ("https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
        ("https://a/%7euser/%41", "https://a/~user/A"),
        ("https://a/%e2%82%ac", "https://a/%E2%82%AC"),
        ("https://a/x%2fy", "https://a/x%2Fy"),
        ("https://a/b/./c/../d", "https://a/b/d"),
        ("https://a/b/%2e%2E/c", "https://a/c"),
        ("https://a/../../x", "https://a/x"),
        ("https://a/b/..", "https://a/"),
        ("https://a/b/.", "https://a/b/"),
        ("https://a/b//c/", "https://a/b//c/"),
        ("https://a/x?q=/../y#f", "https://a/x"),
        ("https://a?q", "https://a/"),
        ("https://a/%zz%", "https://a/%zz%"),
    ],
)
def test_two_spellings_of_a_uri_are_one(uri, spelled):
    assert parsed(uri) == spelled


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "a/b",
        "//a/b",
        "https:/a",
        "ftp://a/",
        "https:///x",
        "https://user@a/",
        "https://a:65536/",
        "https://a:b/",
        "https://a b/",
        "https://ä/",
        "https://[::1/",
        "https://a/" + "x" * MAX_LENGTH,
    ],
)
def test_what_is_no_http_uri_is_refused(uri):
    with pytest.raises(ValueError):
        parsed(uri)


def test_a_request_is_spelled_as_its_uri_is():
    assert composed("https", "API.example.com:443", "/a/./b?q=1") == parsed("https://api.example.com/a/b")


@pytest.mark.parametrize(
    ("scheme", "authority", "path"),
    [("", "a", "/"), ("https", "", "/"), ("https", "a/b", "/"), ("https", "a?", "/"), ("https", "a", "*")],
)
def test_a_request_without_a_uri_is_refused(scheme, authority, path):
    """A host that holds a slash must not move the line between host and path."""
    with pytest.raises(ValueError):
        composed(scheme, authority, path)


@given(st.text(alphabet="/.%2eEaA?#-", max_size=30))
def test_the_one_spelling_is_spelled_as_itself(path):
    once = parsed("https://a/" + path)
    assert parsed(once) == once
    assert "/../" not in once
    assert "/./" not in once
