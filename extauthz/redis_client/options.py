"""Where a Redis is, and how it is used."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

Address = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleServer:
    """One server, at one address."""

    url: str
    """`redis://`, `rediss://` or `unix://`, without user name and password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelServers:
    """A master that sentinels watch; they say which server it is."""

    master: str
    """The name under which they watch it."""
    nodes: Sequence[Address]
    """Sentinels."""
    username: str | None = None
    """For the sentinels themselves."""
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterServers:
    """A cluster; each key lies on one of its primaries."""

    nodes: Sequence[Address]
    """Some that know the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisOptions:
    """Where a Redis is, who we are there, and how long we wait."""

    servers: SingleServer | SentinelServers | ClusterServers
    username: str | None = None
    """Of an ACL user; None: the default user."""
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    """Whom we trust and who we are, towards sentinels as well; None: no TLS, but for `rediss://` the usual."""
    prefix: str = "extauthz:"
    """Of every key, so that one server can serve several meshes."""
    timeout_seconds: float = 2.0
    """Of one command, with all that it takes to find the right server."""
    connections: int = 8
    """Commands at one time; those above wait. One that waits for news holds a connection all the while."""
