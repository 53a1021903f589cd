"""Asking the authorization server about a token (RFC 7662)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.token import Claims
from extauthz.oauth2 import strict_json
from extauthz.oauth2.bounded_http import AnswerTooLarge, BoundedHttp, ConnectionLost, HttpAnswer
from extauthz.oauth2.circuit_breaker import CircuitBreaker
from extauthz.oauth2.client_authentication import ClientAuthentication, ClientProof
from extauthz.oauth2.turns import Turns

MAX_ANSWER_BYTES = 256 * 1024

# The server does not understand this one token: who sends odd tokens must not open the circuit for everybody. Nor must
# who has an odd claim: an answer with status 200 that cannot be read is about its token as well.
_ABOUT_THE_TOKEN = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntrospectionResponse:
    """What the authorization server said."""

    active: bool
    claims: Claims = field(repr=False)
    """All members of the answer, types unchecked (see `oauth2/claims.py`); empty when inactive."""


class Answers(Protocol):
    """The form of answers that is asked for and believed."""

    @property
    def accept(self) -> str:
        """The Accept header."""
        ...

    async def read(self, answer: HttpAnswer) -> IntrospectionResponse:
        """What an answer with status 200 says.

        Raises:
            ValueError: it is not to be believed; the message quotes nothing of it.
            Unavailable: what is needed to check it could not be had.
        """
        ...


class PlainAnswers:
    """JSON (RFC 7662 §2.2)."""

    accept = "application/json"

    async def read(self, answer: HttpAnswer) -> IntrospectionResponse:
        """See `Answers`; the content type is not looked at, since the content says whether it is JSON."""
        try:
            return introspection_response(strict_json.parse_object(answer.body))
        except ValueError as exc:
            raise ValueError(f"not a JSON object: {type(exc).__name__}") from exc


class _TooLarge(Unavailable):
    """What the endpoint says about a token is too long; unlike an answer that the proof of who asks needed."""


class IntrospectionClient:
    """Asks one introspection endpoint. Must be closed.

    Every question ends within `timeout_seconds`, whatever it waits for: its turn among `max_concurrent`, the proof of
    who asks, a connection, the answer. An endpoint that fails again and again is left alone for a while.
    """

    def __init__(  # noqa: PLR0913 - what a question needs, each part made elsewhere
        self,
        endpoint: str,
        authentication: ClientAuthentication,
        http: BoundedHttp,
        breaker: CircuitBreaker,
        *,
        timeout_seconds: float = 2.0,
        max_concurrent: int = 100,
        answers: Answers | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._authentication = authentication
        self._http = http
        self._breaker = breaker
        self._timeout_seconds = timeout_seconds
        self._turns = Turns(max_concurrent)
        self._answers = answers or PlainAnswers()

    async def introspect(self, token: str) -> IntrospectionResponse:
        """Ask whether a token is active; nothing is cached.

        Raises:
            Denied: INVALID_TOKEN: the text cannot be a token (RFC 6749 §A.12), so nobody was asked.
            Unavailable: no answer in time, a status other than 200, or an answer that cannot be believed.
        """
        if not (token and token.isascii() and token.isprintable()):
            raise Denied(Reason.INVALID_TOKEN, "characters that no access token has")
        self._breaker.ensure_passable()
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        too_late = self._http.unavailable(self._endpoint, "too many questions at once")
        async with self._turns.turn(deadline, too_late):
            with self._breaker.attempt():
                response = await self._answered(token, deadline)
        if isinstance(response, Unavailable):
            raise response
        return response

    async def close(self) -> None:
        """Ends what runs in the background."""
        await self._authentication.close()

    async def _answered(self, token: str, deadline: float) -> IntrospectionResponse | Unavailable:
        """What the answer says. Returned, not raised: a failure that is about this token, not of the endpoint."""
        try:
            async with asyncio.timeout_at(deadline):
                answer = await self._ask(token)
                if answer.status in _ABOUT_THE_TOKEN:
                    return self._http.unavailable(self._endpoint, f"HTTP status {answer.status}")
                self._http.require_ok(self._endpoint, answer)
                return await self._read(answer)
        except _TooLarge as exc:
            return exc
        except TimeoutError as exc:
            raise self._http.unavailable(self._endpoint, f"no answer within {self._timeout_seconds} s") from exc

    async def _read(self, answer: HttpAnswer) -> IntrospectionResponse | Unavailable:
        try:
            return await self._answers.read(answer)
        except ValueError as exc:
            return self._http.unavailable(self._endpoint, str(exc))

    async def _ask(self, token: str) -> HttpAnswer:
        proof, answer = await self._ask_over_a_good_connection(token)
        if answer.status != HTTPStatus.UNAUTHORIZED or proof.discard is None:
            return answer
        # Our own token may have been revoked: once more with a new one, and not again.
        proof.discard()
        _, answer = await self._ask_over_a_good_connection(token)
        return answer

    async def _ask_over_a_good_connection(self, token: str) -> tuple[ClientProof, HttpAnswer]:
        proof = await self._authentication.prove(self._endpoint)
        try:
            return proof, await self._send(token, proof)
        except ConnectionLost:
            # A question changes nothing, so it may be asked again; with a new proof, which may be good only once.
            proof = await self._authentication.prove(self._endpoint)
            return proof, await self._send(token, proof)

    async def _send(self, token: str, proof: ClientProof) -> HttpAnswer:
        form = {"token": token, "token_type_hint": "access_token", **proof.form}
        headers = {"Accept": self._answers.accept, **proof.headers}
        try:
            return await self._http.post_form(self._endpoint, form, headers)
        except AnswerTooLarge as exc:
            raise _TooLarge(exc.component, exc.detail) from exc


def introspection_response(answer: Mapping[str, Any]) -> IntrospectionResponse:
    """Read the members of an answer."""
    # RFC 7662 §2.2: `active` is a boolean. Anything but true is inactive: "true" and 1 are somebody's mistake.
    if answer.get("active") is not True:
        return IntrospectionResponse(active=False, claims=Claims({}))
    return IntrospectionResponse(active=True, claims=Claims(dict(answer)))
