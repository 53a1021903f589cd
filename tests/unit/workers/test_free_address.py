"""What several workers share, nobody else has."""

import socket

import pytest

from extauthz.cli.demo.programs import free_port
from extauthz.workers.free_address import ensure_free


def test_a_free_port_stays_free():
    port = free_port()
    ensure_free([("127.0.0.1", port)])
    with socket.create_server(("127.0.0.1", port), reuse_port=True):
        pass


def test_a_port_that_would_be_shared_is_in_use():
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other:
        port = other.getsockname()[1]
        for host in ("127.0.0.1", "0.0.0.0", "localhost"):
            with pytest.raises(OSError, match=f"cannot listen on {host}:{port}"):
                ensure_free([(host, port)])


def test_two_servers_of_ours_cannot_have_the_same():
    port = free_port()
    with pytest.raises(OSError, match="cannot listen on"):
        ensure_free([("127.0.0.1", port), ("127.0.0.1", port)])


def test_the_connections_of_a_former_service_are_no_bar():
    """They linger for a minute on the side that closed first."""
    with socket.create_server(("127.0.0.1", 0)) as former:
        address = former.getsockname()
        with socket.create_connection(address) as client:
            former.accept()[0].close()
            assert client.recv(1) == b""
    ensure_free([address])


def test_a_name_that_nobody_knows_is_no_address():
    with pytest.raises(OSError, match=r"cannot listen on no\.such\.host\.invalid:9191"):
        ensure_free([("no.such.host.invalid", 9191)])


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return socket.has_dualstack_ipv6()
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")


@needs_ipv6
@pytest.mark.parametrize("other", ["0.0.0.0", "::", "127.0.0.1", "::1", "localhost"])
@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::"])
def test_a_wildcard_is_all_addresses_of_both_kinds(wildcard, other):
    """gRPC listens on both with either, and each could be shared with another server of ours."""
    port = free_port()
    for addresses in ([wildcard, other], [other, wildcard]):
        with pytest.raises(OSError, match="cannot listen on"):
            ensure_free([(host, port) for host in addresses])
    ensure_free([(wildcard, port)])


@needs_ipv6
@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::"])
@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")])
def test_a_wildcard_that_is_taken_for_one_kind_is_in_use(wildcard, family, host):
    with socket.create_server((host, 0), family=family, reuse_port=True) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on {wildcard}:{port}"):
            ensure_free([(wildcard, port)])


@needs_ipv6
def test_different_ports_and_addresses_have_nothing_in_common():
    first, second = free_port(), free_port()
    ensure_free([("0.0.0.0", first), ("::", second)])
    ensure_free([("127.0.0.1", first), ("::1", first)])
