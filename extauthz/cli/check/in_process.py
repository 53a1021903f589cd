"""The data plane of `serve` in this process, without its ports."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse

from extauthz.cli.check.source import Source, Told
from extauthz.data_plane.running import RunningPlane
from extauthz.envoy.servicer import Answering, AuthorizationServicer, Decider
from extauthz.envoy_client.answer import answer_of
from extauthz.envoy_client.sample_request import SampleRequest
from extauthz.model.check import Decision, RequestContext
from extauthz.settings.process import Settings


class _Heard:
    """A decider whose last decision is kept."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self.decision: Decision | None = None

    async def decide(self, request: RequestContext) -> Decision:
        """See `Decider`."""
        self.decision = None
        self.decision = await self._decider.decide(request)
        return self.decision


class InProcess:
    """Asks the servicer itself, and hears of the decision behind its answer."""

    def __init__(self, served: AuthorizationServicer) -> None:
        same = served.answering
        self._heard = _Heard(same.decider)
        self._servicer = AuthorizationServicer(
            Answering(
                decider=self._heard,
                responses=same.responses,
                budget_seconds=same.budget_seconds,
                shadow=same.shadow,
            )
        )

    async def ask(self, request: SampleRequest) -> Told:
        """See `Source`."""
        started = time.perf_counter()
        response = await self._servicer.Check(request.check_request().SerializeToString())
        seconds = time.perf_counter() - started
        answer = answer_of(CheckResponse.FromString(response))
        return Told(answer=answer, decision=self._heard.decision, seconds=seconds)


@asynccontextmanager
async def in_process(settings: Settings, folder: Path, *, timeout_seconds: float) -> AsyncIterator[Source]:
    """A data plane that is ready; files that the settings name are relative to `folder`.

    Raises:
        DocumentError: the catalog or a secret cannot be used.
        Unavailable: it was not ready in time: its Redis or a key manager does not answer.
    """
    running = await RunningPlane.start(settings, folder)
    try:
        await running.ready(timeout_seconds)
        yield InProcess(running.plane.servicer)
    finally:
        await running.close()
