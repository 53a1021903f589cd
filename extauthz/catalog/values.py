"""Words, names and URLs as the catalog's YAML has them."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from extauthz.document.mistakes import Location, Mistake

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})

Name = Annotated[str, Field(min_length=1, max_length=128)]
"""Of a secret in the settings."""
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,127}$")]
Text = Annotated[str, Field(min_length=1, max_length=1024)]
Pem = Annotated[str, Field(min_length=1, max_length=65_536)]
Scope = Annotated[str, Field(pattern=r"^[\x21\x23-\x5B\x5D-\x7E]+$")]
"""RFC 6749 §3.3."""


def _is_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.fragment:
        raise ValueError("must be an http or https URL without user name and fragment")
    return value


Url = Annotated[str, AfterValidator(_is_url)]


def is_plain_http(url: str) -> bool:
    """Whether what goes to a URL could be read and changed beyond this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS


def not_allowed(location: Location, given: frozenset[str], allowed: frozenset[str]) -> Iterator[Mistake]:
    """What must not be in a list of algorithms, and that it is empty."""
    if not given:
        yield Mistake(location=location, message="must name at least one")
    for name in sorted(given - allowed):
        yield Mistake(
            location=location, message=f"`{name}` cannot be allowed", hint=f"allowed are {', '.join(sorted(allowed))}"
        )
