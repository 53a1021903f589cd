"""Where an issuer's keys are, by its metadata (OpenID Connect Discovery 1.0 §4, RFC 8414 §3)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from extauthz.oauth2 import strict_json
from extauthz.oauth2.bounded_http import BoundedHttp

MAX_METADATA_BYTES = 256 * 1024

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


async def discovered_jwks_uri(issuer: str, http: BoundedHttp) -> str:
    """The `jwks_uri` that an issuer's metadata names.

    The OpenID Connect place is asked first, that of RFC 8414 where the first answers that there is nothing.

    Raises:
        ValueError: the issuer is not a URL, the metadata are another issuer's, or they name no usable `jwks_uri`.
        Unavailable: neither place answers with metadata.
    """
    first, second = metadata_urls(issuer)
    place, answer = first, await http.get(first)
    if HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        place, answer = second, await http.get(second)
    return _jwks_uri(_metadata(http.require_ok(place, answer)), issuer)


def metadata_urls(issuer: str) -> tuple[str, str]:
    """Where the metadata of an issuer are: appended to it (OpenID), and put between host and path (RFC 8414 §3.1).

    Raises:
        ValueError: not an http or https URL without query and fragment.
    """
    parts = urlsplit(issuer)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or "?" in issuer or "#" in issuer:
        raise ValueError("discovery needs an issuer that is a URL, without user name, query and fragment")
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return (
        f"{origin}{path}/.well-known/openid-configuration",
        f"{origin}/.well-known/oauth-authorization-server{path}",
    )


def _metadata(document: bytes) -> Mapping[str, Any]:
    try:
        return strict_json.parse_object(document)
    except ValueError as exc:
        raise ValueError("the issuer's metadata are not a JSON object") from exc


def _jwks_uri(metadata: Mapping[str, Any], issuer: str) -> str:
    # OpenID Connect Discovery 1.0 §4.3, RFC 8414 §3.3: exactly, or one issuer could speak for another.
    if metadata.get("issuer") != issuer:
        raise ValueError("the metadata found there are of another issuer")
    jwks_uri = metadata.get("jwks_uri")
    if not isinstance(jwks_uri, str):
        raise ValueError("the issuer's metadata name no `jwks_uri`")  # noqa: TRY004 - a bad document
    if not _is_safe(jwks_uri, urlsplit(issuer).hostname in _LOOPBACK):
        raise ValueError("the `jwks_uri` of the issuer's metadata is neither https nor beside it on this machine")
    return jwks_uri


def _is_safe(url: str, issuer_is_here: bool) -> bool:  # noqa: FBT001 - private, said once
    """Keys that anybody on the way could exchange are worth nothing; and no issuer elsewhere sends us to ourselves."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (issuer_is_here and parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )
