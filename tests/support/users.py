"""The users of a simulated issuer, as its userinfo endpoint tells about them (OpenID Connect Core §5.3)."""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web


class Users:
    """Answers those who show a current bearer token with the scope `openid`."""

    def __init__(self, introspected: Callable[[str], Mapping[str, Any]]) -> None:
        self._introspected = introspected
        self.claims: dict[str, dict[str, Any]] = {}
        """By subject: what is said beside `sub`."""
        self.form: Callable[[dict[str, Any]], web.Response] = web.json_response
        """The form of answers."""
        self.questions: list[Mapping[str, str]] = []
        """Headers of each request that was looked at."""

    async def answer(self, request: web.Request) -> web.Response:
        """What the endpoint says."""
        self.questions.append(request.headers)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        known = self._introspected(token)
        if scheme != "Bearer" or not known["active"]:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if "openid" not in known.get("scope", "").split():
            return web.Response(status=403, headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'})
        return self.form({"sub": known["sub"], **self.claims.get(known["sub"], {})})
