"""A request's URI in one spelling, without query and fragment, so that two can be compared (RFC 3986 §6.2)."""

import re
import string

MAX_LENGTH = 16 * 1024
"""Characters; no request line that Envoy takes by default is longer than its 60 KiB of headers."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65535
_URI = re.compile(r"(?P<scheme>[A-Za-z]+)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?:[?#].*)?", re.DOTALL)
# No user name: nobody signs one, and `https://a@b` reads as two hosts.
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{0,5}))?")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")


def parsed(uri: str) -> str:
    """The one spelling of a URI.

    Raises:
        ValueError: not an absolute http or https URI, or one with a user name.
    """
    if len(uri) > MAX_LENGTH:
        raise ValueError("the URI is too long")
    parts = _URI.fullmatch(uri)
    if parts is None:
        raise ValueError("not an absolute URI")
    return composed(parts["scheme"], parts["authority"], parts["path"])


def composed(scheme: str, authority: str, path: str) -> str:
    """The one spelling of the URI with these parts; a query of the path is left out.

    Raises:
        ValueError: a scheme that is not http or https, an authority that is not a host with or without a port, or a
            path that does not begin at the root.
    """
    scheme = scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise ValueError("the scheme is not http or https")
    return f"{scheme}://{_authority(authority, _DEFAULT_PORTS[scheme])}{_path(path)}"


def _authority(authority: str, default_port: int) -> str:
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise ValueError("the authority is not a host with or without a port")
    # RFC 3986 §6.2.2.1 and §6.2.3: hosts know no case, and an empty or a default port is none.
    host, port = parts["host"].lower(), int(parts["port"] or default_port)
    if port > _MAX_PORT:
        raise ValueError("no such port")
    return host if port == default_port else f"{host}:{port}"


def _path(path: str) -> str:
    path = re.split(r"[?#]", path, maxsplit=1)[0]
    if path and not path.startswith("/"):
        raise ValueError("the path does not begin at the root")
    # Decoded first: RFC 3986 §6.2.2.2 makes `%2e` a dot before §6.2.2.3 looks for dots.
    return _without_dot_segments(_ENCODED.sub(_decoded_if_unreserved, path))


def _decoded_if_unreserved(triplet: re.Match[str]) -> str:
    character = chr(int(triplet[0][1:], 16))
    return character if character in _UNRESERVED else triplet[0].upper()


def _without_dot_segments(path: str) -> str:
    """RFC 3986 §5.2.4, for a path that begins with a slash or is empty."""
    segments, kept = path.split("/")[1:], list[str]()
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)
