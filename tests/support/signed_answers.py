"""Introspection answers that the simulated authorization server signs (RFC 9701)."""

import json
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from jwt import api_jws
from support.authorization_server import AuthorizationServer
from support.signing_keys import SigningKey

MEDIA_TYPE = "application/token-introspection+jwt"


def signed_answer(
    server: AuthorizationServer,
    content: Mapping[str, Any],
    *,
    audience: Any = "gateway",
    typ: str | None = "token-introspection+jwt",
    key: SigningKey | None = None,
    media_type: str = MEDIA_TYPE,
    **claims: Any,
) -> web.Response:
    """The answer for a resource server; a claim that is None is left out."""
    signer = key or server.signing_key
    payload = {"iss": server.issuer, "aud": audience, "iat": int(time.time()), "token_introspection": content, **claims}
    payload = {name: value for name, value in payload.items() if value is not None}
    header = {"typ": typ, "kid": signer.kid}
    token = api_jws.encode(json.dumps(payload).encode(), signer.private_key, algorithm=signer.alg, headers=header)
    return web.Response(text=token, content_type=media_type)
