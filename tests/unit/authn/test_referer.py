import pytest
import yaml

from extauthz.authn.referer import comes_from
from extauthz.catalog.entities import ApiKeyDocument
from extauthz.document.strict import loads

SHOP = "https://www.example.com/shop"
ALL = "www.example.com/*"
BELOW = "*.example.com/*"


@pytest.mark.parametrize(
    ("pattern", "referer", "good"),
    [
        (SHOP, "https://www.example.com/shop", True),
        (SHOP, "HTTPS://WWW.Example.COM/shop", True),
        (SHOP, "https://www.example.com:443/shop", True),
        (SHOP, "https://www.example.com/shop/", False),
        (SHOP, "https://www.example.com/shops", False),
        (SHOP, "https://www.example.com/shop?item=1", False),
        (SHOP, "https://www.example.com/Shop", False),
        (SHOP, "http://www.example.com/shop", False),
        (SHOP, "https://www.example.com:8443/shop", False),
        (SHOP, "https://evil.example/https://www.example.com/shop", False),
        (SHOP, "xhttps://www.example.com/shop", False),
        (SHOP, "https://www-example.com/shop", False),  # a dot is a dot
        (ALL, "https://www.example.com/", True),
        (ALL, "https://www.example.com", True),
        (ALL, "http://www.example.com/a/b?c=d", True),
        (ALL, "https://wwwxexample.com/", False),
        (ALL, "https://www.example.com.evil.example/", False),
        (ALL, "https://evil.example/www.example.com/", False),
        (ALL, "https://www.example.com@evil.example/", False),
        (ALL, "https://evil.example@www.example.com/", False),
        (ALL, "https://evil.example/?https://www.example.com/", False),
        (ALL, "https://www.example.com:8443/", False),
        (ALL, "ftp://www.example.com/", False),
        (ALL, "//www.example.com/", False),
        (ALL, "www.example.com/", False),
        (ALL, "about:client", False),
        (ALL, "null", False),
        (ALL, "", False),
        (ALL, "https://www.example.com/ https://evil.example/", False),
        (ALL, "https://www.example.com/\n", False),
        ("https://www.example.com:8443/*", "https://www.example.com:8443/x", True),
        ("https://www.example.com:8443/*", "https://www.example.com/x", False),
        ("http://www.example.com:80/*", "http://www.example.com/x", True),
        (BELOW, "https://www.example.com/x", True),
        (BELOW, "https://a.b.example.com/x", True),
        (BELOW, "https://example.com/x", False),
        (BELOW, "https://.example.com/x", False),
        (BELOW, "https://notexample.com/x", False),
        (BELOW, "https://example.com.evil.example/x", False),
        ("www.example.com", "https://www.example.com/", True),
        ("www.example.com", "https://www.example.com/x", False),
        ("www.example.com/shop*", "https://www.example.com/shop?item=1", True),
        ("www.example.com/shop*", "https://www.example.com/sho", False),
        ("www.example.com/a*b/*", "https://www.example.com/a*b/c", True),  # one at the end has a meaning
        ("www.example.com/a*b/*", "https://www.example.com/axb/c", False),
        ("www.example.com/(a+)+", "https://www.example.com/aaaa", False),  # no regular expression
    ],
)
def test_a_pattern_means_what_it_says_from_the_first_character_to_the_last(pattern, referer, good):
    assert comes_from(referer, [pattern]) is good


def test_one_pattern_that_fits_is_enough_and_none_is_not():
    assert comes_from("https://www.example.com/shop", ["other.example.com/*", SHOP])
    assert not comes_from("https://www.example.com/shop", [])


@pytest.mark.parametrize("pattern", [SHOP, ALL, BELOW, "www.example.com", "https://www.example.com:8443/*"])
def test_the_catalog_takes_these_patterns(pattern):
    document = yaml.safe_dump({"id": "k", "hash": "A" * 43, "application": "app", "allowed_referers": [pattern]})
    assert loads(document, ApiKeyDocument, "catalog.yaml").allowed_referers == (pattern,)
