"""Addresses as settings write them."""

import pytest

from extauthz.model.host_port import address_here, host_and_port


@pytest.mark.parametrize(
    ("address", "host"), [("192.0.2.1:9191", "192.0.2.1"), ("[2001:db8::1]:9191", "2001:db8::1"), ("a.b:9191", "a.b")]
)
def test_host_and_port_are_told_apart(address, host):
    assert host_and_port(address) == (host, 9191)


@pytest.mark.parametrize(
    ("listen", "here"),
    [
        ("0.0.0.0:9191", "127.0.0.1:9191"),
        ("[::]:9191", "[::1]:9191"),
        ("192.0.2.1:9191", "192.0.2.1:9191"),
        ("unix:/run/extauthz.sock", "unix:/run/extauthz.sock"),
    ],
)
def test_who_listens_everywhere_is_reached_on_this_machine(listen, here):
    assert address_here(listen) == here
