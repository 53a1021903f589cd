"""Requests to the operations port that are refused."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from extauthz.operations.credentials import Credentials


class RefusedError(Exception):
    """Why a request is refused; the description is fit to be told."""

    def __init__(self, status: HTTPStatus, description: str) -> None:
        super().__init__(status, description)
        self.status = status
        self.description = description


def ensure_accepted(request: Request, credentials: Credentials) -> None:
    """Looks at the Authorization header.

    Raises:
        RefusedError: it does not show what it must.
    """
    if not credentials.accept(request.headers.get("authorization", "")):
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "credentials are missing or wrong")


def problem(refused: RefusedError, challenge: str = "") -> Response:
    """The answer to a refused request; `challenge` goes with 401."""
    headers = {"Cache-Control": "no-store"}
    if refused.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = challenge
    if refused.status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    content = {"error": refused.status.phrase, "description": refused.description}
    return JSONResponse(content, status_code=refused.status, headers=headers)
