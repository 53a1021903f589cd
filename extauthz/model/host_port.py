"""Addresses as settings write them: `host:port` or `[ipv6]:port`."""

_ALL_INTERFACES = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}


def host_and_port(address: str) -> tuple[str, int]:
    """Host, without brackets, and port.

    Raises:
        ValueError: no port.
    """
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def address_here(listen: str) -> str:
    """Where something is reached, on its own machine, that listens there; a Unix socket where it is."""
    host, colon, port = listen.rpartition(":")
    return f"{_ALL_INTERFACES.get(host, host)}{colon}{port}"
