"""POST of revocations: by an operator in our own form, or by WSO2 Identity Server in its own."""

import functools
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.oauth2.strict_json import parse_object
from extauthz.operations.credentials import Credentials
from extauthz.operations.notification import NotificationSource
from extauthz.operations.refused import RefusedError, ensure_accepted, problem
from extauthz.operations.request_body import bounded_body
from extauthz.operations.revocation_document import RevocationDocument
from extauthz.revocation.revocation import Revocation

MAX_BODY_BYTES = 64 * 1024
"""A token fits, whatever its length."""

Revoke = Callable[[Sequence[Revocation]], Awaitable[None]]
"""Raises Unavailable: it may not have been stored."""


class RevocationEndpoints:
    """Nothing is acknowledged before it is stored, and nothing of a body is ever told back or logged."""

    def __init__(self, revoke: Revoke, *, source: NotificationSource | None, clock: Clock) -> None:
        """`source` None: notifications are not understood."""
        self._revoke = revoke
        self._source = source
        self._clock = clock

    def routes(self, *, operator: Credentials | None, notifier: Credentials | None) -> list[Route]:
        """`/revocations` for the operator, WSO2's own path for the notifier; each only with credentials to ask for."""
        doors = (("/revocations", operator, self._any), ("/internal/data/v1/notify", notifier, self._notification))
        return [
            Route(path, functools.partial(self._post, credentials, read), methods=["POST"])
            for path, credentials, read in doors
            if credentials is not None
        ]

    async def _post(
        self, credentials: Credentials, read: Callable[[dict[str, Any]], list[Revocation]], request: Request
    ) -> Response:
        try:
            ensure_accepted(request, credentials)
            await self._revoke(read(_members(await bounded_body(request, max_bytes=MAX_BODY_BYTES))))
        except RefusedError as refused:
            return problem(refused, credentials.challenge)
        except ValidationError as error:
            return problem(RefusedError(HTTPStatus.BAD_REQUEST, _told(error)))
        except Unavailable as error:
            return problem(RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, f"not stored: {error.detail}"))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _any(self, members: dict[str, Any]) -> list[Revocation]:
        if "type" in members:
            return self._notification(members)
        document = RevocationDocument.model_validate(members)
        try:
            return [document.revocation(self._clock)]
        except ValueError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, str(error)) from error

    def _notification(self, members: dict[str, Any]) -> list[Revocation]:
        if self._source is None:
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, "notifications are not understood before `revocation.notifications` is set"
            )
        return self._source.revocations(members, self._clock)


def _members(body: bytes) -> dict[str, Any]:
    try:
        return parse_object(body)
    except ValueError as error:  # its text quotes the body
        message = "the body must be one JSON object, in UTF-8, without duplicate names"
        raise RefusedError(HTTPStatus.BAD_REQUEST, message) from error


def _told(error: ValidationError) -> str:
    """What is wrong and where; pydantic's own text would repeat the value."""
    told = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        if detail["type"] in {"union_tag_invalid", "union_tag_not_found"}:
            told.append(f"type: must be one of {', '.join(sorted(_TYPES))}")
            continue
        place = ".".join(str(step) for step in detail["loc"] if step not in _TYPES)
        told.append(f"{place or 'body'}: {detail['msg'].removeprefix('Value error, ')}")
    return "; ".join(told)


_TYPES = frozenset({"token_revocation", "consumer_app_revocation_event", "subject_entity_revocation_event"})
