"""Asking the authorization server about a token's user (OpenID Connect Core 1.0 §5.3)."""

import asyncio
from http import HTTPStatus

from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.token import Claims
from extauthz.oauth2 import strict_json
from extauthz.oauth2.bounded_http import AnswerTooLarge, BoundedHttp, ConnectionLost, HttpAnswer
from extauthz.oauth2.circuit_breaker import CircuitBreaker
from extauthz.oauth2.turns import Turns

COMPONENT = "userinfo"
MAX_ANSWER_BYTES = 32 * 1024
"""More would not fit into a header."""

# About this one token or client: the endpoint works, and must not be left alone for everybody.
_ABOUT_THE_TOKEN = frozenset({HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_OPENID = "openid"


class UserinfoClient:
    """Asks one userinfo endpoint, with the token of the user who is asked about.

    Every question ends within `timeout_seconds`, whatever it waits for: its turn among `max_concurrent`, a connection,
    the answer. An endpoint that fails again and again is left alone for a while.
    """

    def __init__(
        self,
        endpoint: str,
        http: BoundedHttp,
        breaker: CircuitBreaker,
        *,
        timeout_seconds: float = 2.0,
        max_concurrent: int = 100,
    ) -> None:
        self._endpoint = endpoint
        self._http = http
        self._breaker = breaker
        self._timeout_seconds = timeout_seconds
        self._turns = Turns(max_concurrent)

    async def claims(self, token: str, subject: str) -> Claims:
        """What the endpoint says about the token's user, who must be `subject`; nothing is cached.

        Raises:
            Denied: token_inactive, insufficient_scope: the endpoint refuses the token; invalid_token: it speaks of
                another user.
            Unavailable: no answer in time, or not one that can be believed.
        """
        self._breaker.ensure_passable()
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        too_late = self._http.unavailable(self._endpoint, "too many questions at once")
        async with self._turns.turn(deadline, too_late):
            with self._breaker.attempt():
                answer = await self._answered(token, deadline)
        if isinstance(answer, Unavailable):
            raise answer
        return self._read(answer, subject)

    async def _answered(self, token: str, deadline: float) -> HttpAnswer | Unavailable:
        """The answer. Returned, not raised: a failure that is about this user, not of the endpoint."""
        try:
            async with asyncio.timeout_at(deadline):
                answer = await self._ask(token)
        except AnswerTooLarge as exc:
            return exc
        except TimeoutError as exc:
            raise self._http.unavailable(self._endpoint, f"no answer within {self._timeout_seconds} s") from exc
        if answer.status not in _ABOUT_THE_TOKEN:
            self._http.require_ok(self._endpoint, answer)
        return answer

    async def _ask(self, token: str) -> HttpAnswer:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            return await self._http.get(self._endpoint, headers)
        except ConnectionLost:
            # A question changes nothing, so it may be asked again.
            return await self._http.get(self._endpoint, headers)

    def _read(self, answer: HttpAnswer, subject: str) -> Claims:
        # §5.3.3 and RFC 6750 §3.1.
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise Denied(Reason.TOKEN_INACTIVE, "the userinfo endpoint of its key manager refuses it")
        if answer.status == HTTPStatus.FORBIDDEN:
            detail = "the userinfo endpoint of its key manager wants a scope that it has not"
            raise Denied(Reason.INSUFFICIENT_SCOPE, detail, scopes=frozenset({_OPENID}))
        claims = self._members(self._http.require_ok(self._endpoint, answer), answer.content_type)
        # §5.3.2: without an equal `sub` nothing of it may be used; it could be about anybody.
        if claims.get("sub") != subject:
            raise Denied(Reason.INVALID_TOKEN, "the userinfo endpoint of its key manager speaks of another user")
        return claims

    def _members(self, body: bytes, content_type: str) -> Claims:
        if content_type == "application/jwt":
            detail = "the answer is a JWT, which is not read here: register the client for plain JSON"
            raise self._http.unavailable(self._endpoint, detail)
        if content_type != "application/json":
            raise self._http.unavailable(self._endpoint, "the answer is not application/json")
        try:
            return Claims(strict_json.parse_object(body))
        except ValueError as exc:
            raise self._http.unavailable(self._endpoint, f"not a JSON object: {type(exc).__name__}") from exc
