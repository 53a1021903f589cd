"""How a client proves that it is the client (RFC 6749 §2.3.1)."""

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from extauthz.resident.client import Client
from extauthz.resident.form import FormRequest

METHODS = ("client_secret_basic", "client_secret_post")

_REALM = "extauthz"
_NOBODY = Client(client_id="", secret_digest=hashlib.sha256().digest(), token_endpoint_auth_method="")
"""Stands for every unknown client, so that it costs the same comparisons as a known one, and never matches."""


class ClientNotAuthenticated(InvalidClientError):  # type: ignore[misc]  # noqa: N818 - Authlib is untyped; RFC word
    """One answer for an unknown client, a wrong secret and a wrong method: which it was is nobody's business."""

    def __init__(self) -> None:
        super().__init__(status_code=401, description="Client authentication failed.")

    def get_headers(self) -> list[tuple[str, str]]:
        """RFC 6749 §5.2: the challenge names the scheme; RFC 7617 §2: with a realm."""
        return [*default_json_headers, ("WWW-Authenticate", f'Basic realm="{_REALM}", charset="UTF-8"')]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Presented:
    method: str
    client_id: str
    secrets: tuple[str, ...] = field(repr=False)
    """The readings of what was sent, any of which may be the secret."""


def authenticate_client(request: FormRequest, query_client: Callable[[str], Client | None]) -> tuple[Client, str]:
    """The client that sent a request, and the method by which it proved so.

    Raises:
        InvalidRequestError: the request uses two methods at once (RFC 6749 §2.3).
        ClientNotAuthenticated: it proves nothing.
    """
    presented = _presented(request)
    client = query_client(presented.client_id) or _NOBODY
    # Every reading is compared, whichever is right.
    matches = [client.check_client_secret(secret) for secret in presented.secrets]
    if client is _NOBODY or not any(matches) or not client.check_endpoint_auth_method(presented.method, "token"):
        raise ClientNotAuthenticated
    return client, presented.method


def _presented(request: FormRequest) -> _Presented:
    authorization = request.headers.getlist("authorization")
    if not authorization:
        return _in_form(request)
    if len(authorization) > 1 or "client_secret" in request.form:
        raise InvalidRequestError(description="The request authenticates the client in more than one way.")
    presented = _in_header(authorization[0])
    if request.form.get("client_id", presented.client_id) != presented.client_id:
        raise InvalidRequestError(description="The request names two clients.")
    return presented


def _in_form(request: FormRequest) -> _Presented:
    client_id, secret = request.form.get("client_id"), request.form.get("client_secret")
    if not client_id or not secret:
        raise ClientNotAuthenticated
    return _Presented(method="client_secret_post", client_id=client_id, secrets=(secret,))


def _in_header(authorization: str) -> _Presented:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise ClientNotAuthenticated
    try:
        text = base64.b64decode(credentials.strip(" "), validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise ClientNotAuthenticated from exc
    client_id, _, secret = text.partition(":")
    # RFC 6749 §2.3.1 has both form-encoded before they are joined, and many clients do not do it. A client identifier
    # has no letter that this would change; the secret is tried in both readings.
    return _Presented(
        method="client_secret_basic", client_id=unquote_plus(client_id), secrets=(unquote_plus(secret), secret)
    )
