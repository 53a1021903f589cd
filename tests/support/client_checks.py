"""How a simulated authorization server finds out who asks, as strictly as a real one."""

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_plus

import jwt
from aiohttp import web
from support.signing_keys import PrivateKey

Form = Mapping[str, str]
ClientCheck = Callable[[web.Request, Form], bool]
"""Whether a request proves to be of the client that is expected."""

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def basic(username: str, password: str) -> ClientCheck:
    """HTTP Basic, and no secret elsewhere (RFC 6749 §2.3: one way at a time)."""
    return lambda request, form: (
        basic_credentials(request) == (username, password) and not {"client_secret", "client_assertion"} & form.keys()
    )


def post(client_id: str, client_secret: str) -> ClientCheck:
    """Credentials in the form, and none in the header."""
    return lambda request, form: (
        "Authorization" not in request.headers
        and (form.get("client_id"), form.get("client_secret")) == (client_id, client_secret)
    )


def public(client_id: str) -> ClientCheck:
    """No credentials at all."""
    return lambda request, form: (
        "Authorization" not in request.headers and form.get("client_id") == client_id and "client_secret" not in form
    )


def mutual_tls(client_id: str, common_name: str) -> ClientCheck:
    """A certificate of this name, which the TLS handshake has verified (RFC 8705 §2.1), and `client_id`."""

    def check(request: web.Request, form: Form) -> bool:
        certificate: Any = request.transport and request.transport.get_extra_info("peercert")
        names = {value for part in (certificate or {}).get("subject", ()) for name, value in part}
        return common_name in names and public(client_id)(request, form)

    return check


class PrivateKeyJwt:
    """A signed assertion, good for one request (RFC 7523 §3)."""

    def __init__(self, *, key: PrivateKey, alg: str, client_id: str, audience: str) -> None:
        self._key = key.public_key()
        self._alg = alg
        self._client_id = client_id
        self._audience = audience
        self.assertions: list[dict[str, Any]] = []
        """Header and claims of each one, in order."""

    def __call__(self, request: web.Request, form: Form) -> bool:
        if form.get("client_assertion_type") != ASSERTION_TYPE or "Authorization" in request.headers:
            return False
        try:
            assertion = jwt.decode_complete(
                form.get("client_assertion", ""),
                self._key,
                algorithms=[self._alg],
                audience=self._audience,
                issuer=self._client_id,
                options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"]},
            )
        except jwt.InvalidTokenError:
            return False
        claims = assertion["payload"]
        seen = {earlier["payload"]["jti"] for earlier in self.assertions}
        self.assertions.append({"header": assertion["header"], "payload": claims})
        return claims["sub"] == self._client_id and claims["jti"] not in seen and claims["exp"] <= time.time() + 300


def basic_credentials(request: web.Request) -> tuple[str, str] | None:
    """RFC 6749 §2.3.1: both halves are form-encoded."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    try:
        username, _, password = base64.b64decode(credentials, validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (unquote_plus(username), unquote_plus(password)) if scheme == "Basic" else None
