"""Logs: one JSON object a line on standard error; a line for every refusal, and for some of the allowed requests."""

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol, TextIO, cast

import structlog

from extauthz.model.check import Allow, Decision, Deny, Principal, RequestContext
from extauthz.telemetry.sampling import Sampler
from extauthz.telemetry.trace_context import trace_id

FIRST_PER_SECOND = 10
THEN_ONE_IN = 100


class LineStream(Protocol):
    """Takes whole lines."""

    def write(self, line: str, /) -> object:
        """Write one line."""
        ...

    def flush(self) -> object:
        """Leave nothing behind."""
        ...


def configure_logs(stream: LineStream | None = None, *, level: int = logging.INFO, worker: int | None = None) -> None:
    """Sends structlog's events, and those of libraries, to a stream as JSON lines.

    With `worker`, one of several processes, each line has its number.
    """
    # Neither structlog nor logging asks a stream for more than this.
    out = cast("TextIO", stream or sys.stderr)
    shared: list[structlog.typing.Processor] = [
        *([_signed(worker)] if worker is not None else []),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render = structlog.processors.JSONRenderer(serializer=_json)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                render,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def _signed(worker: int) -> structlog.typing.Processor:
    def signed(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["worker"] = worker
        return event

    return signed


# `json.dumps` with any argument makes an encoder anew for each line: 3 us of some 17.
_ENCODER = json.JSONEncoder(default=repr)


def _json(event: structlog.typing.EventDict, **_: Any) -> str:
    return _ENCODER.encode(_shown(event))


def _shown(value: Any) -> Any:
    """A value with its named tuples as they show themselves: JSON would write out what an extension's hides."""
    if isinstance(value, dict):
        return {name: _shown(item) for name, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return repr(value)
    return [_shown(item) for item in value] if isinstance(value, list | tuple) else value


class DecisionLog:
    """Writes who asked for what, and why it was refused; never a credential.

    Every refusal is recorded. Of the allowed requests: the first of each second, then one in many; `stands_for` says
    for how many a line stands.
    """

    def __init__(
        self,
        *,
        first_per_second: int = FIRST_PER_SECOND,
        then_one_in: int = THEN_ONE_IN,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        # Bound once: else every line would put its logger together anew.
        self._log = structlog.get_logger("extauthz.decision").bind()
        self._take = Sampler(first=first_per_second, one_in=then_one_in, monotonic=monotonic).take

    def __call__(self, request: RequestContext | None, decision: Decision, seconds: float) -> None:
        """One decision, taken within `seconds`."""
        if isinstance(decision, Deny):
            self._denied(request, decision, seconds)
        elif stands_for := self._take():
            self._allowed(request, decision, seconds, stands_for)

    def _denied(self, request: RequestContext | None, deny: Deny, seconds: float) -> None:
        api, resource = deny.api, deny.resource
        self._log.info(
            "denied",
            reason=deny.reason.value,
            detail=deny.detail,
            **({"key_manager": deny.key_manager} if deny.key_manager else {}),
            **_request(request),
            api=api.id if api else None,
            resource=resource.template if resource else None,
            milliseconds=round(seconds * 1000, 3),
            **({"shadow": True} if deny.shadow else {}),
        )

    def _allowed(self, request: RequestContext | None, allow: Allow, seconds: float, stands_for: int) -> None:
        access, match = allow.access, allow.match
        self._log.info(
            "allowed",
            **(_credential(access.principal) if access else {"credential": None}),
            client_id=access.principal.facts.client_id if access else None,
            application=access.application.id if access and access.application else None,
            **_request(request),
            api=match.api.id,
            resource=match.resource.template,
            milliseconds=round(seconds * 1000, 3),
            stands_for=stands_for,
        )


def _request(request: RequestContext | None) -> dict[str, str]:
    if request is None:
        return {"request_id": "", "trace_id": ""}
    return {"request_id": request.request_id, "trace_id": trace_id(request.headers.get("traceparent"))}


def _credential(principal: Principal) -> dict[str, object]:
    """The kind of a credential, and whose it is by the catalog."""
    said: dict[str, object] = {"credential": principal.credential}
    if principal.key_manager is not None:
        said["key_manager"] = principal.key_manager.id
    elif principal.api_key is not None:
        said["api_key"] = principal.api_key.id
    elif principal.certificate is not None:
        said["certificate"] = principal.certificate.subject
    return said
