"""The data plane of `serve` in this process, without its ports."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse

from extauthz.cli.check.source import Asked, Source, Told
from extauthz.data_plane.lasting import Lasting
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

    def __init__(self, served: AuthorizationServicer, counted: "_Counted") -> None:
        self._counted = counted
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
        before, started = self._counted.now(), time.perf_counter()
        response = await self._servicer.Check(request.check_request().SerializeToString())
        seconds = time.perf_counter() - started
        answer = answer_of(CheckResponse.FromString(response))
        return Told(
            answer=answer, decision=self._heard.decision, seconds=seconds, asked=_asked(self._counted.now() - before)
        )


class _Counted:
    """What the data plane counts of caches and of key managers; the only Checks here are ours."""

    def __init__(self, lasting: Lasting) -> None:
        self._lasting = lasting

    def now(self) -> Counter[tuple[str, ...]]:
        """(cache, level, `hit` or `miss`) and (kind, key manager, outcome), as often as they were."""
        lookups = {("cache", *names): int(count) for names, count in self._lasting.lookups.counts().items()}
        return Counter(lookups | {("call", *names): count for names, count in self._lasting.metrics.outgoing.items()})


def _asked(counts: Counter[tuple[str, ...]]) -> Asked:
    words = {"hit": "found in", "miss": "not in"}
    caches = [
        f"{words[result]} the {cache} cache ({level})" for kind, cache, level, result in counts if kind == "cache"
    ]
    calls = [f"{of} of {key_manager}: {outcome}" for kind, of, key_manager, outcome in counts if kind == "call"]
    return Asked(caches=caches, calls=calls)


@asynccontextmanager
async def in_process(settings: Settings, folder: Path, *, timeout_seconds: float) -> AsyncIterator[Source]:
    """A data plane that is ready; files that the settings name are relative to `folder`.

    Raises:
        DocumentError: the catalog or a secret cannot be used.
        Unavailable: it was not ready in time: its Redis or a key manager does not answer.
    """
    lasting = Lasting.of(settings, time.time)
    running = await RunningPlane.start(settings, folder, lasting=lasting)
    try:
        await running.ready(timeout_seconds)
        yield InProcess(running.plane.servicer, _Counted(lasting))
    finally:
        await running.close()
