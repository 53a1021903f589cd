"""One line a request, without anything that the client wrote."""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = structlog.get_logger(__name__)


class AccessLog:
    """ASGI middleware. It names the route instead of the path: a path or a query may hold a token or a secret."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and logs its end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        started = time.monotonic()

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        finally:
            route = getattr(scope.get("route"), "path", "(no route)")
            milliseconds = round(1000 * (time.monotonic() - started), 3)
            logger.info("answered", method=scope["method"], route=route, status=status, milliseconds=milliseconds)
