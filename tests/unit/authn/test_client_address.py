from ipaddress import ip_address

import pytest
from support.catalogs import request

from extauthz.authn.client_address import ForwardedAddress, peer_address


def told(address):
    return None if address is None else str(address)


def forwarded(header, hops):
    return told(ForwardedAddress(trusted_hops=hops)(request(headers={"x-forwarded-for": header})))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:1234", "192.0.2.7"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:80", "192.0.2.7"),
        ("", None),
        ("unknown", None),
        ("_hidden", None),
        ("192.0.2", None),
        ("192.0.2.07", None),
        ("192.0.2.256", None),
        ("192.0.2.7:port", None),
        ("192.0.2.7 ", None),
        ("[2001:db8::1]x", None),
        ("[2001:db8::1", None),
        ("2001:db8::1]", None),
        ('"192.0.2.7"', None),
        ("fe80::1%eth0", None),
        ("192.0.2.7/32", None),
        ("1" * 100_000, None),
    ],
)
def test_an_address_is_read_with_or_without_its_port_and_anything_else_is_unknown(text, expected):
    assert told(peer_address(request(peer_address=text))) == expected


def test_the_peer_says_nothing_about_the_header():
    asked = request(peer_address="192.0.2.7", headers={"x-forwarded-for": "203.0.113.9"})
    assert peer_address(asked) == ip_address("192.0.2.7")


@pytest.mark.parametrize(
    ("header", "hops", "expected"),
    [
        ("192.0.2.7", 0, "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7", 0, "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7", 1, "203.0.113.9"),
        ("10.0.0.1,203.0.113.9,192.0.2.7", 1, "203.0.113.9"),  # the first is the client's invention
        ("a,b,c,203.0.113.9,x,192.0.2.7", 2, "203.0.113.9"),
        ("203.0.113.9,garbage,192.0.2.7", 1, None),
        ("203.0.113.9,,192.0.2.7", 1, None),
        ("192.0.2.7", 1, None),  # did not come by way of the proxy
        ("", 0, None),
        ("", 1, None),
        (" 2001:db8::1\t, 192.0.2.7", 1, "2001:db8::1"),
    ],
)
def test_the_entry_is_counted_from_the_right(header, hops, expected):
    assert forwarded(header, hops) == expected


def test_the_header_says_nothing_where_the_connection_is_asked_and_the_other_way_round():
    assert ForwardedAddress(trusted_hops=0)(request(peer_address="192.0.2.7")) is None
