"""Asking the authorization server about a token (RFC 7662)."""

from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from extauthz.model.errors import Denied, Reason
from extauthz.model.token import Claims
from extauthz.oauth2 import strict_json
from extauthz.oauth2.bounded_http import BoundedHttp, HttpLimits
from extauthz.oauth2.client_authentication import ClientProof

MAX_ANSWER_BYTES = 256 * 1024


class ClientAuthentication(Protocol):
    """Proves to an authorization server who is asking.

    A proof may be a header (Basic, a bearer token), form parameters (`client_assertion`, RFC 7523 §2.2), or nothing at
    all where the TLS connection is the proof (RFC 8705 §2).
    """

    async def prove(self, endpoint: str) -> ClientProof:
        """What a request to this endpoint must carry.

        Raises:
            Unavailable: the proof itself could not be had.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IntrospectionResponse:
    """What the authorization server said."""

    active: bool
    claims: Claims = field(repr=False)
    """All members of the answer, types unchecked (see `oauth2/claims.py`); empty when inactive."""


class IntrospectionClient:
    """Asks one introspection endpoint."""

    def __init__(
        self,
        endpoint: str,
        authentication: ClientAuthentication,
        session: aiohttp.ClientSession,
        *,
        timeout_seconds: float = 2.0,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self._endpoint = endpoint
        self._authentication = authentication
        # A question changes nothing, so it may be asked again when a kept connection turns out to be dead.
        limits = HttpLimits(timeout_seconds=timeout_seconds, max_bytes=max_answer_bytes, connection_retries=1)
        self._http = BoundedHttp(session, component="introspection", limits=limits)

    async def introspect(self, token: str) -> IntrospectionResponse:
        """Ask whether a token is active; nothing is cached.

        Raises:
            Denied: INVALID_TOKEN: the text cannot be a token (RFC 6749 §A.12), so nobody was asked.
            Unavailable: no answer, an HTTP status other than 200, or an answer that is not a JSON object.
        """
        if not (token and token.isascii() and token.isprintable()):
            raise Denied(Reason.INVALID_TOKEN, "characters that no access token has")
        proof = await self._authentication.prove(self._endpoint)
        form = {"token": token, "token_type_hint": "access_token", **proof.form}
        answer = await self._http.post_form(self._endpoint, form, proof.headers)
        try:
            return introspection_response(answer)
        except ValueError as exc:
            raise self._http.unavailable(self._endpoint, f"not a JSON object: {type(exc).__name__}") from exc


def introspection_response(document: bytes) -> IntrospectionResponse:
    """Read an answer.

    Raises:
        ValueError: not a JSON object.
    """
    answer = strict_json.parse_object(document)
    # RFC 7662 §2.2: `active` is a boolean. Anything but true is inactive: "true" and 1 are somebody's mistake.
    if answer.get("active") is not True:
        return IntrospectionResponse(active=False, claims=Claims({}))
    return IntrospectionResponse(active=True, claims=Claims(answer))
