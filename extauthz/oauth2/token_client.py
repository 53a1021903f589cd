"""Asking a token endpoint for a token of this service's own (RFC 6749 §4, §5, §6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.oauth2 import strict_json
from extauthz.oauth2.bounded_http import BoundedHttp, HttpAnswer
from extauthz.oauth2.client_authentication import ClientAuthentication, is_bearer_token

COMPONENT = "token_endpoint"
MAX_ANSWER_BYTES = 64 * 1024

UNSTATED_LIFETIME_SECONDS = 60.0
"""Of a token without `expires_in` (RFC 6749 §5.1: only recommended): short, and a 401 renews it earlier still."""
RENEW_AHEAD_SECONDS = 30.0
"""How long before its end a token is renewed; never more than a tenth of its lifetime."""

# RFC 6749 §5.2; nothing else that the other side writes gets into a log.
_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)


class InvalidGrant(Unavailable):
    """The password or refresh token is not accepted, or not any more (RFC 6749 §5.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A bearer token of this service's own."""

    access_token: str = field(repr=False)
    renew_at: float
    """Seconds since the epoch; shortly before it expires."""
    expires_at: float
    """Seconds since the epoch; until then it serves while no new one can be had."""
    refresh_token: str | None = field(default=None, repr=False)


class TokenClient:
    """Asks one token endpoint as one client. Nothing is asked twice: a refresh token may be good for one time only."""

    def __init__(
        self,
        endpoint: str,
        authentication: ClientAuthentication,
        http: BoundedHttp,
        clock: Clock,
        *,
        scopes: frozenset[str] = frozenset(),
    ) -> None:
        self._endpoint = endpoint
        self._authentication = authentication
        self._http = http
        self._clock = clock
        self._scope = {"scope": " ".join(sorted(scopes))} if scopes else {}

    async def request(self, grant: Mapping[str, str]) -> IssuedToken:
        """The token for a grant: `grant_type` and what goes with it.

        Raises:
            InvalidGrant: see there.
            Unavailable: no answer, a refusal, or an answer without a usable bearer token.
        """
        # Before the request: the token's time runs from when the server made it.
        requested_at = self._clock()
        proof = await self._authentication.prove(self._endpoint)
        form = {**grant, **self._scope, **proof.form}
        answer = await self._http.post_form(self._endpoint, form, proof.headers)
        if answer.status != HTTPStatus.OK:
            raise self._refusal(answer)
        try:
            return issued_token(answer.body, requested_at)
        except ValueError as exc:
            raise self._http.unavailable(self._endpoint, str(exc)) from exc

    def _refusal(self, answer: HttpAnswer) -> Unavailable:
        error = _error(answer.body)
        refusal = self._http.unavailable(self._endpoint, error or f"HTTP status {answer.status}")
        return InvalidGrant(refusal.component, refusal.detail) if error == "invalid_grant" else refusal


def issued_token(document: bytes, requested_at: float) -> IssuedToken:
    """Read a successful answer (RFC 6749 §5.1).

    Raises:
        ValueError: not a JSON object, or without a usable bearer token; the message quotes nothing.
    """
    try:
        answer = strict_json.parse_object(document)
    except ValueError as exc:
        raise ValueError("not a JSON object") from exc
    token, kind, refresh_token = (answer.get(name) for name in ("access_token", "token_type", "refresh_token"))
    if not isinstance(token, str) or not is_bearer_token(token):
        raise ValueError("no usable `access_token`")
    # RFC 6749 §7.1: a token of an unknown type must not be used; the names of types have no case (§5.1).
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise ValueError("`token_type` is not Bearer")
    lifetime = _lifetime(answer.get("expires_in"))
    return IssuedToken(
        access_token=token,
        renew_at=requested_at + lifetime - min(RENEW_AHEAD_SECONDS, lifetime / 10),
        expires_at=requested_at + lifetime,
        refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else None,
    )


def _lifetime(expires_in: Any) -> float:
    if expires_in is None:
        return UNSTATED_LIFETIME_SECONDS
    # A string of digits is against the RFC, and usual with some servers.
    if isinstance(expires_in, str) and expires_in.isascii() and expires_in.isdigit():
        return float(expires_in)
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float) or expires_in < 0:
        raise ValueError("`expires_in` is not a number of seconds")
    return float(expires_in)


def _error(document: bytes) -> str | None:
    try:
        error = strict_json.parse_object(document).get("error")
    except ValueError:
        return None
    return error if isinstance(error, str) and error in _ERRORS else None
