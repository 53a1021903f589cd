"""Where a Redis is, and how it is spoken to; several sections of the settings have one."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.settings.values import RedisUrl, TcpAddress, Text


def _distinct(nodes: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(nodes)) < len(nodes):
        raise ValueError("names one of them twice")
    if any(int(node.rpartition(":")[2]) == 0 for node in nodes):
        raise ValueError("a port is a number from 1")
    return nodes


Nodes = Annotated[tuple[TcpAddress, ...], Field(min_length=1, max_length=100), AfterValidator(_distinct)]


class SentinelSettings(Strict):
    """A master that sentinels watch."""

    master: Text
    """The name under which they watch it."""
    nodes: Nodes
    """`host:port` of each sentinel."""
    username: Text | None = None
    """Of an ACL user of the sentinels themselves."""
    password: Text | None = None
    """Name of a secret; for the sentinels themselves, if they ask for one."""

    def contradictions(self) -> Iterator[Mistake]:
        """A name alone opens nothing."""
        if self.username is not None and self.password is None:
            yield Mistake(location=("username",), message="needs a `password`")


class ClusterSettings(Strict):
    """A cluster."""

    nodes: Nodes
    """`host:port` of some nodes, which know the others."""


class RedisTlsSettings(Strict):
    """TLS towards Redis, and its sentinels; files are relative to the settings file."""

    ca_file: Text | None = None
    """PEM; these authorities are trusted and no others. None: those of the system."""
    certificate_file: Text | None = None
    """PEM, with its chain: who we are."""
    key: Text | None = None
    """Name of a secret: the private key of the certificate, in PEM."""

    def contradictions(self) -> Iterator[Mistake]:
        """A certificate and its key, or neither."""
        if (self.certificate_file is None) != (self.key is None):
            yield Mistake(location=(), message="give both of `certificate_file` and `key`, or none")


class RedisSettings(Strict):
    """A Redis that all replicas share."""

    url: RedisUrl | None = None
    """Without user name and password: those are named apart, so that the URL can be logged."""
    sentinel: SentinelSettings | None = None
    """Instead of a `url`."""
    cluster: ClusterSettings | None = None
    """Instead of a `url`."""
    tls: RedisTlsSettings | None = None
    """With `sentinel` and `cluster` it is what switches TLS on; with a `url`, `rediss://` is."""
    username: Text | None = None
    """Of an ACL user."""
    password: Text | None = None
    """Name of a secret."""
    key_prefix: Annotated[str, Field(pattern=r"^[\x21-\x7e]{0,64}$")] = "extauthz:"
    """Every key begins with it."""
    timeout_seconds: Annotated[float, Field(gt=0, le=5)] = 0.1
    """A healthy Redis answers within a millisecond; longer, and asking the issuer is the better way."""

    def contradictions(self) -> Iterator[Mistake]:
        """One way to reach it, and TLS where it can be."""
        if sum(way is not None for way in (self.url, self.sentinel, self.cluster)) != 1:
            yield Mistake(location=(), message="give exactly one of `url`, `sentinel` and `cluster`")
        elif self.tls is not None and self.url is not None and not self.url.startswith("rediss://"):
            yield Mistake(location=("tls",), message="contradicts the `url`", hint="write `rediss://`")

    def secret_names(self) -> Sequence[str]:
        """Of the secrets that are needed to reach it."""
        sentinel = self.sentinel.password if self.sentinel else None
        key = self.tls.key if self.tls else None
        return [name for name in (self.password, sentinel, key) if name is not None]
