"""The token endpoint of a simulated authorization server: tokens that expire, refresh tokens that are good once."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web
from support.client_checks import ClientCheck, basic

EXPIRED = -1.0


class OwnTokens:
    """Issues tokens to the gateway (RFC 6749 §4.3, §4.4, §6) and knows which ones are good."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends: dict[str, float] = {}
        self.client: ClientCheck = basic("gateway-client", "gateway-secret")
        self.username, self.password = "gateway-user", "gateway-password"
        self.lifetime: Any = 3600
        """`expires_in` of new tokens; None: not said, and an hour."""
        self.gives_refresh_tokens = False
        self.refresh_tokens: set[str] = set()
        """The good ones."""
        self.requests: list[dict[str, str]] = []
        """The forms that were sent, in order."""
        self.override: web.Response | None = None
        """Answered instead, once."""

    @property
    def grants(self) -> list[str]:
        """The grants that were used, in order."""
        return [request.get("grant_type", "") for request in self.requests]

    def issue(self) -> str:
        """A good token that nobody asked for."""
        token = f"own-{uuid.uuid4().hex}"
        self._ends[token] = self._clock() + (3600 if self.lifetime is None else float(self.lifetime))
        return token

    def revoke_all(self) -> None:
        """No access token is good any more."""
        self._ends.clear()

    def check(self, request: web.Request, _form: Mapping[str, str]) -> bool:
        """For the introspection endpoint: whether a request has a good token."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return scheme == "Bearer" and self._ends.get(token, EXPIRED) > self._clock()

    async def answer(self, request: web.Request) -> web.Response:
        """What the token endpoint answers."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.requests.append(form)
        override, self.override = self.override, None
        if override is not None:
            return override
        if not self.client(request, form):
            return web.json_response({"error": "invalid_client"}, status=401)
        if not self._is_good(form):
            return web.json_response({"error": "invalid_grant", "error_description": "no"}, status=400)
        return web.json_response(self._issued())

    def _is_good(self, form: Mapping[str, str]) -> bool:
        match form.get("grant_type"):
            case "client_credentials":
                return True
            case "password":
                return (form.get("username"), form.get("password")) == (self.username, self.password)
            case "refresh_token":
                good = form.get("refresh_token", "") in self.refresh_tokens
                # A refresh token is good once: whoever keeps the old one is found out.
                self.refresh_tokens.discard(form.get("refresh_token", ""))
                return good
            case _:
                return False

    def _issued(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"access_token": self.issue(), "token_type": "Bearer"}
        if self.lifetime is not None:
            answer["expires_in"] = self.lifetime
        if self.gives_refresh_tokens:
            answer["refresh_token"] = f"refresh-{uuid.uuid4().hex}"
            self.refresh_tokens.add(answer["refresh_token"])
        return answer
