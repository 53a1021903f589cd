"""Whether an address is free that workers are to share."""

import errno
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from contextlib import ExitStack


def ensure_free(addresses: Sequence[tuple[str, int]]) -> None:
    """Listens on all of these hosts and ports for a moment, as somebody who shares with nobody.

    The workers would share each of them: also with another service of ours, and two of these addresses with each other.

    Raises:
        OSError: one is in use, or there twice.
    """
    with ExitStack() as stack:
        for host, port in addresses:
            for family, place in _places(host, port):
                _listen(stack, family, place, f"cannot listen on {host}:{port}")


def _places(host: str, port: int) -> Iterable[tuple[int, tuple[object, ...]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
    places = {(family, place) for family, _, _, _, place in found}
    if any(ipaddress.ip_address(str(place[0])).is_unspecified for _, place in places):
        # gRPC takes IPv4 and IPv6 at either wildcard.
        both = socket.has_dualstack_ipv6()
        return [(socket.AF_INET6, ("::", port)) if both else (socket.AF_INET, ("0.0.0.0", port))]
    return places


def _listen(stack: ExitStack, family: int, place: tuple[object, ...], said: str) -> None:
    try:
        listener = stack.enter_context(socket.socket(family))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a former service are no bar
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, place[0] != "::")
        listener.bind(place)
        listener.listen()
    except OSError as error:
        # Of everything else a worker tells: a name may have addresses of which one is enough.
        if error.errno == errno.EADDRINUSE:
            raise OSError(error.errno, f"{said}: {error.strerror}") from error
