"""JSON about this process, for operators who show the bearer secret."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from extauthz.operations.credentials import Credentials
from extauthz.operations.refused import RefusedError, ensure_accepted, problem

Document = Callable[[QueryParams], Mapping[str, Any]]
"""What there is to say, for the parameters of a query.

Raises:
    RefusedError: a parameter is wrong.
"""


def document_route(path: str, document: Document, credentials: Credentials) -> Route:
    """GET of a document; nothing is told to whoever does not show the credentials."""

    async def answer(request: Request) -> Response:
        try:
            ensure_accepted(request, credentials)
            content = document(request.query_params)
        except RefusedError as refused:
            return problem(refused, credentials.challenge)
        return JSONResponse(content, headers={"Cache-Control": "no-store"})

    return Route(path, answer)
