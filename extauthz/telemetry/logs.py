"""Logs: one JSON object a line on standard error, one line a decision."""

import logging
import sys
from typing import TextIO

import structlog

from extauthz.model.check import Allow, Decision, Principal, RequestContext


def configure_logs(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Sends structlog's events, and those of libraries, to a stream as JSON lines."""
    out = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


class DecisionLog:
    """Writes one event for every decision: who asked for what, and why it was refused; never a credential."""

    def __init__(self) -> None:
        # Bound once: else every line would put its logger together anew.
        self._log = structlog.get_logger("extauthz.decision").bind()

    def __call__(self, request: RequestContext | None, decision: Decision, seconds: float) -> None:
        """One decision, taken within `seconds`."""
        about = decision.match if isinstance(decision, Allow) else decision
        api, resource = about.api, about.resource
        event: dict[str, object] = {
            "request_id": request.request_id if request else "",
            "api": api.id if api else None,
            "resource": resource.template if resource else None,
            "milliseconds": round(seconds * 1000, 3),
        }
        if isinstance(decision, Allow):
            access = decision.access
            self._log.info(
                "allowed",
                **(_credential(access.principal) if access else {"credential": None}),
                client_id=access.principal.facts.client_id if access else None,
                application=access.application.id if access and access.application else None,
                **event,
            )
        else:
            self._log.info(
                "denied",
                reason=decision.reason.value,
                detail=decision.detail,
                **event,
            )


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
