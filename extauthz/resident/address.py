"""Where the key manager listens, and the URL by which the world names it."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
"""Plain segments only: the path becomes part of every route, so it must mean the same to everyone who reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A TCP address to listen on; port 0 lets the system choose."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """The address in `host:port` or `[ipv6]:port`.

        Raises:
            ValueError: the text has another form.
        """
        parts = urlsplit(f"//{text}")
        if not parts.hostname or parts.port is None or parts.netloc != text or parts.username is not None:
            raise ValueError("must be host:port")
        return cls(host=parts.hostname, port=parts.port)

    @property
    def is_loopback(self) -> bool:
        """Whether only this host can reach it."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this host itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def issuer_identifier(text: str) -> str:
    """An issuer identifier (RFC 8414 §2), unchanged: it is compared letter by letter.

    Raises:
        ValueError: it is no https URL (plain http is for loopback only), or has parts that an issuer has not.
    """
    parts = urlsplit(text)
    if not parts.hostname or parts.scheme not in {"https", "http"}:
        raise ValueError("must be an https URL")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must use https: plain http is for loopback only")
    _check_parts(text, parts)
    return text


def _check_parts(text: str, parts: SplitResult) -> None:
    if "?" in text or "#" in text or "@" in parts.netloc:
        raise ValueError("must have no user, query or fragment")
    if parts.path.endswith("/"):
        raise ValueError("must not end with a slash")
    if not _PATH.fullmatch(parts.path):
        raise ValueError("has a path with empty, dotted or escaped segments")
    if parts.port == 0:
        raise ValueError("has no usable port")
