"""The three forms in which a refusal is told to the client."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from extauthz.model.errors import ErrorFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorText:
    """What every form says."""

    code: str
    """Decimal digits."""
    message: str
    description: str
    status: int
    """HTTP status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """A response body with its media type."""

    content_type: str
    text: str


def error_body(error_format: ErrorFormat, text: ErrorText) -> ErrorBody:
    """The body of a refusal."""
    content_type, members = _FORMS[error_format]
    return ErrorBody(content_type=content_type, text=json.dumps(members(text)))


def _apim(text: ErrorText) -> dict[str, object]:
    return {"code": text.code, "message": text.message, "description": text.description}


def _fault(text: ErrorText) -> dict[str, object]:
    return {"fault": {"code": int(text.code), "message": text.message, "description": text.description}}


def _problem(text: ErrorText) -> dict[str, object]:
    # RFC 9457 §4.2.1: about:blank wants the status phrase as its title; ours go into extension members (§3.2).
    return {
        "type": "about:blank",
        "title": HTTPStatus(text.status).phrase,
        "status": text.status,
        "detail": text.description,
        "code": text.code,
        "message": text.message,
    }


_FORMS: dict[ErrorFormat, tuple[str, Callable[[ErrorText], dict[str, object]]]] = {
    ErrorFormat.APIM: ("application/json", _apim),
    ErrorFormat.FAULT: ("application/json", _fault),
    ErrorFormat.PROBLEM: ("application/problem+json", _problem),
}
