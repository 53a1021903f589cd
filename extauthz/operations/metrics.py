"""`/metrics` for Prometheus."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MetricsPage = Callable[[str], Awaitable[tuple[bytes, str]]]
"""The page and its media type, for the value of an Accept header."""


def metrics_route(page: MetricsPage) -> Route:
    """The route; whoever reaches the operations port may read it."""

    async def metrics(request: Request) -> Response:
        content, media_type = await page(request.headers.get("accept", ""))
        # Not as `media_type`: Starlette would add a charset of its own.
        return Response(content, headers={"Content-Type": media_type, "Cache-Control": "no-store"})

    return Route("/metrics", metrics)
