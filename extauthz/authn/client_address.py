"""The address of the client: of Envoy's own connection, or as the proxies before Envoy saw it."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Protocol

from extauthz.model.check import RequestContext

Address = IPv4Address | IPv6Address
FORWARDED_FOR = "x-forwarded-for"
_MAX_LENGTH = 64
"""Characters; an address with its port has 47 at most."""
_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")


class ClientAddress(Protocol):
    """Where the client's address is found."""

    def __call__(self, request: RequestContext, /) -> Address | None:
        """The address; None: nobody who is trusted says it."""
        ...


def peer_address(request: RequestContext) -> Address | None:
    """`attributes.source.address`: of the connection to Envoy."""
    return _address(request.peer_address)


class ForwardedAddress:
    """The entry of `x-forwarded-for` that the outermost trusted proxy wrote.

    Each proxy appends the address that it was called from, so only what stands at the right is not the client's choice.
    """

    def __init__(self, *, trusted_hops: int) -> None:
        self._place = trusted_hops + 1

    def __call__(self, request: RequestContext, /) -> Address | None:
        """See `ClientAddress`."""
        entries = request.headers.get(FORWARDED_FOR).rsplit(",", self._place)[-self._place :]
        # Fewer entries than proxies: this request did not come by way of all of them.
        return _address(entries[0].strip(" \t")) if len(entries) == self._place else None


def _address(text: str) -> Address | None:
    """An address with or without a port; one of IPv4 in an IPv6 socket is the one of IPv4."""
    if len(text) > _MAX_LENGTH:
        return None
    with_port = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(text if with_port is None else with_port[1] or with_port[2])
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    # A zone is a name on somebody's machine: as good as no address.
    return None if address.scope_id else address.ipv4_mapped or address
