"""Words, names and URLs as the catalog's YAML has them."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,127}$")]
Text = Annotated[str, Field(min_length=1, max_length=1024)]


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
